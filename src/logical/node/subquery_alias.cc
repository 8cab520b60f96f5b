#include "logical/node/subquery_alias.h"

namespace millrace::logical {

namespace {

AttributeVector Qualified(const std::vector<std::string>& name, const AttributeVector& columns) {
  AttributeVector output;
  output.reserve(columns.size());
  for (const AttributePtr& column : columns) output.push_back(column->WithQualifier(name));
  return output;
}

}  // namespace

SubqueryAlias::SubqueryAlias(std::vector<std::string> name, PlanPtr child)
    : Plan(NodeKind::kSubqueryAlias, {child}, Qualified(name, child->output())), name_(std::move(name)) {}

std::string SubqueryAlias::Describe() const {
  std::string dotted;
  for (const std::string& part : name_) dotted += (dotted.empty() ? "" : ".") + part;
  return "SubqueryAlias " + dotted;
}

}  // namespace millrace::logical
