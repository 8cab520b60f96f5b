#include "state/state_schema.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/checksum_file.h"
#include "base/error.h"
#include "types/scala_text.h"

namespace millrace::state {

using arrow::Result;
using arrow::Status;
using types::DataType;
using types::TypeId;

namespace {

constexpr size_t kChunkCharacters = 65535;
// The version of the oldest schema files that Spark writes; older ones it reads.
constexpr int kOldestWritten = 2;

void AppendBigEndian(uint64_t value, int num_bytes, std::string* out) {
  for (int k = num_bytes - 1; k >= 0; --k) out->push_back(static_cast<char>(value >> (8 * k)));
}

// Java's DataOutput.writeUTF: 16-bit length, modified UTF-8 (NUL as two bytes, characters beyond 16 bits as
// surrogates).
std::string ModifiedUtf8(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    auto byte = static_cast<uint8_t>(text[i]);
    if (byte == 0) {
      out += "\xC0\x80";
    } else if (byte < 0xF0 || i + 3 >= text.size()) {
      out.push_back(text[i]);
    } else {
      uint32_t point = (byte & 7U) << 18;
      for (size_t k = 1; k < 4; ++k) point |= (static_cast<uint8_t>(text[i + k]) & 63U) << (18 - 6 * k);
      i += 3;
      point -= 0x10000;
      for (uint32_t unit : {0xD800 + (point >> 10), 0xDC00 + (point & 0x3FF)}) {
        out.push_back(static_cast<char>(0xE0 | unit >> 12));
        out.push_back(static_cast<char>(0x80 | (unit >> 6 & 63)));
        out.push_back(static_cast<char>(0x80 | (unit & 63)));
      }
    }
  }
  return out;
}

std::string FromModifiedUtf8(std::string_view bytes) {
  std::string out;
  auto at = [&bytes](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])); };
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (bytes.substr(i).starts_with("\xC0\x80")) {
      out.push_back('\0');
      ++i;
    } else if (at(i) == 0xED && i + 5 < bytes.size() && (at(i + 1) & 0xF0) == 0xA0 && at(i + 3) == 0xED) {
      uint32_t high = (at(i + 1) & 15) << 6 | (at(i + 2) & 63), low = (at(i + 4) & 15) << 6 | (at(i + 5) & 63);
      uint32_t point = 0x10000 + (high << 10) + low;
      out.push_back(static_cast<char>(0xF0 | point >> 18));
      out.push_back(static_cast<char>(0x80 | (point >> 12 & 63)));
      out.push_back(static_cast<char>(0x80 | (point >> 6 & 63)));
      out.push_back(static_cast<char>(0x80 | (point & 63)));
      i += 5;
    } else {
      out.push_back(bytes[i]);
    }
  }
  return out;
}

void AppendUtf(std::string_view text, std::string* out) {
  std::string bytes = ModifiedUtf8(text);
  AppendBigEndian(bytes.size(), 2, out);
  *out += bytes;
}

