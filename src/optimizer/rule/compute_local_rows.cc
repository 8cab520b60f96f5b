#include <arrow/array/concatenate.h>
#include <arrow/compute/api.h>

#include <algorithm>

#include "expression/node.h"
#include "logical/node/filter.h"
#include "logical/node/local_relation.h"
#include "logical/node/project.h"
#include "optimizer/rule.h"
#include "types/arrow_type.h"

namespace millrace::optimizer {

namespace {

using logical::LocalRelation;
using RecordBatchPtr = std::shared_ptr<arrow::RecordBatch>;

bool IsRowByRow(const logical::Plan& node) {
  return node.kind() == logical::NodeKind::kProject || node.kind() == logical::NodeKind::kFilter;
}

bool CallsPython(const expression::ExpressionPtr& root) {
  return expression::Contains(*root, ExpressionKind::kPythonUdf);
}

/// Whether all that stands over the rows that the planner knows is computed row by row.
bool IsOverKnownRows(const logical::Plan& node) {
  if (node.kind() == logical::NodeKind::kLocalRelation) return static_cast<const LocalRelation&>(node).known();
  if (!IsRowByRow(node)) return false;
  const ExpressionVector expressions = node.expressions();
  return std::none_of(expressions.begin(), expressions.end(), CallsPython) && IsOverKnownRows(*node.child());
}

arrow::Result<RecordBatchPtr> Concatenate(const LocalRelation& relation) {
  std::vector<RecordBatchPtr> batches;
  for (const LocalRelation::Partition& partition : *relation.partitions()) {
    batches.insert(batches.end(), partition.begin(), partition.end());
  }
  if (batches.size() == 1) return batches[0];
  return batches.empty() ? nullptr : arrow::ConcatenateRecordBatches(batches);
}

/// The rows of a plan for which IsOverKnownRows says yes, as one partition; null for none.
arrow::Result<RecordBatchPtr> RowsOf(const logical::Plan& node, const EvalContext& context) {
  if (node.kind() == logical::NodeKind::kLocalRelation) return Concatenate(static_cast<const LocalRelation&>(node));
  ARROW_ASSIGN_OR_RAISE(RecordBatchPtr rows, RowsOf(*node.child(), context));
  if (rows == nullptr) return nullptr;
  arrow::ArrayVector columns;
  for (const ExpressionPtr& root : node.expressions()) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr bound, expression::BindReferences(root, node.child()->output()));
    ARROW_ASSIGN_OR_RAISE(auto column, expression::EvaluateToArray(*bound, context, *rows));
    columns.push_back(std::move(column));
  }
  if (node.kind() == logical::NodeKind::kProject) {
    return arrow::RecordBatch::Make(types::ToArrowSchema(*node.Schema()), rows->num_rows(), std::move(columns));
  }
  arrow::compute::FilterOptions drop_nulls(arrow::compute::FilterOptions::DROP);
  ARROW_ASSIGN_OR_RAISE(arrow::Datum kept, arrow::compute::Filter(rows, columns[0], drop_nulls));
  return kept.record_batch();
}

/// `rows` in partitions that begin where those of `relation` do.
std::shared_ptr<const std::vector<LocalRelation::Partition>> CutLike(const LocalRelation& relation,
                                                                     const RecordBatchPtr& rows) {
  auto partitions = std::make_shared<std::vector<LocalRelation::Partition>>();
  int64_t begin = 0;
  for (const LocalRelation::Partition& like : *relation.partitions()) {
    int64_t length = 0;
    for (const RecordBatchPtr& batch : like) length += batch->num_rows();
    length = std::min(length, rows->num_rows() - begin);
    partitions->emplace_back();
    if (length > 0) partitions->back().push_back(rows->Slice(begin, length));
    begin += length;
  }
  return partitions;
}

}  // namespace

// Spark's planner computes what stands over VALUES itself, as one partition: random numbers and row numbers tell.
arrow::Result<PlanPtr> ComputeLocalRows(const PlanPtr& plan, const EvalContext& context) {
  return logical::TransformUp(plan, [&](const PlanPtr& node) -> PlanPtr {
    if (!IsRowByRow(*node) || AllDeterministic(node->expressions()) || !IsOverKnownRows(*node)) return nullptr;
    arrow::Result<RecordBatchPtr> rows = RowsOf(*node, context);
    // What cannot be computed raises when it is run.
    if (!rows.ok() || *rows == nullptr) return nullptr;
    PlanPtr leaf = node;
    while (leaf->kind() != logical::NodeKind::kLocalRelation) leaf = leaf->child();
    return std::make_shared<LocalRelation>(node->output(), CutLike(static_cast<const LocalRelation&>(*leaf), *rows),
                                           std::string(), LocalRelation::Rows::kKnown);
  });
}

}  // namespace millrace::optimizer
