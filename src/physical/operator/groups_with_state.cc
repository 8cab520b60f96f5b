#include "physical/operator/groups_with_state.h"

#include <arrow/array/util.h>
#include <arrow/builder.h>

#include <algorithm>
#include <chrono>

#include "base/elapsed.h"
#include "base/error.h"
#include "physical/key/sort_keys.h"
#include "physical/operator/groups_once.h"
#include "physical/rows.h"
#include "physical/stateful/state_partition_keys.h"
#include "state/store.h"
#include "types/arrow_type.h"

namespace millrace::physical {

namespace {

using expression::GroupStateSetting;
using expression::kNoTimeout;
using logical::GroupStateTimeout;

// A row in a worker, or in a function of the user's own, costs what so many cost elsewhere.
constexpr int64_t kPythonRowWeight = 50;
constexpr int64_t kNativeRowWeight = 4;

types::DataTypePtr ValueSchema(const types::DataTypePtr& state_type, GroupStateTimeout timeout) {
  std::vector<types::StructField> fields{{"groupState", state_type, true, ""}};
  if (timeout != GroupStateTimeout::kNone) fields.push_back({"timeoutTimestamp", types::Long(), false, ""});
  return types::Struct(std::move(fields));
}

}  // namespace

/// The state partitions [first, last) of one micro-batch.
class GroupStateTask {
 public:
  GroupStateTask(const GroupsWithState& op, const StatefulBatch& batch, const SortedGroups& sorted,
                 const SortedGroups& initial, const ExecutionContext& context, PartitionedOutput* output)
      : op_(op),
        spec_(op.spec_),
        batch_(batch),
        sorted_(sorted),
        initial_(initial),
        context_(context),
        pool_(context.eval.memory_pool),
        output_(output) {}

  arrow::Status Run(int first, int last) {
    std::vector<std::vector<std::string>> due(static_cast<size_t>(last - first));
    if (op_.has_timeout()) {
      for (int p = first; p < last; ++p) ARROW_RETURN_NOT_OK(FindDue(p, &due[static_cast<size_t>(p - first)]));
    }
    auto has_due = [&](int p) { return !due[static_cast<size_t>(p - first)].empty(); };
    auto has_rows = [&](int p) {
      auto [begin, end] = sorted_.OfPartitions(p, p + 1);
      auto [initial_begin, initial_end] = initial_.OfPartitions(p, p + 1);
      return begin < end || initial_begin < initial_end;
    };
    int p = first;
    while (p < last) {
      ARROW_RETURN_NOT_OK(context_.CheckCancelled());
      // Data of partitions up to one with timeouts, then timeouts of partitions up to one with data.
      int end = p + 1;
      while (end < last && !has_due(end - 1)) ++end;
      auto start = std::chrono::steady_clock::now();
      ARROW_RETURN_NOT_OK(RunData(p, end));
      metrics_.update_us += MicrosSince(start);
      p = end - 1;
      while (end < last && !has_rows(end)) ++end;
      start = std::chrono::steady_clock::now();
      StateGroups timed_out;
      std::vector<std::string_view> values;
      for (; p < end; ++p) {
        ARROW_RETURN_NOT_OK(AddDue(p, due[static_cast<size_t>(p - first)], &timed_out, &values));
      }
      ARROW_RETURN_NOT_OK(RunTimedOut(std::move(timed_out), values));
      metrics_.removal_us += MicrosSince(start);
    }
    return arrow::Status::OK();
  }

  const StateMetrics& metrics() const { return metrics_; }

 private:
  state::StateStore& Store(int32_t partition) const { return *batch_.stores[static_cast<size_t>(partition)][0]; }

  int64_t TimeoutOf(std::string_view value) const {
    return value.size() < 24 || !op_.has_timeout() ? kNoTimeout : state::LongAt(value, 2, 1);
  }

  int64_t threshold_ms() const {
    return spec_.timeout == GroupStateTimeout::kEventTime ? batch_.eviction_watermark_ms
                                                          : context_.streaming->timestamp_ms;
  }
  bool IsDue(int64_t timeout_ms) const { return timeout_ms != kNoTimeout && timeout_ms < threshold_ms(); }
  void Expect(int64_t timeout_ms) {
    if (timeout_ms != kNoTimeout) metrics_.next_timeout_ms = std::min(metrics_.next_timeout_ms, timeout_ms);
  }

