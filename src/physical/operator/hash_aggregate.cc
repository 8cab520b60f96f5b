#include "physical/operator/hash_aggregate.h"

#include "physical/partial_aggregations.h"
#include "physical/rows.h"

namespace millrace::physical {

namespace {

struct AggregateRun final : OperatorState {
  std::vector<PartialAggregation> partials;
  int num_parts = 1;
};

}  // namespace

HashAggregate::HashAggregate(AggregationPlan plan, ExpressionSet results, ShuffleOrder order, AttributeVector output,
                             Text text, OperatorPtr child)
    : Operator({std::move(child)}, std::move(output)),
      plan_(std::move(plan)),
      results_(std::move(results)),
      order_(std::move(order)),
      text_(std::move(text)) {}

arrow::Status HashAggregate::Prepare(ExecutionContext& context) const {
  ARROW_RETURN_NOT_OK(Operator::Prepare(context));
  if (children()[0]->num_partitions(context) <= 1) return arrow::Status::OK();
  auto run = std::make_unique<AggregateRun>();
  ARROW_ASSIGN_OR_RAISE(run->partials, AggregateInput(*this, plan_, context));
  int64_t num_groups = CountGroups(run->partials);
  if (context.pool != nullptr && num_groups > kGroupsWorthATask && plan_.num_keys() > 0) {
    run->num_parts =
        static_cast<int>(std::clamp<int64_t>(num_groups / kGroupsWorthATask, 1, context.pool->num_threads()));
  }
  context.states[this] = std::move(run);
  return arrow::Status::OK();
}

int HashAggregate::num_partitions(const ExecutionContext& context) const {
  const AggregateRun* run = context.StateOf<AggregateRun>(*this);
  return run == nullptr ? 1 : run->num_parts;
}

arrow::Result<std::unique_ptr<BatchStream>> HashAggregate::Open(int partition, ExecutionContext& context) const {
  Aggregation groups(&plan_, context.eval.memory_pool);
  std::vector<int64_t> task_ends;
  expression::EvalContext evaluation = context.EvalContextOf(*this, partition);
  if (const AggregateRun* run = context.StateOf<AggregateRun>(*this)) {
    for (const PartialAggregation& partial : run->partials) {
      ARROW_RETURN_NOT_OK(context.CheckCancelled());
      ARROW_RETURN_NOT_OK(groups.Merge(evaluation, partial, partition, run->num_parts));
      task_ends.push_back(groups.num_groups());
    }
  } else if (children()[0]->num_partitions(context) > 0) {
    ARROW_ASSIGN_OR_RAISE(std::unique_ptr<BatchStream> input, children()[0]->Open(partition, context));
    while (true) {
      ARROW_RETURN_NOT_OK(context.CheckCancelled());
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> batch, input->Next());
      if (batch == nullptr) break;
      if (batch->num_rows() > 0) ARROW_RETURN_NOT_OK(groups.Update(evaluation, batch));
      evaluation.row_offset += batch->num_rows();
    }
    evaluation.row_offset = 0;
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> finished, groups.Finish(evaluation));
  if (finished->num_rows() == 0) return StreamOf({}, context.batch_rows);
  if (finished->num_rows() > 1 && num_partitions(context) == 1) {
    if (task_ends.empty()) task_ends.push_back(finished->num_rows());
    auto keys_end = finished->columns().begin() + static_cast<ptrdiff_t>(plan_.num_keys());
    arrow::ArrayVector keys(finished->columns().begin(), keys_end);
    ARROW_ASSIGN_OR_RAISE(auto rows, order_.Rows(keys, task_ends, context.shuffle_partitions));
    ARROW_ASSIGN_OR_RAISE(auto columns,
                          TakeRows(finished->columns(), IndexArray(std::move(rows)), context.eval.memory_pool));
    finished = arrow::RecordBatch::Make(finished->schema(), finished->num_rows(), std::move(columns));
  }
  ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector columns, results_.Evaluate(evaluation, finished));
  return StreamOf({arrow::RecordBatch::Make(schema(), finished->num_rows(), std::move(columns))}, context.batch_rows);
}

std::string HashAggregate::Describe() const {
  return fmt::format("HashAggregate(keys={}, functions={})", text_.keys, text_.functions);
}

std::vector<std::string> HashAggregate::DescribeStack() const {
  std::string exchange =
      plan_.num_keys() == 0 ? std::string("Exchange SinglePartition")
                            : fmt::format("Exchange hashpartitioning({})", text_.keys.substr(1, text_.keys.size() - 2));
  return {Describe(), std::move(exchange),
          fmt::format("HashAggregate(keys={}, functions={})", text_.keys, text_.partial_functions)};
}

bool MatchesHashAggregate(const logical::Plan& node) { return node.kind() == logical::NodeKind::kAggregate; }

arrow::Result<OperatorPtr> PlanHashAggregate(const logical::PlanPtr& node, const RequiredColumns&, Planner& planner) {
  AggregationSpec spec = MakeAggregationSpec(static_cast<const logical::Aggregate&>(*node));
  std::set<expression::AttributeId> needed;
  AddReferences(node->expressions(), &needed);
  ARROW_ASSIGN_OR_RAISE(OperatorPtr child, planner.Plan(node->child(), needed));
  ARROW_ASSIGN_OR_RAISE(AggregationPlan plan, AggregationPlan::Bind(spec, child->output()));
  AttributeVector finished = spec.group_columns;
  finished.insert(finished.end(), spec.call_columns.begin(), spec.call_columns.end());
  ARROW_ASSIGN_OR_RAISE(ExpressionSet results, ExpressionSet::Bind(spec.results, finished));

  ShuffleOrder order = ShuffleOrderOf(*node->child(), spec.grouping);
  order.sorted = AggregatesBySorting(spec);

  HashAggregate::Text text;
  text.keys = logical::DescribeExpressions({spec.grouping.begin(), spec.grouping.end()});
  text.functions = logical::DescribeExpressions({spec.calls.begin(), spec.calls.end()});
  for (const auto& call : spec.calls) {
    text.partial_functions +=
        (text.partial_functions.empty() ? "partial_" : ", partial_") + logical::DescribeExpression(call);
  }
  text.partial_functions = "[" + text.partial_functions + "]";
  return std::make_shared<HashAggregate>(std::move(plan), std::move(results), std::move(order), node->output(),
                                         std::move(text), std::move(child));
}

}  // namespace millrace::physical
