#include "delta/checkpoint/checkpoint_reader.h"

#include <utility>

#include "base/error.h"
#include "base/json_value.h"
#include "delta/checkpoint/checkpoint_schema.h"
#include "delta/log/log_error.h"
#include "delta/log/log_paths.h"
#include "format/parquet/parquet_scan.h"

namespace millrace::delta {

namespace {

arrow::Status Corrupt(const std::string& path, const arrow::Status& status) {
  if (GetErrorDetail(status) != nullptr) return status;
  return UnreadableLogFile(path, "The Delta checkpoint " + path + " cannot be read: " + status.message());
}

template <typename Array>
std::shared_ptr<Array> Column(const arrow::StructArray& from, const char* name) {
  int index = static_cast<const arrow::StructType&>(*from.type()).GetFieldIndex(name);
  if (index < 0) return nullptr;
  auto column = std::static_pointer_cast<Array>(from.field(index));
  return column->null_count() == column->length() ? nullptr : column;
}

std::optional<std::string> Text(const arrow::StructArray& from, const char* name, int64_t row) {
  auto column = Column<arrow::StringArray>(from, name);
  if (column == nullptr || column->IsNull(row)) return std::nullopt;
  return column->GetString(row);
}
std::optional<int64_t> Long(const arrow::StructArray& from, const char* name, int64_t row) {
  auto column = Column<arrow::Int64Array>(from, name);
  if (column == nullptr || column->IsNull(row)) return std::nullopt;
  return column->Value(row);
}
std::optional<int32_t> Int(const arrow::StructArray& from, const char* name, int64_t row) {
  auto column = Column<arrow::Int32Array>(from, name);
  if (column == nullptr || column->IsNull(row)) return std::nullopt;
  return column->Value(row);
}
std::optional<bool> Bool(const arrow::StructArray& from, const char* name, int64_t row) {
  auto column = Column<arrow::BooleanArray>(from, name);
  if (column == nullptr || column->IsNull(row)) return std::nullopt;
  return column->Value(row);
}
std::optional<std::vector<std::string>> TextList(const arrow::StructArray& from, const char* name, int64_t row) {
  auto column = Column<arrow::ListArray>(from, name);
  if (column == nullptr || column->IsNull(row)) return std::nullopt;
  const auto& values = static_cast<const arrow::StringArray&>(*column->values());
  std::vector<std::string> list;
  for (int64_t i = column->value_offset(row); i < column->value_offset(row + 1); ++i)
    list.push_back(values.GetString(i));
  return list;
}
template <typename Visit>
bool EachEntry(const arrow::StructArray& from, const char* name, int64_t row, Visit&& visit) {
  auto column = Column<arrow::MapArray>(from, name);
  if (column == nullptr || column->IsNull(row)) return false;
  const auto& keys = static_cast<const arrow::StringArray&>(*column->keys());
  const auto& values = static_cast<const arrow::StringArray&>(*column->items());
  for (int64_t i = column->value_offset(row); i < column->value_offset(row + 1); ++i) {
    visit(keys.GetString(i), values.IsNull(i) ? std::nullopt : std::optional<std::string>(values.GetString(i)));
  }
  return true;
}
std::optional<StringMap> Map(const arrow::StructArray& from, const char* name, int64_t row) {
  StringMap map;
  bool present = EachEntry(from, name, row, [&](std::string key, std::optional<std::string> value) {
    if (value) map.emplace(std::move(key), std::move(*value));
  });
  return present ? std::optional(std::move(map)) : std::nullopt;
}

std::optional<DeletionVectorDescriptor> Vector(const arrow::StructArray& from, int64_t row) {
  auto vectors = Column<arrow::StructArray>(from, "deletionVector");
  if (vectors == nullptr || vectors->IsNull(row)) return std::nullopt;
  DeletionVectorDescriptor vector;
  std::string storage = Text(*vectors, "storageType", row).value_or("u");
  vector.storage_type = storage.empty() ? 'u' : storage[0];
  vector.path_or_inline = Text(*vectors, "pathOrInlineDv", row).value_or("");
  vector.offset = Int(*vectors, "offset", row);
  vector.size_bytes = Int(*vectors, "sizeInBytes", row).value_or(0);
  vector.cardinality = Long(*vectors, "cardinality", row).value_or(0);
  return vector;
}

Protocol ReadProtocol(const arrow::StructArray& from, int64_t row) {
  Protocol protocol;
  protocol.min_reader_version = Int(from, "minReaderVersion", row).value_or(1);
  protocol.min_writer_version = Int(from, "minWriterVersion", row).value_or(1);
  // Writers of checkpoints leave empty lists where the protocol has none.
  if (protocol.min_reader_version >= kTableFeaturesReaderVersion) {
    protocol.reader_features = TextList(from, "readerFeatures", row).value_or(std::vector<std::string>());
  }
  if (protocol.min_writer_version >= kTableFeaturesWriterVersion) {
    protocol.writer_features = TextList(from, "writerFeatures", row).value_or(std::vector<std::string>());
  }
  return protocol;
}

Metadata ReadMetadata(const arrow::StructArray& from, int64_t row) {
  Metadata metadata;
  metadata.id = Text(from, "id", row).value_or("");
  metadata.name = Text(from, "name", row);
  metadata.description = Text(from, "description", row);
  if (auto format = Column<arrow::StructArray>(from, "format"); format != nullptr && format->IsValid(row)) {
    metadata.format_provider = Text(*format, "provider", row).value_or("parquet");
    metadata.format_options = Map(*format, "options", row).value_or(StringMap());
  }
  metadata.schema_string = Text(from, "schemaString", row).value_or("");
  metadata.partition_columns = TextList(from, "partitionColumns", row).value_or(std::vector<std::string>());
  metadata.configuration = Map(from, "configuration", row).value_or(StringMap());
  metadata.created_time_ms = Long(from, "createdTime", row);
  return metadata;
}

Remove ReadRemove(const arrow::StructArray& from, int64_t row) {
  Remove remove;
  remove.path = Text(from, "path", row).value_or("");
  remove.deletion_timestamp_ms = Long(from, "deletionTimestamp", row);
  remove.data_change = Bool(from, "dataChange", row).value_or(true);
  remove.extended_file_metadata = Bool(from, "extendedFileMetadata", row);
  PartitionValues values;
  bool present = EachEntry(from, "partitionValues", row, [&](std::string key, std::optional<std::string> value) {
    values.Add(std::move(key), std::move(value));
  });
  if (present) remove.partition_values = std::move(values);
  remove.size_bytes = Long(from, "size", row);
  remove.tags = Map(from, "tags", row);
  remove.deletion_vector = Vector(from, row);
  remove.base_row_id = Long(from, "baseRowId", row);
  remove.default_row_commit_version = Long(from, "defaultRowCommitVersion", row);
  return remove;
}

using VisitContents = std::function<arrow::Status(CheckpointContents)>;
/// Rows that are decoded at once where nothing may be kept.
constexpr int64_t kVisitedRows = 2048;

/// Reads the rows of one Parquet file of actions into the contents.
class ParquetActions {
 public:
  /// With `visit` the contents are handed over batch by batch, and the file is not taken into memory whole.
  ParquetActions(const FileSystem& file_system, CheckpointContents* contents, std::vector<Sidecar>* sidecars,
                 CheckpointPart part, VisitContents visit)
      : file_system_(file_system), contents_(contents), sidecars_(sidecars), part_(part), visit_(std::move(visit)) {}

