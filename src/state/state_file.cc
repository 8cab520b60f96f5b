#include "state/state_file.h"

#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/ids.h"
#include "base/json_value.h"
#include "state/row_checksum.h"

namespace millrace::state {

using arrow::Result;
using arrow::Status;

namespace {

constexpr int32_t kEnd = -1;
constexpr int32_t kLargestRow = 1 << 30;
/// −1: the size of a value that was removed, and of the key after the last record.
constexpr std::string_view kNoValue("\xff\xff\xff\xff");
// What stands before each record of a changelog of column families, and at its end.
constexpr char kEndOfFile = 0x00, kPut = 0x01, kDelete = 0x10, kMerge = 0x11;

void PutInt(int32_t value, char* out) {
  auto bits = static_cast<uint32_t>(value);
  for (int k = 0; k < 4; ++k) out[k] = static_cast<char>(bits >> (24 - 8 * k));
}

/// The size of `bytes`, and them. Returns the end.
char* PutSized(std::string_view bytes, char* out) {
  PutInt(static_cast<int32_t>(bytes.size()), out);
  out += 4;
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}

/// Reads whole records out of the pieces of a decompressed stream.
class RecordReader {
 public:
  explicit RecordReader(CompressedReader* stream) : stream_(stream) {}

  /// `size` bytes, valid until the next call. Errors: Invalid when the stream ends before.
  Result<std::string_view> Read(size_t size) {
    if (piece_.size() >= size) {
      std::string_view bytes = piece_.substr(0, size);
      piece_.remove_prefix(size);
      return bytes;
    }
    assembled_.assign(piece_);
    piece_ = {};
    while (assembled_.size() < size) {
      ARROW_ASSIGN_OR_RAISE(piece_, stream_->Next());
      if (piece_.empty()) return Status::Invalid("it ends within a record");
      size_t part = std::min(size - assembled_.size(), piece_.size());
      assembled_.append(piece_.substr(0, part));
      piece_.remove_prefix(part);
    }
    return std::string_view(assembled_);
  }

  /// Errors: Invalid when what follows the last record is damaged.
  Status ReadToEnd() {
    do {
      ARROW_ASSIGN_OR_RAISE(piece_, stream_->Next());
    } while (!piece_.empty());
    return Status::OK();
  }

  Result<int32_t> ReadInt() {
    ARROW_ASSIGN_OR_RAISE(std::string_view bytes, Read(4));
    uint32_t value = 0;
    for (char c : bytes) value = value << 8 | static_cast<uint8_t>(c);
    return static_cast<int32_t>(value);
  }

