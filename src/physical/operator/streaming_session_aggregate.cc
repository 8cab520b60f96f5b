#include "physical/operator/streaming_session_aggregate.h"

#include <arrow/array/array_nested.h>
#include <arrow/array/array_primitive.h>
#include <arrow/array/util.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <set>

#include "base/elapsed.h"
#include "base/error.h"
#include "base/json_value.h"
#include "expression/murmur3.h"
#include "physical/partial_aggregations.h"
#include "physical/rows.h"
#include "physical/stateful/partitioned_output.h"
#include "physical/stateful/state_partition_keys.h"
#include "state/store.h"
#include "types/arrow_type.h"

namespace millrace::physical {

namespace {

using connector::OutputMode;
using expression::AggregateState;

arrow::ArrayVector Without(arrow::ArrayVector columns, int position) {
  columns.erase(columns.begin() + position);
  return columns;
}

std::vector<types::DataTypePtr> FieldTypesWithout(const types::DataType& type, size_t num_fields, int position) {
  std::vector<types::DataTypePtr> types = state::FieldTypes(type);
  types.resize(num_fields);
  types.erase(types.begin() + position);
  return types;
}

// Start and end of each session of a column of windows.
struct Sessions {
  std::shared_ptr<arrow::Array> starts;
  std::shared_ptr<arrow::Array> ends;
  const int64_t* start_us = nullptr;
  const int64_t* end_us = nullptr;

  static arrow::Result<Sessions> Of(const arrow::Array& column) {
    const auto& windows = static_cast<const arrow::StructArray&>(column);
    Sessions sessions;
    ARROW_ASSIGN_OR_RAISE(sessions.starts, windows.GetFlattenedField(0));
    ARROW_ASSIGN_OR_RAISE(sessions.ends, windows.GetFlattenedField(1));
    sessions.start_us = sessions.starts->data()->GetValues<int64_t>(1);
    sessions.end_us = sessions.ends->data()->GetValues<int64_t>(1);
    return sessions;
  }
};

arrow::Result<std::shared_ptr<arrow::Array>> WindowColumn(const std::shared_ptr<arrow::DataType>& type,
                                                          std::vector<int64_t> starts, std::vector<int64_t> ends) {
  auto count = static_cast<int64_t>(starts.size());
  auto times = [&](std::vector<int64_t> values, int field) {
    return arrow::MakeArray(arrow::ArrayData::Make(type->field(field)->type(), count,
                                                   {nullptr, arrow::Buffer::FromVector(std::move(values))}, 0));
  };
  return std::make_shared<arrow::StructArray>(
      type, count, arrow::ArrayVector{times(std::move(starts), 0), times(std::move(ends), 1)});
}

}  // namespace

StreamingSessionAggregate::StreamingSessionAggregate(Spec spec, AttributeVector output, OperatorPtr child)
    : StatefulOperator({std::move(child)}, std::move(output)),
      spec_(std::move(spec)),
      other_types_(FieldTypesWithout(*spec_.value_schema, spec_.plan.num_keys(), spec_.session)),
      prefix_encoder_(other_types_, state::UnsafeRowEncoder::Floats::kNormalized),
      key_encoder_(state::FieldTypes(*spec_.key_schema), state::UnsafeRowEncoder::Floats::kNormalized),
      value_encoder_(state::FieldTypes(*spec_.value_schema)),
      value_decoder_(state::FieldTypes(*spec_.value_schema)) {
  for (int key : spec_.partition_keys) partition_key_types_.push_back(other_types_[static_cast<size_t>(key)]);
}

std::vector<StateStoreSpec> StreamingSessionAggregate::state_stores() const {
  StateStoreSpec store;
  store.key_schema = spec_.key_schema;
  store.value_schema = spec_.value_schema;
  store.num_prefix_columns = static_cast<int>(other_types_.size());
  auto num_columns = static_cast<int>(spec_.value_schema->fields().size());
  store.time = state::StoreTime{state::RowTime(num_columns, spec_.session, true), true};
  return {std::move(store)};
}

bool StreamingSessionAggregate::ShouldRunAnotherBatch(int64_t now_ms, int64_t next_ms) const {
  return spec_.mode != OutputMode::kComplete && next_ms > now_ms;
}

/// The state partitions first, first + stride, … of one micro-batch.
class SessionTask {
 public:
  SessionTask(const StreamingSessionAggregate& op, const StatefulBatch& batch, int first, int stride,
              const expression::EvalContext& context, PartitionedOutput* output)
      : op_(op),
        plan_(op.spec_.plan),
        batch_(batch),
        first_(first),
        stride_(stride),
        context_(context),
        pool_(context.memory_pool),
        output_(output),
        others_(OtherKeyTypes(op), pool_) {}

