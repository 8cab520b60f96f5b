#include "connector/state/state_variables.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "base/json_value.h"
#include "state/rocksdb/family_store.h"
#include "state/struct_rows.h"
#include "types/arrow_type.h"

namespace millrace::connector {

using arrow::Result;
using arrow::Status;
using Kind = ShownVariable::Kind;

namespace {

types::DataTypePtr FieldType(const types::DataType& type, std::string_view name) {
  for (const types::StructField& field : type.fields()) {
    if (field.name == name) return field.type;
  }
  return nullptr;
}

Status NotDefined(const std::string& name) {
  return UserError("STDS_INVALID_OPTION_VALUE.WITH_MESSAGE",
                   {{"optionName", "stateVarName"},
                    {"message", "State variable " + name + " is not defined for the transformWithState operator."}});
}

// Other operators have no variables and no timers; a store that they do not have is taken for one.
Status CheckNamesNone(const state::OperatorMetadata& metadata, const StateReadOptions& options) {
  auto refused = [&](const char* option, const std::string& given) {
    return UserError("STDS_INVALID_OPTION_VALUE.WITH_MESSAGE",
                     {{"optionName", option},
                      {"message", "Providing " + given + " is only supported with the transformWithState operator. " +
                                      "Found operator=" + metadata.operator_name +
                                      ". Please remove this option and re-run the query."}});
  };
  if (options.reads_timers) return refused("readRegisteredTimers", "readRegisteredTimers=true");
  static constexpr std::array kJoinStores = {
      "left-keyToNumValues",    "left-keyWithIndexToValue", "right-keyToNumValues",    "right-keyWithIndexToValue",
      "left-keyWithTsToValues", "left-tsWithKey",           "right-keyWithTsToValues", "right-tsWithKey"};
  if (metadata.operator_name == "symmetricHashJoin" && metadata.version == 2 &&
      options.store_name != state::kDefaultStoreName) {
    if (std::find(kJoinStores.begin(), kJoinStores.end(), options.store_name) != kJoinStores.end()) return Status::OK();
    std::string allowed;
    for (const char* name : kJoinStores) allowed += (allowed.empty() ? "" : ", ") + std::string(name);
    return UserError(
        "STDS_INVALID_OPTION_VALUE.WITH_MESSAGE",
        {{"optionName", "storeName"},
         {"message", "Store name " + options.store_name + " not allowed for join operator. Allowed names are List(" +
                         allowed + "). Please remove this option and re-run the query."}});
  }
  bool has_store = options.store_name == state::kDefaultStoreName ||
                   std::any_of(metadata.stores.begin(), metadata.stores.end(),
                               [&](const auto& store) { return store.name == options.store_name; });
  if (options.names_variable || !has_store) return refused("stateVarName", "state variable names");
  return Status::OK();
}

types::DataTypePtr SchemaOf(const ShownVariable& variable, const types::DataTypePtr& user_key, bool has_changes) {
  const auto& stored = variable.stored;
  bool by_prefix = variable.kind == Kind::kMap || variable.kind == Kind::kTimer;
  std::vector<types::StructField> fields;
  if (has_changes) {
    fields.push_back({"batch_id", types::Long(), true, {}});
    fields.push_back({"change_type", types::String(), true, {}});
  }
  fields.push_back({"key", by_prefix ? FieldType(*stored.key, "key") : stored.key, true, {}});
  switch (variable.kind) {
    case Kind::kValue:
      fields.push_back({"value", stored.value, true, {}});
      break;
    case Kind::kList:
      fields.push_back(variable.flattened
                           ? types::StructField{"list_element", stored.value, true, {}}
                           : types::StructField{"list_value", types::Array(stored.value, true), true, {}});
      break;
    case Kind::kMap:
      if (variable.flattened) {
        fields.push_back({"user_map_key", user_key, true, {}});
        fields.push_back({"user_map_value", stored.value, true, {}});
      } else {
        fields.push_back({"map_value", types::Map(user_key, stored.value, true), true, {}});
      }
      break;
    case Kind::kTimer:
      fields.push_back({"expiration_timestamp_ms", types::Long(), true, {}});
      break;
  }
  fields.push_back({"partition_id", types::Integer(), true, {}});
  return types::Struct(std::move(fields));
}

// UnsafeRows of a struct type as one column; `is_null`: empty, or which of them are no rows.
Result<std::shared_ptr<arrow::Array>> StructColumn(const types::DataTypePtr& type, const std::vector<std::string>& rows,
                                                   const std::vector<bool>& is_null = {}) {
  std::vector<std::string_view> views(rows.begin(), rows.end());
  std::shared_ptr<arrow::Buffer> validity;
  auto count = static_cast<int64_t>(rows.size());
  int64_t nulls = std::count(is_null.begin(), is_null.end(), true);
  if (nulls > 0) {
    ARROW_ASSIGN_OR_RAISE(validity, arrow::AllocateEmptyBitmap(count));
    for (size_t i = 0; i < rows.size(); ++i) {
      if (is_null[i]) {
        views[i] = std::string_view();
      } else {
        arrow::bit_util::SetBit(validity->mutable_data(), static_cast<int64_t>(i));
      }
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto columns, state::UnsafeRowDecoder(state::FieldTypes(*type)).Decode(views));
  return arrow::MakeArray(
      arrow::ArrayData::Make(types::ToArrow(*type), count, {std::move(validity)}, std::move(columns), nulls));
}

// What one partition holds of the variable.
struct Rows {
  std::vector<std::string> keys;
  /// List elements, map values.
  std::vector<std::string> values;
  std::vector<std::string> user_keys;
  std::vector<int64_t> times;
  /// By key, where a key has one row for several values.
  std::vector<int32_t> offsets{0};
  /// Of changes.
  std::vector<int64_t> batch_ids;
  std::vector<const char*> change_types;
  std::vector<bool> is_removed;
};

class OneBatch final : public BatchReader {
 public:
  explicit OneBatch(std::shared_ptr<arrow::RecordBatch> batch) : batch_(std::move(batch)) {}
  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    return batch_ == nullptr || batch_->num_rows() == 0 ? nullptr : std::exchange(batch_, nullptr);
  }

 private:
  std::shared_ptr<arrow::RecordBatch> batch_;
};

class VariablePartition final : public InputPartition {
 public:
  VariablePartition(std::shared_ptr<const ShownVariable> variable, StateReadOptions options, FileSystem* file_system,
                    state::StateStoreConf conf, int32_t partition, std::vector<int> columns)
      : variable_(std::move(variable)),
        options_(std::move(options)),
        file_system_(file_system),
        conf_(std::move(conf)),
        partition_(partition),
        columns_(std::move(columns)) {}