 private:
  CompressedReader* stream_;
  std::string_view piece_;
  std::string assembled_;
};

Status BadSize(StateFileKind kind, const std::string& path, std::string_view what, int32_t size) {
  std::string condition = kind != StateFileKind::kSnapshot ? "CANNOT_LOAD_STATE_STORE.CANNOT_READ_DELTA_FILE_KEY_SIZE"
                          : what == "key" ? "CANNOT_LOAD_STATE_STORE.CANNOT_READ_SNAPSHOT_FILE_KEY_SIZE"
                                          : "CANNOT_LOAD_STATE_STORE.CANNOT_READ_SNAPSHOT_FILE_VALUE_SIZE";
  std::string number = std::to_string(size);
  return UserError(condition,
                   {{"fileToRead", path}, {"clazz", "the state store"}, {"keySize", number}, {"valueSize", number}});
}

// What a changelog says it is, in Java's modified UTF-8: "v2".
Result<std::string> ReadText(RecordReader* reader) {
  ARROW_ASSIGN_OR_RAISE(std::string_view size, reader->Read(2));
  auto bytes = static_cast<size_t>(static_cast<uint8_t>(size[0]) << 8 | static_cast<uint8_t>(size[1]));
  ARROW_ASSIGN_OR_RAISE(std::string_view text, reader->Read(bytes));
  return std::string(text);
}

// The version line of a changelog with ids, and these: [{"version":1,"checkpointUniqueId":"…"},…].
Result<std::map<int64_t, std::string>> ReadIds(RecordReader* reader) {
  ARROW_ASSIGN_OR_RAISE(std::string text, ReadText(reader));
  ARROW_ASSIGN_OR_RAISE(JsonValue list, ParseJson(text));
  if (!list.is_array()) return Status::Invalid("it has no ids of the versions before it");
  std::map<int64_t, std::string> ids;
  for (const JsonValue& item : list.elements()) {
    const JsonValue* version = item.Find("version");
    const JsonValue* id = item.Find("checkpointUniqueId");
    if (version == nullptr || id == nullptr) return Status::Invalid("it has no ids of the versions before it");
    ids[version->AsInt64()] = id->AsString();
  }
  return ids;
}

Status ReadRecords(CompressedReader* stream, const std::string& path, StateFileKind kind,
                   const StateRecordVisitor& visit, const std::string* checked_store) {
  RecordReader reader(stream);
  if (kind == StateFileKind::kChangelogWithIds) {
    ARROW_ASSIGN_OR_RAISE(std::string version, ReadText(&reader));
    if (version != "v3") return Status::NotImplemented("a changelog with ids of version ", version, ": ", path);
    ARROW_RETURN_NOT_OK(ReadIds(&reader));
    kind = StateFileKind::kChangelog;
  }
  std::string key_copy;
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(int32_t key_size, reader.ReadInt());
    if (key_size == kEnd) return reader.ReadToEnd();
    if (key_size < 0 || key_size > kLargestRow) return BadSize(kind, path, "key", key_size);
    ARROW_ASSIGN_OR_RAISE(std::string_view key, reader.Read(static_cast<size_t>(key_size)));
    key_copy.assign(key);
    ARROW_ASSIGN_OR_RAISE(int32_t value_size, reader.ReadInt());
    if (value_size < 0) {
      if (kind == StateFileKind::kSnapshot) return BadSize(kind, path, "value", value_size);
      std::string_view removed = key_copy;
      if (checked_store != nullptr) {
        ARROW_ASSIGN_OR_RAISE(removed, CheckedKey(removed, *checked_store));
      }
      ARROW_RETURN_NOT_OK(visit(removed, std::string_view()));
      continue;
    }
    if (value_size > kLargestRow) return BadSize(kind, path, "value", value_size);
    ARROW_ASSIGN_OR_RAISE(std::string_view value, reader.Read(static_cast<size_t>(value_size)));
    if (checked_store != nullptr) {
      ARROW_ASSIGN_OR_RAISE(value, CheckedValue(key_copy, value, *checked_store));
    }
    // Very old Sparks wrote four more bytes than the row has: rows are whole words.
    size_t size = kind == StateFileKind::kChangelog ? value.size() : value.size() / 8 * 8;
    // A row without columns has no bytes, and is a row all the same.
    ARROW_RETURN_NOT_OK(visit(key_copy, size == 0 ? std::string_view("", 0) : value.substr(0, size)));
  }
}

Status ReadFamilyRecords(CompressedReader* stream, const std::string& path, const FamilyChangeVisitor& visit) {
  RecordReader reader(stream);
  ARROW_ASSIGN_OR_RAISE(std::string version, ReadText(&reader));
  if (version != "v2" && version != "v4") {
    return Status::NotImplemented("a changelog of column families of version ", version, ": ", path);
  }
  if (version == "v4") ARROW_RETURN_NOT_OK(ReadIds(&reader));
  auto read_sized = [&](std::string_view what) -> Result<std::string> {
    ARROW_ASSIGN_OR_RAISE(int32_t size, reader.ReadInt());
    if (size < 0 || size > kLargestRow) return BadSize(StateFileKind::kChangelog, path, what, size);
    ARROW_ASSIGN_OR_RAISE(std::string_view bytes, reader.Read(static_cast<size_t>(size)));
    return std::string(bytes);
  };
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(std::string_view type, reader.Read(1));
    char kind = type[0];
    if (kind == kEndOfFile) return reader.ReadToEnd();
    if (kind != kPut && kind != kDelete && kind != kMerge) {
      return Status::NotImplemented("a record of type ", static_cast<int>(kind), " in the changelog ", path);
    }
    ARROW_ASSIGN_OR_RAISE(std::string key, read_sized("key"));
    if (kind == kDelete) {
      ARROW_ASSIGN_OR_RAISE(int32_t none, reader.ReadInt());
      if (none != kEnd) return BadSize(StateFileKind::kChangelog, path, "value", none);
      ARROW_RETURN_NOT_OK(visit(FamilyChange::kRemove, key, std::string_view()));
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(std::string value, read_sized("value"));
    ARROW_RETURN_NOT_OK(visit(kind == kPut ? FamilyChange::kPut : FamilyChange::kAppend, key, value));
  }
}

}  // namespace

