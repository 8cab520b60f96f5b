#include "base/error.h"
#include "expression/type_coercion.h"
#include "function/bind.h"

/// CASE WHEN and IF.

namespace millrace::function {

using types::TypeId;

namespace {

std::string CaseSql(const ExpressionVector& arguments) {
  std::string sql = "CASE";
  for (size_t i = 0; i + 1 < arguments.size(); i += 2) {
    sql += " WHEN " + arguments[i]->Sql(true) + " THEN " + arguments[i + 1]->Sql(true);
  }
  if (arguments.size() % 2 == 1) sql += " ELSE " + arguments.back()->Sql(true);
  return sql + " END";
}

constexpr const char* kOrdinals[] = {"first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"};

arrow::Result<ExpressionVector> Coerce(const std::string& name, const ExpressionVector& arguments,
                                       const std::string& sql) {
  ExpressionVector values;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (i % 2 == 1 || i + 1 == arguments.size()) values.push_back(arguments[i]);
  }
  ARROW_ASSIGN_OR_RAISE(values, expression::CoerceToCommonType(name, values, sql));
  ExpressionVector coerced;
  size_t next = 0;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (i % 2 == 1 || i + 1 == arguments.size()) {
      coerced.push_back(values[next++]);
      continue;
    }
    TypeId id = arguments[i]->type()->id();
    if (id != TypeId::kBoolean && (id != TypeId::kNull || name == "casewhen")) {
      return UserError("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
                       {{"sqlExpr", QuoteSqlExpression(sql)},
                        {"paramIndex", i < std::size(kOrdinals) ? kOrdinals[i] : std::to_string(i + 1) + "th"},
                        {"requiredType", QuoteSqlType("BOOLEAN")},
                        {"inputSql", QuoteSqlExpression(arguments[i]->Sql(true))},
                        {"inputType", QuoteSqlType(arguments[i]->type()->Sql())}});
    }
    coerced.push_back(expression::ImplicitCast(arguments[i], types::Boolean()));
  }
  return coerced;
}

arrow::Result<ExpressionPtr> BindCaseWhen(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(ExpressionVector children, Coerce("casewhen", input.arguments, CaseSql(input.arguments)));
  return std::make_shared<expression::CaseWhen>(std::move(children), /*as_if=*/false);
}

arrow::Result<ExpressionPtr> BindIf(const BindInput& input) {
  const ExpressionVector& a = input.arguments;
  std::string sql = "(IF(" + a[0]->Sql(true) + ", " + a[1]->Sql(true) + ", " + a[2]->Sql(true) + "))";
  ARROW_ASSIGN_OR_RAISE(ExpressionVector children, Coerce("if", a, sql));
  return std::make_shared<expression::CaseWhen>(std::move(children), /*as_if=*/true);
}

}  // namespace

extern const FunctionDef kWhen{.name = "when",
                               .aliases = "case_when",
                               .family = "conditional",
                               .description = "The value of the first condition that holds; CASE WHEN.",
                               .example = "CASE WHEN 1 > 0 THEN 1 ELSE 2 END",
                               .example_result = "1",
                               .min_arguments = 2,
                               .max_arguments = -1,
                               .bind = BindCaseWhen};

extern const FunctionDef kIf{.name = "if",
                             .family = "conditional",
                             .description = "The second value when the condition holds, else the third.",
                             .example = "if(1 < 2, 'a', 'b')",
                             .example_result = "a",
                             .min_arguments = 3,
                             .max_arguments = 3,
                             .bind = BindIf};

}  // namespace millrace::function
