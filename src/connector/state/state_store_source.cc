#include <arrow/array.h>
#include <arrow/builder.h>

#include <cstdlib>
#include <functional>
#include <utility>

#include "base/error.h"
#include "connector/rows_partition.h"
#include "connector/state/checkpoint_reading.h"
#include "connector/state/state_variables.h"
#include "state/operator_metadata.h"
#include "state/rocksdb/family_view.h"
#include "state/rocksdb/rocksdb_state_store.h"
#include "state/version_files.h"
#include "types/arrow_type.h"

/// The source "statestore": rows of a query's state as its checkpoint holds them.
/// Source: Spark, "State Data Source Integration Guide".

namespace millrace::connector {

using arrow::Result;
using arrow::Status;
using state::StateVersion;

namespace {

constexpr size_t kBatchRows = 65536;

/// Types of the files' rows, and which of their columns are shown.
struct StoredTypes {
  types::DataTypePtr key;
  types::DataTypePtr value;
  /// A join's rows are shown without the position in the key and the flag in the value.
  size_t num_key_columns = 0;
  size_t num_value_columns = 0;
};

// The stores of a join of format 3 are families of one, whose schemas stand in a file of their own.
Result<std::optional<state::StoredSchema>> ReadStoredSchema(const FileSystem& file_system,
                                                            const StateReadOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto metadata, state::ReadOperatorMetadata(file_system, options.state_directory(),
                                                                   options.operator_id, options.batch_id));
  if (!metadata || metadata->version != 2) {
    return state::ReadSchema(file_system, options.state_directory(), options.operator_id, options.store_to_read());
  }
  ARROW_ASSIGN_OR_RAISE(auto families, state::ReadFamilies(file_system, *metadata));
  for (state::StoredSchema& family : families) {
    if (family.column_family == options.store_to_read()) return std::move(family);
  }
  return std::nullopt;
}

Result<StoredTypes> ReadTypes(const FileSystem& file_system, const StateReadOptions& options) {
  auto schema = ReadStoredSchema(file_system, options);
  if (!schema.ok() || !schema->has_value()) {
    return UserError("STDS_FAILED_TO_READ_STATE_SCHEMA", {{"sourceOptions", options.ToString()}});
  }
  StoredTypes types{(*schema)->key, (*schema)->value, (*schema)->key->fields().size(),
                    (*schema)->value->fields().size()};
  if (options.join_side != StateReadOptions::JoinSide::kNone) {
    --types.num_key_columns;
    bool has_flag = types.num_value_columns > 0 && types.value->fields().back().name == "matched";
    if (has_flag) --types.num_value_columns;
  }
  return types;
}

types::DataTypePtr Shown(const types::DataTypePtr& type, size_t num_columns) {
  return types::Struct({type->fields().begin(), type->fields().begin() + static_cast<int64_t>(num_columns)});
}

Result<types::DataTypePtr> Schema(const SourceRequest& request) {
  if (request.user_schema != nullptr) return UserError("_LEGACY_ERROR_TEMP_2242", {{"provider", "StateDataSource"}});
  ARROW_ASSIGN_OR_RAISE(StateReadOptions options, StateReadOptions::Parse(request));
  ARROW_ASSIGN_OR_RAISE(auto variable, FindShownVariable(*request.context->file_system, options));
  if (variable) return variable->schema;
  ARROW_ASSIGN_OR_RAISE(StoredTypes stored, ReadTypes(*request.context->file_system, options));
  std::vector<types::StructField> fields;
  if (options.changes) {
    fields.push_back({"batch_id", types::Long(), true, {}});
    fields.push_back({"change_type", types::String(), true, {}});
  }
  fields.push_back({"key", Shown(stored.key, stored.num_key_columns), true, {}});
  fields.push_back({"value", Shown(stored.value, stored.num_value_columns), true, {}});
  fields.push_back({"partition_id", types::Integer(), true, {}});
  return types::Struct(std::move(fields));
}

/// Rows of one state partition, decoded a batch at a time.
class StateRows final : public BatchReader {
 public:
  struct Row {
    int64_t batch_id = 0;
    std::string_view key;
    std::string_view value;  ///< data() == nullptr: the key was removed
  };

  StateRows(const StoredTypes* types, bool with_changes, int32_t partition, std::vector<int> columns)
      : types_(types), with_changes_(with_changes), partition_(partition), columns_(std::move(columns)) {}