  // The keys of a partition that may time out: no function can add to them.
  arrow::Status FindDue(int partition, std::vector<std::string>* keys) {
    return Store(partition).Scan([&](std::span<const state::StateEntry> entries) -> arrow::Status {
      for (const state::StateEntry& entry : entries) {
        int64_t timeout_ms = TimeoutOf(entry.value);
        if (IsDue(timeout_ms)) {
          keys->emplace_back(entry.key);
        } else {
          Expect(timeout_ms);
        }
      }
      return arrow::Status::OK();
    });
  }

  // Those that still are to time out now that the rows have been seen, in Spark's order.
  arrow::Status AddDue(int partition, const std::vector<std::string>& keys, StateGroups* groups,
                       std::vector<std::string_view>* values) {
    std::vector<state::StateEntry> entries;
    for (const std::string& key : keys) {
      ARROW_ASSIGN_OR_RAISE(state::StateEntry entry, Store(partition).Find(key));
      if (entry.key.data() != nullptr && IsDue(TimeoutOf(entry.value))) entries.push_back(entry);
    }
    state::SortInSparkOrder(&entries);
    for (const state::StateEntry& entry : entries) {
      groups->keys.Append(entry.key);
      groups->lengths.push_back(0);
      groups->partitions.push_back(partition);
      values->push_back(entry.value);
    }
    return arrow::Status::OK();
  }

  arrow::Status AddStates(const std::vector<std::string_view>& values, StateGroups* groups) const {
    ARROW_ASSIGN_OR_RAISE(auto column, op_.value_decoder_.DecodeColumn(values, 0));
    groups->states = std::static_pointer_cast<arrow::StructArray>(arrow::MakeArray(std::move(column)));
    for (std::string_view value : values) groups->timeouts.push_back(TimeoutOf(value));
    return arrow::Status::OK();
  }

  // The grouping columns of some rows, and their bytes.
  arrow::Result<arrow::ArrayVector> KeysAt(const SortedGroups& sorted, const GroupingKeys& of,
                                           std::vector<int32_t> rows, state::UnsafeRows* bytes) const {
    arrow::ArrayVector keys;
    for (int key : of.columns) keys.push_back(sorted.rows->column(key));
    auto num_rows = static_cast<int64_t>(rows.size());
    ARROW_ASSIGN_OR_RAISE(keys, TakeRows(keys, IndexArray(std::move(rows)), pool_));
    op_.key_encoder_.Encode(DataOf(keys), num_rows, bytes);
    return keys;
  }

  arrow::Status RunData(int first, int last) {
    auto [begin, end] = sorted_.OfPartitions(first, last);
    auto [initial_begin, initial_end] = initial_.OfPartitions(first, last);
    StateGroups groups;
    if (initial_begin < initial_end) {
      ARROW_RETURN_NOT_OK(TakeInitialState(initial_begin, initial_end));
      ARROW_RETURN_NOT_OK(AddBoth(begin, end, initial_begin, initial_end, &groups));
    } else {
      std::vector<int32_t> first_rows;
      for (size_t g = begin; g < end; ++g) {
        groups.lengths.push_back(sorted_.groups[g].length);
        groups.partitions.push_back(sorted_.groups[g].partition);
        first_rows.push_back(static_cast<int32_t>(sorted_.groups[g].begin));
      }
      if (begin == end) return arrow::Status::OK();
      ARROW_ASSIGN_OR_RAISE(groups.key_columns, KeysAt(sorted_, spec_.keys, std::move(first_rows), &groups.keys));
    }
    if (groups.lengths.empty()) return arrow::Status::OK();
    std::vector<std::string_view> values;
    for (size_t g = 0; g < groups.lengths.size(); ++g) {
      ARROW_ASSIGN_OR_RAISE(std::string_view value,
                            Store(groups.partitions[g]).Get(groups.keys[static_cast<int64_t>(g)]));
      values.push_back(value);
    }
    ARROW_RETURN_NOT_OK(AddStates(values, &groups));
    if (begin < end) {
      int64_t first_row = sorted_.groups[begin].begin;
      groups.num_rows = sorted_.groups[end - 1].begin + sorted_.groups[end - 1].length - first_row;
      groups.columns = sorted_.rows->Slice(first_row, groups.num_rows)->columns();
    }
    return Call(groups, false);
  }

