#include "physical/operator/expand.h"

#include "logical/node/expand.h"
#include "physical/rows.h"

namespace millrace::physical {

namespace {

class ExpandStream final : public BatchStream {
 public:
  ExpandStream(const std::vector<ExpressionSet>* projections, std::shared_ptr<arrow::Schema> schema,
               std::unique_ptr<BatchStream> input, expression::EvalContext evaluation)
      : projections_(projections), schema_(std::move(schema)), input_(std::move(input)), evaluation_(evaluation) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (batch_ != nullptr && next_ == projections_->size()) {
      evaluation_.row_offset += batch_->num_rows();
      batch_ = nullptr;
    }
    if (batch_ == nullptr) {
      ARROW_ASSIGN_OR_RAISE(batch_, input_->Next());
      if (batch_ == nullptr) return nullptr;
      next_ = 0;
    }
    ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector columns, (*projections_)[next_++].Evaluate(evaluation_, batch_));
    for (size_t i = 0; i < columns.size(); ++i) {
      columns[i] = Relabel(columns[i], schema_->field(static_cast<int>(i))->type());
    }
    return arrow::RecordBatch::Make(schema_, batch_->num_rows(), std::move(columns));
  }

 private:
  const std::vector<ExpressionSet>* projections_;
  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<BatchStream> input_;
  expression::EvalContext evaluation_;
  std::shared_ptr<arrow::RecordBatch> batch_;
  size_t next_ = 0;
};

}  // namespace

Expand::Expand(std::vector<ExpressionSet> projections, AttributeVector output, std::string text, OperatorPtr child)
    : Operator({std::move(child)}, std::move(output)), projections_(std::move(projections)), text_(std::move(text)) {}

arrow::Result<std::unique_ptr<BatchStream>> Expand::Open(int partition, ExecutionContext& context) const {
  ARROW_ASSIGN_OR_RAISE(std::unique_ptr<BatchStream> input, children()[0]->Open(partition, context));
  return std::make_unique<ExpandStream>(&projections_, schema(), std::move(input),
                                        context.EvalContextOf(*this, partition));
}

bool MatchesExpand(const logical::Plan& node) { return node.kind() == logical::NodeKind::kExpand; }

arrow::Result<OperatorPtr> PlanExpand(const logical::PlanPtr& node, const RequiredColumns& required, Planner& planner) {
  const auto& expand = static_cast<const logical::Expand&>(*node);
  KeptColumns kept = KeepRequired(node->output(), required);
  std::vector<expression::ExpressionVector> items;
  std::set<expression::AttributeId> needed;
  for (const expression::ExpressionVector& projection : expand.projections()) {
    items.emplace_back();
    for (int i : kept.indices) items.back().push_back(projection[static_cast<size_t>(i)]);
    AddReferences(items.back(), &needed);
  }
  ARROW_ASSIGN_OR_RAISE(OperatorPtr child, planner.Plan(node->child(), needed));
  std::vector<ExpressionSet> projections;
  for (const expression::ExpressionVector& projection : items) {
    ARROW_ASSIGN_OR_RAISE(ExpressionSet bound, ExpressionSet::Bind(projection, child->output()));
    projections.push_back(std::move(bound));
  }
  return std::make_shared<Expand>(std::move(projections), std::move(kept.columns), node->Describe(), std::move(child));
}

}  // namespace millrace::physical
