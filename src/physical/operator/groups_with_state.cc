#include "physical/operator/groups_with_state.h"

#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/util/byte_size.h>

#include <algorithm>
#include <chrono>

#include "base/elapsed.h"
#include "base/error.h"
#include "expression/python/group_state.h"
#include "expression/python/pickled_rows.h"
#include "expression/python/worker_rows.h"
#include "physical/operator/map_in_python.h"
#include "physical/rows.h"
#include "physical/stateful/partitioned_output.h"
#include "physical/stateful/state_partition_keys.h"
#include "python/task_stream.h"
#include "state/store.h"

namespace millrace::physical {

namespace {

using expression::ArrowPieces;
using expression::GroupStateColumn;
using expression::GroupStateSetting;
using expression::GroupStateUpdate;
using expression::kNoTimeout;
using logical::GroupStateTimeout;

// A row in a worker costs what so many cost elsewhere.
constexpr int64_t kPythonRowWeight = 50;

types::DataTypePtr ValueSchema(const types::DataTypePtr& state_type, GroupStateTimeout timeout) {
  std::vector<types::StructField> fields{{"groupState", state_type, true, ""}};
  if (timeout != GroupStateTimeout::kNone) fields.push_back({"timeoutTimestamp", types::Long(), false, ""});
  return types::Struct(std::move(fields));
}

// Groups on their way to one run of the function.
struct Groups {
  /// What the worker is sent of them, one after another.
  std::shared_ptr<arrow::RecordBatch> rows;
  std::vector<int64_t> lengths;
  std::vector<int32_t> partitions;
  state::UnsafeRows keys;
  /// Pickled; empty: none.
  std::vector<std::string> states;
};

// Makes a worker's input of groups: their rows in batches of at most so many, cut where Spark cuts them.
class GroupWriter {
 public:
  GroupWriter(const Groups* groups, const GroupStateSetting& setting, int64_t max_rows)
      : groups_(groups), states_(setting), max_rows_(max_rows), pieces_(Schema(*groups->rows->schema())) {}

  arrow::Result<bool> Next(std::string* out) {
    if (group_ == groups_->lengths.size()) {
      ARROW_RETURN_NOT_OK(pieces_.End(out));
      return false;
    }
    int64_t begin = row_, num_rows = 0;
    // Spark has a run, and so batches, for each partition.
    int32_t partition = groups_->partitions[group_];
    while (group_ < groups_->lengths.size() && groups_->partitions[group_] == partition && num_rows < max_rows_) {
      int64_t left = groups_->lengths[group_] - row_in_group_;
      int64_t taken = std::min(left, max_rows_ - num_rows);
      const std::string& state = groups_->states[group_];
      GroupStateColumn::Piece piece{groups_->keys[static_cast<int64_t>(group_)], {}, num_rows, taken, taken == left};
      if (!state.empty()) piece.pickle = state;
      ARROW_RETURN_NOT_OK(states_.Append(piece));
      num_rows += taken;
      row_in_group_ += taken;
      if (piece.last) {
        ++group_;
        row_in_group_ = 0;
      }
    }
    row_ += num_rows;
    arrow::ArrayVector columns = groups_->rows->Slice(begin, num_rows)->columns();
    ARROW_ASSIGN_OR_RAISE(auto states, states_.Finish(num_rows));
    columns.push_back(std::move(states));
    ARROW_RETURN_NOT_OK(pieces_.Write(*arrow::RecordBatch::Make(pieces_.schema(), num_rows, std::move(columns)), out));
    return true;
  }

 private:
  static std::shared_ptr<arrow::Schema> Schema(const arrow::Schema& rows) {
    arrow::FieldVector fields = rows.fields();
    fields.push_back(arrow::field("__state", GroupStateColumn::Type()));
    return arrow::schema(std::move(fields));
  }

  const Groups* groups_;
  GroupStateColumn states_;
  int64_t max_rows_;
  ArrowPieces pieces_;
  size_t group_ = 0;
  int64_t row_in_group_ = 0;
  int64_t row_ = 0;
};

}  // namespace

/// The state partitions [first, last) of one micro-batch.
class GroupStateTask {
 public:
  GroupStateTask(const GroupsWithState& op, const StatefulBatch& batch, const SortedGroups& sorted,
                 const ExecutionContext& context, PartitionedOutput* output)
      : op_(op),
        spec_(op.spec_),
        batch_(batch),
        sorted_(sorted),
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
      return begin < end;
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
      Groups timed_out;
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
    return value.size() < 24 ? kNoTimeout : state::LongAt(value, 2, 1);
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
  arrow::Status AddDue(int partition, const std::vector<std::string>& keys, Groups* groups,
                       std::vector<std::string_view>* values) {
    std::vector<state::StateEntry> entries;
    for (const std::string& key : keys) {
      ARROW_ASSIGN_OR_RAISE(state::StateEntry entry, Store(partition).Find(key));
      if (entry.key.data() != nullptr && IsDue(TimeoutOf(entry.value))) entries.push_back(entry);
    }
    state::SortInSparkOrder(&entries);
    for (const state::StateEntry& entry : entries) {
      groups->keys.Append(entry.key);
      groups->lengths.push_back(1);
      groups->partitions.push_back(partition);
      values->push_back(entry.value);
    }
    return arrow::Status::OK();
  }

