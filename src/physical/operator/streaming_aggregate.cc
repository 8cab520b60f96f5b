#include "physical/operator/streaming_aggregate.h"

#include <arrow/array/util.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include "base/elapsed.h"
#include "base/error.h"
#include "expression/murmur3.h"
#include "physical/key/sort_keys.h"
#include "physical/partial_aggregations.h"
#include "physical/rows.h"
#include "physical/shuffle_order.h"
#include "physical/stateful/partitioned_output.h"
#include "physical/stateful/state_partition_keys.h"
#include "state/store.h"
#include "types/arrow_type.h"

namespace millrace::physical {

namespace {

using connector::OutputMode;
using expression::AggregateCall;
using expression::AggregateState;
using expression::AttributeReference;

arrow::ArrayVector SliceAll(const arrow::ArrayVector& columns, int64_t begin, int64_t length) {
  arrow::ArrayVector slices;
  for (const auto& column : columns) slices.push_back(column->Slice(begin, length));
  return slices;
}

// Columns that a task took off its partial result: those of call `c` out of all buffers of a value row.
arrow::ArrayVector BuffersOf(const AggregateStateLayout& layout,
                             const std::vector<std::shared_ptr<arrow::ArrayData>>& value, size_t call) {
  size_t first = static_cast<size_t>(layout.num_leading);
  for (size_t c = 0; c < call; ++c) first += static_cast<size_t>(layout.call_widths[c]);
  arrow::ArrayVector buffers;
  for (int i = 0; i < layout.call_widths[call]; ++i) {
    buffers.push_back(arrow::MakeArray(value[first + static_cast<size_t>(i)]));
  }
  return buffers;
}

}  // namespace

AggregateStateLayout AggregateStateLayout::Make(const AggregationSpec& spec, int64_t format_version) {
  AggregateStateLayout layout;
  std::vector<types::StructField> key, value;
  for (size_t i = 0; i < spec.grouping.size(); ++i) {
    types::StructField field = spec.group_columns[i]->ToField();
    // What Spark's optimizer names the column it computes below the aggregation.
    if (spec.grouping[i]->kind() != expression::ExpressionKind::kAttribute) field.name = "_groupingexpression";
    key.push_back(std::move(field));
  }
  if (format_version == 1) {
    value = key;
    layout.num_leading = static_cast<int>(key.size());
  }
  for (const auto& call : spec.calls) {
    const auto& fields = call->function()->buffer_fields();
    value.insert(value.end(), fields.begin(), fields.end());
    layout.call_widths.push_back(static_cast<int>(fields.size()));
  }
  layout.key_schema = types::Struct(std::move(key));
  layout.value_schema = types::Struct(std::move(value));
  return layout;
}

StreamingAggregate::StreamingAggregate(Spec spec, AttributeVector output, OperatorPtr child)
    : StatefulOperator({std::move(child)}, std::move(output)),
      spec_(std::move(spec)),
      key_data_types_(state::FieldTypes(*spec_.layout.key_schema)),
      key_encoder_(key_data_types_, state::UnsafeRowEncoder::Floats::kNormalized),
      value_encoder_(state::FieldTypes(*spec_.layout.value_schema)),
      key_decoder_(key_data_types_),
      value_decoder_(state::FieldTypes(*spec_.layout.value_schema)) {
  for (int key : spec_.partition_keys) partition_key_types_.push_back(key_data_types_[static_cast<size_t>(key)]);
}

std::vector<StateStoreSpec> StreamingAggregate::state_stores() const {
  StateStoreSpec store;
  store.key_schema = spec_.layout.key_schema;
  store.value_schema = spec_.layout.value_schema;
  if (spec_.event_time.found()) store.time = state::StoreTime{spec_.event_time.row_time()};
  return {std::move(store)};
}

bool StreamingAggregate::ShouldRunAnotherBatch(int64_t now_ms, int64_t next_ms) const {
  return spec_.mode != OutputMode::kComplete && next_ms > now_ms;
}

/// The state partitions first, first + stride, … of one micro-batch.
class AggregateTask {
 public:
  AggregateTask(const StreamingAggregate& op, const StatefulBatch& batch, int first, int stride,
                const expression::EvalContext& context, PartitionedOutput* output)
      : op_(op),
        plan_(op.spec_.plan),
        batch_(batch),
        first_(first),
        stride_(stride),
        context_(context),
        pool_(context.memory_pool),
        output_(output),
        groups_(plan_.key_types(), pool_) {}

