#include "logical/node/expand.h"

namespace millrace::logical {

ExpressionVector Expand::expressions() const {
  ExpressionVector all;
  for (const ExpressionVector& projection : projections_) all.insert(all.end(), projection.begin(), projection.end());
  return all;
}

PlanPtr Expand::WithExpressions(ExpressionVector expressions) const {
  std::vector<ExpressionVector> projections = projections_;
  size_t next = 0;
  for (ExpressionVector& projection : projections) {
    for (ExpressionPtr& item : projection) item = std::move(expressions[next++]);
  }
  return std::make_shared<Expand>(std::move(projections), output(), child());
}

std::string Expand::Describe() const {
  std::string all;
  for (const ExpressionVector& projection : projections_) {
    if (!all.empty()) all += ", ";
    all += DescribeExpressions(projection);
  }
  return fmt::format("Expand [{}], {}", all, DescribeAttributes(output()));
}

}  // namespace millrace::logical
