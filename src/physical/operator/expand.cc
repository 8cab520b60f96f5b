#include "physical/operator/expand.h"

#include <algorithm>

#include "logical/node/expand.h"
#include "physical/rows.h"

namespace millrace::physical {

namespace {

// So many rows come out at once, at least those of one row that went in.
constexpr int64_t kRowsOut = 64 * 1024;

class ExpandStream final : public BatchStream {
 public:
  ExpandStream(const std::vector<ExpressionSet>* projections, std::shared_ptr<arrow::Schema> schema,
               std::unique_ptr<BatchStream> input, expression::EvalContext evaluation)
      : projections_(projections), schema_(std::move(schema)), input_(std::move(input)), evaluation_(evaluation) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (batch_ == nullptr) {
      ARROW_ASSIGN_OR_RAISE(batch_, input_->Next());
      if (batch_ == nullptr) return nullptr;
      next_row_ = 0;
    }
    auto num_copies = static_cast<int64_t>(projections_->size());
    int64_t num_rows = std::min(batch_->num_rows() - next_row_, std::max<int64_t>(1, kRowsOut / num_copies));
    std::shared_ptr<arrow::RecordBatch> rows = batch_->Slice(next_row_, num_rows);
    next_row_ += num_rows;
    if (next_row_ == batch_->num_rows()) batch_ = nullptr;
    Batches copies;
    for (const ExpressionSet& projection : *projections_) {
      ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector columns, projection.Evaluate(evaluation_, rows));
      for (size_t i = 0; i < columns.size(); ++i) {
        columns[i] = Relabel(columns[i], schema_->field(static_cast<int>(i))->type());
      }
      copies.push_back(arrow::RecordBatch::Make(schema_, num_rows, std::move(columns)));
    }
    evaluation_.row_offset += num_rows;
    return num_copies == 1 ? copies[0] : RowByRow(copies, num_rows);
  }

 private:
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> RowByRow(const Batches& copies, int64_t num_rows) const {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> all,
                          ConcatenateBatches(schema_, copies, evaluation_.memory_pool));
    std::vector<int32_t> order;
    order.reserve(static_cast<size_t>(all->num_rows()));
    for (int64_t row = 0; row < num_rows; ++row) {
      for (size_t copy = 0; copy < copies.size(); ++copy) {
        order.push_back(static_cast<int32_t>(static_cast<int64_t>(copy) * num_rows + row));
      }
    }
    ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector columns,
                          TakeRows(all->columns(), IndexArray(std::move(order)), evaluation_.memory_pool));
    return arrow::RecordBatch::Make(schema_, all->num_rows(), std::move(columns));
  }

  const std::vector<ExpressionSet>* projections_;
  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<BatchStream> input_;
  expression::EvalContext evaluation_;
  std::shared_ptr<arrow::RecordBatch> batch_;
  int64_t next_row_ = 0;
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