  Result<std::unique_ptr<BatchReader>> Open(arrow::MemoryPool*) const override {
    state::StateStoreId id{options_.operator_id, partition_};
    state::FamilyStoreProvider provider(file_system_, state::StoreDirectory(options_.state_directory(), id), id, conf_,
                                        nullptr);
    state::StateVersion version(options_.batch_id + 1);
    std::string unique_id = options_.unique_id(static_cast<size_t>(partition_));
    auto opened = options_.snapshot ? provider.OpenFrom(state::StateVersion(options_.snapshot->start_batch_id + 1),
                                                        version, unique_id)
                                    : provider.Open(version, unique_id);
    ARROW_RETURN_NOT_OK(opened);
    auto& store = *static_cast<state::FamilyStore*>(*opened);
    Rows rows;
    if (options_.changes) {
      ARROW_RETURN_NOT_OK(provider.FindIds(options_.changes->start_batch_id + 1, version.value, unique_id));
      ARROW_RETURN_NOT_OK(ReadChanges(provider, store, &rows));
    } else {
      ARROW_RETURN_NOT_OK(Read(store, &rows));
    }
    ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector all, Columns(rows));
    arrow::FieldVector fields;
    arrow::ArrayVector arrays;
    for (int column : columns_) {
      arrays.push_back(all[static_cast<size_t>(column)]);
      fields.push_back(arrow::field("c", arrays.back()->type()));
    }
    int64_t num_rows = all[0]->length();
    return std::make_unique<OneBatch>(
        arrow::RecordBatch::Make(arrow::schema(std::move(fields)), num_rows, std::move(arrays)));
  }

 private:
  bool by_key() const {
    return !variable_->flattened && !options_.changes &&
           (variable_->kind == Kind::kList || variable_->kind == Kind::kMap);
  }