  state::RowTable& table() { return table_; }
  std::vector<Row>& rows() { return rows_; }
  /// Keeps the bytes of rows that no table holds.
  std::vector<std::unique_ptr<state::UnsafeRows>>& bytes() { return bytes_; }

  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (next_ == rows_.size()) return nullptr;
    size_t end = std::min(rows_.size(), next_ + kBatchRows);
    std::span<const Row> rows(rows_.data() + next_, end - next_);
    next_ = end;
    arrow::FieldVector fields;
    arrow::ArrayVector arrays;
    for (int column : columns_) {
      ARROW_ASSIGN_OR_RAISE(auto array, Column(column + (with_changes_ ? 0 : 2), rows));
      fields.push_back(arrow::field("c", array->type()));
      arrays.push_back(std::move(array));
    }
    return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), static_cast<int64_t>(rows.size()),
                                    std::move(arrays));
  }

 private:
  // 0 batch_id, 1 change_type, 2 key, 3 value, 4 partition_id
  Result<std::shared_ptr<arrow::Array>> Column(int column, std::span<const Row> rows) const {
    switch (column) {
      case 0: {
        arrow::Int64Builder ids;
        for (const Row& row : rows) ARROW_RETURN_NOT_OK(ids.Append(row.batch_id));
        return ids.Finish();
      }
      case 1: {
        arrow::StringBuilder types;
        for (const Row& row : rows) {
          ARROW_RETURN_NOT_OK(types.Append(row.value.data() == nullptr ? "delete" : "update"));
        }
        return types.Finish();
      }
      case 2:
        return StructColumn(*types_->key, types_->num_key_columns, rows, &Row::key);
      case 3:
        return StructColumn(*types_->value, types_->num_value_columns, rows, &Row::value);
      default: {
        arrow::Int32Builder partitions;
        for (size_t i = 0; i < rows.size(); ++i) ARROW_RETURN_NOT_OK(partitions.Append(partition_));
        return partitions.Finish();
      }
    }
  }

  static Result<std::shared_ptr<arrow::Array>> StructColumn(const types::DataType& type, size_t num_columns,
                                                            std::span<const Row> rows, std::string_view Row::* member) {
    std::vector<std::string_view> views;
    auto count = static_cast<int64_t>(rows.size());
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> validity, arrow::AllocateEmptyBitmap(count));
    int64_t nulls = 0;
    for (const Row& row : rows) {
      std::string_view bytes = row.*member;
      if (bytes.data() == nullptr) {
        ++nulls;
      } else {
        arrow::bit_util::SetBit(validity->mutable_data(), static_cast<int64_t>(views.size()));
      }
      views.push_back(bytes);
    }
    state::UnsafeRowDecoder decoder(state::FieldTypes(type));
    std::vector<std::shared_ptr<arrow::ArrayData>> children;
    std::vector<types::StructField> fields;
    for (size_t c = 0; c < num_columns; ++c) {
      ARROW_ASSIGN_OR_RAISE(auto child, decoder.DecodeColumn(views, static_cast<int>(c)));
      children.push_back(std::move(child));
      fields.push_back(type.fields()[c]);
    }
    auto data = arrow::ArrayData::Make(types::ToArrow(*types::Struct(std::move(fields))), count, {std::move(validity)},
                                       std::move(children), nulls);
    return arrow::MakeArray(std::move(data));
  }

  const StoredTypes* types_;
  bool with_changes_;
  int32_t partition_;
  std::vector<int> columns_;
  state::RowTable table_;
  std::vector<Row> rows_;
  std::vector<std::unique_ptr<state::UnsafeRows>> bytes_;
  size_t next_ = 0;
};

/// How the state lies in files, as the offset log and the operator's metadata say.
struct StateStorage {
  FileSystem* file_system = nullptr;
  bool is_rocksdb = false;
  std::string codec;
  int num_columns_prefix_key = 0;
  /// The store is a family of the operator's only one.
  bool is_family = false;
  bool has_row_checksums = false;

  state::StateStoreConf Conf() const {
    state::StateStoreConf conf;
    conf.compression_codec = codec;
    conf.has_row_checksums = has_row_checksums;
    conf.durability = Durability::kProcess;
    return conf;
  }
};

class StatePartition final : public InputPartition {
 public:
  StatePartition(std::shared_ptr<const StoredTypes> types, StateReadOptions options, StateStorage storage,
                 int32_t partition, std::vector<int> columns)
      : types_(std::move(types)),
        options_(std::move(options)),
        storage_(std::move(storage)),
        partition_(partition),
        columns_(std::move(columns)) {}