  arrow::Status AddStates(const std::vector<std::string_view>& values, Groups* groups) const {
    ARROW_ASSIGN_OR_RAISE(auto column, op_.value_decoder_.DecodeColumn(values, 0));
    auto states = std::static_pointer_cast<arrow::StructArray>(arrow::MakeArray(std::move(column)));
    groups->states.resize(values.size());
    for (int64_t i = 0; i < states->length(); ++i) {
      if (states->IsNull(i)) continue;
      ARROW_RETURN_NOT_OK(
          expression::AppendPickledStruct(*states, i, *spec_.state_type, &groups->states[static_cast<size_t>(i)]));
    }
    return arrow::Status::OK();
  }

  arrow::Status RunData(int first, int last) {
    auto [begin, end] = sorted_.OfPartitions(first, last);
    if (begin == end) return arrow::Status::OK();
    Groups groups;
    std::vector<int32_t> first_rows;
    for (size_t g = begin; g < end; ++g) {
      groups.lengths.push_back(sorted_.groups[g].length);
      groups.partitions.push_back(sorted_.groups[g].partition);
      first_rows.push_back(static_cast<int32_t>(sorted_.groups[g].begin));
    }
    arrow::ArrayVector keys;
    for (int key : spec_.keys.columns) keys.push_back(sorted_.rows->column(key));
    ARROW_ASSIGN_OR_RAISE(keys, TakeRows(keys, IndexArray(std::move(first_rows)), pool_));
    std::vector<std::shared_ptr<arrow::ArrayData>> key_data;
    for (const auto& column : keys) key_data.push_back(column->data());
    op_.key_encoder_.Encode(key_data, static_cast<int64_t>(groups.lengths.size()), &groups.keys);
    std::vector<std::string_view> values;
    for (size_t g = 0; g < groups.lengths.size(); ++g) {
      ARROW_ASSIGN_OR_RAISE(std::string_view value,
                            Store(groups.partitions[g]).Get(groups.keys[static_cast<int64_t>(g)]));
      values.push_back(value);
    }
    ARROW_RETURN_NOT_OK(AddStates(values, &groups));

    int64_t first_row = sorted_.groups[begin].begin;
    int64_t num_rows = sorted_.groups[end - 1].begin + sorted_.groups[end - 1].length - first_row;
    arrow::ArrayVector columns;
    for (int column : spec_.input.columns) columns.push_back(sorted_.rows->column(column)->Slice(first_row, num_rows));
    groups.rows = expression::ForWorker(spec_.input.schema, columns, num_rows);
    return Call(groups, false);
  }