  arrow::Status Run(const std::vector<PartialAggregation>& partials) {
    auto start = std::chrono::steady_clock::now();
    ARROW_RETURN_NOT_OK(TakeInput(partials));
    if (num_input_ > 0) {
      ARROW_RETURN_NOT_OK(FindSessions());
      ARROW_RETURN_NOT_OK(MergeSessions());
      ARROW_RETURN_NOT_OK(Save());
    }
    metrics_.update_us = MicrosSince(start);
    start = std::chrono::steady_clock::now();
    ARROW_RETURN_NOT_OK(Output());
    if (op_.spec_.mode == OutputMode::kAppend) metrics_.removal_us = MicrosSince(start);
    return arrow::Status::OK();
  }

  const StateMetrics& metrics() const { return metrics_; }

 private:
  static std::vector<std::shared_ptr<arrow::DataType>> OtherKeyTypes(const StreamingSessionAggregate& op) {
    auto types = op.spec_.plan.key_types();
    types.erase(types.begin() + op.spec_.session);
    return types;
  }

  std::vector<int32_t> PartitionHashes(const arrow::ArrayVector& others, int64_t num_rows) const {
    std::vector<std::shared_ptr<arrow::ArrayData>> columns;
    for (int key : op_.spec_.partition_keys) columns.push_back(others[static_cast<size_t>(key)]->data());
    return expression::Murmur3Hash(columns, op_.partition_key_types_, num_rows);
  }

  // This task's rows that are not late, in one piece: grouping columns, then buffers.
  arrow::Status TakeInput(const std::vector<PartialAggregation>& partials) {
    std::vector<arrow::ArrayVector> pieces;
    for (const PartialAggregation& partial : partials) {
      std::vector<int32_t> newer;
      if (op_.spec_.has_watermark) {
        ARROW_RETURN_NOT_OK(EventTimeColumn::KeepNewer(*partial.keys[static_cast<size_t>(op_.spec_.session)],
                                                       batch_.late_watermark_ms, &newer));
      } else {
        newer.resize(static_cast<size_t>(partial.num_groups));
        std::iota(newer.begin(), newer.end(), 0);
      }
      if (first_ == 0) {
        metrics_.rows_dropped_by_watermark += partial.num_groups - static_cast<int64_t>(newer.size());
      }
      std::vector<int32_t> hashes = PartitionHashes(Without(partial.keys, op_.spec_.session), partial.num_groups);
      std::vector<int32_t> mine;
      for (int32_t row : newer) {
        int32_t partition = expression::Pmod(hashes[static_cast<size_t>(row)], batch_.num_partitions());
        if (partition % stride_ == first_) mine.push_back(row);
      }
      if (mine.empty()) continue;
      num_input_ += static_cast<int64_t>(mine.size());
      arrow::ArrayVector columns = partial.keys;
      for (const arrow::ArrayVector& buffers : partial.buffers) {
        columns.insert(columns.end(), buffers.begin(), buffers.end());
      }
      ARROW_ASSIGN_OR_RAISE(columns, TakeRows(columns, IndexArray(std::move(mine)), pool_));
      pieces.push_back(std::move(columns));
    }
    if (pieces.empty()) return arrow::Status::OK();
    for (size_t c = 0; c < pieces[0].size(); ++c) {
      arrow::ArrayVector column;
      for (const arrow::ArrayVector& piece : pieces) column.push_back(piece[c]);
      ARROW_ASSIGN_OR_RAISE(auto whole, ConcatenateArrays(column, column[0]->type(), pool_));
      rows_.push_back(std::move(whole));
    }
    return arrow::Status::OK();
  }