  // Source: Spark, FlatMapGroupsWithStateExec.processNewDataWithInitialState.
  arrow::Status TakeInitialState(size_t begin, size_t end) {
    std::vector<int32_t> rows;
    for (size_t g = begin; g < end; ++g) {
      if (initial_.groups[g].length > 1) {
        return arrow::Status::Invalid(
            "The initial state provided contained multiple rows(state) with the same key. Make sure to de-duplicate "
            "the initial state before passing it.");
      }
      rows.push_back(static_cast<int32_t>(initial_.groups[g].begin));
    }
    state::UnsafeRows keys;
    ARROW_RETURN_NOT_OK(KeysAt(initial_, spec_.initial_keys, rows, &keys).status());
    arrow::ArrayVector columns;
    for (int column : spec_.initial_columns) columns.push_back(initial_.rows->column(column));
    auto num_rows = static_cast<int64_t>(rows.size());
    ARROW_ASSIGN_OR_RAISE(columns, TakeRows(columns, IndexArray(std::move(rows)), pool_));
    arrow::FieldVector fields;
    for (size_t i = 0; i < columns.size(); ++i) {
      fields.push_back(arrow::field(spec_.state_type->fields()[i].name, columns[i]->type()));
    }
    auto states = std::make_shared<arrow::StructArray>(arrow::struct_(std::move(fields)), num_rows, std::move(columns));
    ARROW_ASSIGN_OR_RAISE(state::UnsafeRows values,
                          EncodeValues(states, std::vector<int64_t>(static_cast<size_t>(num_rows), kNoTimeout)));
    for (int64_t i = 0; i < num_rows; ++i) {
      int32_t partition = initial_.groups[begin + static_cast<size_t>(i)].partition;
      ARROW_RETURN_NOT_OK(Store(partition).Put(keys[i], values[i]));
    }
    return arrow::Status::OK();
  }

  // Groups of both inputs in the order of their keys; those of the initial state alone have no rows.
  arrow::Status AddBoth(size_t begin, size_t end, size_t initial_begin, size_t initial_end, StateGroups* groups) {
    auto keys_of = [&](const SortedGroups& sorted, const GroupingKeys& of, size_t from, size_t to,
                       SortKeys* order) -> arrow::Result<arrow::ArrayVector> {
      std::vector<int32_t> rows;
      for (size_t g = from; g < to; ++g) rows.push_back(static_cast<int32_t>(sorted.groups[g].begin));
      auto num_rows = static_cast<int64_t>(rows.size());
      state::UnsafeRows ignored;
      ARROW_ASSIGN_OR_RAISE(auto keys, KeysAt(sorted, of, std::move(rows), &ignored));
      ARROW_RETURN_NOT_OK(order->Encode(keys, std::vector<KeyOrder>(keys.size()), num_rows));
      return keys;
    };
    SortKeys order, initial_order;
    ARROW_ASSIGN_OR_RAISE(auto keys, keys_of(sorted_, spec_.keys, begin, end, &order));
    ARROW_ASSIGN_OR_RAISE(auto initial_keys,
                          keys_of(initial_, spec_.initial_keys, initial_begin, initial_end, &initial_order));
    std::vector<int32_t> taken;  // from the keys of both, one after the other
    size_t g = begin, i = initial_begin;
    while (g < end || i < initial_end) {
      int compared = g == end ? 1 : i == initial_end ? -1 : sorted_.groups[g].partition - initial_.groups[i].partition;
      if (g < end && i < initial_end && compared == 0) {
        compared =
            order.Compare(static_cast<int64_t>(g - begin), initial_order, static_cast<int64_t>(i - initial_begin));
      }
      bool has_rows = compared <= 0;
      if (has_rows || !spec_.skips_groups_without_rows) {
        groups->lengths.push_back(has_rows ? sorted_.groups[g].length : 0);
        groups->partitions.push_back(has_rows ? sorted_.groups[g].partition : initial_.groups[i].partition);
        taken.push_back(static_cast<int32_t>(has_rows ? g - begin : end - begin + (i - initial_begin)));
      }
      if (compared >= 0) ++i;
      if (compared <= 0) ++g;
    }
    arrow::ArrayVector both;
    for (size_t k = 0; k < keys.size(); ++k) {
      ARROW_ASSIGN_OR_RAISE(auto column, ConcatenateArrays({keys[k], initial_keys[k]}, keys[k]->type(), pool_));
      both.push_back(std::move(column));
    }
    auto num_groups = static_cast<int64_t>(taken.size());
    ARROW_ASSIGN_OR_RAISE(groups->key_columns, TakeRows(both, IndexArray(std::move(taken)), pool_));
    op_.key_encoder_.Encode(DataOf(groups->key_columns), num_groups, &groups->keys);
    return arrow::Status::OK();
  }