Status DamagedStateFile(const std::string& path, std::string_view what) {
  Status status = UserError("CANNOT_LOAD_STATE_STORE.UNCATEGORIZED");
  return status.WithMessage(status.message(), "\nState file ", path, ": ", what,
                            ".\nNothing was changed. Put an undamaged copy of the file in place; or go back to an "
                            "earlier batch whose state is "
                            "whole (millrace checkpoint rewind); or start the query with a new checkpoint location.");
}

Result<std::unique_ptr<StateFileWriter>> StateFileWriter::Create(FileSystem* file_system, std::string path,
                                                                 const std::string& codec) {
  std::unique_ptr<StateFileWriter> writer(new StateFileWriter(file_system, std::move(path)));
  std::filesystem::path target(writer->path_);
  std::string temporary =
      JoinPath(target.parent_path().string(), "." + target.filename().string() + "." + RandomUuid() + ".tmp");
  ARROW_ASSIGN_OR_RAISE(writer->file_, file_system->OpenForWrite(temporary));
  writer->temporary_ = std::move(temporary);
  ARROW_ASSIGN_OR_RAISE(writer->stream_, MakeCompressedWriter(codec, writer->file_.get()));
  return writer;
}

StateFileWriter::~StateFileWriter() {
  if (temporary_.empty()) return;
  file_.reset();
  (void)file_system_->Remove(temporary_);
}

Status StateFileWriter::AppendSized(std::string_view bytes) {
  char size[4];
  PutInt(static_cast<int32_t>(bytes.size()), size);
  num_bytes_ += 4 + static_cast<int64_t>(bytes.size());
  ARROW_RETURN_NOT_OK(stream_->Append({size, 4}));
  return stream_->Append(bytes);
}

Status StateFileWriter::BeginChangelog(bool has_families, const std::map<int64_t, std::string>* ids) {
  has_types_ = has_families;
  if (!has_families && ids == nullptr) return Status::OK();  // version 1 does not say what it is
  auto append_text = [this](const std::string& text) -> Status {
    if (text.size() > 0xFFFF) return Status::Invalid("a changelog cannot tell the ids of so many versions");
    char size[2] = {static_cast<char>(text.size() >> 8), static_cast<char>(text.size())};
    num_bytes_ += 2 + static_cast<int64_t>(text.size());
    ARROW_RETURN_NOT_OK(stream_->Append({size, 2}));
    return stream_->Append(text);
  };
  int version = (has_families ? 2 : 1) + (ids == nullptr ? 0 : 2);
  ARROW_RETURN_NOT_OK(append_text("v" + std::to_string(version)));
  if (ids == nullptr) return Status::OK();
  std::vector<JsonValue> items;
  for (const auto& [number, id] : *ids) {
    JsonValue item = JsonValue::Object();
    item.Set("version", JsonValue::Number(number));
    item.Set("checkpointUniqueId", JsonValue::String(id));
    items.push_back(std::move(item));
  }
  return append_text(JsonValue::Array(std::move(items)).ToString());
}

Status StateFileWriter::Put(std::string_view key, std::string_view value) {
  if (has_types_) ARROW_RETURN_NOT_OK(stream_->Append({&kPut, 1}));
  if (has_checksums_) {
    AddChecksum(key, value, &checked_);
    value = checked_;
  }
  size_t size = 8 + key.size() + value.size();
  char* out = stream_->AppendInPlace(size);
  if (out == nullptr) {
    ARROW_RETURN_NOT_OK(AppendSized(key));
    return AppendSized(value);
  }
  num_bytes_ += static_cast<int64_t>(size);
  PutSized(value, PutSized(key, out));
  return Status::OK();
}

