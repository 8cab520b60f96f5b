#include "types/collation.h"

#include "base/ascii.h"
#include "base/error.h"
#include "expression/type_coercion.h"
#include "expression/vector.h"
#include "function/bind.h"

/// Collations of texts.

namespace millrace::function {

namespace {

arrow::Result<ExpressionPtr> BindCollation(const BindInput& input) {
  types::TypeId type = input.arguments[0]->type()->id();
  if (type != types::TypeId::kString && type != types::TypeId::kNull) {
    return UnexpectedInputType(input, 0, QuoteSqlType("STRING"));
  }
  std::string name = types::CollationOf(types::CollationNumber(*input.arguments[0]->type())).name;
  return MakeCall(input, input.arguments, types::String(), /*nullable=*/false,
                  [name](const EvalContext&, const std::vector<arrow::Datum>&, int64_t) -> arrow::Result<arrow::Datum> {
                    return arrow::Datum(std::make_shared<arrow::StringScalar>("SYSTEM.BUILTIN." + name));
                  });
}

arrow::Result<ExpressionPtr> BindCollate(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(std::optional<std::string> name, FoldableString(input, 1, "collation"));
  if (!name) {
    return UserError("DATATYPE_MISMATCH.UNEXPECTED_NULL",
                     {{"sqlExpr", QuoteSqlExpression(CallSql(input))}, {"exprName", "`collation`"}});
  }
  ARROW_ASSIGN_OR_RAISE(int number, types::FindCollation(*name));
  if (!expression::CanImplicitCast(input.arguments[0]->type(), types::String())) {
    return UnexpectedInputType(input, 0, QuoteSqlType("STRING"));
  }
  ExpressionPtr text = expression::ImplicitCast(input.arguments[0], types::String());
  bool nullable = text->nullable();
  return MakeCall(input, {std::move(text), input.arguments[1]}, types::CollatedString(number), nullable,
                  [](const EvalContext&, const std::vector<arrow::Datum>& arguments,
                     int64_t) -> arrow::Result<arrow::Datum> { return arguments[0]; });
}

}  // namespace

extern const FunctionDef kCollate{.name = "collate",
                                  .family = "string",
                                  .description = "The text under a collation.",
                                  .example = "collate('Spark', 'UTF8_BINARY')",
                                  .example_result = "Spark",
                                  .min_arguments = 2,
                                  .max_arguments = 2,
                                  .bind = BindCollate};

extern const FunctionDef kCollation{.name = "collation",
                                    .family = "string",
                                    .description = "Name of the collation of a text.",
                                    .example = "collation('Spark')",
                                    .example_result = "SYSTEM.BUILTIN.UTF8_BINARY",
                                    .min_arguments = 1,
                                    .max_arguments = 1,
                                    .bind = BindCollation};

}  // namespace millrace::function