  arrow::Status RunTimedOut(StateGroups groups, const std::vector<std::string_view>& values) {
    if (values.empty()) return arrow::Status::OK();
    ARROW_RETURN_NOT_OK(AddStates(values, &groups));
    ARROW_ASSIGN_OR_RAISE(auto keys, op_.key_decoder_.Decode(groups.keys));
    for (const auto& key : keys) groups.key_columns.push_back(arrow::MakeArray(key));
    return Call(groups, true);
  }

  // Runs the function over the groups, puts out its rows, changes the state.
  arrow::Status Call(const StateGroups& groups, bool has_timed_out) {
    GroupStateSetting setting;
    setting.batch_time_ms = context_.streaming->timestamp_ms;
    setting.watermark_ms = batch_.eviction_watermark_ms;
    setting.timeout_name = logical::GroupStateTimeoutName(spec_.timeout);
    setting.has_timed_out = has_timed_out;
    setting.has_watermark = spec_.has_watermark;
    auto take_rows = [&](std::shared_ptr<arrow::RecordBatch> rows) {
      output_->Append(groups.partitions[0], std::move(rows));
    };
    auto take_changes = [&](std::span<const StateChange> changes, const std::shared_ptr<arrow::StructArray>& states) {
      return Update(groups, changes, states);
    };
    return spec_.function->Run(groups, setting, context_, take_rows, take_changes);
  }

  arrow::Result<state::UnsafeRows> EncodeValues(const std::shared_ptr<arrow::Array>& states,
                                                const std::vector<int64_t>& timeouts) const {
    std::vector<std::shared_ptr<arrow::ArrayData>> columns{states->data()};
    if (op_.has_timeout()) {
      arrow::Int64Builder builder(pool_);
      ARROW_RETURN_NOT_OK(builder.AppendValues(timeouts));
      ARROW_ASSIGN_OR_RAISE(auto column, builder.Finish());
      columns.push_back(column->data());
    }
    state::UnsafeRows rows;
    op_.value_encoder_.Encode(columns, states->length(), &rows);
    return rows;
  }

  // States come back in the order of the groups. Source: Spark, FlatMapGroupsWithStateExec.callFunctionAndUpdateState.
  arrow::Status Update(const StateGroups& groups, std::span<const StateChange> changes,
                       const std::shared_ptr<arrow::StructArray>& states) {
    std::vector<int32_t> written;
    std::vector<int64_t> timeouts;
    for (size_t i = 0; i < changes.size(); ++i) {
      const StateChange& change = changes[i];
      if (change.removes()) {
        ARROW_RETURN_NOT_OK(
            Store(groups.partitions[change.group]).Remove(groups.keys[static_cast<int64_t>(change.group)]));
        ++metrics_.rows_removed;
      } else if (change.writes()) {
        written.push_back(static_cast<int32_t>(i));
        timeouts.push_back(change.timeout_ms);
        Expect(change.timeout_ms);
      }
    }
    if (written.empty()) return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(auto taken, TakeRows({states}, IndexArray(written), pool_));
    ARROW_ASSIGN_OR_RAISE(state::UnsafeRows rows, EncodeValues(taken[0], timeouts));
    for (size_t i = 0; i < written.size(); ++i) {
      size_t group = changes[static_cast<size_t>(written[i])].group;
      ARROW_RETURN_NOT_OK(
          Store(groups.partitions[group]).Put(groups.keys[static_cast<int64_t>(group)], rows[static_cast<int64_t>(i)]));
    }
    metrics_.rows_updated += static_cast<int64_t>(written.size());
    return arrow::Status::OK();
  }