  arrow::Status ReadFile(const std::string& path) {
    auto choose = [&](const arrow::Schema& file_schema) -> arrow::Result<format::ParquetScanOptions> {
      format::ParquetScanOptions options;
      ARROW_ASSIGN_OR_RAISE(options.schema, CheckpointColumns(file_schema, part_));
      options.batch_rows = visit_ ? kVisitedRows : int64_t{1} << 20;
      return options;
    };
    std::unique_ptr<format::ParquetScan> scan;
    if (visit_) {
      ARROW_ASSIGN_OR_RAISE(scan, format::ParquetScan::OpenChosen(path, choose));
    } else {
      ARROW_ASSIGN_OR_RAISE(std::string bytes, file_system_.ReadFile(path));
      ARROW_ASSIGN_OR_RAISE(scan, format::ParquetScan::OpenBytes(path, std::move(bytes), choose));
    }
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto batch, scan->Next());
      if (batch == nullptr) return arrow::Status::OK();
      ARROW_RETURN_NOT_OK(ReadBatch(*batch));
      if (visit_) ARROW_RETURN_NOT_OK(visit_(std::exchange(*contents_, {})));
    }
  }

 private:
  arrow::Status ReadBatch(const arrow::RecordBatch& batch) {
    ReadAdds(batch);
    Each(batch, "protocol", [&](const auto& from, int64_t row) { contents_->protocol = ReadProtocol(from, row); });
    Each(batch, "metaData", [&](const auto& from, int64_t row) { contents_->metadata = ReadMetadata(from, row); });
    Each(batch, "txn", [&](const auto& from, int64_t row) {
      contents_->txns.push_back({Text(from, "appId", row).value_or(""), Long(from, "version", row).value_or(0),
                                 Long(from, "lastUpdated", row)});
    });
    Each(batch, "domainMetadata", [&](const auto& from, int64_t row) {
      contents_->domain_metadata.push_back({Text(from, "domain", row).value_or(""),
                                            Text(from, "configuration", row).value_or(""),
                                            Bool(from, "removed", row).value_or(false)});
    });
    Each(batch, "sidecar", [&](const auto& from, int64_t row) {
      sidecars_->push_back({Text(from, "path", row).value_or(""), Long(from, "sizeInBytes", row).value_or(0),
                            Long(from, "modificationTime", row).value_or(0), Map(from, "tags", row)});
    });
    if (part_ == CheckpointPart::kTombstones) {
      Each(batch, "remove",
           [&](const auto& from, int64_t row) { contents_->tombstones.push_back(ReadRemove(from, row)); });
    }
    return arrow::Status::OK();
  }

