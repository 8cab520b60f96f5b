#include "delta/checkpoint/checkpoint_writer.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>

#include <algorithm>
#include <functional>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/ids.h"
#include "base/json_value.h"
#include "delta/feature/table_feature.h"
#include "delta/log/log_paths.h"
#include "delta/partition_value.h"
#include "delta/transaction/table_metadata.h"
#include "format/file_format.h"
#include "format/json/json_decoder.h"
#include "types/arrow_type.h"

namespace millrace::delta {

using types::DataTypePtr;
using types::StructField;
using types::TypeId;

namespace {

/// Rows of one batch of the Parquet writer.
constexpr int64_t kBatchRows = 1024;
/// A row group is in memory until it is whole, and readers that go through a checkpoint hold one.
constexpr int64_t kRowGroupRows = 32 * 1024;

StructField Field(std::string name, DataTypePtr type) { return {std::move(name), std::move(type), true, ""}; }
DataTypePtr TextMap() { return types::Map(types::String(), types::String()); }
DataTypePtr Texts() { return types::Array(types::String()); }

DataTypePtr DeletionVectorType() {
  return types::Struct({Field("storageType", types::String()), Field("pathOrInlineDv", types::String()),
                        Field("offset", types::Integer()), Field("sizeInBytes", types::Integer()),
                        Field("cardinality", types::Long()), Field("maxRowIndex", types::Long())});
}

DataTypePtr AddType(bool stats_as_json) {
  std::vector<StructField> fields = {Field("path", types::String()),
                                     Field("partitionValues", TextMap()),
                                     Field("size", types::Long()),
                                     Field("modificationTime", types::Long()),
                                     Field("dataChange", types::Boolean()),
                                     Field("tags", TextMap()),
                                     Field("deletionVector", DeletionVectorType()),
                                     Field("baseRowId", types::Long()),
                                     Field("defaultRowCommitVersion", types::Long()),
                                     Field("clusteringProvider", types::String())};
  if (stats_as_json) fields.push_back(Field("stats", types::String()));
  return types::Struct(std::move(fields));
}

DataTypePtr RemoveType() {
  return types::Struct({Field("path", types::String()), Field("deletionTimestamp", types::Long()),
                        Field("dataChange", types::Boolean()), Field("extendedFileMetadata", types::Boolean()),
                        Field("partitionValues", TextMap()), Field("size", types::Long()),
                        Field("deletionVector", DeletionVectorType()), Field("baseRowId", types::Long()),
                        Field("defaultRowCommitVersion", types::Long())});
}

std::vector<StructField> OtherActions() {
  return {
      Field("txn", types::Struct({Field("appId", types::String()), Field("version", types::Long()),
                                  Field("lastUpdated", types::Long())})),
      Field("metaData",
            types::Struct(
                {Field("id", types::String()), Field("name", types::String()), Field("description", types::String()),
                 Field("format", types::Struct({Field("provider", types::String()), Field("options", TextMap())})),
                 Field("schemaString", types::String()), Field("partitionColumns", Texts()),
                 Field("configuration", TextMap()), Field("createdTime", types::Long())})),
      Field("protocol",
            types::Struct({Field("minReaderVersion", types::Integer()), Field("minWriterVersion", types::Integer()),
                           Field("readerFeatures", Texts()), Field("writerFeatures", Texts())})),
      Field("domainMetadata", types::Struct({Field("domain", types::String()), Field("configuration", types::String()),
                                             Field("removed", types::Boolean())})),
  };
}

bool HasBounds(const types::DataType& type) {
  return type.is_numeric() || type.is_datetime() || type.id() == TypeId::kString;
}

DataTypePtr BoundsType(const types::DataType& columns) {
  std::vector<StructField> fields;
  for (const StructField& column : columns.fields()) {
    if (column.type->id() == TypeId::kStruct) {
      if (DataTypePtr inner = BoundsType(*column.type)) fields.push_back(Field(column.name, inner));
    } else if (HasBounds(*column.type)) {
      fields.push_back(Field(column.name, column.type));
    }
  }
  return fields.empty() ? nullptr : types::Struct(std::move(fields));
}

DataTypePtr CountsType(const types::DataType& columns) {
  std::vector<StructField> fields;
  for (const StructField& column : columns.fields()) {
    if (column.type->id() == TypeId::kStruct) {
      if (DataTypePtr inner = CountsType(*column.type)) fields.push_back(Field(column.name, inner));
    } else {
      fields.push_back(Field(column.name, types::Long()));
    }
  }
  return fields.empty() ? nullptr : types::Struct(std::move(fields));
}

// The first `limit` leaf columns.
DataTypePtr FirstLeaves(const types::DataType& columns, int64_t limit, int64_t* taken) {
  std::vector<StructField> fields;
  for (StructField column : columns.fields()) {
    if (limit >= 0 && *taken >= limit) break;
    if (column.type->id() == TypeId::kStruct) {
      column.type = FirstLeaves(*column.type, limit, taken);
    } else {
      ++*taken;
    }
    fields.push_back(std::move(column));
  }
  return types::Struct(std::move(fields));
}

format::JsonOptions DecodeOptions(const types::TimeZone* zone) {
  format::JsonOptions options;
  options.time_zone = zone;
  return options;
}

/// What a file's row of a checkpoint holds with the columns' own types, beside the text that the log has. Null: is not
/// written.
struct TypedColumns {
  DataTypePtr partition_values;
  DataTypePtr statistics;
};

TypedColumns TypedColumnsOf(const Snapshot& snapshot) {
  if (!BooleanProperty(snapshot.metadata(), "delta.checkpoint.writeStatsAsStruct", true)) return {};
  return {PartitionSchema(snapshot), StatisticsSchema(snapshot)};
}

/// partitionValues_parsed of some rows.
class PartitionValueRows {
 public:
  PartitionValueRows(DataTypePtr schema, const types::TimeZone& zone) : schema_(std::move(schema)), zone_(zone) {}

