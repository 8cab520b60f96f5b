#include "logical/node/project.h"

namespace millrace::logical {

namespace {

AttributeVector OutputOf(const ExpressionVector& items) {
  AttributeVector output;
  output.reserve(items.size());
  for (const ExpressionPtr& item : items) output.push_back(expression::ToAttribute(item));
  return output;
}

}  // namespace

Project::Project(ExpressionVector items, PlanPtr child)
    : Plan(NodeKind::kProject, {std::move(child)}, OutputOf(items)), items_(std::move(items)) {}

std::string Project::Describe() const { return "Project " + DescribeExpressions(items_); }

}  // namespace millrace::logical