  // A group that timed out comes as one row of its keys and NULLs, of which the worker makes an empty frame.
  arrow::Status RunTimedOut(Groups groups, const std::vector<std::string_view>& values) {
    auto num_groups = static_cast<int64_t>(values.size());
    if (num_groups == 0) return arrow::Status::OK();
    ARROW_RETURN_NOT_OK(AddStates(values, &groups));
    ARROW_ASSIGN_OR_RAISE(auto keys, op_.key_decoder_.Decode(groups.keys));
    arrow::ArrayVector columns;
    for (size_t i = 0; i < spec_.input.columns.size(); ++i) {
      const auto& all = spec_.input.keys;
      auto key = std::find(all.begin(), all.end(), spec_.input.columns[i]);
      if (key != all.end()) {
        columns.push_back(arrow::MakeArray(keys[static_cast<size_t>(key - all.begin())]));
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(
          auto none, arrow::MakeArrayOfNull(spec_.input.schema->field(static_cast<int>(i))->type(), num_groups, pool_));
      columns.push_back(std::move(none));
    }
    groups.rows = expression::ForWorker(spec_.input.schema, columns, num_groups);
    return Call(groups, true);
  }

  int64_t MaxRows(const arrow::RecordBatch& rows) const {
    int64_t bytes = arrow::util::ReferencedBufferSize(rows).ValueOr(1) / rows.num_rows();
    return std::clamp<int64_t>(spec_.environment->max_bytes_per_batch / std::max<int64_t>(1, bytes), 1,
                               spec_.environment->max_records_per_batch);
  }

  // Runs the function over the groups, puts out its rows, changes the state.
  arrow::Status Call(const Groups& groups, bool has_timed_out) {
    GroupStateSetting setting;
    setting.batch_time_ms = context_.streaming->timestamp_ms;
    setting.watermark_ms = batch_.eviction_watermark_ms;
    setting.timeout_name = logical::GroupStateTimeoutName(spec_.timeout);
    setting.has_timed_out = has_timed_out;
    setting.has_watermark = spec_.has_watermark;
    GroupWriter writer(&groups, setting, MaxRows(*groups.rows));
    python::TaskSpec task = spec_.task;
    task.partition = groups.partitions[0];
    auto write = [&writer](std::string* out) { return writer.Next(out); };
    ARROW_ASSIGN_OR_RAISE(auto stream,
                          python::TaskStream::Start(spec_.environment, task, write, context_.cancelled, pool_));
    size_t next_group = 0;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto batch, stream->NextBatch());
      if (batch == nullptr) break;
      ARROW_ASSIGN_OR_RAISE(auto answer, expression::ReadGroupStateAnswer(*batch));
      if (answer.num_rows > 0) {
        ARROW_ASSIGN_OR_RAISE(
            auto rows, expression::RowsOfStruct(batch, op_.schema(), spec_.output_types, spec_.task.eval_type, pool_,
                                                expression::kAnswerRowsColumn));
        output_->Append(groups.partitions[0], rows->Slice(0, answer.num_rows));
      }
      if (next_group + static_cast<size_t>(answer.num_states) > groups.lengths.size()) {
        return arrow::Status::IOError("Python worker: states of more groups than there are");
      }
      ARROW_RETURN_NOT_OK(Update(groups, answer, next_group));
      next_group += static_cast<size_t>(answer.num_states);
    }
    if (next_group != groups.lengths.size()) return arrow::Status::IOError("Python worker: groups without their state");
    return arrow::Status::OK();
  }

  // States come back in the order of the groups. Source: Spark, FlatMapGroupsInPandasWithStateExec.process.
  arrow::Status Update(const Groups& groups, const expression::GroupStateAnswer& answer, size_t first_group) {
    std::vector<std::string_view> pickles;
    std::vector<int64_t> timeouts;
    std::vector<size_t> written;
    for (int64_t i = 0; i < answer.num_states; ++i) {
      ARROW_ASSIGN_OR_RAISE(GroupStateUpdate update, answer.StateAt(i));
      size_t group = first_group + static_cast<size_t>(i);
      if (update.removed && update.timeout_ms == kNoTimeout) {
        ARROW_RETURN_NOT_OK(Store(groups.partitions[group]).Remove(groups.keys[static_cast<int64_t>(group)]));
        ++metrics_.rows_removed;
        continue;
      }
      if (!update.updated && !update.removed && update.timeout_ms == update.old_timeout_ms) continue;
      pickles.push_back(update.pickle);
      timeouts.push_back(update.timeout_ms);
      written.push_back(group);
      Expect(update.timeout_ms);
    }
    if (written.empty()) return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(auto states, expression::UnpickleValues(pickles, *spec_.state_type, pool_));
    std::vector<std::shared_ptr<arrow::ArrayData>> columns{states->data()};
    if (op_.has_timeout()) {
      arrow::Int64Builder builder(pool_);
      ARROW_RETURN_NOT_OK(builder.AppendValues(timeouts));
      ARROW_ASSIGN_OR_RAISE(auto column, builder.Finish());
      columns.push_back(column->data());
    }
    state::UnsafeRows rows;
    op_.value_encoder_.Encode(columns, static_cast<int64_t>(written.size()), &rows);
    for (size_t i = 0; i < written.size(); ++i) {
      ARROW_RETURN_NOT_OK(Store(groups.partitions[written[i]])
                              .Put(groups.keys[static_cast<int64_t>(written[i])], rows[static_cast<int64_t>(i)]));
    }
    metrics_.rows_updated += static_cast<int64_t>(written.size());
    return arrow::Status::OK();
  }

  const GroupsWithState& op_;
  const GroupsWithState::Spec& spec_;
  const StatefulBatch& batch_;
  const SortedGroups& sorted_;
  const ExecutionContext& context_;
  arrow::MemoryPool* pool_;
  PartitionedOutput* output_;
  StateMetrics metrics_;
};

