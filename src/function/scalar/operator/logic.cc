#include <arrow/util/bitmap_ops.h>

#include "base/error.h"
#include "expression/type_coercion.h"
#include "expression/vector.h"
#include "function/scalar/operator/arithmetic.h"

/// and, or, not, and the tests for NULL.

namespace millrace::function {

using arrow::Datum;
using types::TypeId;

namespace {

arrow::Result<ExpressionPtr> BindLogical(const BindInput& input, bool is_and) {
  ExpressionPtr left = input.arguments[0];
  ExpressionPtr right = input.arguments[1];
  // A string or NULL beside a boolean counts as one.
  auto lenient = [](const ExpressionPtr& e) {
    return e->type()->id() == TypeId::kString || e->type()->id() == TypeId::kNull;
  };
  bool one_boolean = left->type()->id() == TypeId::kBoolean || right->type()->id() == TypeId::kBoolean;
  bool both_null = left->type()->id() == TypeId::kNull && right->type()->id() == TypeId::kNull;
  if (one_boolean || both_null) {
    if (lenient(left)) left = expression::ImplicitCast(left, types::Boolean());
    if (lenient(right)) right = expression::ImplicitCast(right, types::Boolean());
  }
  std::string sql = "(" + left->Sql(true) + (is_and ? " AND " : " OR ") + right->Sql(true) + ")";
  if (!left->type()->Equals(*right->type())) return BinaryOpDiffTypes(sql, left, right);
  if (left->type()->id() != TypeId::kBoolean) return BinaryOpWrongType(sql, R"("BOOLEAN")", left->type());
  return std::make_shared<expression::Logical>(is_and, std::move(left), std::move(right));
}

arrow::Result<Datum> Not(const EvalContext& context, const std::vector<Datum>& arguments, int64_t) {
  const Datum& value = arguments[0];
  if (value.is_scalar()) {
    if (!value.scalar()->is_valid) return value;
    return Datum(!static_cast<const arrow::BooleanScalar&>(*value.scalar()).value);
  }
  const arrow::ArrayData& data = *value.array();
  ARROW_ASSIGN_OR_RAISE(
      auto bits, arrow::internal::InvertBitmap(context.memory_pool, data.buffers[1]->data(), data.offset, data.length));
  ARROW_ASSIGN_OR_RAISE(auto validity, expression::CombinedValidity(arguments, data.length, context.memory_pool));
  return Datum(arrow::ArrayData::Make(arrow::boolean(), data.length, {std::move(validity), std::move(bits)}));
}

arrow::Result<ExpressionPtr> BindNot(const BindInput& input) {
  const ExpressionPtr& argument = input.arguments[0];
  if (!expression::CanImplicitCast(argument->type(), types::Boolean())) {
    return UserError("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
                     {{"sqlExpr", QuoteSqlExpression("(NOT " + argument->Sql(true) + ")")},
                      {"paramIndex", "first"},
                      {"requiredType", QuoteSqlType("BOOLEAN")},
                      {"inputSql", QuoteSqlExpression(argument->Sql(true))},
                      {"inputType", QuoteSqlType(argument->type()->Sql())}});
  }
  ExpressionPtr condition = expression::ImplicitCast(argument, types::Boolean());
  bool nullable = condition->nullable();
  return MakeCall(input, {std::move(condition)}, types::Boolean(), nullable, Not,
                  {.style = CallStyle::kPrefix, .shown_name = "NOT"});
}

arrow::Result<Datum> NullTest(const EvalContext& context, const Datum& value, bool when_null) {
  if (value.is_scalar()) return Datum(value.scalar()->is_valid != when_null);
  const arrow::ArrayData& data = *value.array();
  std::shared_ptr<arrow::Buffer> bits;
  if (data.type->id() == arrow::Type::NA || data.GetNullCount() == 0) {
    bool all = (data.type->id() == arrow::Type::NA) == when_null;
    ARROW_ASSIGN_OR_RAISE(bits, arrow::AllocateEmptyBitmap(data.length, context.memory_pool));
    arrow::bit_util::SetBitsTo(bits->mutable_data(), 0, data.length, all);
  } else if (when_null) {
    ARROW_ASSIGN_OR_RAISE(
        bits, arrow::internal::InvertBitmap(context.memory_pool, data.buffers[0]->data(), data.offset, data.length));
  } else {
    ARROW_ASSIGN_OR_RAISE(
        bits, arrow::internal::CopyBitmap(context.memory_pool, data.buffers[0]->data(), data.offset, data.length));
  }
  return Datum(arrow::ArrayData::Make(arrow::boolean(), data.length, {nullptr, std::move(bits)}, 0));
}

ExpressionPtr BindNullTest(const BindInput& input, bool when_null) {
  auto info = std::make_shared<CallInfo>();
  info->name = when_null ? "isnull" : "isnotnull";
  info->style = CallStyle::kCustom;
  info->render = [when_null](const std::vector<std::string>& texts) {
    return "(" + texts[0] + (when_null ? " IS NULL)" : " IS NOT NULL)");
  };
  info->kernel = [when_null](const EvalContext& context, const std::vector<Datum>& arguments, int64_t) {
    return NullTest(context, arguments[0], when_null);
  };
  return std::make_shared<Call>(std::move(info), types::Boolean(), false, input.arguments);
}

}  // namespace

extern const FunctionDef kAnd{.name = "and",

                              .family = "predicate",
                              .description = "Whether both hold, in SQL's three-valued logic.",
                              .example = "true AND NULL",
                              .example_result = "NULL",
                              .min_arguments = 2,
                              .max_arguments = 2,
                              .bind = [](const BindInput& input) { return BindLogical(input, true); }};

extern const FunctionDef kOr{.name = "or",
                             .family = "predicate",
                             .description = "Whether one holds, in SQL's three-valued logic.",
                             .example = "true OR NULL",
                             .example_result = "true",
                             .min_arguments = 2,
                             .max_arguments = 2,
                             .bind = [](const BindInput& input) { return BindLogical(input, false); }};

extern const FunctionDef kNot{.name = "not",
                              .aliases = "!",
                              .family = "predicate",
                              .description = "Whether the condition does not hold.",
                              .example = "NOT true",
                              .example_result = "false",
                              .min_arguments = 1,
                              .max_arguments = 1,
                              .bind = BindNot};

extern const FunctionDef kIsNull{
    .name = "isnull",
    .family = "predicate",
    .description = "Whether the value is NULL.",
    .example = "isnull(1)",
    .example_result = "false",
    .min_arguments = 1,
    .max_arguments = 1,
    .bind = [](const BindInput& input) -> arrow::Result<ExpressionPtr> { return BindNullTest(input, true); }};

extern const FunctionDef kIsNotNull{
    .name = "isnotnull",
    .family = "predicate",
    .description = "Whether the value is not NULL.",
    .example = "isnotnull(1)",
    .example_result = "true",
    .min_arguments = 1,
    .max_arguments = 1,
    .bind = [](const BindInput& input) -> arrow::Result<ExpressionPtr> { return BindNullTest(input, false); }};

}  // namespace millrace::function