  arrow::Status Run(const std::vector<PartialAggregation>& partials) {
    auto start = std::chrono::steady_clock::now();
    ARROW_RETURN_NOT_OK(MapGroups(partials));
    ARROW_RETURN_NOT_OK(ArrangeGroups());
    if (num_kept_ > 0) {
      ARROW_RETURN_NOT_OK(Restore());
      ARROW_RETURN_NOT_OK(MergePartials(partials));
      ARROW_RETURN_NOT_OK(Save());
    }
    if (op_.spec_.mode == OutputMode::kUpdate && num_kept_ > 0) OutputTouched();
    metrics_.update_us = MicrosSince(start);
    start = std::chrono::steady_clock::now();
    if (op_.spec_.mode == OutputMode::kComplete) {
      ARROW_RETURN_NOT_OK(OutputAll());
    } else {
      ARROW_RETURN_NOT_OK(Evict());
      metrics_.removal_us = MicrosSince(start);
    }
    return arrow::Status::OK();
  }

  const StateMetrics& metrics() const { return metrics_; }

 private:
  static constexpr uint32_t kDropped = GroupTable::kNoGroup;

  bool Mine(int32_t partition) const { return partition % stride_ == first_; }

  std::vector<int32_t> PartitionHashes(const arrow::ArrayVector& keys, int64_t num_groups) const {
    std::vector<std::shared_ptr<arrow::ArrayData>> columns;
    for (int key : op_.spec_.partition_keys) columns.push_back(keys[static_cast<size_t>(key)]->data());
    return expression::Murmur3Hash(columns, op_.partition_key_types_, num_groups);
  }

  // Numbers the groups of all partials that are this task's.
  arrow::Status MapGroups(const std::vector<PartialAggregation>& partials) {
    for (const PartialAggregation& partial : partials) {
      Mapped& mapped = mapped_.emplace_back();
      arrow::ArrayVector keys = partial.keys;
      if (stride_ > 1) {
        std::vector<int32_t> hashes = PartitionHashes(keys, partial.num_groups);
        for (int64_t i = 0; i < partial.num_groups; ++i) {
          if (Mine(expression::Pmod(hashes[static_cast<size_t>(i)], batch_.num_partitions()))) {
            mapped.rows.push_back(static_cast<int32_t>(i));
          }
        }
        mapped.all = static_cast<int64_t>(mapped.rows.size()) == partial.num_groups;
        if (!mapped.all) {
          ARROW_ASSIGN_OR_RAISE(keys, TakeRows(keys, IndexArray(mapped.rows), pool_));
        }
      }
      int64_t num_rows = mapped.all ? partial.num_groups : static_cast<int64_t>(mapped.rows.size());
      ARROW_RETURN_NOT_OK(groups_.Map(keys, num_rows, &mapped.group_ids));
    }
    return arrow::Status::OK();
  }

