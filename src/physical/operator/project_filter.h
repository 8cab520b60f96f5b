#pragma once

#include <algorithm>

#include "connector/source.h"
#include "physical/expression_set.h"
#include "physical/planner.h"

namespace millrace::physical {

/// A chain of projections and filters over one child, batch by batch. A filter copies only the columns that are
/// needed above it; where every row passes, nothing is copied. A projection passes plain columns through.
class ProjectFilter final : public Operator {
 public:
  /// One link of the chain: a condition, then the columns kept; or a projection.
  struct Step {
    /// Filter: one expression. Null set: a projection.
    ExpressionSet condition;
    /// Filter: positions of the columns that go on.
    std::vector<int> kept;
    /// Filter right above a stream's scan: rows that do not count as read, and whose count they are taken from.
    connector::DroppedRows dropped_rows = connector::DroppedRows::kCounted;
    /// The part of the condition that says so, where it is not the whole.
    ExpressionSet read_condition;
    int64_t source_key = 0;
    ExpressionSet projection;
    /// Columns after the step.
    std::shared_ptr<arrow::Schema> schema;
    std::string text;
  };

  /// `steps` are in the order of the data's walk.
  ProjectFilter(std::vector<Step> steps, AttributeVector output, OperatorPtr child);

  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override { return steps_.back().text; }
  std::vector<std::string> DescribeStack() const override;
  /// False where each row below is a row above.
  bool filters() const {
    return std::any_of(steps_.begin(), steps_.end(), [](const Step& step) { return !step.condition.empty(); });
  }

 private:
  std::vector<Step> steps_;
};

/// The rows of `batch` for which `condition` is true, `kept` columns only.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> FilterBatch(const std::shared_ptr<arrow::RecordBatch>& batch,
                                                               const arrow::Array& condition,
                                                               const std::vector<int>& kept,
                                                               const std::shared_ptr<arrow::Schema>& schema,
                                                               arrow::MemoryPool* pool);
/// Row numbers at which a boolean array is true.
std::vector<int32_t> TrueRows(const arrow::Array& condition);

bool MatchesProjectFilter(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanProjectFilter(const logical::PlanPtr& node, const RequiredColumns& required,
                                             Planner& planner);

}  // namespace millrace::physical