Status StateFileWriter::Remove(std::string_view key) {
  if (has_types_) ARROW_RETURN_NOT_OK(stream_->Append({&kDelete, 1}));
  if (has_checksums_) {
    AddKeyChecksum(key, &checked_);
    key = checked_;
  }
  size_t size = 8 + key.size();
  char* out = stream_->AppendInPlace(size);
  if (out == nullptr) {
    ARROW_RETURN_NOT_OK(AppendSized(key));
    num_bytes_ += 4;
    return stream_->Append(kNoValue);
  }
  num_bytes_ += static_cast<int64_t>(size);
  std::memcpy(PutSized(key, out), kNoValue.data(), kNoValue.size());
  return Status::OK();
}

Status StateFileWriter::Append(std::string_view key, std::string_view element) {
  ARROW_RETURN_NOT_OK(stream_->Append({&kMerge, 1}));
  ARROW_RETURN_NOT_OK(AppendSized(key));
  return AppendSized(element);
}

Status StateFileWriter::Finish(Durability durability, std::string_view failpoint, UnsyncedFiles* later) {
  ARROW_RETURN_NOT_OK(stream_->Append(has_types_ ? std::string_view(&kEndOfFile, 1) : kNoValue));
  ARROW_RETURN_NOT_OK(stream_->Finish());
  bool syncs = durability == Durability::kMachine && later == nullptr;
  if (syncs) ARROW_RETURN_NOT_OK(file_->Sync());
  ARROW_RETURN_NOT_OK(file_->Close());
  ARROW_RETURN_NOT_OK(HitFailpoint(failpoint));
  ARROW_RETURN_NOT_OK(file_system_->Rename(temporary_, path_));
  temporary_.clear();
  if (durability == Durability::kMachine && later != nullptr) later->AddFile(path_);
  return syncs ? file_system_->SyncDirectory(std::filesystem::path(path_).parent_path().string()) : Status::OK();
}

Status ReadStateRecords(std::string_view bytes, const std::string& path, const std::string& codec, StateFileKind kind,
                        const StateRecordVisitor& visit, const std::string* checked_store) {
  ARROW_ASSIGN_OR_RAISE(auto stream, MakeCompressedReader(codec, bytes));
  Status status = ReadRecords(stream.get(), path, kind, visit, checked_store);
  if (status.IsInvalid() && GetErrorDetail(status) == nullptr) return DamagedStateFile(path, status.message());
  return status;
}

Status ReadFamilyChangelog(const FileSystem& file_system, const std::string& path, const std::string& codec,
                           const FamilyChangeVisitor& visit) {
  ARROW_ASSIGN_OR_RAISE(std::string bytes, file_system.ReadFile(path));
  ARROW_ASSIGN_OR_RAISE(auto stream, MakeCompressedReader(codec, bytes));
  Status status = ReadFamilyRecords(stream.get(), path, visit);
  if (status.IsInvalid() && GetErrorDetail(status) == nullptr) return DamagedStateFile(path, status.message());
  return status;
}

Result<std::map<int64_t, std::string>> ReadChangelogIds(const FileSystem& file_system, const std::string& path,
                                                        const std::string& codec) {
  ARROW_ASSIGN_OR_RAISE(std::string bytes, file_system.ReadFile(path));
  ARROW_ASSIGN_OR_RAISE(auto stream, MakeCompressedReader(codec, bytes));
  RecordReader reader(stream.get());
  auto read = [&]() -> Result<std::map<int64_t, std::string>> {
    ARROW_ASSIGN_OR_RAISE(std::string version, ReadText(&reader));
    if (version != "v3" && version != "v4") return Status::Invalid("it has no ids of the versions before it");
    return ReadIds(&reader);
  };
  auto ids = read();
  return ids.ok() ? ids : DamagedStateFile(path, ids.status().message());
}

Status ReadStateFile(const FileSystem& file_system, const std::string& path, const std::string& codec,
                     StateFileKind kind, const StateRecordVisitor& visit, const std::string* checked_store) {
  ARROW_ASSIGN_OR_RAISE(std::string bytes, file_system.ReadFile(path));
  return ReadStateRecords(bytes, path, codec, kind, visit, checked_store);
}

}  // namespace millrace::state