  // Drops late groups and renumbers the others by partition, within one in the order Spark would have them.
  arrow::Status ArrangeGroups() {
    int64_t num_groups = groups_.num_groups();
    // Without grouping there is one group, also where no row came.
    if (plan_.num_keys() == 0) num_groups = first_ == 0 ? 1 : 0;
    if (num_groups == 0) return arrow::Status::OK();
    arrow::ArrayVector keys;
    if (plan_.num_keys() > 0) {
      ARROW_ASSIGN_OR_RAISE(keys, groups_.Keys());
    }
    std::vector<int32_t> kept;
    if (op_.spec_.event_time.found() && op_.spec_.mode != OutputMode::kComplete) {
      ARROW_RETURN_NOT_OK(EventTimeColumn::KeepNewer(*keys[static_cast<size_t>(op_.spec_.event_time.index())],
                                                     batch_.late_watermark_ms, &kept));
    } else {
      kept.resize(static_cast<size_t>(num_groups));
      std::iota(kept.begin(), kept.end(), 0);
    }
    metrics_.rows_dropped_by_watermark += num_groups - static_cast<int64_t>(kept.size());
    if (op_.spec_.sorted) ARROW_RETURN_NOT_OK(SortByKeys(keys, num_groups, &kept));

    std::vector<int32_t> partitions(static_cast<size_t>(num_groups), 0);
    if (!keys.empty()) {
      partitions = PartitionHashes(keys, num_groups);
      for (int32_t& p : partitions) p = expression::Pmod(p, batch_.num_partitions());
    }
    kept = ByPartition(kept, partitions, batch_.num_partitions());
    renumbered_.assign(static_cast<size_t>(num_groups), kDropped);
    for (size_t i = 0; i < kept.size(); ++i) {
      renumbered_[static_cast<size_t>(kept[i])] = static_cast<uint32_t>(i);
      int32_t partition = partitions[static_cast<size_t>(kept[i])];
      if (slices_.empty() || slices_.back().partition != partition) {
        slices_.push_back({partition, static_cast<int64_t>(i), 0});
      }
      ++slices_.back().length;
    }
    num_kept_ = static_cast<int64_t>(kept.size());
    ARROW_ASSIGN_OR_RAISE(keys_, TakeRows(keys, IndexArray(std::move(kept)), pool_));
    if (op_.holds_rows_back()) {
      ARROW_ASSIGN_OR_RAISE(metrics_.earliest_waiting_us,
                            EventTimeColumn::Earliest(*keys_[static_cast<size_t>(op_.spec_.event_time.index())]));
    }
    return arrow::Status::OK();
  }

  arrow::Status SortByKeys(const arrow::ArrayVector& keys, int64_t num_groups, std::vector<int32_t>* rows) const {
    SortKeys sort;
    ARROW_RETURN_NOT_OK(sort.Encode(keys, std::vector<KeyOrder>(keys.size()), num_groups));
    std::stable_sort(rows->begin(), rows->end(), [&](int32_t a, int32_t b) { return sort.Compare(a, sort, b) < 0; });
    return arrow::Status::OK();
  }

  state::StateStore& Store(int32_t partition) const { return *batch_.stores[static_cast<size_t>(partition)][0]; }

  // What the state knows of the groups comes first: functions like first() and collect_list() go by order.
  arrow::Status Restore() {
    for (const auto& call : plan_.calls()) states_.push_back(call.function->NewState(pool_));
    for (auto& state : states_) ARROW_RETURN_NOT_OK(state->Resize(num_kept_));
    key_rows_.resize(slices_.size());
    std::vector<std::string_view> found, values;
    std::vector<uint32_t> group_ids;
    for (size_t s = 0; s < slices_.size(); ++s) {
      const Slice& slice = slices_[s];
      op_.key_encoder_.Encode(DataOf(SliceAll(keys_, slice.begin, slice.length)), slice.length, &key_rows_[s]);
      ARROW_RETURN_NOT_OK(Store(slice.partition).GetAll(key_rows_[s], &values));
      for (size_t i = 0; i < values.size(); ++i) {
        if (values[i].data() == nullptr) continue;
        found.push_back(values[i]);
        group_ids.push_back(static_cast<uint32_t>(slice.begin) + static_cast<uint32_t>(i));
      }
    }
    if (found.empty()) return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(auto columns, op_.value_decoder_.Decode(found));
    for (size_t c = 0; c < states_.size(); ++c) {
      ARROW_RETURN_NOT_OK(states_[c]->Merge(context_, group_ids, BuffersOf(op_.spec_.layout, columns, c)));
    }
    return arrow::Status::OK();
  }