  Result<std::unique_ptr<BatchReader>> Open(arrow::MemoryPool*) const override {
    auto reader = std::make_unique<StateRows>(types_.get(), options_.changes.has_value(), partition_, columns_);
    state::StateStoreId id{options_.operator_id, partition_, options_.store_to_read()};
    std::string directory = state::StoreDirectory(options_.state_directory(), id);
    if (storage_.is_family) {
      ARROW_RETURN_NOT_OK(ReadFamily(id, reader.get()));
      return reader;
    }
    if (storage_.is_rocksdb) {
      ARROW_RETURN_NOT_OK(ReadRocksDb(id, std::move(directory), reader.get()));
      return reader;
    }
    state::VersionFiles files(storage_.file_system, std::move(directory), id, storage_.codec,
                              storage_.has_row_checksums, Durability::kProcess, nullptr);
    if (options_.changes) {
      auto read = [&files](int64_t version, const state::StateRecordVisitor& visit) {
        return files.ReadDelta(version, visit);
      };
      ARROW_RETURN_NOT_OK(ReadChanges(read, reader.get()));
    } else {
      StateVersion version(options_.batch_id + 1);
      if (options_.snapshot) {
        ARROW_RETURN_NOT_OK(
            files.LoadFrom(StateVersion(options_.snapshot->start_batch_id + 1), version, &reader->table()));
      } else {
        ARROW_RETURN_NOT_OK(files.Load(version, &reader->table()));
      }
      ARROW_RETURN_NOT_OK(ReadTable(reader.get()));
    }
    return reader;
  }

 private:
  static Status ReadTable(StateRows* reader) {
    std::vector<state::StateEntry> entries;
    ARROW_RETURN_NOT_OK(reader->table().Scan([&entries](std::span<const state::StateEntry> chunk) {
      entries.insert(entries.end(), chunk.begin(), chunk.end());
      return Status::OK();
    }));
    state::SortInSparkOrder(&entries);
    for (const state::StateEntry& entry : entries) reader->rows().push_back({0, entry.key, entry.value});
    return Status::OK();
  }

  Status ReadRocksDb(const state::StateStoreId& id, std::string directory, StateRows* reader) const {
    state::StateStoreSchema schema{types_->key, types_->value, storage_.num_columns_prefix_key};
    state::RocksDbStateStoreProvider provider(storage_.file_system, std::move(directory), id, std::move(schema),
                                              storage_.Conf(), nullptr);
    std::string unique_id = options_.unique_id(static_cast<size_t>(partition_));
    if (options_.changes) {
      ARROW_RETURN_NOT_OK(
          provider.FindIds(options_.changes->start_batch_id + 1, options_.changes->end_batch_id + 1, unique_id));
      auto read = [&provider](int64_t version, const state::StateRecordVisitor& visit) {
        return provider.ReadChanges(version, visit);
      };
      return ReadChanges(read, reader);
    }
    StateVersion version(options_.batch_id + 1);
    auto opened = options_.snapshot
                      ? provider.OpenFrom(StateVersion(options_.snapshot->start_batch_id + 1), version, unique_id)
                      : provider.Open(version, unique_id);
    ARROW_RETURN_NOT_OK(opened);
    return ScanStore(*opened, reader);
  }

  // In RocksDB's order, as Spark's reader.
  static Status ScanStore(state::StateStore* store, StateRows* reader) {
    auto keys = std::make_unique<state::UnsafeRows>(), values = std::make_unique<state::UnsafeRows>();
    ARROW_RETURN_NOT_OK(store->Scan([&](std::span<const state::StateEntry> entries) {
      for (const state::StateEntry& entry : entries) {
        keys->Append(entry.key);
        values->Append(entry.value);
      }
      return Status::OK();
    }));
    for (int64_t i = 0; i < keys->num_rows(); ++i) reader->rows().push_back({0, keys->row(i), values->row(i)});
    reader->bytes().push_back(std::move(keys));
    reader->bytes().push_back(std::move(values));
    return Status::OK();
  }