  Status Read(state::FamilyStore& store, Rows* rows) const {
    ARROW_ASSIGN_OR_RAISE(int family, store.OpenFamily(variable_->stored.column_family, false));
    ARROW_ASSIGN_OR_RAISE(auto entries, store.EntriesIn(family, {}));
    for (const auto& [key, value] : entries) {
      switch (variable_->kind) {
        case Kind::kValue: {
          ARROW_ASSIGN_OR_RAISE(std::string_view row, state::RowOfValue(value));
          ARROW_ASSIGN_OR_RAISE(std::string_view key_row, state::RowOfValue(key));
          rows->keys.emplace_back(key_row);
          rows->values.emplace_back(row);
          break;
        }
        case Kind::kList: {
          ARROW_ASSIGN_OR_RAISE(auto elements, store.ListRows(value));
          ARROW_ASSIGN_OR_RAISE(std::string_view key_row, state::RowOfValue(key));
          for (std::string_view element : elements) {
            rows->values.emplace_back(element);
            if (!by_key()) rows->keys.emplace_back(key_row);
          }
          if (!by_key()) break;
          rows->keys.emplace_back(key_row);
          rows->offsets.push_back(static_cast<int32_t>(rows->values.size()));
          break;
        }
        case Kind::kMap:
          ARROW_RETURN_NOT_OK(AddMapEntry(key, value, rows));
          break;
        case Kind::kTimer: {
          ARROW_ASSIGN_OR_RAISE(std::string_view rest, state::RestOfKey(key));
          rows->keys.emplace_back(PrefixStruct(key, rest));
          rows->times.push_back(rest.size() < 16 ? 0 : state::LongAt(rest, 1, 0));
          break;
        }
      }
    }
    return Status::OK();
  }

  Status ReadChanges(const state::FamilyStoreProvider& provider, state::FamilyStore& store, Rows* rows) const {
    ARROW_ASSIGN_OR_RAISE(int family, store.OpenFamily(variable_->stored.column_family, false));
    for (int64_t batch = options_.changes->start_batch_id; batch <= options_.changes->end_batch_id; ++batch) {
      auto add = [&](state::FamilyChange change, std::string_view key, std::string_view value) -> Status {
        bool is_removed = change == state::FamilyChange::kRemove;
        rows->batch_ids.push_back(batch);
        rows->change_types.push_back(is_removed                               ? "delete"
                                     : change == state::FamilyChange::kAppend ? "append"
                                                                              : "update");
        rows->is_removed.push_back(is_removed);
        return AddChange(store, key, is_removed ? std::string_view() : value, rows);
      };
      ARROW_RETURN_NOT_OK(provider.ReadChanges(batch + 1, family, add));
    }
    return Status::OK();
  }