  arrow::Status MergePartials(const std::vector<PartialAggregation>& partials) {
    for (size_t p = 0; p < partials.size(); ++p) {
      Mapped& mapped = mapped_[p];
      // Rows of the partial that are neither another task's nor late, and their groups.
      std::vector<int32_t> rows;
      std::vector<uint32_t> group_ids;
      for (size_t i = 0; i < mapped.group_ids.size(); ++i) {
        uint32_t group = plan_.num_keys() == 0 ? 0 : renumbered_[mapped.group_ids[i]];
        if (group == kDropped) continue;
        rows.push_back(mapped.all ? static_cast<int32_t>(i) : mapped.rows[i]);
        group_ids.push_back(group);
      }
      if (rows.empty()) continue;
      bool all = static_cast<int64_t>(rows.size()) == partials[p].num_groups;
      std::shared_ptr<arrow::Array> indices = IndexArray(std::move(rows));
      for (size_t c = 0; c < states_.size(); ++c) {
        arrow::ArrayVector buffers = partials[p].buffers[c];
        if (!all) {
          ARROW_ASSIGN_OR_RAISE(buffers, TakeRows(buffers, indices, pool_));
        }
        ARROW_RETURN_NOT_OK(states_[c]->Merge(context_, group_ids, buffers));
      }
    }
    return arrow::Status::OK();
  }

  arrow::Status Save() {
    arrow::ArrayVector value;
    if (op_.spec_.layout.num_leading > 0) value = keys_;
    for (auto& state : states_) {
      ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector buffers, state->Buffers());
      value.insert(value.end(), buffers.begin(), buffers.end());
    }
    state::UnsafeRows rows;
    for (size_t s = 0; s < slices_.size(); ++s) {
      const Slice& slice = slices_[s];
      op_.value_encoder_.Encode(DataOf(SliceAll(value, slice.begin, slice.length)), slice.length, &rows);
      ARROW_RETURN_NOT_OK(Store(slice.partition).PutAll(key_rows_[s], rows));
    }
    metrics_.rows_updated += num_kept_;
    return arrow::Status::OK();
  }