  // Some writers mark an action that is not there by a struct whose required member is NULL.
  template <typename Visit>
  static void Each(const arrow::RecordBatch& batch, const std::string& name, Visit&& visit) {
    auto column = std::static_pointer_cast<arrow::StructArray>(batch.GetColumnByName(name));
    if (column == nullptr || column->null_count() == column->length()) return;
    std::shared_ptr<arrow::Array> required = column->field(0);
    for (int64_t row = 0; row < column->length(); ++row) {
      if (column->IsValid(row) && required->IsValid(row)) visit(*column, row);
    }
  }

  void ReadAdds(const arrow::RecordBatch& batch) {
    auto adds = std::static_pointer_cast<arrow::StructArray>(batch.GetColumnByName("add"));
    if (adds == nullptr || adds->null_count() == adds->length()) return;
    AddArrays arrays;
    arrays.num_rows = adds->length();
    arrays.path = std::static_pointer_cast<arrow::StringArray>(adds->field(0));
    arrays.partition_values = Column<arrow::MapArray>(*adds, "partitionValues");
    arrays.size = Column<arrow::Int64Array>(*adds, "size");
    arrays.modification_time = Column<arrow::Int64Array>(*adds, "modificationTime");
    arrays.data_change = Column<arrow::BooleanArray>(*adds, "dataChange");
    arrays.stats = Column<arrow::StringArray>(*adds, "stats");
    arrays.stats_parsed = Column<arrow::StructArray>(*adds, "stats_parsed");
    arrays.tags = Column<arrow::MapArray>(*adds, "tags");
    arrays.deletion_vector = Column<arrow::StructArray>(*adds, "deletionVector");
    arrays.base_row_id = Column<arrow::Int64Array>(*adds, "baseRowId");
    arrays.default_row_commit_version = Column<arrow::Int64Array>(*adds, "defaultRowCommitVersion");
    arrays.clustering_provider = Column<arrow::StringArray>(*adds, "clusteringProvider");
    auto is_add = std::make_shared<std::vector<uint8_t>>(static_cast<size_t>(adds->length()));
    for (int64_t row = 0; row < adds->length(); ++row) {
      (*is_add)[static_cast<size_t>(row)] = adds->IsValid(row) && arrays.path->IsValid(row);
    }
    contents_->files.push_back({std::make_shared<const FileColumns>(std::move(arrays)), std::move(is_add)});
  }

  const FileSystem& file_system_;
  CheckpointContents* contents_;
  std::vector<Sidecar>* sidecars_;
  CheckpointPart part_;
  VisitContents visit_;
};