  // `value`.data() == nullptr: removed.
  Status AddChange(const state::FamilyStore& store, std::string_view key, std::string_view value, Rows* rows) const {
    std::string_view row;
    if (value.data() != nullptr && variable_->kind == Kind::kList) {
      // Of a list that was put as a whole Spark shows the first.
      ARROW_ASSIGN_OR_RAISE(auto elements, store.ListRows(value));
      if (!elements.empty()) row = elements.front();
    } else {
      ARROW_ASSIGN_OR_RAISE(row, state::RowOfValue(value));
    }
    rows->values.emplace_back(row);
    if (variable_->kind == Kind::kValue || variable_->kind == Kind::kList) {
      ARROW_ASSIGN_OR_RAISE(std::string_view key_row, state::RowOfValue(key));
      rows->keys.emplace_back(key_row);
      return Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(std::string_view rest, state::RestOfKey(key));
    rows->keys.emplace_back(PrefixStruct(key, rest));
    rows->user_keys.emplace_back(state::StructAt(rest, 1, 0));
    return Status::OK();
  }

  // The struct in the prefix part of a key.
  static std::string_view PrefixStruct(std::string_view key, std::string_view rest) {
    return state::StructAt(key.substr(5, key.size() - rest.size() - 6), 1, 0);
  }

  Status AddMapEntry(std::string_view key, std::string_view value, Rows* rows) const {
    ARROW_ASSIGN_OR_RAISE(std::string_view rest, state::RestOfKey(key));
    ARROW_ASSIGN_OR_RAISE(std::string_view row, state::RowOfValue(value));
    std::string_view key_row = PrefixStruct(key, rest);
    bool same_key = by_key() && !rows->keys.empty() && rows->keys.back() == key_row;
    if (!same_key) rows->keys.emplace_back(key_row);
    rows->user_keys.emplace_back(state::StructAt(rest, 1, 0));
    rows->values.emplace_back(row);
    if (!by_key()) return Status::OK();
    if (same_key) rows->offsets.pop_back();
    rows->offsets.push_back(static_cast<int32_t>(rows->values.size()));
    return Status::OK();
  }

  Result<arrow::ArrayVector> Columns(const Rows& rows) const {
    const auto& fields = variable_->schema->fields();
    arrow::ArrayVector columns;
    if (options_.changes) {
      arrow::Int64Builder batches;
      arrow::StringBuilder types;
      ARROW_RETURN_NOT_OK(batches.AppendValues(rows.batch_ids));
      for (const char* type : rows.change_types) ARROW_RETURN_NOT_OK(types.Append(type));
      columns.resize(2);
      ARROW_RETURN_NOT_OK(batches.Finish(&columns[0]));
      ARROW_RETURN_NOT_OK(types.Finish(&columns[1]));
    }
    ARROW_ASSIGN_OR_RAISE(auto keys, StructColumn(fields[columns.size()].type, rows.keys));
    columns.push_back(std::move(keys));
    if (variable_->kind == Kind::kTimer) {
      arrow::Int64Builder times;
      ARROW_RETURN_NOT_OK(times.AppendValues(rows.times));
      ARROW_ASSIGN_OR_RAISE(auto column, times.Finish());
      columns.push_back(std::move(column));
    } else {
      ARROW_RETURN_NOT_OK(AddValues(rows, &columns));
    }
    arrow::Int32Builder partitions;
    for (int64_t i = 0; i < columns[0]->length(); ++i) ARROW_RETURN_NOT_OK(partitions.Append(partition_));
    ARROW_ASSIGN_OR_RAISE(auto column, partitions.Finish());
    columns.push_back(std::move(column));
    return columns;
  }

  Status AddValues(const Rows& rows, arrow::ArrayVector* columns) const {
    const auto& fields = variable_->schema->fields();
    ARROW_ASSIGN_OR_RAISE(auto values, StructColumn(variable_->stored.value, rows.values, rows.is_removed));
    std::shared_ptr<arrow::Array> user_keys;
    if (variable_->kind == Kind::kMap) {
      const types::DataTypePtr& shown = fields[columns->size()].type;
      const types::DataTypePtr& type = by_key() ? shown->key() : shown;
      ARROW_ASSIGN_OR_RAISE(user_keys, StructColumn(type, rows.user_keys));
    }
    if (!by_key()) {
      if (user_keys != nullptr) columns->push_back(std::move(user_keys));
      columns->push_back(std::move(values));
      return Status::OK();
    }
    auto type = types::ToArrow(*fields[1].type);
    std::shared_ptr<arrow::ArrayData> child = values->data();
    if (user_keys != nullptr) {
      child = arrow::ArrayData::Make(type->field(0)->type(), values->length(), {nullptr},
                                     {user_keys->data(), values->data()}, 0);
    }
    auto offsets = arrow::Buffer::FromVector(rows.offsets);
    columns->push_back(arrow::MakeArray(arrow::ArrayData::Make(type, static_cast<int64_t>(rows.keys.size()),
                                                               {nullptr, std::move(offsets)}, {std::move(child)}, 0)));
    return Status::OK();
  }

  std::shared_ptr<const ShownVariable> variable_;
  StateReadOptions options_;
  FileSystem* file_system_;
  state::StateStoreConf conf_;
  int32_t partition_;
  std::vector<int> columns_;
};

class VariableScan final : public BatchScan {
 public:
  VariableScan(ShownVariable variable, StateReadOptions options, FileSystem* file_system, state::StateStoreConf conf,
               int num_partitions)
      : variable_(std::make_shared<const ShownVariable>(std::move(variable))),
        options_(std::move(options)),
        file_system_(file_system),
        conf_(std::move(conf)),
        num_partitions_(num_partitions) {}

  Result<InputPartitions> PlanPartitions(const ReadColumns& columns) override {
    ARROW_RETURN_NOT_OK(options_.CheckSnapshotPartition(num_partitions_));
    InputPartitions partitions;
    for (int32_t p = 0; p < num_partitions_; ++p) {
      if (options_.snapshot && options_.snapshot->partition != p) continue;
      partitions.push_back(
          std::make_shared<VariablePartition>(variable_, options_, file_system_, conf_, p, columns.indices));
    }
    return partitions;
  }
  std::string Description() const override {
    return "StateStore variable " + variable_->stored.column_family + " of operator " +
           std::to_string(options_.operator_id) + ", " + options_.checkpoint_location;
  }