  const GroupsWithState& op_;
  const GroupsWithState::Spec& spec_;
  const StatefulBatch& batch_;
  const SortedGroups& sorted_;
  const SortedGroups& initial_;
  const ExecutionContext& context_;
  arrow::MemoryPool* pool_;
  PartitionedOutput* output_;
  StateMetrics metrics_;
};

GroupsWithState::GroupsWithState(Spec spec, AttributeVector output, std::vector<OperatorPtr> children)
    : GroupedOperator(spec.text, std::move(output), std::move(children)),
      spec_(std::move(spec)),
      value_types_(state::FieldTypes(*ValueSchema(spec_.state_type, spec_.timeout))),
      key_encoder_(state::FieldTypes(*spec_.key_schema)),
      value_encoder_(value_types_),
      key_decoder_(state::FieldTypes(*spec_.key_schema)),
      value_decoder_(value_types_) {}

std::vector<StateStoreSpec> GroupsWithState::state_stores() const {
  StateStoreSpec store;
  store.key_schema = spec_.key_schema;
  store.value_schema = ValueSchema(spec_.state_type, spec_.timeout);
  return {std::move(store)};
}

arrow::Status GroupsWithState::Prepare(ExecutionContext& context) const {
  StatefulBatch& batch = BatchOf(context);
  ARROW_RETURN_NOT_OK(children()[0]->Prepare(context));
  SortedGroups initial;
  if (children().size() == 2 && context.streaming->batch_id.value == 0) {
    ARROW_RETURN_NOT_OK(children()[1]->Prepare(context));
    ARROW_ASSIGN_OR_RAISE(initial, SortGroups(*children()[1], spec_.initial_keys, EventTimeColumn(), batch, context));
  }
  ARROW_ASSIGN_OR_RAISE(SortedGroups sorted, SortGroups(*children()[0], spec_.keys, spec_.late, batch, context));
  auto run = [&](int first, int last, PartitionedOutput* output) -> arrow::Result<StateMetrics> {
    GroupStateTask task(*this, batch, sorted, initial, context, output);
    ARROW_RETURN_NOT_OK(task.Run(first, last));
    return task.metrics();
  };
  int64_t weight = spec_.is_native ? kNativeRowWeight : kPythonRowWeight;
  return RunRanges(sorted.rows->num_rows(), weight, batch, context, run);
}

bool MatchesGroupsWithState(const logical::Plan& node) { return node.kind() == logical::NodeKind::kGroupsWithState; }

arrow::Result<OperatorPtr> PlanGroupsWithState(const logical::PlanPtr& node, const RequiredColumns&, Planner& planner) {
  const auto& groups = static_cast<const logical::GroupsWithState&>(*node);
  bool is_native = groups.function().native != nullptr;
  if (!planner.options().streaming || !node->child()->is_streaming()) {
    return is_native ? PlanGroupsOnce(groups, planner) : UserError("_LEGACY_ERROR_TEMP_3176");
  }
  const StreamingPlan& query = *planner.options().streaming;
  if (query.conf("spark.sql.streaming.flatMapGroupsWithState.stateFormatVersion").value_or("2") != "2") {
    return arrow::Status::NotImplemented(
        "spark.sql.streaming.flatMapGroupsWithState.stateFormatVersion = 1 is not supported; supported: 2");
  }
  ARROW_RETURN_NOT_OK(CheckInitialState(groups.inputs()));
  // All of the child's columns: that an event time is among them decides what is late, as in Spark.
  ARROW_ASSIGN_OR_RAISE(OperatorPtr child, planner.Plan(node->child()));
  GroupsWithState::Spec spec;
  spec.is_native = is_native;
  spec.state_type = groups.function().state_type;
  spec.timeout = groups.function().timeout;
  const logical::GroupedColumns& columns = groups.columns();
  GroupedInput input;
  auto schema = arrow::schema([&] {
    arrow::FieldVector fields;
    for (const auto& column : groups.output()) fields.push_back(types::ToArrow(column->ToField()));
    return fields;
  }());
  auto make = is_native ? MakeNativeGroupFunction : MakeGroupFunctionInPython;
  ARROW_ASSIGN_OR_RAISE(spec.function, make(groups, *child, std::move(schema), &input));
  std::vector<int> partition_keys = StatePartitionKeys(*node->child(), columns.keys, query);
  spec.keys = MakeGroupingKeys(columns, input.keys, partition_keys);
  spec.key_schema = KeyStruct(columns.keys, true);
  ARROW_ASSIGN_OR_RAISE(EventTimeColumn event_time, FindEventTime(child->output(), query));
  spec.has_watermark = event_time.found();
  if (spec.timeout == GroupStateTimeout::kEventTime) spec.late = event_time;
  spec.text = node->Describe();
  std::vector<OperatorPtr> children{std::move(child)};
  if (groups.inputs().size() == 2) {
    ARROW_ASSIGN_OR_RAISE(OperatorPtr initial, planner.Plan(node->children()[1]));
    ARROW_ASSIGN_OR_RAISE(GroupedInput initial_input, MakeNativeInput(groups.inputs()[1], *initial));
    spec.initial_keys = MakeGroupingKeys(columns, initial_input.keys, partition_keys);
    spec.initial_columns = initial_input.columns;
    spec.skips_groups_without_rows =
        query.conf("spark.sql.streaming.flatMapGroupsWithState.skipEmittingInitialStateKeys").value_or("false") ==
        "true";
    children.push_back(std::move(initial));
  }
  return std::make_shared<GroupsWithState>(std::move(spec), groups.output(), std::move(children));
}

}  // namespace millrace::physical