  arrow::Status Open() {
    ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(types::ToArrow(*schema_)));
    builder_.reset(static_cast<arrow::StructBuilder*>(builder.release()));
    last_.resize(schema_->fields().size());
    return arrow::Status::OK();
  }
  arrow::Status AppendNull() { return builder_->AppendNull(); }
  arrow::Status Append(const PartitionValues& values) {
    ARROW_RETURN_NOT_OK(builder_->Append());
    for (size_t i = 0; i < last_.size(); ++i) {
      const std::optional<std::string>* found = values.Find(schema_->fields()[i].name);
      std::optional<std::string> text = found != nullptr ? *found : std::nullopt;
      // Neighbours are mostly of one partition.
      if (last_[i].value == nullptr || last_[i].text != text) {
        const types::DataType& type = *schema_->fields()[i].type;
        auto read = ReadPartitionValue(text, type, zone_);
        last_[i].text = std::move(text);
        last_[i].value = read.ok() ? *read : arrow::MakeNullScalar(types::ToArrow(type));
      }
      ARROW_RETURN_NOT_OK(builder_->field_builder(static_cast<int>(i))->AppendScalar(*last_[i].value));
    }
    return arrow::Status::OK();
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish() { return builder_->Finish(); }

 private:
  struct Last {
    std::optional<std::string> text;
    std::shared_ptr<arrow::Scalar> value;
  };
  DataTypePtr schema_;
  const types::TimeZone& zone_;
  std::unique_ptr<arrow::StructBuilder> builder_;
  std::vector<Last> last_;
};

/// Actions as the rows of a checkpoint, a batch at a time.
class CheckpointRows {
 public:
  CheckpointRows(DataTypePtr schema, TypedColumns typed, const CheckpointSettings& settings)
      : schema_(std::move(schema)), typed_(std::move(typed)), settings_(settings) {}

  arrow::Status Open(FileSystem* file_system, const std::string& path) {
    format::JsonDecoderConfig config;
    config.schema = schema_;
    config.options = DecodeOptions(settings_.time_zone);
    ARROW_ASSIGN_OR_RAISE(actions_, format::JsonDecoder::Make(std::move(config), arrow::default_memory_pool()));
    std::vector<StructField> fields = schema_->fields();
    add_index_ = schema_->FieldIndex("add", true);
    std::vector<StructField> add = fields[static_cast<size_t>(add_index_)].type->fields();
    if (typed_.partition_values != nullptr) {
      partition_values_.emplace(typed_.partition_values, *settings_.time_zone);
      ARROW_RETURN_NOT_OK(partition_values_->Open());
      add.push_back(Field("partitionValues_parsed", typed_.partition_values));
    }
    if (typed_.statistics != nullptr) {
      format::JsonDecoderConfig of_stats;
      of_stats.schema = typed_.statistics;
      of_stats.options = DecodeOptions(settings_.time_zone);
      ARROW_ASSIGN_OR_RAISE(statistics_decoder_,
                            format::JsonDecoder::Make(std::move(of_stats), arrow::default_memory_pool()));
      add.push_back(Field("stats_parsed", typed_.statistics));
    }
    fields[static_cast<size_t>(add_index_)].type = types::Struct(std::move(add));
    DataTypePtr written = types::Struct(std::move(fields));
    arrow_schema_ = types::ToArrowSchema(*written);
    format::FileWriteRequest request;
    request.path = path;
    request.schema = written;
    request.file_system = file_system;
    request.durability = settings_.durability;
    request.row_group_rows = kRowGroupRows;
    ARROW_ASSIGN_OR_RAISE(writer_, format::FindFileFormat("parquet")->open_writer(request));
    return arrow::Status::OK();
  }

