#include "physical/operator/hash_aggregate.h"

#include "physical/rows.h"

namespace millrace::physical {

namespace {

// Below this many groups one task merges all.
constexpr int64_t kGroupsWorthATask = 50000;

struct AggregateRun final : OperatorState {
  std::vector<PartialAggregation> partials;
  int num_parts = 1;
};

}  // namespace

HashAggregate::HashAggregate(AggregationPlan plan, ExpressionSet results, AttributeVector output, Text text,
                             OperatorPtr child)
    : Operator({std::move(child)}, std::move(output)),
      plan_(std::move(plan)),
      results_(std::move(results)),
      text_(std::move(text)) {}

arrow::Status HashAggregate::Prepare(ExecutionContext& context) const {
  ARROW_RETURN_NOT_OK(Operator::Prepare(context));
  const Operator& child = *children()[0];
  int num_inputs = child.num_partitions(context);
  if (num_inputs <= 1) return arrow::Status::OK();

  std::vector<std::unique_ptr<Aggregation>> tables(static_cast<size_t>(num_inputs));
  std::vector<expression::EvalContext> evaluations;
  for (int partition = 0; partition < num_inputs; ++partition) {
    evaluations.push_back(context.EvalContextOf(*this, partition));
  }
  ARROW_RETURN_NOT_OK(RunPrepared(child, context, [&](int partition, const std::shared_ptr<arrow::RecordBatch>& batch) {
    auto p = static_cast<size_t>(partition);
    if (tables[p] == nullptr) tables[p] = std::make_unique<Aggregation>(&plan_, context.eval.memory_pool);
    arrow::Status updated = tables[p]->Update(evaluations[p], batch);
    evaluations[p].row_offset += batch->num_rows();
    return updated;
  }));
  std::erase(tables, nullptr);

  auto run = std::make_unique<AggregateRun>();
  run->partials.resize(tables.size());
  int64_t num_groups = 0;
  for (const auto& table : tables) num_groups += table->num_groups();
  auto take = [&](int i) -> arrow::Status {
    auto t = static_cast<size_t>(i);
    ARROW_ASSIGN_OR_RAISE(run->partials[t], tables[t]->TakePartial());
    tables[t] = nullptr;
    return arrow::Status::OK();
  };
  bool parallel = context.pool != nullptr && num_groups > kGroupsWorthATask;
  if (parallel) {
    ARROW_RETURN_NOT_OK(context.pool->RunAll(static_cast<int>(tables.size()), take));
  } else {
    for (size_t t = 0; t < tables.size(); ++t) ARROW_RETURN_NOT_OK(take(static_cast<int>(t)));
  }
  if (parallel && plan_.num_keys() > 0) {
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
  expression::EvalContext evaluation = context.EvalContextOf(*this, partition);
  if (const AggregateRun* run = context.StateOf<AggregateRun>(*this)) {
    for (const PartialAggregation& partial : run->partials) {
      ARROW_RETURN_NOT_OK(context.CheckCancelled());
      ARROW_RETURN_NOT_OK(groups.Merge(evaluation, partial, partition, run->num_parts));
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

  HashAggregate::Text text;
  text.keys = logical::DescribeExpressions({spec.grouping.begin(), spec.grouping.end()});
  text.functions = logical::DescribeExpressions({spec.calls.begin(), spec.calls.end()});
  for (const auto& call : spec.calls) {
    text.partial_functions +=
        (text.partial_functions.empty() ? "partial_" : ", partial_") + logical::DescribeExpression(call);
  }
  text.partial_functions = "[" + text.partial_functions + "]";
  return std::make_shared<HashAggregate>(std::move(plan), std::move(results), node->output(), std::move(text),
                                         std::move(child));
}

}  // namespace millrace::physical