  arrow::ArrayVector KeyColumns(const arrow::ArrayVector& rows) const {
    return {rows.begin(), rows.begin() + static_cast<ptrdiff_t>(plan_.num_keys())};
  }

  state::StateStore& Store(int32_t partition) const { return *batch_.stores[static_cast<size_t>(partition)][0]; }

  // The sessions in state of the keys that came; they go before the rows of the input.
  arrow::Status FindSessions() {
    arrow::ArrayVector others = Without(KeyColumns(rows_), op_.spec_.session);
    ARROW_RETURN_NOT_OK(others_.Map(others, num_input_, &input_keys_));
    ARROW_ASSIGN_OR_RAISE(key_columns_, others_.Keys());
    auto num_keys = others_.num_groups();
    partitions_ = PartitionHashes(key_columns_, num_keys);
    for (int32_t& p : partitions_) p = expression::Pmod(p, batch_.num_partitions());
    state::UnsafeRows prefixes;
    op_.prefix_encoder_.Encode(DataOf(key_columns_), num_keys, &prefixes);
    state::UnsafeRows values;
    for (int64_t key = 0; key < num_keys; ++key) {
      std::vector<state::StateEntry> entries;
      ARROW_RETURN_NOT_OK(Store(partitions_[static_cast<size_t>(key)]).PrefixScan(prefixes.row(key), &entries));
      for (const state::StateEntry& entry : entries) {
        old_keys_.Append(entry.key);
        values.Append(entry.value);
        old_groups_.push_back(static_cast<uint32_t>(key));
      }
    }
    if (values.num_rows() == 0) return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(auto columns, op_.value_decoder_.Decode(values));
    for (size_t c = 0; c < columns.size(); ++c) {
      auto type = rows_[c]->type();
      ARROW_ASSIGN_OR_RAISE(rows_[c],
                            ConcatenateArrays({Relabel(arrow::MakeArray(columns[c]), type), rows_[c]}, type, pool_));
    }
    return arrow::Status::OK();
  }

  // Sorts rows by key and start, those of the state first, and joins those that touch.
  arrow::Status MergeSessions() {
    ARROW_ASSIGN_OR_RAISE(Sessions windows, Sessions::Of(*rows_[static_cast<size_t>(op_.spec_.session)]));
    std::vector<uint32_t> keys = old_groups_;
    keys.insert(keys.end(), input_keys_.begin(), input_keys_.end());
    std::vector<int32_t> order(keys.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
      auto x = static_cast<size_t>(a), y = static_cast<size_t>(b);
      if (keys[x] != keys[y]) return keys[x] < keys[y];
      return windows.start_us[a] < windows.start_us[b];
    });
    std::vector<uint32_t> session_of(order.size());
    for (size_t i = 0; i < order.size(); ++i) {
      int32_t row = order[i];
      uint32_t key = keys[static_cast<size_t>(row)];
      int64_t start = windows.start_us[row], end = windows.end_us[row];
      if (session_keys_.empty() || session_keys_.back() != key || start > session_ends_.back()) {
        session_keys_.push_back(key);
        session_starts_.push_back(start);
        session_ends_.push_back(end);
      } else {
        session_ends_.back() = std::max(session_ends_.back(), end);
      }
      session_of[i] = static_cast<uint32_t>(session_keys_.size()) - 1;
    }
    auto num_sessions = static_cast<int64_t>(session_keys_.size());
    arrow::ArrayVector buffers(rows_.begin() + static_cast<ptrdiff_t>(plan_.num_keys()), rows_.end());
    ARROW_ASSIGN_OR_RAISE(buffers, TakeRows(buffers, IndexArray(std::move(order)), pool_));
    size_t first = 0;
    for (size_t c = 0; c < plan_.calls().size(); ++c) {
      auto width = static_cast<size_t>(op_.spec_.call_widths[c]);
      arrow::ArrayVector own(buffers.begin() + static_cast<ptrdiff_t>(first),
                             buffers.begin() + static_cast<ptrdiff_t>(first + width));
      first += width;
      states_.push_back(plan_.calls()[c].function->NewState(pool_));
      ARROW_RETURN_NOT_OK(states_[c]->Resize(num_sessions));
      ARROW_RETURN_NOT_OK(states_[c]->Merge(context_, session_of, own));
    }
    return arrow::Status::OK();
  }

