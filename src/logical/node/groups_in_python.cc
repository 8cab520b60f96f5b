#include "logical/node/groups_in_python.h"

namespace millrace::logical {

ExpressionVector ExpressionsOf(const std::vector<GroupedColumns>& inputs) {
  ExpressionVector all;
  for (const GroupedColumns& input : inputs) {
    all.insert(all.end(), input.keys.begin(), input.keys.end());
    all.insert(all.end(), input.values.begin(), input.values.end());
  }
  return all;
}

std::vector<GroupedColumns> WithColumns(std::vector<GroupedColumns> inputs, const ExpressionVector& expressions) {
  size_t next = 0;
  for (GroupedColumns& input : inputs) {
    for (AttributeVector* columns : {&input.keys, &input.values}) {
      for (AttributePtr& column : *columns) column = expression::ToAttribute(expressions[next++]);
    }
  }
  return inputs;
}

ExpressionVector GroupsInPython::expressions() const { return ExpressionsOf(inputs_); }

PlanPtr GroupsInPython::WithExpressions(ExpressionVector expressions) const {
  return std::make_shared<GroupsInPython>(function_, environment_, WithColumns(inputs_, expressions), output(),
                                          children());
}

std::string GroupsInPython::Describe() const {
  std::string name = inputs_.size() == 2 ? "FlatMapCoGroupsIn" : "FlatMapGroupsIn";
  python::EvalType type = function_->eval_type;
  bool pandas = type == python::EvalType::kGroupedMapPandas || type == python::EvalType::kGroupedMapPandasIter ||
                type == python::EvalType::kCogroupedMapPandas;
  std::string text = name + (pandas ? "Pandas " : "Arrow ");
  AttributeVector values;
  for (const GroupedColumns& input : inputs_) {
    text += DescribeAttributes(input.keys) + ", ";
    values.insert(values.end(), input.values.begin(), input.values.end());
  }
  return text + function_->name + "(" + DescribeAttributes(values) + "), " + DescribeAttributes(output());
}

}  // namespace millrace::logical