  // Rows of the operator, of groups given by their keys and states. Errors are those of the select list above them: the
  // state is whole without.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Results(arrow::ArrayVector columns,
                                                             const std::vector<std::unique_ptr<AggregateState>>& states,
                                                             int64_t num_groups) {
    for (const auto& state : states) {
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> column, state->Finish(context_));
      columns.push_back(std::move(column));
    }
    for (size_t i = 0; i < columns.size(); ++i) {
      columns[i] = Relabel(columns[i], plan_.result_schema()->field(static_cast<int>(i))->type());
    }
    auto finished = arrow::RecordBatch::Make(plan_.result_schema(), num_groups, std::move(columns));
    ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector results, op_.spec_.results.Evaluate(context_, finished));
    return arrow::RecordBatch::Make(op_.schema(), num_groups, std::move(results));
  }

  void OutputTouched() {
    auto batch = Results(keys_, states_, num_kept_);
    if (!batch.ok()) {
      output_->Fail(batch.status());
      return;
    }
    for (const Slice& slice : slices_) output_->Append(slice.partition, (*batch)->Slice(slice.begin, slice.length));
  }

  // Rows of the operator, of rows of the state.
  arrow::Status OutputRows(int partition, const std::vector<std::string_view>& keys,
                           const std::vector<std::string_view>& values) {
    if (keys.empty()) return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(auto key_columns, op_.key_decoder_.Decode(keys));
    ARROW_ASSIGN_OR_RAISE(auto value_columns, op_.value_decoder_.Decode(values));
    arrow::ArrayVector columns;
    for (auto& column : key_columns) columns.push_back(arrow::MakeArray(std::move(column)));
    auto num_groups = static_cast<int64_t>(keys.size());
    std::vector<uint32_t> group_ids(keys.size());
    std::iota(group_ids.begin(), group_ids.end(), 0u);
    std::vector<std::unique_ptr<AggregateState>> states;
    for (size_t c = 0; c < plan_.calls().size(); ++c) {
      states.push_back(plan_.calls()[c].function->NewState(pool_));
      ARROW_RETURN_NOT_OK(states[c]->Resize(num_groups));
      ARROW_RETURN_NOT_OK(states[c]->Merge(context_, group_ids, BuffersOf(op_.spec_.layout, value_columns, c)));
    }
    auto batch = Results(std::move(columns), states, num_groups);
    if (batch.ok()) {
      output_->Append(partition, std::move(*batch));
    } else {
      output_->Fail(batch.status());
    }
    return arrow::Status::OK();
  }

  arrow::Status OutputAll() {
    for (int partition = first_; partition < batch_.num_partitions(); partition += stride_) {
      std::vector<state::StateEntry> rows;
      ARROW_RETURN_NOT_OK(Store(partition).Scan([&](std::span<const state::StateEntry> entries) {
        rows.insert(rows.end(), entries.begin(), entries.end());
        return arrow::Status::OK();
      }));
      ARROW_RETURN_NOT_OK(OutputEntries(partition, std::move(rows)));
    }
    return arrow::Status::OK();
  }

  arrow::Status OutputEntries(int partition, std::vector<state::StateEntry> rows) {
    state::SortInSparkOrder(&rows);
    std::vector<std::string_view> keys, values;
    for (const state::StateEntry& row : rows) {
      keys.push_back(row.key);
      values.push_back(row.value);
    }
    return OutputRows(partition, keys, values);
  }

  // Everything that the watermark has passed goes; in append mode that is the output.
  arrow::Status Evict() {
    const EventTimeColumn& event_time = op_.spec_.event_time;
    if (!event_time.found() || !batch_.watermark_moved) return arrow::Status::OK();
    int64_t watermark_us = batch_.eviction_watermark_ms * 1000;
    int64_t earliest_us = INT64_MAX;
    for (int partition = first_; partition < batch_.num_partitions(); partition += stride_) {
      state::StateStore& store = Store(partition);
      state::UnsafeRows keys, values;
      std::vector<uint64_t> orders;
      auto remove = [&](std::span<const state::StateEntry> entries) -> arrow::Status {
        for (const state::StateEntry& entry : entries) {
          if (op_.spec_.mode == OutputMode::kAppend) {
            keys.Append(entry.key);
            values.Append(entry.value);
            orders.push_back(entry.order);
          }
          ++metrics_.rows_removed;
          ARROW_RETURN_NOT_OK(store.Remove(entry.key));
        }
        return arrow::Status::OK();
      };
      int64_t earliest_here_us;
      ARROW_RETURN_NOT_OK(store.ScanUpTo(watermark_us, remove, &earliest_here_us));
      earliest_us = std::min(earliest_us, earliest_here_us);
      std::vector<state::StateEntry> removed;
      for (size_t i = 0; i < orders.size(); ++i) {
        removed.push_back({keys.row(static_cast<int64_t>(i)), values.row(static_cast<int64_t>(i)), orders[i]});
      }
      ARROW_RETURN_NOT_OK(OutputEntries(partition, std::move(removed)));
    }
    metrics_.earliest_waiting_us = earliest_us;
    metrics_.saw_all_rows = true;
    return arrow::Status::OK();
  }

  struct Mapped {
    /// Rows of the partial that are this task's.
    bool all = true;
    std::vector<int32_t> rows;
    std::vector<uint32_t> group_ids;
  };
  /// Groups of one state partition.
  struct Slice {
    int32_t partition = 0;
    int64_t begin = 0;
    int64_t length = 0;
  };

  const StreamingAggregate& op_;
  const AggregationPlan& plan_;
  const StatefulBatch& batch_;
  const int first_;
  const int stride_;
  const expression::EvalContext& context_;
  arrow::MemoryPool* pool_;
  PartitionedOutput* output_;

  GroupTable groups_;
  std::vector<Mapped> mapped_;
  /// From numbers of first appearance to places in keys_, or kDropped.
  std::vector<uint32_t> renumbered_;
  int64_t num_kept_ = 0;
  arrow::ArrayVector keys_;
  std::vector<Slice> slices_;
  std::vector<state::UnsafeRows> key_rows_;
  std::vector<std::unique_ptr<AggregateState>> states_;
  StateMetrics metrics_;
};