  arrow::Status Add(const Action& action) {
    ARROW_RETURN_NOT_OK(lines_.Append(ToJsonLine(action)));
    const auto* add = std::get_if<millrace::delta::Add>(&action);
    if (add != nullptr && add->stats) {
      ARROW_RETURN_NOT_OK(stats_.Append(*add->stats));
    } else {
      ARROW_RETURN_NOT_OK(stats_.AppendNull());
    }
    if (partition_values_) {
      ARROW_RETURN_NOT_OK(add != nullptr ? partition_values_->Append(add->partition_values)
                                         : partition_values_->AppendNull());
    }
    ++num_actions_;
    return lines_.length() >= kBatchRows ? WriteBatch() : arrow::Status::OK();
  }

  arrow::Result<int64_t> Finish() {
    ARROW_RETURN_NOT_OK(WriteBatch());
    ARROW_ASSIGN_OR_RAISE(auto written, writer_->Finish());
    return written.size_bytes;
  }
  int64_t num_actions() const { return num_actions_; }

 private:
  arrow::Status WriteBatch() {
    if (lines_.length() == 0) return arrow::Status::OK();
    std::shared_ptr<arrow::Array> lines, stats;
    ARROW_RETURN_NOT_OK(lines_.Finish(&lines));
    ARROW_RETURN_NOT_OK(stats_.Finish(&stats));
    ARROW_ASSIGN_OR_RAISE(auto decoded, actions_->Decode(*lines));
    const auto& rows = static_cast<const arrow::StructArray&>(*decoded.values);
    arrow::ArrayVector columns = rows.fields();
    const auto& add = static_cast<const arrow::StructArray&>(*columns[static_cast<size_t>(add_index_)]);
    arrow::ArrayVector fields = add.fields();
    if (partition_values_) {
      ARROW_ASSIGN_OR_RAISE(auto values, partition_values_->Finish());
      fields.push_back(std::move(values));
    }
    if (statistics_decoder_ != nullptr) {
      ARROW_ASSIGN_OR_RAISE(auto parsed, statistics_decoder_->Decode(*stats));
      fields.push_back(parsed.values);
    }
    columns[static_cast<size_t>(add_index_)] = std::make_shared<arrow::StructArray>(
        arrow_schema_->field(add_index_)->type(), add.length(), std::move(fields), add.null_bitmap(), add.null_count());
    return writer_->Write(*arrow::RecordBatch::Make(arrow_schema_, rows.length(), std::move(columns)));
  }

  DataTypePtr schema_;
  TypedColumns typed_;
  const CheckpointSettings& settings_;
  int add_index_ = -1;
  std::shared_ptr<arrow::Schema> arrow_schema_;
  std::unique_ptr<format::JsonDecoder> actions_;
  std::unique_ptr<format::JsonDecoder> statistics_decoder_;
  std::optional<PartitionValueRows> partition_values_;
  std::unique_ptr<format::FileWriter> writer_;
  arrow::StringBuilder lines_;
  arrow::StringBuilder stats_;
  int64_t num_actions_ = 0;
};

std::vector<Action> NonFileActions(const Snapshot& snapshot) {
  std::vector<Action> actions;
  actions.emplace_back(snapshot.protocol());
  actions.emplace_back(snapshot.metadata());
  for (const auto& [app_id, txn] : snapshot.txns()) actions.emplace_back(txn);
  for (const auto& [name, domain] : snapshot.domain_metadata()) actions.emplace_back(domain);
  return actions;
}

arrow::Status AddFiles(const FileActions& file_actions, CheckpointRows* rows) {
  return file_actions([rows](Action action) -> arrow::Status {
    if (auto* add = std::get_if<Add>(&action)) add->data_change = false;
    if (auto* remove = std::get_if<Remove>(&action)) {
      remove->data_change = false;
      remove->tags.reset();
      remove->stats.reset();
    }
    return rows->Add(action);
  });
}

DataTypePtr FileActionsSchema(bool stats_as_json) {
  return types::Struct({Field("add", AddType(stats_as_json)), Field("remove", RemoveType())});
}

/// Where a checkpoint's files go, and whether their names survive a crash.
class Places {
 public:
  Places(FileSystem* files, const Snapshot& snapshot, Durability durability)
      : files_(files), log_(LogDirectory(snapshot.table_path())), durability_(durability) {}

