#include "physical/operator/streaming_limit.h"

#include <cstring>

#include "logical/node/limit.h"
#include "physical/operator/limit.h"
#include "physical/rows.h"
#include "state/store.h"

namespace millrace::physical {

namespace {

struct LimitRun final : OperatorState {
  Batches rows;
};

// A row of one column: null bits, one slot.
constexpr std::string_view kNullKey{"\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16};

}  // namespace

StreamingLimit::StreamingLimit(int64_t limit, OperatorPtr child)
    : StatefulOperator({child}, child->output()), limit_(limit) {}

std::vector<StateStoreSpec> StreamingLimit::state_stores() const {
  StateStoreSpec store;
  store.key_schema = types::Struct({{"key", types::Null(), true, {}}});
  store.value_schema = types::Struct({{"value", types::Long(), true, {}}});
  return {std::move(store)};
}

arrow::Status StreamingLimit::Prepare(ExecutionContext& context) const {
  ARROW_RETURN_NOT_OK(Operator::Prepare(context));
  StatefulBatch& batch = BatchOf(context);
  state::StateStore& store = *batch.stores[0][0];
  ARROW_ASSIGN_OR_RAISE(std::string_view value, store.Get(kNullKey));
  int64_t before = value.size() < 16 ? 0 : state::LongAt(value, 1, 0);
  int64_t left = std::max<int64_t>(0, limit_ - before);

  auto run = std::make_unique<LimitRun>();
  const Operator& child = *children()[0];
  int num_inputs = child.num_partitions(context);
  for (int partition = 0; partition < num_inputs; ++partition) {
    // Each partition is read as far as the limit goes, so that the watermark moves on when no more rows pass.
    int64_t to_read = limit_;
    ARROW_ASSIGN_OR_RAISE(std::unique_ptr<BatchStream> input, child.Open(partition, context));
    while (to_read > 0) {
      ARROW_RETURN_NOT_OK(context.CheckCancelled());
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> rows, input->Next());
      if (rows == nullptr) break;
      int64_t taken = std::min({left, to_read, rows->num_rows()});
      to_read -= std::min(to_read, rows->num_rows());
      left -= taken;
      if (taken > 0) run->rows.push_back(rows->Slice(0, taken));
    }
  }
  int64_t after = before + CountRows(run->rows);
  if (after > before) {
    char row[16] = {};
    std::memcpy(row + 8, &after, 8);
    ARROW_RETURN_NOT_OK(store.Put(kNullKey, {row, sizeof(row)}));
    batch.metrics.rows_updated += 1;
  }
  context.states[this] = std::move(run);
  return arrow::Status::OK();
}

arrow::Result<std::unique_ptr<BatchStream>> StreamingLimit::Open(int, ExecutionContext& context) const {
  return StreamOf(std::move(context.StateOf<LimitRun>(*this)->rows), context.batch_rows);
}

std::vector<std::string> StreamingLimit::DescribeStack() const {
  return {Describe(), "Exchange SinglePartition", fmt::format("StreamingLocalLimit {}", limit_)};
}

bool MatchesStreamingLimit(const logical::Plan& node) {
  return node.kind() == logical::NodeKind::kLimit && node.is_streaming();
}

arrow::Result<OperatorPtr> PlanStreamingLimit(const logical::PlanPtr& node, const RequiredColumns& required,
                                              Planner& planner) {
  const auto& limit = static_cast<const logical::Limit&>(*node);
  bool aggregates = false;
  logical::VisitPlan(*node->child(), [&](const logical::Plan& below) {
    aggregates = aggregates || (below.kind() == logical::NodeKind::kAggregate && below.is_streaming());
  });
  bool appends = !planner.options().streaming ||
                 planner.options().streaming->output_mode == connector::OutputMode::kAppend || !aggregates;
  if (!appends || !limit.limit() || limit.offset() != 0 || limit.tail()) return PlanLimit(node, required, planner);
  ARROW_ASSIGN_OR_RAISE(OperatorPtr child, planner.Plan(node->child(), required));
  return std::make_shared<StreamingLimit>(*limit.limit(), std::move(child));
}

}  // namespace millrace::physical