 private:
  std::shared_ptr<const ShownVariable> variable_;
  StateReadOptions options_;
  FileSystem* file_system_;
  state::StateStoreConf conf_;
  int num_partitions_;
};

}  // namespace

Result<std::optional<ShownVariable>> FindShownVariable(const FileSystem& file_system, const StateReadOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto metadata, state::ReadOperatorMetadata(file_system, options.state_directory(),
                                                                   options.operator_id, options.batch_id));
  if (metadata && !metadata->operator_name.starts_with("transformWithState")) {
    ARROW_RETURN_NOT_OK(CheckNamesNone(*metadata, options));
    return std::nullopt;
  }
  const bool names_store = options.store_name != state::kDefaultStoreName;
  if (!metadata || metadata->version != 2 || metadata->properties_json.empty()) {
    if (!options.state_variable.empty() || options.reads_timers) return NotDefined(options.state_variable);
    return std::nullopt;
  }
  if (!options.names_variable && !names_store && !options.reads_timers) {
    return UserError("STDS_REQUIRED_OPTION_UNSPECIFIED", {{"optionName", "stateVarName"}});
  }
  ARROW_ASSIGN_OR_RAISE(JsonValue properties, ParseJson(metadata->properties_json));
  const JsonValue* time_mode = properties.Find("timeMode");
  if (options.reads_timers && time_mode != nullptr && time_mode->AsString() == "NoTime") {
    return UserError(
        "STDS_INVALID_OPTION_VALUE.WITH_MESSAGE",
        {{"optionName", "readRegisteredTimers"}, {"message", "Registered timers are not available in TimeMode=None."}});
  }
  const JsonValue* variables = properties.Find("stateVariables");
  ShownVariable shown;
  shown.flattened = options.flattens;
  // A store of that name is what Spark keeps a variable in.
  std::string name = options.names_variable || !names_store ? options.state_variable : options.store_name;
  bool found = false;
  for (const JsonValue& variable : variables == nullptr ? std::vector<JsonValue>() : variables->elements()) {
    const JsonValue* its_name = variable.Find("stateName");
    const JsonValue* type = variable.Find("stateVariableType");
    if (its_name == nullptr || type == nullptr) continue;
    bool is_timer = type->AsString() == "TimerState";
    if (options.reads_timers ? !is_timer : its_name->AsString() != name) continue;
    found = true;
    name = its_name->AsString();
    shown.kind = is_timer                          ? Kind::kTimer
                 : type->AsString() == "ListState" ? Kind::kList
                 : type->AsString() == "MapState"  ? Kind::kMap
                                                   : Kind::kValue;
  }
  if (!found || metadata->stores.empty() || metadata->stores[0].schema_file_paths.empty()) return NotDefined(name);
  std::string path = LocalPath(metadata->stores[0].schema_file_paths.back());
  ARROW_ASSIGN_OR_RAISE(std::string bytes, file_system.ReadFile(path));
  ARROW_ASSIGN_OR_RAISE(auto schemas, state::DecodeSchemaFile(bytes, path));
  auto schema =
      std::find_if(schemas.begin(), schemas.end(), [&](const auto& one) { return one.column_family == name; });
  if (schema == schemas.end()) return NotDefined(name);
  shown.stored = std::move(*schema);
  types::DataTypePtr user_key = shown.kind == Kind::kMap ? FieldType(*shown.stored.key, "userKey") : nullptr;
  if (options.changes) shown.flattened = true;
  if (options.changes && shown.kind == Kind::kTimer) {
    return Status::NotImplemented("changes of the timers of transformWithState");
  }
  shown.schema = SchemaOf(shown, user_key, options.changes.has_value());
  return shown;
}

std::unique_ptr<BatchScan> ScanVariable(ShownVariable variable, StateReadOptions options, FileSystem* file_system,
                                        std::map<std::string, std::string> conf, int num_partitions) {
  state::StateStoreConf store_conf;
  store_conf.durability = Durability::kProcess;
  store_conf.has_row_checksums = conf["spark.sql.streaming.stateStore.rowChecksum.enabled"] == "true";
  const std::string& codec = conf["spark.sql.streaming.stateStore.compression.codec"];
  if (!codec.empty()) store_conf.compression_codec = codec;
  auto merges = conf.find("spark.sql.streaming.stateStore.rocksdb.mergeOperatorVersion");
  store_conf.rocksdb_merges_with_comma = merges == conf.end() || merges->second == "1";
  return std::make_unique<VariableScan>(std::move(variable), std::move(options), file_system, std::move(store_conf),
                                        num_partitions);
}

}  // namespace millrace::connector
