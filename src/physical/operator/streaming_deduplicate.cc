#include "physical/operator/streaming_deduplicate.h"

#include <chrono>
#include <cstring>

#include "base/elapsed.h"
#include "base/error.h"
#include "logical/node/deduplicate.h"
#include "physical/rows.h"
#include "physical/stateful/partitioned_output.h"
#include "state/store.h"

namespace millrace::physical {

namespace {

constexpr std::string_view kDroppedDuplicates = "numDroppedDuplicateRows";

std::vector<types::DataTypePtr> TypesOf(const AttributeVector& columns, const std::vector<int>& positions) {
  std::vector<types::DataTypePtr> types;
  for (int position : positions) types.push_back(columns[static_cast<size_t>(position)]->type());
  return types;
}

// The event times that keys expire by, 0 for NULL. Of a window Spark takes the eight bytes its row has in that place,
// where the window lies and how long it is: some days of 1970, so that a key expires as soon as there is a watermark.
std::vector<int64_t> EventTimes(const arrow::RecordBatch& rows, int index,
                                const std::vector<types::DataTypePtr>& types) {
  std::vector<int64_t> times(static_cast<size_t>(rows.num_rows()));
  const arrow::Array& column = *rows.column(index);
  if (column.type_id() != arrow::Type::STRUCT) {
    const auto* values = column.data()->GetValues<int64_t>(1);
    for (int64_t i = 0; i < rows.num_rows(); ++i) times[static_cast<size_t>(i)] = column.IsNull(i) ? 0 : values[i];
    return times;
  }
  state::UnsafeRows encoded;
  state::UnsafeRowEncoder(types).Encode(rows.column_data(), rows.num_rows(), &encoded);
  size_t place = (types.size() + 63) / 64 * 8 + static_cast<size_t>(index) * 8;
  for (int64_t i = 0; i < rows.num_rows(); ++i) {
    std::memcpy(&times[static_cast<size_t>(i)], encoded.row(i).data() + place, 8);
  }
  return times;
}

std::vector<types::DataTypePtr> TypesOf(const AttributeVector& columns) {
  std::vector<types::DataTypePtr> types;
  for (const auto& column : columns) types.push_back(column->type());
  return types;
}

// One column that is NULL: 8 bytes of null bits, one slot.
constexpr std::string_view kEmptyRow{"\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16};

}  // namespace

StreamingDeduplicate::StreamingDeduplicate(Spec spec, OperatorPtr child)
    : StatefulOperator({child}, child->output()),
      spec_(std::move(spec)),
      row_types_(TypesOf(output())),
      key_types_(TypesOf(output(), spec_.keys)),
      key_encoder_(key_types_, state::UnsafeRowEncoder::Floats::kNormalized) {}

std::vector<StateStoreSpec> StreamingDeduplicate::state_stores() const {
  std::vector<types::StructField> key;
  for (int position : spec_.keys) key.push_back(output()[static_cast<size_t>(position)]->ToField());
  StateStoreSpec store;
  store.key_schema = types::Struct(std::move(key));
  store.value_schema = spec_.within_watermark ? types::Struct({{"expiresAtMicros", types::Long(), false, {}}})
                                              : types::Struct({{"__dummy__", types::Null(), true, {}}});
  store.validates_value = spec_.within_watermark;
  if (spec_.within_watermark) {
    store.time = state::StoreTime{state::RowTime(1, 0, false), true};
  } else if (spec_.key_event_time.found()) {
    store.time = state::StoreTime{spec_.key_event_time.row_time()};
  }
  return {std::move(store)};
}

arrow::Result<PartitionedBatch> StreamingDeduplicate::Arrange(const std::shared_ptr<arrow::RecordBatch>& batch,
                                                              const StatefulBatch& state, arrow::MemoryPool* pool,
                                                              StateMetrics* metrics) const {
  std::vector<int32_t> newer;
  bool some_late = false;
  if (spec_.event_time.found()) {
    ARROW_RETURN_NOT_OK(
        EventTimeColumn::KeepNewer(*batch->column(spec_.event_time.index()), state.late_watermark_ms, &newer));
    int64_t num_late = batch->num_rows() - static_cast<int64_t>(newer.size());
    metrics->rows_dropped_by_watermark += num_late;
    some_late = num_late > 0;
  }
  // What repeats within the batch is found in the store, as what repeats over batches.
  return PartitionRows(batch, some_late ? &newer : nullptr, spec_.keys, key_types_, state.num_partitions(), pool);
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> StreamingDeduplicate::NewRows(
    const std::shared_ptr<arrow::RecordBatch>& rows, state::StateStore* store, arrow::MemoryPool* pool,
    StateMetrics* metrics) const {
  std::vector<std::shared_ptr<arrow::ArrayData>> keys;
  for (int key : spec_.keys) keys.push_back(rows->column_data(key));
  state::UnsafeRows key_rows, values;
  key_encoder_.Encode(keys, rows->num_rows(), &key_rows);
  std::vector<int64_t> times;
  if (spec_.within_watermark) times = EventTimes(*rows, spec_.event_time.index(), row_types_);
  for (int64_t i = 0; i < rows->num_rows(); ++i) {
    if (!spec_.within_watermark) {
      values.Append(kEmptyRow);
      continue;
    }
    char expires[16] = {};
    int64_t expires_us = times[static_cast<size_t>(i)] + spec_.event_time.delay_ms() * 1000;
    std::memcpy(expires + 8, &expires_us, 8);
    values.Append({expires, sizeof(expires)});
  }
  std::vector<int32_t> fresh;
  ARROW_RETURN_NOT_OK(store->PutAbsent(key_rows, values, &fresh));
  auto num_fresh = static_cast<int64_t>(fresh.size());
  metrics->rows_updated += num_fresh;
  metrics->custom[std::string(kDroppedDuplicates)] += rows->num_rows() - num_fresh;
  if (num_fresh == 0) return nullptr;
  if (num_fresh == rows->num_rows()) return rows;
  ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector columns, TakeRows(rows->columns(), IndexArray(std::move(fresh)), pool));
  return arrow::RecordBatch::Make(rows->schema(), num_fresh, std::move(columns));
}

arrow::Status StreamingDeduplicate::Evict(const StatefulBatch& state, state::StateStore* store,
                                          StateMetrics* metrics) const {
  bool evicts = spec_.within_watermark || spec_.key_event_time.found();
  // A row without an event time expires as one of 1970: it may be past already when it comes.
  if (!evicts || (!state.watermark_moved && !spec_.within_watermark)) return arrow::Status::OK();
  auto remove = [&](std::span<const state::StateEntry> entries) -> arrow::Status {
    metrics->rows_removed += static_cast<int64_t>(entries.size());
    for (const state::StateEntry& entry : entries) ARROW_RETURN_NOT_OK(store->Remove(entry.key));
    return arrow::Status::OK();
  };
  return store->ScanUpTo(state.eviction_watermark_ms * 1000, remove, nullptr);
}

arrow::Status StreamingDeduplicate::Prepare(ExecutionContext& context) const {
  ARROW_RETURN_NOT_OK(Operator::Prepare(context));
  StatefulBatch& batch = BatchOf(context);
  arrow::MemoryPool* pool = context.eval.memory_pool;
  const Operator& child = *children()[0];
  auto num_inputs = static_cast<size_t>(child.num_partitions(context));
  std::vector<std::vector<PartitionedBatch>> inputs(num_inputs);
  std::vector<StateMetrics> metrics(num_inputs);
  ARROW_RETURN_NOT_OK(
      RunPrepared(child, context, [&](int partition, const std::shared_ptr<arrow::RecordBatch>& rows) -> arrow::Status {
        auto p = static_cast<size_t>(partition);
        ARROW_ASSIGN_OR_RAISE(PartitionedBatch arranged, Arrange(rows, batch, pool, &metrics[p]));
        inputs[p].push_back(std::move(arranged));
        return arrow::Status::OK();
      }));
  int64_t num_rows = 0;
  for (const auto& batches : inputs) {
    for (const PartitionedBatch& arranged : batches) num_rows += arranged.rows->num_rows();
  }
  for (const StateMetrics& one : metrics) batch.metrics.Add(one);

  SlicesByPartition slices = GatherSlices(inputs, batch.num_partitions());
  auto run = [&](int task, int num_tasks, PartitionedOutput* output) -> arrow::Result<StateMetrics> {
    StateMetrics mine;
    for (int p = task; p < batch.num_partitions(); p += num_tasks) {
      ARROW_RETURN_NOT_OK(context.CheckCancelled());
      state::StateStore* store = batch.stores[static_cast<size_t>(p)][0];
      auto start = std::chrono::steady_clock::now();
      for (const auto& [rows, slice] : slices[static_cast<size_t>(p)]) {
        ARROW_ASSIGN_OR_RAISE(auto kept, NewRows(rows->SliceOf(*slice), store, pool, &mine));
        output->Append(p, std::move(kept));
      }
      mine.update_us += MicrosSince(start);
      start = std::chrono::steady_clock::now();
      ARROW_RETURN_NOT_OK(Evict(batch, store, &mine));
      mine.removal_us += MicrosSince(start);
    }
    return mine;
  };
  return RunStateTasks(*this, num_rows, batch, context, run);
}

int StreamingDeduplicate::num_partitions(const ExecutionContext& context) const {
  return context.StateOf<PartitionedOutput>(*this)->num_partitions();
}

arrow::Result<std::unique_ptr<BatchStream>> StreamingDeduplicate::Open(int partition, ExecutionContext& context) const {
  return context.StateOf<PartitionedOutput>(*this)->Open(partition, schema(), context);
}

bool MatchesStreamingDeduplicate(const logical::Plan& node) {
  return node.kind() == logical::NodeKind::kDeduplicate && node.is_streaming();
}

arrow::Result<OperatorPtr> PlanStreamingDeduplicate(const logical::PlanPtr& node, const RequiredColumns&,
                                                    Planner& planner) {
  if (!planner.options().streaming) return InternalError("a streaming deduplication outside of a streaming query");
  const auto& conf = planner.options().streaming->conf;
  const auto& deduplicate = static_cast<const logical::Deduplicate&>(*node);
  // Exactly the child's columns: that the event time is among them decides what is late, as in Spark.
  ARROW_ASSIGN_OR_RAISE(OperatorPtr child, planner.Plan(node->child()));
  StreamingDeduplicate::Spec spec;
  AttributeVector keys;
  for (const auto& key : deduplicate.keys()) {
    auto same = [&](const auto& column) { return column->id() == key->id(); };
    auto it = std::find_if(child->output().begin(), child->output().end(), same);
    if (it == child->output().end()) return InternalError("no column " + key->name() + " to deduplicate by");
    spec.keys.push_back(static_cast<int>(it - child->output().begin()));
    keys.push_back(*it);
  }
  spec.within_watermark = deduplicate.within_watermark();
  bool allow_multiple = conf("spark.sql.streaming.statefulOperator.allowMultiple").value_or("true") != "false";
  ARROW_ASSIGN_OR_RAISE(spec.event_time,
                        EventTimeColumn::Find(child->output(), !allow_multiple && !spec.within_watermark));
  ARROW_ASSIGN_OR_RAISE(spec.key_event_time, EventTimeColumn::Find(keys, true));
  if (spec.within_watermark && !spec.event_time.found()) {
    return InternalError("dropDuplicatesWithinWatermark without an event time");
  }
  spec.text =
      fmt::format("{} {}", spec.within_watermark ? "StreamingDeduplicateWithinWatermark" : "StreamingDeduplicate",
                  logical::DescribeAttributes(keys));
  return std::make_shared<StreamingDeduplicate>(std::move(spec), std::move(child));
}

}  // namespace millrace::physical