arrow::Status StreamingAggregate::Prepare(ExecutionContext& context) const {
  ARROW_RETURN_NOT_OK(Operator::Prepare(context));
  ARROW_ASSIGN_OR_RAISE(std::vector<PartialAggregation> partials, AggregateInput(*this, spec_.plan, context));
  StatefulBatch& batch = BatchOf(context);
  auto run = [&](int i, int num_tasks, PartitionedOutput* output) -> arrow::Result<StateMetrics> {
    AggregateTask task(*this, batch, i, num_tasks, context.eval, output);
    ARROW_RETURN_NOT_OK(task.Run(partials));
    return task.metrics();
  };
  return RunStateTasks(*this, CountGroups(partials), batch, context, run);
}

int StreamingAggregate::num_partitions(const ExecutionContext& context) const {
  return context.StateOf<PartitionedOutput>(*this)->num_partitions();
}

arrow::Result<std::unique_ptr<BatchStream>> StreamingAggregate::Open(int partition, ExecutionContext& context) const {
  return context.StateOf<PartitionedOutput>(*this)->Open(partition, schema(), context);
}

std::vector<std::string> StreamingAggregate::DescribeStack() const {
  return {"HashAggregate" + spec_.text, Describe(), "StateStoreRestore " + spec_.text};
}

bool MatchesStreamingAggregate(const logical::Plan& node) {
  return node.kind() == logical::NodeKind::kAggregate && node.is_streaming();
}

arrow::Result<OperatorPtr> PlanStreamingAggregate(const logical::PlanPtr& node, const RequiredColumns&,
                                                  Planner& planner) {
  if (!planner.options().streaming) return InternalError("a streaming aggregation outside of a streaming query");
  const StreamingPlan& query = *planner.options().streaming;
  AggregationSpec parts = MakeAggregationSpec(static_cast<const logical::Aggregate&>(*node));
  std::set<expression::AttributeId> needed;
  AddReferences(node->expressions(), &needed);
  ARROW_ASSIGN_OR_RAISE(OperatorPtr child, planner.Plan(node->child(), needed));

  StreamingAggregate::Spec spec;
  int64_t format = 2;
  if (auto version = query.conf("spark.sql.streaming.aggregation.stateFormatVersion")) format = std::stoll(*version);
  spec.layout = AggregateStateLayout::Make(parts, format);
  ARROW_ASSIGN_OR_RAISE(spec.plan, AggregationPlan::Bind(parts, child->output()));
  bool allow_multiple = query.conf("spark.sql.streaming.statefulOperator.allowMultiple").value_or("true") != "false";
  ARROW_ASSIGN_OR_RAISE(spec.event_time, EventTimeColumn::Find(parts.group_columns, !allow_multiple));
  spec.mode = query.output_mode;
  spec.partition_keys = StatePartitionKeys(*node->child(), parts.group_columns, query);
  if (spec.mode == OutputMode::kAppend && !spec.event_time.found()) {
    return UserError("UNSUPPORTED_STREAMING_OPERATOR_WITHOUT_WATERMARK",
                     {{"outputMode", "Append"}, {"statefulOperator", "aggregations"}});
  }
  spec.sorted = AggregatesBySorting(parts);
  AttributeVector finished = parts.group_columns;
  finished.insert(finished.end(), parts.call_columns.begin(), parts.call_columns.end());
  ARROW_ASSIGN_OR_RAISE(spec.results, ExpressionSet::Bind(parts.results, finished));
  spec.text = fmt::format("(keys={}, functions={})", logical::DescribeExpressions(parts.grouping),
                          logical::DescribeExpressions({parts.calls.begin(), parts.calls.end()}));
  return std::make_shared<StreamingAggregate>(std::move(spec), node->output(), std::move(child));
}

}  // namespace millrace::physical
