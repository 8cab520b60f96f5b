#include "physical/operator/sort.h"

#include <queue>

#include "logical/node/limit.h"
#include "logical/node/sort.h"
#include "physical/rows.h"

namespace millrace::physical {

namespace {

// One partition's rows in one batch, with their order.
struct SortedPart {
  std::shared_ptr<arrow::RecordBatch> rows;
  SortKeys keys;
  std::vector<int32_t> order;
};

struct SortState final : OperatorState {
  std::shared_ptr<arrow::RecordBatch> rows;
  std::vector<int32_t> order;
};

// Gathers rows in order, a batch at a time.
class GatherStream final : public BatchStream {
 public:
  GatherStream(std::shared_ptr<arrow::RecordBatch> rows, std::vector<int32_t> order, int64_t skip, int64_t batch_rows,
               arrow::MemoryPool* pool)
      : rows_(std::move(rows)),
        order_(std::move(order)),
        next_(static_cast<size_t>(skip)),
        batch_rows_(static_cast<size_t>(batch_rows)),
        pool_(pool) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (next_ >= order_.size()) return nullptr;
    size_t end = std::min(order_.size(), next_ + batch_rows_);
    std::vector<int32_t> indices(order_.begin() + static_cast<ptrdiff_t>(next_),
                                 order_.begin() + static_cast<ptrdiff_t>(end));
    auto num_rows = static_cast<int64_t>(indices.size());
    next_ = end;
    ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector columns,
                          TakeRows(rows_->columns(), IndexArray(std::move(indices)), pool_));
    return arrow::RecordBatch::Make(rows_->schema(), num_rows, std::move(columns));
  }

 private:
  std::shared_ptr<arrow::RecordBatch> rows_;
  std::vector<int32_t> order_;
  size_t next_;
  size_t batch_rows_;
  arrow::MemoryPool* pool_;
};

int64_t RowsWanted(const Sort::Order& order) {
  if (!order.limit.has_value()) return std::numeric_limits<int64_t>::max();
  int64_t wanted;
  return __builtin_add_overflow(*order.limit, order.offset, &wanted) ? std::numeric_limits<int64_t>::max() : wanted;
}

arrow::Status SortPart(const Sort::Order& order, const std::shared_ptr<arrow::Schema>& schema, const Batches& batches,
                       const expression::EvalContext& evaluation, SortedPart* part) {
  if (CountRows(batches) > std::numeric_limits<int32_t>::max()) {
    return arrow::Status::CapacityError("a sort of more than 2 billion rows");
  }
  ARROW_ASSIGN_OR_RAISE(part->rows, ConcatenateBatches(schema, batches, evaluation.memory_pool));
  ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector keys, order.keys.Evaluate(evaluation, part->rows));
  ARROW_RETURN_NOT_OK(part->keys.Encode(keys, order.directions, part->rows->num_rows()));
  part->order = part->keys.SortedRows(RowsWanted(order));
  return arrow::Status::OK();
}

arrow::Result<Batches> Drain(BatchStream& input, const ExecutionContext& context) {
  Batches batches;
  while (true) {
    ARROW_RETURN_NOT_OK(context.CheckCancelled());
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> batch, input.Next());
    if (batch == nullptr) return batches;
    if (batch->num_rows() > 0) batches.push_back(std::move(batch));
  }
}

// Row numbers into the parts laid end to end.
std::vector<int32_t> Merge(const std::vector<SortedPart>& parts, int64_t wanted) {
  struct Head {
    size_t part;
    size_t position;
  };
  auto after = [&parts](const Head& a, const Head& b) {
    const SortedPart& x = parts[a.part];
    const SortedPart& y = parts[b.part];
    int order = x.keys.Compare(x.order[a.position], y.keys, y.order[b.position]);
    return order != 0 ? order > 0 : a.part > b.part;
  };
  std::priority_queue<Head, std::vector<Head>, decltype(after)> heads(after);
  std::vector<int32_t> starts;
  int32_t start = 0;
  for (size_t p = 0; p < parts.size(); ++p) {
    starts.push_back(start);
    start += static_cast<int32_t>(parts[p].rows->num_rows());
    if (!parts[p].order.empty()) heads.push({p, 0});
  }
  std::vector<int32_t> merged;
  while (!heads.empty() && static_cast<int64_t>(merged.size()) < wanted) {
    Head head = heads.top();
    heads.pop();
    merged.push_back(starts[head.part] + parts[head.part].order[head.position]);
    if (++head.position < parts[head.part].order.size()) heads.push(head);
  }
  return merged;
}

}  // namespace

Sort::Sort(Order order, OperatorPtr child) : Operator({child}, child->output()), order_(std::move(order)) {}