  // Replaces the sessions of the keys that came.
  arrow::Status Save() {
    auto num_sessions = static_cast<int64_t>(session_keys_.size());
    std::vector<int32_t> key_rows(session_keys_.begin(), session_keys_.end());
    ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector others, TakeRows(key_columns_, IndexArray(std::move(key_rows)), pool_));
    auto window_type = plan_.key_types()[static_cast<size_t>(op_.spec_.session)];
    ARROW_ASSIGN_OR_RAISE(auto sessions, WindowColumn(window_type, session_starts_, session_ends_));
    arrow::ArrayVector value = others;
    value.insert(value.begin() + op_.spec_.session, sessions);
    for (auto& state : states_) {
      ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector buffers, state->Buffers());
      value.insert(value.end(), buffers.begin(), buffers.end());
    }
    arrow::ArrayVector key = others;
    ARROW_ASSIGN_OR_RAISE(auto starts, static_cast<const arrow::StructArray&>(*sessions).GetFlattenedField(0));
    key.push_back(std::move(starts));
    state::UnsafeRows keys, values;
    op_.key_encoder_.Encode(DataOf(key), num_sessions, &keys);
    op_.value_encoder_.Encode(DataOf(value), num_sessions, &values);

    std::set<std::string_view> current;
    for (int64_t i = 0; i < num_sessions; ++i) current.insert(keys.row(i));
    for (int64_t i = 0; i < old_keys_.num_rows(); ++i) {
      if (current.count(old_keys_.row(i)) > 0) continue;
      ARROW_RETURN_NOT_OK(Store(partitions_[old_groups_[static_cast<size_t>(i)]]).Remove(old_keys_.row(i)));
      ++metrics_.rows_removed;
    }
    for (int64_t i = 0; i < num_sessions; ++i) {
      state::StateStore& store = Store(partitions_[session_keys_[static_cast<size_t>(i)]]);
      ARROW_RETURN_NOT_OK(store.Put(keys.row(i), values.row(i)));
    }
    metrics_.rows_updated += num_sessions;
    for (int64_t end : session_ends_) metrics_.earliest_waiting_us = std::min(metrics_.earliest_waiting_us, end);
    return arrow::Status::OK();
  }

  arrow::Status Output() {
    bool append = op_.spec_.mode == OutputMode::kAppend;
    if (append && !batch_.watermark_moved) return arrow::Status::OK();
    int64_t watermark_us = batch_.eviction_watermark_ms * 1000;
    int64_t earliest_us = INT64_MAX;
    for (int partition = first_; partition < batch_.num_partitions(); partition += stride_) {
      state::StateStore& store = Store(partition);
      state::UnsafeRows kept;
      std::vector<uint64_t> orders;
      auto keep = [&](std::span<const state::StateEntry> entries) -> arrow::Status {
        for (const state::StateEntry& entry : entries) {
          kept.Append(entry.value);
          orders.push_back(entry.order);
          if (!append) continue;
          ARROW_RETURN_NOT_OK(store.Remove(entry.key));
          ++metrics_.rows_removed;
        }
        return arrow::Status::OK();
      };
      int64_t earliest_here_us = INT64_MAX;
      ARROW_RETURN_NOT_OK(append ? store.ScanUpTo(watermark_us, keep, &earliest_here_us) : store.Scan(keep));
      earliest_us = std::min(earliest_us, earliest_here_us);
      if (orders.empty()) continue;
      std::vector<state::StateEntry> rows;
      for (size_t i = 0; i < orders.size(); ++i) rows.push_back({{}, kept.row(static_cast<int64_t>(i)), orders[i]});
      ARROW_RETURN_NOT_OK(OutputRows(partition, std::move(rows)));
    }
    metrics_.earliest_waiting_us = earliest_us;
    metrics_.saw_all_rows = true;
    return arrow::Status::OK();
  }

  arrow::Status OutputRows(int partition, std::vector<state::StateEntry> rows) {
    state::SortInSparkOrder(&rows);
    std::vector<std::string_view> values;
    for (const state::StateEntry& row : rows) values.push_back(row.value);
    ARROW_ASSIGN_OR_RAISE(auto decoded, op_.value_decoder_.Decode(values));
    arrow::ArrayVector all;
    for (auto& column : decoded) all.push_back(arrow::MakeArray(std::move(column)));
    auto count = static_cast<int64_t>(rows.size());
    std::vector<uint32_t> groups(rows.size());
    std::iota(groups.begin(), groups.end(), 0u);
    arrow::ArrayVector columns = KeyColumns(all);
    size_t first = plan_.num_keys();
    for (size_t c = 0; c < plan_.calls().size(); ++c) {
      auto width = static_cast<size_t>(op_.spec_.call_widths[c]);
      arrow::ArrayVector own(all.begin() + static_cast<ptrdiff_t>(first),
                             all.begin() + static_cast<ptrdiff_t>(first + width));
      first += width;
      std::unique_ptr<AggregateState> state = plan_.calls()[c].function->NewState(pool_);
      ARROW_RETURN_NOT_OK(state->Resize(count));
      ARROW_RETURN_NOT_OK(state->Merge(context_, groups, own));
      ARROW_ASSIGN_OR_RAISE(auto column, state->Finish(context_));
      columns.push_back(std::move(column));
    }
    for (size_t i = 0; i < columns.size(); ++i) {
      columns[i] = Relabel(columns[i], plan_.result_schema()->field(static_cast<int>(i))->type());
    }
    auto finished = arrow::RecordBatch::Make(plan_.result_schema(), count, std::move(columns));
    ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector results, op_.spec_.results.Evaluate(context_, finished));
    output_->Append(partition, arrow::RecordBatch::Make(op_.schema(), count, std::move(results)));
    return arrow::Status::OK();
  }

  const StreamingSessionAggregate& op_;
  const AggregationPlan& plan_;
  const StatefulBatch& batch_;
  const int first_;
  const int stride_;
  const expression::EvalContext& context_;
  arrow::MemoryPool* pool_;
  PartitionedOutput* output_;

  int64_t num_input_ = 0;
  /// Grouping columns, then buffers: sessions of the state, then rows of the input.
  arrow::ArrayVector rows_;
  GroupTable others_;
  /// The other keys that came, and their state partitions.
  arrow::ArrayVector key_columns_;
  std::vector<int32_t> partitions_;
  std::vector<uint32_t> input_keys_;
  state::UnsafeRows old_keys_;
  std::vector<uint32_t> old_groups_;
  std::vector<uint32_t> session_keys_;
  std::vector<int64_t> session_starts_;
  std::vector<int64_t> session_ends_;
  std::vector<std::unique_ptr<AggregateState>> states_;
  StateMetrics metrics_;
};