GroupsWithState::GroupsWithState(Spec spec, AttributeVector output, OperatorPtr child)
    : StatefulOperator({std::move(child)}, std::move(output)),
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
  ARROW_RETURN_NOT_OK(Operator::Prepare(context));
  StatefulBatch& batch = BatchOf(context);
  ARROW_ASSIGN_OR_RAISE(SortedGroups sorted, SortGroups(*children()[0], spec_.keys, spec_.late, batch, context));
  auto run = [&](int i, int num_tasks, PartitionedOutput* output) -> arrow::Result<StateMetrics> {
    GroupStateTask task(*this, batch, sorted, context, output);
    auto begin_of = [&](int n) { return static_cast<int>(int64_t{batch.num_partitions()} * n / num_tasks); };
    ARROW_RETURN_NOT_OK(task.Run(begin_of(i), begin_of(i + 1)));
    return task.metrics();
  };
  return RunStateTasks(*this, sorted.rows->num_rows() * kPythonRowWeight, batch, context, run);
}

int GroupsWithState::num_partitions(const ExecutionContext& context) const {
  return context.StateOf<PartitionedOutput>(*this)->num_partitions();
}

arrow::Result<std::unique_ptr<BatchStream>> GroupsWithState::Open(int partition, ExecutionContext& context) const {
  return context.StateOf<PartitionedOutput>(*this)->Open(partition, schema(), context);
}

bool MatchesGroupsWithState(const logical::Plan& node) { return node.kind() == logical::NodeKind::kGroupsWithState; }

arrow::Result<OperatorPtr> PlanGroupsWithState(const logical::PlanPtr& node, const RequiredColumns&, Planner& planner) {
  if (!planner.options().streaming || !node->is_streaming()) return UserError("_LEGACY_ERROR_TEMP_3176");
  const StreamingPlan& query = *planner.options().streaming;
  const auto& groups = static_cast<const logical::GroupsWithState&>(*node);
  if (query.conf("spark.sql.streaming.flatMapGroupsWithState.stateFormatVersion").value_or("2") != "2") {
    return arrow::Status::NotImplemented(
        "spark.sql.streaming.flatMapGroupsWithState.stateFormatVersion = 1 is not supported; supported: 2");
  }
  // All of the child's columns: that an event time is among them decides what is late, as in Spark.
  ARROW_ASSIGN_OR_RAISE(OperatorPtr child, planner.Plan(node->child()));
  GroupsWithState::Spec spec;
  spec.environment = groups.function().environment;
  spec.state_type = groups.function().state_type;
  spec.timeout = groups.function().timeout;
  spec.task.eval_type = groups.function().function->eval_type;
  spec.task.conf = spec.environment->conf;
  spec.task.conf["spark.sql.execution.arrow.maxRecordsPerBatch"] =
      std::to_string(spec.environment->max_records_per_batch);
  spec.task.eval_conf["state_value_schema"] = expression::SchemaForWorker(*spec.state_type);
  spec.task.calls = {{{groups.function().function}, {}}};
  const logical::GroupedColumns& columns = groups.columns();
  ARROW_ASSIGN_OR_RAISE(spec.input,
                        MakeGroupedInput(columns, *child, *spec.environment, &spec.task.calls[0].arguments));
  // Groups that time out have rows of NULLs.
  arrow::FieldVector sent = spec.input.schema->fields();
  for (auto& field : sent) field = field->WithNullable(true);
  spec.input.schema = arrow::schema(std::move(sent));
  spec.keys.columns = spec.input.keys;
  spec.keys.partition_keys = StatePartitionKeys(*node->child(), columns.keys, query);
  for (int key : spec.keys.partition_keys) {
    spec.keys.partition_key_types.push_back(columns.keys[static_cast<size_t>(key)]->type());
  }
  std::vector<types::StructField> key_fields;
  for (const auto& key : columns.keys) key_fields.push_back(key->ToField());
  spec.key_schema = types::Struct(std::move(key_fields));
  bool allow_multiple = query.conf("spark.sql.streaming.statefulOperator.allowMultiple").value_or("true") != "false";
  ARROW_ASSIGN_OR_RAISE(EventTimeColumn event_time, EventTimeColumn::Find(child->output(), !allow_multiple));
  spec.has_watermark = event_time.found();
  if (spec.timeout == GroupStateTimeout::kEventTime) spec.late = event_time;
  for (const auto& column : groups.output()) spec.output_types.push_back(column->type());
  spec.text = node->Describe();
  return std::make_shared<GroupsWithState>(std::move(spec), groups.output(), std::move(child));
}

}  // namespace millrace::physical