arrow::Status Sort::Prepare(ExecutionContext& context) const {
  ARROW_RETURN_NOT_OK(Operator::Prepare(context));
  const Operator& child = *children()[0];
  if (!order_.global || child.num_partitions(context) <= 1) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(std::vector<Batches> partitions, CollectPrepared(child, context));
  std::erase_if(partitions, [](const Batches& batches) { return batches.empty(); });
  std::vector<SortedPart> parts(partitions.size());
  auto sort_one = [&](int p) {
    return SortPart(order_, schema(), partitions[static_cast<size_t>(p)], context.eval, &parts[static_cast<size_t>(p)]);
  };
  if (context.pool != nullptr) {
    ARROW_RETURN_NOT_OK(context.pool->RunAll(static_cast<int>(parts.size()), sort_one));
  } else {
    for (size_t p = 0; p < parts.size(); ++p) ARROW_RETURN_NOT_OK(sort_one(static_cast<int>(p)));
  }
  Batches all;
  for (const SortedPart& part : parts) all.push_back(part.rows);
  if (CountRows(all) > std::numeric_limits<int32_t>::max()) {
    return arrow::Status::CapacityError("a sort of more than 2 billion rows");
  }
  auto state = std::make_unique<SortState>();
  ARROW_ASSIGN_OR_RAISE(state->rows, ConcatenateBatches(schema(), all, context.eval.memory_pool));
  state->order = Merge(parts, RowsWanted(order_));
  context.states[this] = std::move(state);
  return arrow::Status::OK();
}

int Sort::num_partitions(const ExecutionContext& context) const {
  return order_.global ? 1 : Operator::num_partitions(context);
}

arrow::Result<std::unique_ptr<BatchStream>> Sort::Open(int partition, ExecutionContext& context) const {
  int64_t skip = order_.limit.has_value() ? order_.offset : 0;
  if (SortState* state = context.StateOf<SortState>(*this)) {
    return std::make_unique<GatherStream>(state->rows, std::move(state->order), skip, context.batch_rows,
                                          context.eval.memory_pool);
  }
  if (order_.global && children()[0]->num_partitions(context) == 0) return StreamOf({}, context.batch_rows);
  ARROW_ASSIGN_OR_RAISE(std::unique_ptr<BatchStream> input, children()[0]->Open(partition, context));
  ARROW_ASSIGN_OR_RAISE(Batches batches, Drain(*input, context));
  if (batches.empty()) return StreamOf({}, context.batch_rows);
  SortedPart part;
  ARROW_RETURN_NOT_OK(SortPart(order_, schema(), batches, context.EvalContextOf(*this, partition), &part));
  return std::make_unique<GatherStream>(std::move(part.rows), std::move(part.order), skip, context.batch_rows,
                                        context.eval.memory_pool);
}

std::string Sort::Describe() const {
  if (order_.limit.has_value()) {
    std::string columns;
    for (const auto& column : output()) columns += (columns.empty() ? "" : ",") + logical::DescribeAttribute(*column);
    return fmt::format("TakeOrderedAndProject(limit={}, orderBy=[{}], output=[{}])", RowsWanted(order_), order_.text,
                       columns);
  }
  return fmt::format("Sort [{}], {}, 0", order_.text, order_.global);
}

std::vector<std::string> Sort::DescribeStack() const {
  if (!order_.global || order_.limit.has_value()) return {Describe()};
  return {Describe(), fmt::format("Exchange rangepartitioning({})", order_.text)};
}

namespace {

arrow::Result<OperatorPtr> MakeSort(const logical::Sort& node, std::optional<int64_t> limit, int64_t offset,
                                    const RequiredColumns& required, Planner& planner) {
  RequiredColumns needed = required;
  if (needed.has_value()) AddReferences(node.expressions(), &*needed);
  ARROW_ASSIGN_OR_RAISE(OperatorPtr child, planner.Plan(node.child(), needed));
  Sort::Order order;
  ARROW_ASSIGN_OR_RAISE(order.keys, ExpressionSet::Bind(node.expressions(), child->output()));
  for (const expression::SortOrder& key : node.orders()) {
    order.directions.push_back({key.ascending, key.nulls_first});
    if (!order.text.empty()) order.text += ", ";
    order.text += logical::DescribeSortOrder(key);
  }
  order.global = node.global();
  order.limit = limit;
  order.offset = offset;
  return std::make_shared<Sort>(std::move(order), std::move(child));
}

}  // namespace

bool MatchesTopRows(const logical::Plan& node) {
  if (node.kind() != logical::NodeKind::kLimit || node.child()->kind() != logical::NodeKind::kSort) return false;
  const auto& limit = static_cast<const logical::Limit&>(node);
  return limit.limit().has_value() && *limit.limit() > 0 && !limit.tail() &&
         static_cast<const logical::Sort&>(*node.child()).global();
}

arrow::Result<OperatorPtr> PlanTopRows(const logical::PlanPtr& node, const RequiredColumns& required,
                                       Planner& planner) {
  const auto& limit = static_cast<const logical::Limit&>(*node);
  return MakeSort(static_cast<const logical::Sort&>(*node->child()), limit.limit(), limit.offset(), required, planner);
}

bool MatchesSort(const logical::Plan& node) { return node.kind() == logical::NodeKind::kSort; }

arrow::Result<OperatorPtr> PlanSort(const logical::PlanPtr& node, const RequiredColumns& required, Planner& planner) {
  return MakeSort(static_cast<const logical::Sort&>(*node), std::nullopt, 0, required, planner);
}

}  // namespace millrace::physical
