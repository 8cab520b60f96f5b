#include "logical/node/eval_python.h"

#include "expression/python/python_udf.h"

namespace millrace::logical {

namespace {

AttributeVector Wider(const PlanPtr& child, const AttributeVector& results) {
  AttributeVector output = child->output();
  output.insert(output.end(), results.begin(), results.end());
  return output;
}

}  // namespace

EvalPython::EvalPython(ExpressionVector calls, AttributeVector results, PlanPtr child)
    : Plan(NodeKind::kEvalPython, {child}, Wider(child, results)),
      calls_(std::move(calls)),
      results_(std::move(results)) {}

std::string EvalPython::Describe() const {
  auto type = static_cast<const expression::PythonUdf&>(*calls_[0]).function()->eval_type;
  std::string name = type == python::EvalType::kBatched ? "BatchEvalPython " : "ArrowEvalPython ";
  std::string suffix = type == python::EvalType::kBatched ? "" : ", " + std::to_string(static_cast<int>(type));
  return name + DescribeExpressions(calls_) + ", " + DescribeAttributes(results_) + suffix;
}

}  // namespace millrace::logical