arrow::Status StreamingSessionAggregate::Prepare(ExecutionContext& context) const {
  ARROW_RETURN_NOT_OK(Operator::Prepare(context));
  ARROW_ASSIGN_OR_RAISE(std::vector<PartialAggregation> partials, AggregateInput(*this, spec_.plan, context));
  StatefulBatch& batch = BatchOf(context);
  auto run = [&](int i, int num_tasks, PartitionedOutput* output) -> arrow::Result<StateMetrics> {
    SessionTask task(*this, batch, i, num_tasks, context.eval, output);
    ARROW_RETURN_NOT_OK(task.Run(partials));
    return task.metrics();
  };
  return RunStateTasks(*this, CountGroups(partials), batch, context, run);
}

int StreamingSessionAggregate::num_partitions(const ExecutionContext& context) const {
  return context.StateOf<PartitionedOutput>(*this)->num_partitions();
}

arrow::Result<std::unique_ptr<BatchStream>> StreamingSessionAggregate::Open(int partition,
                                                                            ExecutionContext& context) const {
  return context.StateOf<PartitionedOutput>(*this)->Open(partition, schema(), context);
}

namespace {

bool IsSession(const expression::ExpressionPtr& group) {
  if (group->kind() != expression::ExpressionKind::kAttribute) return false;
  const auto& column = static_cast<const expression::AttributeReference&>(*group);
  if (column.metadata_json().find("spark.sessionWindow") == std::string::npos) return false;
  auto metadata = ParseJson(column.metadata_json());
  const JsonValue* marker = metadata.ok() ? metadata->Find("spark.sessionWindow") : nullptr;
  return marker != nullptr && marker->ToString() == "true";
}

}  // namespace

