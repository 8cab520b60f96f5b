#include "delta/action/action.h"

namespace millrace::delta {

namespace {

/// Appends the members of one object; absent ones are left out.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string* out) : out_(out) { *out_ += '{'; }
  void Close() { *out_ += '}'; }

  void Field(std::string_view key, const std::string& value) {
    Key(key);
    AppendJsonString(value, out_);
  }
  void Field(std::string_view key, int64_t value) {
    Key(key);
    *out_ += std::to_string(value);
  }
  void Field(std::string_view key, int32_t value) { Field(key, int64_t{value}); }
  void Field(std::string_view key, bool value) {
    Key(key);
    *out_ += value ? "true" : "false";
  }
  void Field(std::string_view key, const StringMap& map) {
    Key(key);
    ObjectWriter writer(out_);
    for (const auto& [name, value] : map) writer.Field(name, value);
    writer.Close();
  }
  void Field(std::string_view key, const PartitionValues& values) {
    Key(key);
    ObjectWriter writer(out_);
    for (const auto& [name, value] : values.entries()) {
      if (value) {
        writer.Field(name, *value);
      } else {
        writer.Key(name);
        *out_ += "null";
      }
    }
    writer.Close();
  }
  void Field(std::string_view key, const std::vector<std::string>& values) {
    Key(key);
    *out_ += '[';
    for (size_t i = 0; i < values.size(); ++i) {
      if (i > 0) *out_ += ',';
      AppendJsonString(values[i], out_);
    }
    *out_ += ']';
  }
  void Field(std::string_view key, const DeletionVectorDescriptor& vector) {
    Key(key);
    ObjectWriter writer(out_);
    writer.Field("storageType", std::string(1, vector.storage_type));
    writer.Field("pathOrInlineDv", vector.path_or_inline);
    writer.Optional("offset", vector.offset);
    writer.Field("sizeInBytes", vector.size_bytes);
    writer.Field("cardinality", vector.cardinality);
    writer.Close();
  }
  template <typename T>
  void Optional(std::string_view key, const std::optional<T>& value) {
    if (value) Field(key, *value);
  }
  void Raw(std::string_view key, std::string_view json) {
    Key(key);
    *out_ += json;
  }
  void Key(std::string_view key) {
    if (!first_) *out_ += ',';
    first_ = false;
    AppendJsonString(key, out_);
    *out_ += ':';
  }

 private:
  std::string* out_;
  bool first_ = true;
};

const char* Write(const Add& add, ObjectWriter* out) {
  out->Field("path", add.path);
  out->Field("partitionValues", add.partition_values);
  out->Field("size", add.size_bytes);
  out->Field("modificationTime", add.modification_time_ms);
  out->Field("dataChange", add.data_change);
  out->Optional("stats", add.stats);
  out->Optional("tags", add.tags);
  out->Optional("deletionVector", add.deletion_vector);
  out->Optional("baseRowId", add.base_row_id);
  out->Optional("defaultRowCommitVersion", add.default_row_commit_version);
  out->Optional("clusteringProvider", add.clustering_provider);
  return "add";
}

const char* Write(const Remove& remove, ObjectWriter* out) {
  out->Field("path", remove.path);
  out->Optional("deletionTimestamp", remove.deletion_timestamp_ms);
  out->Field("dataChange", remove.data_change);
  out->Optional("extendedFileMetadata", remove.extended_file_metadata);
  if (remove.partition_values) {
    // As in delta-spark NULL is a value that is not there; an add writes it.
    PartitionValues told;
    for (const auto& [name, value] : remove.partition_values->entries()) {
      if (value) told.Add(name, value);
    }
    out->Field("partitionValues", told);
  }
  out->Optional("size", remove.size_bytes);
  out->Optional("tags", remove.tags);
  out->Optional("deletionVector", remove.deletion_vector);
  out->Optional("baseRowId", remove.base_row_id);
  out->Optional("defaultRowCommitVersion", remove.default_row_commit_version);
  out->Optional("stats", remove.stats);
  return "remove";
}

const char* Write(const Metadata& metadata, ObjectWriter* out) {
  out->Field("id", metadata.id);
  out->Optional("name", metadata.name);
  out->Optional("description", metadata.description);
  std::string format;
  ObjectWriter format_writer(&format);
  format_writer.Field("provider", metadata.format_provider);
  format_writer.Field("options", metadata.format_options);
  format_writer.Close();
  out->Raw("format", format);
  out->Field("schemaString", metadata.schema_string);
  out->Field("partitionColumns", metadata.partition_columns);
  out->Field("configuration", metadata.configuration);
  out->Optional("createdTime", metadata.created_time_ms);
  return "metaData";
}

const char* Write(const Protocol& protocol, ObjectWriter* out) {
  out->Field("minReaderVersion", protocol.min_reader_version);
  out->Field("minWriterVersion", protocol.min_writer_version);
  out->Optional("readerFeatures", protocol.reader_features);
  out->Optional("writerFeatures", protocol.writer_features);
  return "protocol";
}

const char* Write(const Txn& txn, ObjectWriter* out) {
  out->Field("appId", txn.app_id);
  out->Field("version", txn.version);
  out->Optional("lastUpdated", txn.last_updated_ms);
  return "txn";
}

const char* Write(const CommitInfo& info, ObjectWriter* out) {
  for (const auto& [key, value] : info.fields.members()) out->Raw(key, value.ToString());
  return "commitInfo";
}

const char* Write(const DomainMetadata& domain, ObjectWriter* out) {
  out->Field("domain", domain.domain);
  out->Field("configuration", domain.configuration);
  out->Field("removed", domain.removed);
  return "domainMetadata";
}

const char* Write(const Cdc& cdc, ObjectWriter* out) {
  out->Field("path", cdc.path);
  out->Field("partitionValues", cdc.partition_values);
  out->Field("size", cdc.size_bytes);
  out->Field("dataChange", cdc.data_change);
  out->Optional("tags", cdc.tags);
  return "cdc";
}

const char* Write(const Sidecar& sidecar, ObjectWriter* out) {
  out->Field("path", sidecar.path);
  out->Field("sizeInBytes", sidecar.size_bytes);
  out->Field("modificationTime", sidecar.modification_time_ms);
  out->Optional("tags", sidecar.tags);
  return "sidecar";
}

const char* Write(const CheckpointMetadata& checkpoint, ObjectWriter* out) {
  out->Field("version", checkpoint.version);
  out->Optional("tags", checkpoint.tags);
  return "checkpointMetadata";
}

}  // namespace

std::string ToJsonLine(const Action& action) {
  std::string body;
  ObjectWriter writer(&body);
  const char* kind = std::visit([&](const auto& value) { return Write(value, &writer); }, action);
  writer.Close();
  return std::string("{\"") + kind + "\":" + body + "}";
}

}  // namespace millrace::delta