arrow::Status ReadJsonTopLevel(const FileSystem& file_system, const std::string& path, CheckpointPart part,
                               CheckpointContents* contents, std::vector<Sidecar>* sidecars) {
  ARROW_ASSIGN_OR_RAISE(std::string text, file_system.ReadFile(path));
  ActionParser parser;
  ARROW_ASSIGN_OR_RAISE(std::vector<Action> actions, parser.ParseLines(text, path));
  std::vector<const Add*> adds;
  for (Action& action : actions) {
    if (auto* add = std::get_if<Add>(&action)) adds.push_back(add);
    if (auto* sidecar = std::get_if<Sidecar>(&action)) sidecars->push_back(std::move(*sidecar));
    if (auto* protocol = std::get_if<Protocol>(&action)) contents->protocol = std::move(*protocol);
    if (auto* metadata = std::get_if<Metadata>(&action)) contents->metadata = std::move(*metadata);
    if (auto* txn = std::get_if<Txn>(&action)) contents->txns.push_back(std::move(*txn));
    if (auto* domain = std::get_if<DomainMetadata>(&action)) contents->domain_metadata.push_back(std::move(*domain));
    if (auto* remove = std::get_if<Remove>(&action); remove != nullptr && part == CheckpointPart::kTombstones) {
      contents->tombstones.push_back(std::move(*remove));
    }
  }
  if (adds.empty()) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(auto columns, FileColumns::FromAdds(adds));
  auto all = std::make_shared<std::vector<uint8_t>>(adds.size(), uint8_t{1});
  contents->files.push_back({std::move(columns), std::move(all)});
  return arrow::Status::OK();
}

arrow::Result<CheckpointContents> Read(const FileSystem& file_system, const std::string& log_path,
                                       const LogSegment& segment, CheckpointPart part, const VisitContents& visit) {
  CheckpointContents contents;
  std::vector<Sidecar> sidecars;
  ParquetActions parquet(file_system, &contents, &sidecars, part, visit);
  for (const std::string& path : segment.checkpoint_files) {
    arrow::Status status = segment.checkpoint_is_json ? ReadJsonTopLevel(file_system, path, part, &contents, &sidecars)
                                                      : parquet.ReadFile(path);
    if (!status.ok()) return Corrupt(path, status);
  }
  for (const Sidecar& sidecar : sidecars) {
    std::string path = sidecar.path.find('/') == std::string::npos
                           ? DataFilePath(JoinPath(log_path, kSidecarDirectory), sidecar.path)
                           : DataFilePath(log_path, sidecar.path);
    ARROW_ASSIGN_OR_RAISE(auto info, file_system.Stat(path));
    if (!info) {
      return Corrupt(segment.checkpoint_files[0],
                     arrow::Status::KeyError("its sidecar file ", path, " does not exist"));
    }
    arrow::Status status = parquet.ReadFile(path);
    if (!status.ok()) return Corrupt(path, status);
  }
  return contents;
}

}  // namespace

arrow::Status VisitCheckpoint(const FileSystem& file_system, const std::string& log_path, const LogSegment& segment,
                              CheckpointPart part, const VisitContents& visit) {
  // A JSON file beside sidecars is small: it is read whole.
  ARROW_ASSIGN_OR_RAISE(CheckpointContents rest, Read(file_system, log_path, segment, part, visit));
  return visit(std::move(rest));
}

arrow::Result<CheckpointContents> ReadCheckpoint(const FileSystem& file_system, const std::string& log_path,
                                                 const LogSegment& segment, CheckpointPart part) {
  ARROW_ASSIGN_OR_RAISE(CheckpointContents contents, Read(file_system, log_path, segment, part, nullptr));
  if (part == CheckpointPart::kState && (!contents.protocol || !contents.metadata)) {
    return UserError("DELTA_STATE_RECOVER_ERROR", {{"operation", contents.protocol ? "metadata" : "protocol"},
                                                   {"version", segment.checkpoint_version->ToString()}});
  }
  return contents;
}

arrow::Result<std::vector<std::string>> ReadSidecarPaths(const FileSystem& file_system, const std::string& path) {
  CheckpointContents contents;
  std::vector<Sidecar> sidecars;
  arrow::Status status =
      path.ends_with(".json")
          ? ReadJsonTopLevel(file_system, path, CheckpointPart::kState, &contents, &sidecars)
          : ParquetActions(file_system, &contents, &sidecars, CheckpointPart::kState, nullptr).ReadFile(path);
  if (!status.ok()) return Corrupt(path, status);
  std::vector<std::string> paths;
  for (Sidecar& sidecar : sidecars) paths.push_back(std::move(sidecar.path));
  return paths;
}

arrow::Result<std::optional<TableVersion>> ReadLastCheckpointVersion(const FileSystem& file_system,
                                                                     const std::string& log_path) {
  auto text = file_system.ReadFile(JoinPath(log_path, kLastCheckpointFileName));
  if (text.status().IsKeyError()) return std::nullopt;
  ARROW_RETURN_NOT_OK(text);
  // Somebody may be writing it.
  auto json = ParseJson(*text);
  const JsonValue* version = json.ok() ? json->Find("version") : nullptr;
  if (version == nullptr) return std::nullopt;
  return TableVersion(version->AsInt64());
}

}  // namespace millrace::delta