bool MatchesStreamingSessionAggregate(const logical::Plan& node) {
  if (node.kind() != logical::NodeKind::kAggregate || !node.is_streaming()) return false;
  const auto& grouping = static_cast<const logical::Aggregate&>(node).grouping();
  return std::any_of(grouping.begin(), grouping.end(), IsSession);
}

arrow::Result<OperatorPtr> PlanStreamingSessionAggregate(const logical::PlanPtr& node, const RequiredColumns&,
                                                         Planner& planner) {
  if (!planner.options().streaming) return InternalError("a streaming aggregation outside of a streaming query");
  AggregationSpec parts = MakeAggregationSpec(static_cast<const logical::Aggregate&>(*node));
  if (parts.grouping.size() < 2) return UserError("_LEGACY_ERROR_TEMP_3068");
  std::set<expression::AttributeId> needed;
  AddReferences(node->expressions(), &needed);
  ARROW_ASSIGN_OR_RAISE(OperatorPtr child, planner.Plan(node->child(), needed));

  StreamingSessionAggregate::Spec spec;
  std::vector<types::StructField> key, value;
  for (size_t i = 0; i < parts.grouping.size(); ++i) {
    types::StructField field = parts.group_columns[i]->ToField();
    if (parts.grouping[i]->kind() != expression::ExpressionKind::kAttribute) field.name = "_groupingexpression";
    if (IsSession(parts.grouping[i])) {
      spec.session = static_cast<int>(i);
      spec.has_watermark = WatermarkDelayMs(*parts.group_columns[i]).has_value();
    } else {
      key.push_back(field);
    }
    value.push_back(std::move(field));
  }
  key.push_back({"sessionStartTime", types::Timestamp(), false, {}});
  for (const auto& call : parts.calls) {
    const auto& fields = call->function()->buffer_fields();
    value.insert(value.end(), fields.begin(), fields.end());
    spec.call_widths.push_back(static_cast<int>(fields.size()));
  }
  spec.key_schema = types::Struct(std::move(key));
  spec.value_schema = types::Struct(std::move(value));
  ARROW_ASSIGN_OR_RAISE(spec.plan, AggregationPlan::Bind(parts, child->output()));
  spec.mode = planner.options().streaming->output_mode;
  AttributeVector others = parts.group_columns;
  others.erase(others.begin() + spec.session);
  spec.partition_keys = StatePartitionKeys(*node->child(), others, *planner.options().streaming);
  if (spec.mode == OutputMode::kAppend && !spec.has_watermark) {
    return UserError("UNSUPPORTED_STREAMING_OPERATOR_WITHOUT_WATERMARK",
                     {{"outputMode", "Append"}, {"statefulOperator", "session window aggregations"}});
  }
  AttributeVector finished = parts.group_columns;
  finished.insert(finished.end(), parts.call_columns.begin(), parts.call_columns.end());
  ARROW_ASSIGN_OR_RAISE(spec.results, ExpressionSet::Bind(parts.results, finished));
  spec.text = fmt::format("(keys={}, functions={})", logical::DescribeExpressions(parts.grouping),
                          logical::DescribeExpressions({parts.calls.begin(), parts.calls.end()}));
  return std::make_shared<StreamingSessionAggregate>(std::move(spec), node->output(), std::move(child));
}

}  // namespace millrace::physical