  Status ReadFamily(state::StateStoreId id, StateRows* reader) const {
    std::string family = std::exchange(id.store_name, std::string(state::kDefaultStoreName));
    std::string unique_id = options_.unique_id(static_cast<size_t>(partition_));
    state::FamilyStoreProvider provider(storage_.file_system, state::StoreDirectory(options_.state_directory(), id), id,
                                        storage_.Conf(), nullptr);
    StateVersion version(options_.batch_id + 1);
    auto opened = options_.snapshot
                      ? provider.OpenFrom(StateVersion(options_.snapshot->start_batch_id + 1), version, unique_id)
                      : provider.Open(version, unique_id);
    ARROW_RETURN_NOT_OK(opened);
    auto& store = static_cast<state::FamilyStore&>(**opened);
    if (options_.changes) {
      ARROW_ASSIGN_OR_RAISE(int number, store.OpenFamily(family, false));
      ARROW_RETURN_NOT_OK(
          provider.FindIds(options_.changes->start_batch_id + 1, options_.changes->end_batch_id + 1, unique_id));
      auto read = [&provider, number](int64_t of_version, const state::StateRecordVisitor& visit) {
        return provider.ReadChanges(
            of_version, number,
            [&](state::FamilyChange change, std::string_view key, std::string_view value) -> Status {
              ARROW_ASSIGN_OR_RAISE(std::string_view key_row, state::RowOfValue(key));
              if (change == state::FamilyChange::kRemove) return visit(key_row, std::string_view());
              ARROW_ASSIGN_OR_RAISE(std::string_view row, state::RowOfValue(value));
              return visit(key_row, row);
            });
      };
      return ReadChanges(read, reader);
    }
    ARROW_ASSIGN_OR_RAISE(auto view, state::FamilyView::Open(&store, family, false, std::nullopt));
    return ScanStore(view.get(), reader);
  }

  using ReadVersion = std::function<Status(int64_t version, const state::StateRecordVisitor& visit)>;

  Status ReadChanges(const ReadVersion& read, StateRows* reader) const {
    for (int64_t batch = options_.changes->start_batch_id; batch <= options_.changes->end_batch_id; ++batch) {
      auto keys = std::make_unique<state::UnsafeRows>(), values = std::make_unique<state::UnsafeRows>();
      std::vector<bool> removed;
      ARROW_RETURN_NOT_OK(read(batch + 1, [&](std::string_view key, std::string_view value) {
        keys->Append(key);
        values->Append(value);
        removed.push_back(value.data() == nullptr);
        return Status::OK();
      }));
      for (int64_t i = 0; i < keys->num_rows(); ++i) {
        std::string_view value = removed[static_cast<size_t>(i)] ? std::string_view() : values->row(i);
        reader->rows().push_back({batch, keys->row(i), value});
      }
      reader->bytes().push_back(std::move(keys));
      reader->bytes().push_back(std::move(values));
    }
    return Status::OK();
  }

  std::shared_ptr<const StoredTypes> types_;
  StateReadOptions options_;
  StateStorage storage_;
  int32_t partition_;
  std::vector<int> columns_;
};

class StateScan final : public BatchScan {
 public:
  StateScan(StoredTypes types, StateReadOptions options, StateStorage storage, int num_partitions)
      : types_(std::make_shared<StoredTypes>(std::move(types))),
        options_(std::move(options)),
        storage_(std::move(storage)),
        num_partitions_(num_partitions) {}

  Result<InputPartitions> PlanPartitions(const ReadColumns& columns) override {
    ARROW_RETURN_NOT_OK(options_.CheckSnapshotPartition(num_partitions_));
    InputPartitions partitions;
    for (int32_t p = 0; p < num_partitions_; ++p) {
      if (options_.snapshot && options_.snapshot->partition != p) continue;
      partitions.push_back(std::make_shared<StatePartition>(types_, options_, storage_, p, columns.indices));
    }
    return partitions;
  }

  std::string Description() const override {
    return "StateStore " + options_.store_to_read() + " of operator " + std::to_string(options_.operator_id) + ", " +
           options_.checkpoint_location;
  }

 private:
  std::shared_ptr<const StoredTypes> types_;
  StateReadOptions options_;
  StateStorage storage_;
  int num_partitions_;
};