  FileSystem* files() const { return files_; }
  const std::string& log() const { return log_; }

  std::string Temporary(const std::string& name) const {
    return JoinPath(log_, "." + name + "." + RandomUuid() + ".tmp");
  }
  // False when somebody else has written it meanwhile.
  arrow::Result<bool> Publish(const std::string& temporary, const std::string& path) const {
    ARROW_ASSIGN_OR_RAISE(bool created, files_->RenameIfAbsent(temporary, path));
    if (!created) ARROW_RETURN_NOT_OK(files_->Remove(temporary));
    return created;
  }
  arrow::Status Sync(const std::string& directory) const {
    return durability_ == Durability::kMachine ? files_->SyncDirectory(directory) : arrow::Status::OK();
  }

 private:
  FileSystem* files_;
  std::string log_;
  Durability durability_;
};

arrow::Result<CheckpointInfo> WriteClassic(const Places& places, const Snapshot& snapshot,
                                           const FileActions& file_actions, const CheckpointSettings& settings,
                                           bool stats_as_json) {
  std::vector<StructField> fields = OtherActions();
  DataTypePtr of_files = FileActionsSchema(stats_as_json);
  fields.insert(fields.begin() + 1, of_files->fields().begin(), of_files->fields().end());
  std::string name = ClassicCheckpointFileName(snapshot.version());
  std::string temporary = places.Temporary(name);
  CheckpointRows rows(types::Struct(std::move(fields)), TypedColumnsOf(snapshot), settings);
  CheckpointInfo info{snapshot.version(), 0, 0, snapshot.files().num_files()};
  auto write = [&]() -> arrow::Status {
    ARROW_RETURN_NOT_OK(rows.Open(places.files(), temporary));
    for (Action& action : NonFileActions(snapshot)) ARROW_RETURN_NOT_OK(rows.Add(action));
    ARROW_RETURN_NOT_OK(AddFiles(file_actions, &rows));
    ARROW_ASSIGN_OR_RAISE(info.size_bytes, rows.Finish());
    info.num_actions = rows.num_actions();
    return HitFailpoint("delta.before_checkpoint");
  };
  arrow::Status status = write();
  if (!status.ok()) {
    (void)places.files()->Remove(temporary);
    return status;
  }
  ARROW_RETURN_NOT_OK(places.Publish(temporary, JoinPath(places.log(), name)).status());
  ARROW_RETURN_NOT_OK(places.Sync(places.log()));
  return info;
}

arrow::Result<CheckpointInfo> WriteV2(const Places& places, const Snapshot& snapshot, const FileActions& file_actions,
                                      const CheckpointSettings& settings, bool stats_as_json) {
  std::string directory = JoinPath(places.log(), kSidecarDirectory);
  ARROW_RETURN_NOT_OK(places.files()->CreateDirectories(directory));
  std::string sidecar_name = RandomUuid() + ".parquet";
  CheckpointRows rows(FileActionsSchema(stats_as_json), TypedColumnsOf(snapshot), settings);
  ARROW_RETURN_NOT_OK(rows.Open(places.files(), JoinPath(directory, sidecar_name)));
  ARROW_RETURN_NOT_OK(AddFiles(file_actions, &rows));
  ARROW_ASSIGN_OR_RAISE(int64_t sidecar_bytes, rows.Finish());
  ARROW_RETURN_NOT_OK(places.Sync(directory));
  ARROW_RETURN_NOT_OK(places.Sync(places.log()));
  ARROW_ASSIGN_OR_RAISE(auto stat, places.files()->Stat(JoinPath(directory, sidecar_name)));
  ARROW_RETURN_NOT_OK(HitFailpoint("delta.before_checkpoint"));

  CheckpointInfo info{snapshot.version(), rows.num_actions(), sidecar_bytes, snapshot.files().num_files()};
  std::vector<Action> top;
  CheckpointMetadata metadata;
  metadata.version = snapshot.version().value;
  metadata.tags = StringMap{{"numOfAddFiles", std::to_string(info.num_files)},
                            {"sidecarNumActions", std::to_string(rows.num_actions())},
                            {"sidecarSizeInBytes", std::to_string(sidecar_bytes)}};
  top.emplace_back(std::move(metadata));
  top.emplace_back(Sidecar{sidecar_name, sidecar_bytes, stat ? stat->modified_ms : 0, std::nullopt});
  for (Action& action : NonFileActions(snapshot)) top.push_back(std::move(action));
  std::string text;
  for (const Action& action : top) text += ToJsonLine(action) + "\n";
  info.num_actions += static_cast<int64_t>(top.size());
  info.size_bytes += static_cast<int64_t>(text.size());
  std::string name = V2CheckpointFileName(snapshot.version(), RandomUuid(), "json");
  ARROW_RETURN_NOT_OK(
      WriteFileIfAbsent(*places.files(), JoinPath(places.log(), name), text, settings.durability).status());
  return info;
}

arrow::Status WriteLastCheckpoint(const Places& places, const CheckpointInfo& info) {
  ARROW_RETURN_NOT_OK(HitFailpoint("delta.before_last_checkpoint"));
  JsonValue json = JsonValue::Object();
  json.Set("version", JsonValue::Number(info.version.value));
  json.Set("size", JsonValue::Number(info.num_actions));
  json.Set("sizeInBytes", JsonValue::Number(info.size_bytes));
  json.Set("numOfAddFiles", JsonValue::Number(info.num_files));
  std::string name(kLastCheckpointFileName);
  std::string temporary = places.Temporary(name);
  ARROW_ASSIGN_OR_RAISE(auto file, places.files()->OpenForWrite(temporary));
  ARROW_RETURN_NOT_OK(file->Append(json.ToString() + "\n"));
  ARROW_RETURN_NOT_OK(file->Close());
  // Hadoop's local file system keeps checksums beside its files: an old one would condemn the new text.
  ARROW_RETURN_NOT_OK(places.files()->Remove(JoinPath(places.log(), "." + name + ".crc")));
  return places.files()->Rename(temporary, JoinPath(places.log(), name));
}

}  // namespace

DataTypePtr PartitionSchema(const Snapshot& snapshot) {
  auto mode = ColumnMappingModeOf(snapshot.metadata());
  if (!mode.ok() || snapshot.partition_columns().empty()) return nullptr;
  DataTypePtr physical = PhysicalSchema(snapshot.schema(), *mode);
  std::vector<StructField> fields;
  for (int index : snapshot.partition_columns()) {
    const StructField& column = physical->fields()[static_cast<size_t>(index)];
    fields.push_back(Field(column.name, column.type));
  }
  return types::Struct(std::move(fields));
}

DataTypePtr StatisticsSchema(const Snapshot& snapshot) {
  auto mode = ColumnMappingModeOf(snapshot.metadata());
  if (!mode.ok() || snapshot.metadata().Property("delta.dataSkippingStatsColumns")) return nullptr;
  DataTypePtr physical = PhysicalSchema(snapshot.schema(), *mode);
  std::vector<StructField> data;
  for (size_t i = 0; i < physical->fields().size(); ++i) {
    const auto& partitions = snapshot.partition_columns();
    if (std::find(partitions.begin(), partitions.end(), static_cast<int>(i)) != partitions.end()) continue;
    StructField field = physical->fields()[i];
    field.metadata_json.clear();
    data.push_back(std::move(field));
  }
  int64_t taken = 0;
  DataTypePtr columns =
      FirstLeaves(*types::Struct(std::move(data)),
                  IntegerProperty(snapshot.metadata(), "delta.dataSkippingNumIndexedCols", 32), &taken);
  std::vector<StructField> fields = {Field("numRecords", types::Long())};
  if (DataTypePtr bounds = BoundsType(*columns)) {
    fields.push_back(Field("minValues", bounds));
    fields.push_back(Field("maxValues", bounds));
  }
  if (DataTypePtr counts = CountsType(*columns)) fields.push_back(Field("nullCount", counts));
  if (Supports(snapshot.protocol(), "deletionVectors")) fields.push_back(Field("tightBounds", types::Boolean()));
  return types::Struct(std::move(fields));
}

arrow::Result<CheckpointInfo> WriteCheckpoint(FileSystem* file_system, const Snapshot& snapshot,
                                              const FileActions& file_actions, const CheckpointSettings& settings) {
  Places places(file_system, snapshot, settings.durability);
  bool v2 = snapshot.metadata().Property("delta.checkpointPolicy").value_or("classic") == "v2" &&
            Supports(snapshot.protocol(), "v2Checkpoint");
  bool as_json = BooleanProperty(snapshot.metadata(), "delta.checkpoint.writeStatsAsJson", true);
  ARROW_ASSIGN_OR_RAISE(CheckpointInfo info, v2 ? WriteV2(places, snapshot, file_actions, settings, as_json)
                                                : WriteClassic(places, snapshot, file_actions, settings, as_json));
  ARROW_RETURN_NOT_OK(WriteLastCheckpoint(places, info));
  return info;
}

}  // namespace millrace::delta