// Long texts in pieces of at most 65535 bytes: schemas are nearly always ASCII, a character is never cut.
void AppendChunked(std::string_view text, std::string* out) {
  std::vector<std::string_view> chunks;
  while (!text.empty()) {
    size_t size = std::min(text.size(), kChunkCharacters);
    while (size < text.size() && (static_cast<uint8_t>(text[size]) & 0xC0) == 0x80) --size;
    if (ModifiedUtf8(text.substr(0, size)).size() > kChunkCharacters) size /= 2;
    chunks.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  AppendBigEndian(chunks.size(), 4, out);
  for (std::string_view chunk : chunks) AppendUtf(chunk, out);
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  Result<int64_t> Int(size_t num_bytes) {
    ARROW_ASSIGN_OR_RAISE(std::string_view bytes, Take(num_bytes));
    uint64_t value = 0;
    for (char c : bytes) value = value << 8 | static_cast<uint8_t>(c);
    return static_cast<int64_t>(value);
  }
  Result<std::string> Utf() {
    ARROW_ASSIGN_OR_RAISE(int64_t size, Int(2));
    ARROW_ASSIGN_OR_RAISE(std::string_view bytes, Take(static_cast<size_t>(size)));
    return FromModifiedUtf8(bytes);
  }
  Result<std::string> Chunked() {
    ARROW_ASSIGN_OR_RAISE(int64_t count, Int(4));
    std::string text;
    for (int64_t k = 0; k < count; ++k) {
      ARROW_ASSIGN_OR_RAISE(std::string chunk, Utf());
      text += chunk;
    }
    return text;
  }

 private:
  Result<std::string_view> Take(size_t size) {
    if (size > bytes_.size()) return Status::Invalid("it ends too early");
    std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

  std::string_view bytes_;
};

Result<std::vector<StoredSchema>> DecodeVersion3(Reader* reader) {
  ARROW_ASSIGN_OR_RAISE(int64_t count, reader->Int(4));
  std::vector<StoredSchema> schemas;
  for (int64_t k = 0; k < count; ++k) {
    StoredSchema schema;
    ARROW_ASSIGN_OR_RAISE(schema.column_family, reader->Utf());
    ARROW_RETURN_NOT_OK(reader->Int(2));
    ARROW_ASSIGN_OR_RAISE(std::string key, reader->Chunked());
    ARROW_RETURN_NOT_OK(reader->Int(2));
    ARROW_ASSIGN_OR_RAISE(std::string value, reader->Chunked());
    ARROW_ASSIGN_OR_RAISE(schema.key, types::ParseTypeJson(key));
    ARROW_ASSIGN_OR_RAISE(schema.value, types::ParseTypeJson(value));
    ARROW_ASSIGN_OR_RAISE(schema.key_encoder_json, reader->Chunked());
    ARROW_ASSIGN_OR_RAISE(std::string user_key, reader->Chunked());
    if (user_key.find_first_not_of("{ }") != std::string::npos) schema.user_key_json = std::move(user_key);
    schemas.push_back(std::move(schema));
  }
  return schemas;
}

Result<std::vector<StoredSchema>> Decode(std::string_view bytes) {
  Reader reader(bytes);
  ARROW_ASSIGN_OR_RAISE(std::string version, reader.Utf());
  if (version == "v3") return DecodeVersion3(&reader);
  if (version != "v1" && version != "v2") return Status::Invalid("its version ", version, " is unknown");
  auto read = [&] { return version == "v1" ? reader.Utf() : reader.Chunked(); };
  StoredSchema schema;
  schema.column_family = std::string(kDefaultStoreName);
  ARROW_ASSIGN_OR_RAISE(std::string key, read());
  ARROW_ASSIGN_OR_RAISE(std::string value, read());
  ARROW_ASSIGN_OR_RAISE(schema.key, types::ParseTypeJson(key));
  ARROW_ASSIGN_OR_RAISE(schema.value, types::ParseTypeJson(value));
  return std::vector<StoredSchema>{std::move(schema)};
}

// Spark's DataType.equalsIgnoreNameAndCompatibleNullability(from = current, to = stored): every row that the query
// makes now must be one that the stored schema can hold.
bool IsCompatible(const DataType& stored, const DataType& current) {
  auto nullability_fits = [](bool was, bool is) { return was || !is; };
  if (stored.id() != current.id()) return false;
  switch (stored.id()) {
    case TypeId::kArray:
      return nullability_fits(stored.contains_null(), current.contains_null()) &&
             IsCompatible(*stored.element(), *current.element());
    case TypeId::kMap:
      return nullability_fits(stored.value_contains_null(), current.value_contains_null()) &&
             IsCompatible(*stored.key(), *current.key()) && IsCompatible(*stored.value(), *current.value());
    case TypeId::kStruct: {
      if (stored.fields().size() != current.fields().size()) return false;
      for (size_t k = 0; k < stored.fields().size(); ++k) {
        const auto& was = stored.fields()[k];
        const auto& is = current.fields()[k];
        if (!nullability_fits(was.nullable, is.nullable) || !IsCompatible(*was.type, *is.type)) return false;
      }
      return true;
    }
    default:
      return stored.Equals(current);
  }
}

}  // namespace

std::string EncodeSchemaFile(const DataType& key, const DataType& value) {
  std::string bytes;
  AppendUtf("v2", &bytes);
  AppendChunked(key.ToJson(), &bytes);
  AppendChunked(value.ToJson(), &bytes);
  return bytes;
}

Result<std::vector<StoredSchema>> DecodeSchemaFile(std::string_view bytes, const std::string& path) {
  auto schemas = Decode(bytes);
  if (!schemas.ok()) return Status::Invalid("state schema file ", path, ": ", schemas.status().message());
  return schemas;
}

std::string SchemaPath(const std::string& state_directory, int64_t operator_id, const std::string& store_name) {
  return JoinPath(StoreDirectory(state_directory, {operator_id, 0, store_name}), "_metadata/schema");
}

Result<std::optional<StoredSchema>> ReadSchema(const FileSystem& file_system, const std::string& state_directory,
                                               int64_t operator_id, const std::string& store_name) {
  std::string path = SchemaPath(state_directory, operator_id, store_name);
  auto bytes = ReadCheckedFile(file_system, path);
  if (bytes.status().IsKeyError()) return std::nullopt;
  ARROW_RETURN_NOT_OK(bytes);
  ARROW_ASSIGN_OR_RAISE(auto schemas, DecodeSchemaFile(*bytes, path));
  if (schemas.empty()) return std::nullopt;
  return std::move(schemas.front());
}

namespace {

Status CheckTypes(const StoredSchema& stored, const DataType& key, const DataType& value, bool validates_value) {
  if (!IsCompatible(*stored.key, key)) {
    return UserError("STATE_STORE_KEY_SCHEMA_NOT_COMPATIBLE",
                     {{"storedKeySchema", types::ScalaText(*stored.key)}, {"newKeySchema", types::ScalaText(key)}});
  }
  if (validates_value && !IsCompatible(*stored.value, value)) {
    return UserError("STATE_STORE_VALUE_SCHEMA_NOT_COMPATIBLE", {{"storedValueSchema", types::ScalaText(*stored.value)},
                                                                 {"newValueSchema", types::ScalaText(value)}});
  }
  return Status::OK();
}

}  // namespace

std::string EncodeFamilySchemas(std::vector<StatefulOperatorInfo::Family> families) {
  std::sort(families.begin(), families.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  std::string bytes;
  AppendUtf("v3", &bytes);
  AppendBigEndian(families.size(), 4, &bytes);
  for (const auto& family : families) {
    AppendUtf(family.name, &bytes);
    AppendBigEndian(0, 2, &bytes);
    AppendChunked(family.key->ToJson(), &bytes);
    AppendBigEndian(0, 2, &bytes);
    AppendChunked(family.value->ToJson(), &bytes);
    AppendChunked(family.key_encoder_json, &bytes);
    AppendChunked(family.user_key == nullptr ? "{    }" : family.user_key->ToJson(), &bytes);
  }
  return bytes;
}

Status CheckFamilySchemas(const std::vector<StoredSchema>& stored, const StatefulOperatorInfo& info, bool enforce) {
  for (const auto& family : info.families) {
    for (const StoredSchema& known : stored) {
      if (known.column_family != family.name) continue;
      Status status = CheckTypes(known, *family.key, *family.value, true);
      if (status.ok()) continue;
      if (enforce) return status;
      spdlog::warn("{}", status.message());
    }
  }
  return Status::OK();
}

Status CheckSchema(const FileSystem& file_system, const std::string& state_directory, int64_t operator_id,
                   const StatefulOperatorInfo::Store& store, bool enforce) {
  ARROW_ASSIGN_OR_RAISE(auto stored, ReadSchema(file_system, state_directory, operator_id, store.name));
  if (!stored && enforce && store.schema_version < kOldestWritten) {
    return Status::Invalid("Unsupported schema writer version: ", store.schema_version);
  }
  if (!stored) return Status::OK();
  Status status = CheckTypes(*stored, *store.schema.key, *store.schema.value, store.validates_value);
  if (status.ok() || enforce) return status;
  spdlog::warn("{}", status.message());
  return Status::OK();
}

Status WriteSchemaIfAbsent(FileSystem* file_system, const std::string& state_directory, int64_t operator_id,
                           const StatefulOperatorInfo::Store& store, Durability durability) {
  if (store.schema_version < kOldestWritten) return Status::OK();
  std::string path = SchemaPath(state_directory, operator_id, store.name);
  ARROW_ASSIGN_OR_RAISE(auto existing, file_system->Stat(path));
  if (existing.has_value()) return Status::OK();
  ARROW_RETURN_NOT_OK(file_system->CreateDirectories(path.substr(0, path.rfind('/'))));
  return WriteFileIfAbsent(*file_system, path, EncodeSchemaFile(*store.schema.key, *store.schema.value), durability)
      .status();
}

}  // namespace millrace::state