// Spark plans as many partitions as the operator's folder has: of them those that the micro-batch ran with, where the
// number was changed since (Spark's tool for that leaves the folders of the others).
Result<int> CountPartitions(const FileSystem& file_system, const StateReadOptions& options,
                            const std::map<std::string, std::string>& conf) {
  std::string directory = JoinPath(options.state_directory(), std::to_string(options.operator_id));
  auto folders = file_system.List(directory);
  int most = 0;
  if (folders.ok()) {
    for (const FileInfo& folder : *folders) {
      bool is_number = !folder.name.empty() && folder.name.find_first_not_of("0123456789") == std::string::npos;
      if (is_number && folder.is_directory) most = std::max(most, std::atoi(folder.name.c_str()) + 1);
    }
  }
  if (most == 0) {
    return UserError("STDS_NO_PARTITION_DISCOVERED_IN_STATE_STORE", {{"sourceOptions", options.ToString()}});
  }
  auto of_batch = conf.find("spark.sql.shuffle.partitions");
  if (of_batch == conf.end()) return most;
  int num_partitions = std::atoi(of_batch->second.c_str());
  return num_partitions > 0 ? std::min(most, num_partitions) : most;
}

Result<std::unique_ptr<BatchScan>> OpenBatch(const SourceRequest& request) {
  FileSystem* file_system = request.context->file_system;
  ARROW_ASSIGN_OR_RAISE(StateReadOptions options, StateReadOptions::Parse(request));
  ARROW_ASSIGN_OR_RAISE(auto conf, ReadBatchConf(*file_system, options.checkpoint_location, options.batch_id));
  ARROW_ASSIGN_OR_RAISE(auto variable, FindShownVariable(*file_system, options));
  if (variable) {
    ARROW_ASSIGN_OR_RAISE(int partitions, CountPartitions(*file_system, options, conf));
    return ScanVariable(std::move(*variable), std::move(options), file_system, std::move(conf), partitions);
  }
  const std::string& provider = conf["spark.sql.streaming.stateStore.providerClass"];
  if (!provider.empty() && provider != state::kHdfsBackedProvider && provider != state::kRocksDbProvider) {
    return Status::NotImplemented("the statestore source reads state of ", state::kHdfsBackedProvider, " and ",
                                  state::kRocksDbProvider, ", not of ", provider);
  }
  StateStorage storage{file_system, provider == state::kRocksDbProvider,
                       conf["spark.sql.streaming.stateStore.compression.codec"]};
  if (storage.codec.empty()) storage.codec = "lz4";
  storage.has_row_checksums = conf["spark.sql.streaming.stateStore.rowChecksum.enabled"] == "true";
  ARROW_ASSIGN_OR_RAISE(auto metadata, state::ReadOperatorMetadata(*file_system, options.state_directory(),
                                                                   options.operator_id, options.batch_id));
  if (metadata) {
    for (const auto& store : metadata->stores) {
      if (store.name == options.store_to_read()) storage.num_columns_prefix_key = store.num_columns_prefix_key;
    }
    storage.is_family = metadata->version == 2;
  }
  ARROW_ASSIGN_OR_RAISE(StoredTypes types, ReadTypes(*file_system, options));
  ARROW_ASSIGN_OR_RAISE(int num_partitions, CountPartitions(*file_system, options, conf));
  return std::make_unique<StateScan>(std::move(types), std::move(options), std::move(storage), num_partitions);
}

constexpr OptionDef kOptions[] = {
    {"batchId", "", "the micro-batch whose state is read; the last committed one by default"},
    {"operatorId", "0", "the stateful operator, numbered from the sink"},
    {"storeName", "default", "the store of the operator"},
    {"joinSide", "none", "left or right: the rows that wait on one side of a stream-stream join"},
    {"snapshotStartBatchId", "", "start from the snapshot of this batch, with snapshotPartitionId"},
    {"snapshotPartitionId", "", "the only partition to read, with snapshotStartBatchId"},
    {"stateVarName", "", "the variable of a transformWithState operator"},
    {"readRegisteredTimers", "false", "read the timers of a transformWithState operator instead"},
    {"flattenCollectionTypes", "true", "a row for each element of a list or map variable"},
    {"readChangeFeed", "false", "read what each micro-batch changed"},
    {"changeStartBatchId", "", "first micro-batch of the changes"},
    {"changeEndBatchId", "", "last micro-batch of the changes; the last committed one by default"},
};

}  // namespace

extern const SourceDef kStateStoreSource;
const SourceDef kStateStoreSource = {
    .name = "statestore",
    .description = "State of a streaming query, from its checkpoint.",
    .options = kOptions,
    .schema = Schema,
    .open_batch = OpenBatch,
};

}  // namespace millrace::connector
