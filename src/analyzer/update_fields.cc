#include "analyzer/expression_resolver.h"
#include "analyzer/name_resolution.h"
#include "base/ascii.h"
#include "base/error.h"
#include "expression/call.h"
#include "function/extract_value.h"
#include "function/function_def.h"
#include "spark/connect/expressions.pb.h"

namespace millrace::analyzer {

using expression::Literal;
namespace connect = spark::connect;

arrow::Result<ExpressionPtr> ExpressionResolver::ResolveUpdateFields(const connect::Expression& message) {
  const auto& update = message.update_fields();
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr child, Resolve(update.struct_expression()));
  if (child->type()->id() != types::TypeId::kStruct) {
    return UserError("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
                     {{"sqlExpr", QuoteSqlExpression("update_fields(" + child->Sql() + ")")},
                      {"paramIndex", "first"},
                      {"requiredType", QuoteSqlType("STRUCT")},
                      {"inputSql", QuoteSqlExpression(child->Sql(true))},
                      {"inputType", QuoteSqlType(child->type()->Sql())}});
  }
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> path, ParseNameParts(update.field_name()));
  ExpressionPtr value;
  if (update.has_value_expression()) {
    ARROW_ASSIGN_OR_RAISE(value, Resolve(update.value_expression()));
  }
  return UpdateField(child, path, value);
}

// Source: Spark, UpdateFields: "a.b" updates the field b of the struct in the field a.
arrow::Result<ExpressionPtr> ExpressionResolver::UpdateField(const ExpressionPtr& child,
                                                             std::span<const std::string> path,
                                                             ExpressionPtr value) const {
  if (path.size() > 1) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr inner,
                          function::ExtractValue(child, Literal::String(path[0]), context_.eval.case_sensitive));
    if (inner->type()->id() != types::TypeId::kStruct) {
      return UserError("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
                       {{"sqlExpr", QuoteSqlExpression("update_fields(" + inner->Sql() + ")")},
                        {"paramIndex", "first"},
                        {"requiredType", QuoteSqlType("STRUCT")},
                        {"inputSql", QuoteSqlExpression(inner->Sql(true))},
                        {"inputType", QuoteSqlType(inner->type()->Sql())}});
    }
    ARROW_ASSIGN_OR_RAISE(value, UpdateField(inner, path.subspan(1), std::move(value)));
    return UpdateField(child, path.subspan(0, 1), std::move(value));
  }
  ExpressionVector arguments;
  bool replaced = false;
  for (const types::StructField& field : child->type()->fields()) {
    bool same = context_.eval.case_sensitive ? field.name == path[0] : EqualsIgnoreCase(field.name, path[0]);
    if (same && value == nullptr) continue;
    arguments.push_back(Literal::String(field.name));
    if (same) {
      arguments.back() = Literal::String(std::string(path[0]));
      arguments.push_back(value);
      replaced = true;
    } else {
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr kept, function::ExtractValue(child, Literal::String(field.name), true));
      arguments.push_back(std::move(kept));
    }
  }
  if (value != nullptr && !replaced) {
    arguments.push_back(Literal::String(path[0]));
    arguments.push_back(value);
  }
  if (arguments.empty()) {
    return UserError("DATATYPE_MISMATCH.CANNOT_DROP_ALL_FIELDS",
                     {{"sqlExpr", QuoteSqlExpression("update_fields(" + child->Sql() + ", dropfield())")}});
  }
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr made, function::BindCall("named_struct", std::move(arguments), context_.eval));
  if (!child->nullable()) return made;
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr is_null, function::BindCall("isnull", {child}, context_.eval));
  ExpressionPtr null = Literal::Null(made->type());
  return std::make_shared<expression::CaseWhen>(ExpressionVector{is_null, null, made}, true);
}

}  // namespace millrace::analyzer
