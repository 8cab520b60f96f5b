#include "physical/operator/collect_metrics.h"

#include "logical/node/collect_metrics.h"
#include "physical/rows.h"
#include "types/arrow_type.h"

namespace millrace::physical {

namespace {

struct MetricsRun final : OperatorState {
  std::mutex mutex;
  std::vector<PartialAggregation> partials;
  arrow::Status failure;
};

class ObservedStream final : public BatchStream {
 public:
  ObservedStream(const AggregationPlan* plan, expression::EvalContext eval, MetricsRun* run,
                 std::unique_ptr<BatchStream> input)
      : aggregation_(std::make_unique<Aggregation>(plan, eval.memory_pool)),
        eval_(std::move(eval)),
        run_(run),
        input_(std::move(input)) {}
  ~ObservedStream() override { Close(); }

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> batch, input_->Next());
    if (batch == nullptr) {
      Close();
      return batch;
    }
    if (batch->num_rows() > 0) ARROW_RETURN_NOT_OK(aggregation_->Update(eval_, batch));
    eval_.row_offset += batch->num_rows();
    return batch;
  }

 private:
  void Close() {
    if (aggregation_ == nullptr) return;
    auto partial = aggregation_->TakePartial();
    aggregation_ = nullptr;
    std::lock_guard lock(run_->mutex);
    if (partial.ok()) {
      run_->partials.push_back(std::move(*partial));
    } else {
      run_->failure = partial.status();
    }
  }

  std::unique_ptr<Aggregation> aggregation_;
  expression::EvalContext eval_;
  MetricsRun* run_;
  std::unique_ptr<BatchStream> input_;
};

void VisitOperators(const Operator& root, const std::function<void(const Operator&)>& visit) {
  visit(root);
  for (const OperatorPtr& child : root.children()) VisitOperators(*child, visit);
}

}  // namespace

CollectMetrics::CollectMetrics(Spec spec, AggregationPlan plan, ExpressionSet results, OperatorPtr child)
    : Operator({child}, child->output()),
      spec_(std::move(spec)),
      plan_(std::move(plan)),
      results_(std::move(results)) {}

arrow::Status CollectMetrics::Prepare(ExecutionContext& context) const {
  // First: an operator above may read rows while it is prepared.
  context.states[this] = std::make_unique<MetricsRun>();
  return Operator::Prepare(context);
}

arrow::Result<std::unique_ptr<BatchStream>> CollectMetrics::Open(int partition, ExecutionContext& context) const {
  ARROW_ASSIGN_OR_RAISE(std::unique_ptr<BatchStream> input, children()[0]->Open(partition, context));
  return std::make_unique<ObservedStream>(&plan_, context.EvalContextOf(*this, partition),
                                          context.StateOf<MetricsRun>(*this), std::move(input));
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> CollectMetrics::Finish(ExecutionContext& context) const {
  MetricsRun& run = *context.StateOf<MetricsRun>(*this);
  std::lock_guard lock(run.mutex);
  ARROW_RETURN_NOT_OK(run.failure);
  Aggregation all(&plan_, context.eval.memory_pool);
  for (const PartialAggregation& partial : run.partials) {
    ARROW_RETURN_NOT_OK(all.Merge(context.eval, partial, 0, 1));
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> finished, all.Finish(context.eval));
  ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector columns, results_.Evaluate(context.eval, finished));
  return arrow::RecordBatch::Make(types::ToArrowSchema(*spec_.schema), finished->num_rows(), std::move(columns));
}

arrow::Result<std::vector<ObservedMetrics>> FinishObservedMetrics(const Operator& root, ExecutionContext& context) {
  std::vector<const CollectMetrics*> observers;
  VisitOperators(root, [&](const Operator& op) {
    if (const auto* observer = dynamic_cast<const CollectMetrics*>(&op)) observers.push_back(observer);
  });
  std::vector<ObservedMetrics> all;
  for (const CollectMetrics* observer : observers) {
    ARROW_ASSIGN_OR_RAISE(auto row, observer->Finish(context));
    all.push_back({observer->spec().name, observer->spec().plan_id, observer->spec().schema, std::move(row)});
  }
  return all;
}

bool CollectsMetrics(const Operator& root) {
  bool found = false;
  VisitOperators(root,
                 [&](const Operator& op) { found = found || dynamic_cast<const CollectMetrics*>(&op) != nullptr; });
  return found;
}

bool MatchesCollectMetrics(const logical::Plan& node) { return node.kind() == logical::NodeKind::kCollectMetrics; }

arrow::Result<OperatorPtr> PlanCollectMetrics(const logical::PlanPtr& node, const RequiredColumns& required,
                                              Planner& planner) {
  const auto& collect = static_cast<const logical::CollectMetrics&>(*node);
  RequiredColumns needed = required;
  if (needed.has_value()) AddReferences(node->expressions(), &*needed);
  ARROW_ASSIGN_OR_RAISE(OperatorPtr child, planner.Plan(node->child(), needed));
  logical::Aggregate aggregate({}, collect.metrics(), node->child());
  AggregationSpec spec = MakeAggregationSpec(aggregate);
  ARROW_ASSIGN_OR_RAISE(AggregationPlan plan, AggregationPlan::Bind(spec, child->output()));
  ARROW_ASSIGN_OR_RAISE(ExpressionSet results, ExpressionSet::Bind(spec.results, spec.call_columns));
  CollectMetrics::Spec own{collect.name(), collect.plan_id(), collect.MetricsSchema(), node->Describe()};
  return std::make_shared<CollectMetrics>(std::move(own), std::move(plan), std::move(results), std::move(child));
}

}  // namespace millrace::physical
