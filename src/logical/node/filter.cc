#include "logical/node/filter.h"

namespace millrace::logical {

Filter::Filter(ExpressionPtr condition, PlanPtr child)
    : Plan(NodeKind::kFilter, {child}, child->output()), condition_(std::move(condition)) {}

std::string Filter::Describe() const { return "Filter " + DescribeExpression(condition_); }

}  // namespace millrace::logical
