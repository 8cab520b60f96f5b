#include <simdjson.h>

#include <array>

#include "delta/action/action.h"
#include "delta/log/log_error.h"

namespace millrace::delta {

namespace {

using simdjson::dom::element;
using simdjson::dom::object;

arrow::Status Missing(const char* name) { return arrow::Status::Invalid("no member '", name, "'"); }
arrow::Status WrongType(const char* name) {
  return arrow::Status::Invalid("member '", name, "' is not of the type it must be");
}

/// The member, or nothing when it is absent or null.
std::optional<element> Get(const object& from, const char* name) {
  element value;
  if (from[name].get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
  return value;
}

arrow::Status Read(const element& value, const char* name, std::string* out) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return WrongType(name);
  out->assign(text);
  return arrow::Status::OK();
}
arrow::Status Read(const element& value, const char* name, int64_t* out) {
  return value.get(*out) == simdjson::SUCCESS ? arrow::Status::OK() : WrongType(name);
}
arrow::Status Read(const element& value, const char* name, int32_t* out) {
  int64_t wide = 0;
  if (value.get(wide) != simdjson::SUCCESS || wide < INT32_MIN || wide > INT32_MAX) return WrongType(name);
  *out = static_cast<int32_t>(wide);
  return arrow::Status::OK();
}
arrow::Status Read(const element& value, const char* name, bool* out) {
  return value.get(*out) == simdjson::SUCCESS ? arrow::Status::OK() : WrongType(name);
}
arrow::Status Read(const element& value, const char* name, StringMap* out) {
  object members;
  if (value.get(members) != simdjson::SUCCESS) return WrongType(name);
  for (auto member : members) {
    // Writers in other languages let a tag be null; it says as much as its absence.
    if (member.value.is_null()) continue;
    std::string_view text;
    if (member.value.get(text) != simdjson::SUCCESS) return WrongType(name);
    out->emplace(member.key, text);
  }
  return arrow::Status::OK();
}
arrow::Status Read(const element& value, const char* name, PartitionValues* out) {
  object members;
  if (value.get(members) != simdjson::SUCCESS) return WrongType(name);
  for (auto member : members) {
    if (member.value.is_null()) {
      out->Add(std::string(member.key), std::nullopt);
      continue;
    }
    std::string_view text;
    if (member.value.get(text) != simdjson::SUCCESS) return WrongType(name);
    out->Add(std::string(member.key), std::string(text));
  }
  return arrow::Status::OK();
}
arrow::Status Read(const element& value, const char* name, std::vector<std::string>* out) {
  simdjson::dom::array elements;
  if (value.get(elements) != simdjson::SUCCESS) return WrongType(name);
  for (element item : elements) {
    std::string_view text;
    if (item.get(text) != simdjson::SUCCESS) return WrongType(name);
    out->emplace_back(text);
  }
  return arrow::Status::OK();
}

arrow::Status Read(const element& value, const char* name, DeletionVectorDescriptor* out);

template <typename T>
arrow::Status Required(const object& from, const char* name, T* out) {
  std::optional<element> value = Get(from, name);
  if (!value) return Missing(name);
  return Read(*value, name, out);
}
template <typename T>
arrow::Status OrDefault(const object& from, const char* name, T* out) {
  std::optional<element> value = Get(from, name);
  return value ? Read(*value, name, out) : arrow::Status::OK();
}
template <typename T>
arrow::Status Optional(const object& from, const char* name, std::optional<T>* out) {
  std::optional<element> value = Get(from, name);
  if (!value) return arrow::Status::OK();
  return Read(*value, name, &out->emplace());
}

arrow::Status Read(const element& value, const char* name, DeletionVectorDescriptor* out) {
  object from;
  if (value.get(from) != simdjson::SUCCESS) return WrongType(name);
  std::string storage_type;
  ARROW_RETURN_NOT_OK(Required(from, "storageType", &storage_type));
  if (storage_type.size() != 1) return WrongType("storageType");
  out->storage_type = storage_type[0];
  ARROW_RETURN_NOT_OK(Required(from, "pathOrInlineDv", &out->path_or_inline));
  ARROW_RETURN_NOT_OK(Optional(from, "offset", &out->offset));
  ARROW_RETURN_NOT_OK(Required(from, "sizeInBytes", &out->size_bytes));
  return Required(from, "cardinality", &out->cardinality);
}

arrow::Result<Action> ReadAdd(const object& from) {
  Add add;
  ARROW_RETURN_NOT_OK(Required(from, "path", &add.path));
  ARROW_RETURN_NOT_OK(OrDefault(from, "partitionValues", &add.partition_values));
  ARROW_RETURN_NOT_OK(Required(from, "size", &add.size_bytes));
  ARROW_RETURN_NOT_OK(OrDefault(from, "modificationTime", &add.modification_time_ms));
  add.data_change = false;  // what delta-spark makes of an add that does not say
  ARROW_RETURN_NOT_OK(OrDefault(from, "dataChange", &add.data_change));
  ARROW_RETURN_NOT_OK(Optional(from, "stats", &add.stats));
  ARROW_RETURN_NOT_OK(Optional(from, "tags", &add.tags));
  ARROW_RETURN_NOT_OK(Optional(from, "deletionVector", &add.deletion_vector));
  ARROW_RETURN_NOT_OK(Optional(from, "baseRowId", &add.base_row_id));
  ARROW_RETURN_NOT_OK(Optional(from, "defaultRowCommitVersion", &add.default_row_commit_version));
  ARROW_RETURN_NOT_OK(Optional(from, "clusteringProvider", &add.clustering_provider));
  return add;
}

arrow::Result<Action> ReadRemove(const object& from) {
  Remove remove;
  ARROW_RETURN_NOT_OK(Required(from, "path", &remove.path));
  ARROW_RETURN_NOT_OK(Optional(from, "deletionTimestamp", &remove.deletion_timestamp_ms));
  ARROW_RETURN_NOT_OK(OrDefault(from, "dataChange", &remove.data_change));
  ARROW_RETURN_NOT_OK(Optional(from, "extendedFileMetadata", &remove.extended_file_metadata));
  ARROW_RETURN_NOT_OK(Optional(from, "partitionValues", &remove.partition_values));
  ARROW_RETURN_NOT_OK(Optional(from, "size", &remove.size_bytes));
  ARROW_RETURN_NOT_OK(Optional(from, "tags", &remove.tags));
  ARROW_RETURN_NOT_OK(Optional(from, "deletionVector", &remove.deletion_vector));
  ARROW_RETURN_NOT_OK(Optional(from, "baseRowId", &remove.base_row_id));
  ARROW_RETURN_NOT_OK(Optional(from, "defaultRowCommitVersion", &remove.default_row_commit_version));
  ARROW_RETURN_NOT_OK(Optional(from, "stats", &remove.stats));
  return remove;
}

arrow::Result<Action> ReadMetadata(const object& from) {
  Metadata metadata;
  ARROW_RETURN_NOT_OK(Required(from, "id", &metadata.id));
  ARROW_RETURN_NOT_OK(Optional(from, "name", &metadata.name));
  ARROW_RETURN_NOT_OK(Optional(from, "description", &metadata.description));
  if (std::optional<element> format = Get(from, "format")) {
    object members;
    if (format->get(members) != simdjson::SUCCESS) return WrongType("format");
    ARROW_RETURN_NOT_OK(OrDefault(members, "provider", &metadata.format_provider));
    ARROW_RETURN_NOT_OK(OrDefault(members, "options", &metadata.format_options));
  }
  ARROW_RETURN_NOT_OK(OrDefault(from, "schemaString", &metadata.schema_string));
  ARROW_RETURN_NOT_OK(OrDefault(from, "partitionColumns", &metadata.partition_columns));
  ARROW_RETURN_NOT_OK(OrDefault(from, "configuration", &metadata.configuration));
  ARROW_RETURN_NOT_OK(Optional(from, "createdTime", &metadata.created_time_ms));
  return metadata;
}

arrow::Result<Action> ReadProtocol(const object& from) {
  Protocol protocol;
  ARROW_RETURN_NOT_OK(Required(from, "minReaderVersion", &protocol.min_reader_version));
  ARROW_RETURN_NOT_OK(Required(from, "minWriterVersion", &protocol.min_writer_version));
  ARROW_RETURN_NOT_OK(Optional(from, "readerFeatures", &protocol.reader_features));
  ARROW_RETURN_NOT_OK(Optional(from, "writerFeatures", &protocol.writer_features));
  return protocol;
}

arrow::Result<Action> ReadTxn(const object& from) {
  Txn txn;
  ARROW_RETURN_NOT_OK(Required(from, "appId", &txn.app_id));
  ARROW_RETURN_NOT_OK(Required(from, "version", &txn.version));
  ARROW_RETURN_NOT_OK(Optional(from, "lastUpdated", &txn.last_updated_ms));
  return txn;
}

// The order of members and the text of numbers are kept, so the object is read again from its own text.
arrow::Result<Action> ReadCommitInfo(const object& from) {
  ARROW_ASSIGN_OR_RAISE(JsonValue fields, ParseJson(simdjson::minify(from)));
  return CommitInfo{std::move(fields)};
}

arrow::Result<Action> ReadDomainMetadata(const object& from) {
  DomainMetadata domain;
  ARROW_RETURN_NOT_OK(Required(from, "domain", &domain.domain));
  ARROW_RETURN_NOT_OK(OrDefault(from, "configuration", &domain.configuration));
  ARROW_RETURN_NOT_OK(OrDefault(from, "removed", &domain.removed));
  return domain;
}

arrow::Result<Action> ReadCdc(const object& from) {
  Cdc cdc;
  ARROW_RETURN_NOT_OK(Required(from, "path", &cdc.path));
  ARROW_RETURN_NOT_OK(OrDefault(from, "partitionValues", &cdc.partition_values));
  ARROW_RETURN_NOT_OK(OrDefault(from, "size", &cdc.size_bytes));
  ARROW_RETURN_NOT_OK(OrDefault(from, "dataChange", &cdc.data_change));
  ARROW_RETURN_NOT_OK(Optional(from, "tags", &cdc.tags));
  return cdc;
}

arrow::Result<Action> ReadSidecar(const object& from) {
  Sidecar sidecar;
  ARROW_RETURN_NOT_OK(Required(from, "path", &sidecar.path));
  ARROW_RETURN_NOT_OK(Required(from, "sizeInBytes", &sidecar.size_bytes));
  ARROW_RETURN_NOT_OK(OrDefault(from, "modificationTime", &sidecar.modification_time_ms));
  ARROW_RETURN_NOT_OK(Optional(from, "tags", &sidecar.tags));
  return sidecar;
}

arrow::Result<Action> ReadCheckpointMetadata(const object& from) {
  CheckpointMetadata checkpoint;
  ARROW_RETURN_NOT_OK(Required(from, "version", &checkpoint.version));
  ARROW_RETURN_NOT_OK(Optional(from, "tags", &checkpoint.tags));
  return checkpoint;
}

struct Kind {
  std::string_view name;
  ActionKinds bit;
  arrow::Result<Action> (*read)(const object&);
};
constexpr std::array kActionKinds = {
    Kind{"add", kKinds<Add>, ReadAdd},
    Kind{"remove", kKinds<Remove>, ReadRemove},
    Kind{"metaData", kKinds<Metadata>, ReadMetadata},
    Kind{"protocol", kKinds<Protocol>, ReadProtocol},
    Kind{"txn", kKinds<Txn>, ReadTxn},
    Kind{"commitInfo", kKinds<CommitInfo>, ReadCommitInfo},
    Kind{"domainMetadata", kKinds<DomainMetadata>, ReadDomainMetadata},
    Kind{"cdc", kKinds<Cdc>, ReadCdc},
    Kind{"sidecar", kKinds<Sidecar>, ReadSidecar},
    Kind{"checkpointMetadata", kKinds<CheckpointMetadata>, ReadCheckpointMetadata},
};

/// The kind a line begins with, judged without parsing; null when the line is written in another way.
const Kind* KindByPrefix(std::string_view line) {
  if (!line.starts_with("{\"")) return nullptr;
  for (const Kind& kind : kActionKinds) {
    if (line.substr(2).starts_with(kind.name) && line.substr(2 + kind.name.size()).starts_with("\":")) return &kind;
  }
  return nullptr;
}

}  // namespace

struct ActionParser::Impl {
  ActionKinds kinds;
  simdjson::dom::parser parser;
};

ActionParser::ActionParser(ActionKinds kinds) : impl_(std::make_unique<Impl>()) { impl_->kinds = kinds; }
ActionParser::~ActionParser() = default;

arrow::Result<std::optional<Action>> ActionParser::ParseLine(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\n')) line.remove_suffix(1);
  if (line.empty()) return std::nullopt;
  const Kind* by_prefix = KindByPrefix(line);
  // A line cut short must not pass unseen, wanted or not.
  if (by_prefix != nullptr && (by_prefix->bit & impl_->kinds) == 0 && line.ends_with("}}")) return std::nullopt;
  element root;
  auto error = impl_->parser.parse(line.data(), line.size(), /*realloc_if_needed=*/true).get(root);
  if (error != simdjson::SUCCESS) return arrow::Status::Invalid(simdjson::error_message(error));
  object members;
  if (root.get(members) != simdjson::SUCCESS) return arrow::Status::Invalid("not a JSON object");
  for (const Kind& kind : kActionKinds) {
    element body;
    if (members[kind.name].get(body) != simdjson::SUCCESS || body.is_null()) continue;
    if ((kind.bit & impl_->kinds) == 0) return std::nullopt;
    object fields;
    if (body.get(fields) != simdjson::SUCCESS) return arrow::Status::Invalid("'", kind.name, "' is not a JSON object");
    auto action = kind.read(fields);
    if (!action.ok()) {
      return arrow::Status::Invalid("action '", kind.name, "': ", action.status().message());
    }
    return std::optional<Action>(std::move(*action));
  }
  return std::nullopt;
}

arrow::Result<std::vector<Action>> ActionParser::ParseLines(std::string_view text, const std::string& path) {
  std::vector<Action> actions;
  int64_t line_number = 0;
  while (!text.empty()) {
    ++line_number;
    size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    auto action = ParseLine(line);
    if (!action.ok()) {
      return UnreadableLogFile(path, "The Delta log file " + path + " is corrupt at line " +
                                         std::to_string(line_number) + ": " + action.status().message());
    }
    if (*action) actions.push_back(std::move(**action));
  }
  return actions;
}

arrow::Result<types::DataTypePtr> Metadata::ParseSchema() const {
  if (schema_string.empty()) return types::Struct({});
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr type, types::ParseTypeJson(schema_string));
  if (type->id() != types::TypeId::kStruct) return arrow::Status::Invalid("The table's schema is not a struct");
  return type;
}

}  // namespace millrace::delta
