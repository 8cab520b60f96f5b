#include "logical/node/map_in_python.h"

namespace millrace::logical {

PlanPtr MapInPython::WithExpressions(ExpressionVector input) const {
  AttributeVector columns;
  for (const ExpressionPtr& column : input) columns.push_back(expression::ToAttribute(column));
  return std::make_shared<MapInPython>(function_, environment_, std::move(columns), output(), child());
}

std::string MapInPython::Describe() const {
  std::string name = function_->eval_type == python::EvalType::kMapArrowIter ? "MapInArrow " : "MapInPandas ";
  return name + function_->name + "(" + DescribeAttributes(input_) + "), " + DescribeAttributes(output()) + ", false";
}

}  // namespace millrace::logical
