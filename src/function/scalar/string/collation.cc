#include "base/ascii.h"
#include "base/error.h"
#include "expression/type_coercion.h"
#include "expression/vector.h"
#include "function/bind.h"

/// Collations. Texts compare by their bytes (UTF8_BINARY); the other collations are not built and are refused by name.

namespace millrace::function {

namespace {

constexpr std::string_view kBinaryCollation = "UTF8_BINARY";

arrow::Result<ExpressionPtr> BindCollation(const BindInput& input) {
  types::TypeId type = input.arguments[0]->type()->id();
  if (type != types::TypeId::kString && type != types::TypeId::kNull) {
    return UnexpectedInputType(input, 0, QuoteSqlType("STRING"));
  }
  return BindSimple(
      input, {types::String()}, types::String(),
      [](const EvalContext&, const std::vector<arrow::Datum>&, int64_t) -> arrow::Result<arrow::Datum> {
        return arrow::Datum(std::make_shared<arrow::StringScalar>("SYSTEM.BUILTIN." + std::string(kBinaryCollation)));
      },
      {.never_null = true});
}

arrow::Result<ExpressionPtr> BindCollate(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(std::optional<std::string> name, FoldableString(input, 1, "collation"));
  if (!name) {
    return UserError("DATATYPE_MISMATCH.UNEXPECTED_NULL",
                     {{"sqlExpr", QuoteSqlExpression(CallSql(input))}, {"exprName", "`collation`"}});
  }
  std::string plain = ToUpperAscii(*name);
  if (plain.starts_with("SYSTEM.BUILTIN.")) plain.erase(0, std::string_view("SYSTEM.BUILTIN.").size());
  if (plain != kBinaryCollation) {
    return UserError("UNSUPPORTED_CALL.WITHOUT_SUGGESTION",
                     {{"methodName", "the collation " + *name}, {"className", "Millrace"}});
  }
  if (!expression::CanImplicitCast(input.arguments[0]->type(), types::String())) {
    return UnexpectedInputType(input, 0, QuoteSqlType("STRING"));
  }
  ExpressionPtr text = expression::ImplicitCast(input.arguments[0], types::String());
  bool nullable = text->nullable();
  return MakeCall(input, {std::move(text), input.arguments[1]}, types::String(), nullable,
                  [](const EvalContext&, const std::vector<arrow::Datum>& arguments,
                     int64_t) -> arrow::Result<arrow::Datum> { return arguments[0]; });
}

}  // namespace

extern const FunctionDef kCollate{.name = "collate",
                                  .family = "string",
                                  .description = "The text under a collation; only UTF8_BINARY is built.",
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
