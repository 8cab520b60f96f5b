#include <arrow/array.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>

#include "expression/call.h"
#include "expression/node.h"

namespace millrace::expression {

namespace {

// Spark shows every lambda variable as `namedlambdavariable()`.
ExpressionPtr ShownVariable(const AttributeReference& parameter) {
  static const std::shared_ptr<const CallInfo> info = [] {
    auto made = std::make_shared<CallInfo>();
    made->name = "namedlambdavariable";
    return made;
  }();
  return std::make_shared<Call>(info, parameter.type(), parameter.nullable(), ExpressionVector{});
}

}  // namespace

LambdaFunction::LambdaFunction(AttributeVector parameters, ExpressionPtr body)
    : Expression(ExpressionKind::kLambdaFunction, body->type(), body->nullable(), {body}),
      parameters_(std::move(parameters)) {}

ExpressionPtr LambdaFunction::WithChildren(ExpressionVector children) const {
  auto lambda = std::make_shared<LambdaFunction>(parameters_, std::move(children[0]));
  lambda->captured_ = captured_;
  return lambda;
}

std::string LambdaFunction::Sql(bool pretty) const {
  auto first_parameter = static_cast<int>(captured_.size());
  ExpressionPtr shown = Transform(body(), [&](const ExpressionPtr& node) -> ExpressionPtr {
    if (node->kind() == ExpressionKind::kBoundReference) {
      int index = static_cast<const BoundReference&>(*node).index() - first_parameter;
      bool is_parameter = index >= 0 && index < static_cast<int>(parameters_.size());
      return is_parameter ? ShownVariable(*parameters_[static_cast<size_t>(index)]) : nullptr;
    }
    if (node->kind() != ExpressionKind::kAttribute) return nullptr;
    for (const AttributePtr& parameter : parameters_) {
      if (parameter->id() == static_cast<const AttributeReference&>(*node).id()) return ShownVariable(*parameter);
    }
    return nullptr;
  });
  std::string sql = "lambdafunction(" + shown->Sql(pretty);
  for (size_t i = 0; i < parameters_.size(); ++i) sql += ", namedlambdavariable()";
  return sql + ")";
}

arrow::Result<std::shared_ptr<arrow::Array>> LambdaFunction::Apply(const EvalContext& context,
                                                                   const arrow::RecordBatch& outer,
                                                                   const std::shared_ptr<arrow::Array>& outer_rows,
                                                                   const arrow::ArrayVector& parameters) const {
  arrow::ArrayVector columns;
  arrow::compute::ExecContext exec(context.memory_pool);
  for (int index : captured_) {
    ARROW_ASSIGN_OR_RAISE(
        std::shared_ptr<arrow::Array> column,
        arrow::compute::Take(*outer.column(index), *outer_rows, arrow::compute::TakeOptions::NoBoundsCheck(), &exec));
    columns.push_back(std::move(column));
  }
  columns.insert(columns.end(), parameters.begin(), parameters.end());
  arrow::FieldVector fields;
  for (const auto& column : columns) fields.push_back(arrow::field("", column->type()));
  auto rows = arrow::RecordBatch::Make(arrow::schema(std::move(fields)), outer_rows->length(), std::move(columns));
  return EvaluateToArray(*body(), context, *rows);
}

}  // namespace millrace::expression
