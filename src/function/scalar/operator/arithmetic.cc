#include "function/scalar/operator/arithmetic.h"

#include <algorithm>

#include "base/error.h"
#include "expression/query_settings.h"
#include "expression/type_coercion.h"

namespace millrace::function {

using expression::Cast;
using expression::CastMode;
using expression::ExpressionKind;
using types::TypeId;

namespace {

std::string InfixSql(Arithmetic op, const ExpressionPtr& left, const ExpressionPtr& right) {
  return "(" + left->Sql(true) + " " + std::string(Symbol(op)) + " " + right->Sql(true) + ")";
}

std::string RequiredType(Arithmetic op) {
  switch (op) {
    case Arithmetic::kAdd:
    case Arithmetic::kSubtract:
      return R"(("NUMERIC" or "INTERVAL DAY TO SECOND" or "INTERVAL YEAR TO MONTH" or "INTERVAL"))";
    case Arithmetic::kDivide:
      return R"(("DOUBLE" or "DECIMAL"))";
    case Arithmetic::kIntegralDivide:
      return R"(("BIGINT" or "DECIMAL" or "INTERVAL YEAR TO MONTH" or "INTERVAL DAY TO SECOND"))";
    default:
      return R"("NUMERIC")";
  }
}

// The smallest decimal that holds a whole-number literal; by type for other whole numbers.
DataTypePtr DecimalFor(const ExpressionPtr& whole) {
  bool literal = whole->kind() == ExpressionKind::kLiteral && whole->type()->id() != TypeId::kByte;
  if (literal) {
    const auto& value = *static_cast<const expression::Literal&>(*whole).value();
    if (value.is_valid) {
      std::string digits = whole->Sql(true);
      auto count = static_cast<int>(digits.size()) - (digits.starts_with('-') ? 1 : 0);
      return types::Decimal(std::max(count, 1), 0);
    }
  }
  return types::DecimalForIntegral(whole->type()->id());
}

bool IsFloating(const DataTypePtr& type) { return type->id() == TypeId::kFloat || type->id() == TypeId::kDouble; }

ExpressionPtr CastTo(const ExpressionPtr& expression, const DataTypePtr& type, bool tried) {
  if (tried && !expression->type()->Equals(*type)) {
    return std::make_shared<Cast>(expression, type, CastMode::kTry, /*user_specified=*/false);
  }
  return expression::ImplicitCast(expression, type);
}

struct Operands {
  ExpressionPtr left;
  ExpressionPtr right;
  bool tried;

  void Both(const DataTypePtr& type) {
    left = CastTo(left, type, tried);
    right = CastTo(right, type, tried);
  }
};

void PromoteStrings(Operands* operands) {
  if (!expression::CurrentQuerySettings().ansi) {
    if (operands->left->type()->id() == TypeId::kString)
      operands->left = CastTo(operands->left, types::Double(), operands->tried);
    if (operands->right->type()->id() == TypeId::kString)
      operands->right = CastTo(operands->right, types::Double(), operands->tried);
    return;
  }
  if (auto common = expression::WiderTypeOfString(operands->left->type(), operands->right->type())) {
    if ((*common)->id() != TypeId::kString) operands->Both(*common);
  }
}

void MeetDecimals(Operands* operands) {
  auto decimal = [](const ExpressionPtr& e) { return e->type()->id() == TypeId::kDecimal; };
  if (!decimal(operands->left) && !decimal(operands->right)) return;
  for (auto [one, other] :
       {std::pair{&operands->left, &operands->right}, std::pair{&operands->right, &operands->left}}) {
    if (!decimal(*other)) continue;
    if ((*one)->type()->is_integral()) *one = CastTo(*one, DecimalFor(*one), operands->tried);
    if (IsFloating((*one)->type())) operands->Both(types::Double());
    if ((*one)->type()->id() == TypeId::kNull) *one = CastTo(*one, (*other)->type(), operands->tried);
  }
}

// The types both sides meet at when neither is a decimal.
void MeetNumbers(Arithmetic op, Operands* operands) {
  const DataTypePtr& left = operands->left->type();
  const DataTypePtr& right = operands->right->type();
  auto number_or_null = [](const DataTypePtr& type) { return type->is_numeric() || type->id() == TypeId::kNull; };
  if (!number_or_null(left) || !number_or_null(right)) return;
  if (left->id() == TypeId::kDecimal || right->id() == TypeId::kDecimal) return;
  if (op == Arithmetic::kDivide) return operands->Both(types::Double());
  if (op == Arithmetic::kIntegralDivide) {
    if (!IsFloating(left)) operands->left = CastTo(operands->left, types::Long(), operands->tried);
    if (!IsFloating(operands->right->type())) operands->right = CastTo(operands->right, types::Long(), operands->tried);
    return;
  }
  if (left->id() == TypeId::kNull && right->id() == TypeId::kNull) return operands->Both(types::Double());
  if (auto common = expression::TightestCommonType(left, right)) operands->Both(*common);
}

bool Accepts(Arithmetic op, const DataTypePtr& type) {
  if (type->id() == TypeId::kDecimal) return true;
  if (op == Arithmetic::kDivide) return type->id() == TypeId::kDouble;
  if (op == Arithmetic::kIntegralDivide) return type->id() == TypeId::kLong;
  return type->is_numeric();
}

}  // namespace

std::string_view Symbol(Arithmetic op) {
  constexpr std::string_view kSymbols[] = {"+", "-", "*", "/", "div", "%", "pmod"};
  return kSymbols[static_cast<size_t>(op)];
}

arrow::Status DivideByZero(Arithmetic op) {
  bool remainder = op == Arithmetic::kRemainder || op == Arithmetic::kPmod;
  return UserError(remainder ? "REMAINDER_BY_ZERO" : "DIVIDE_BY_ZERO",
                   {{"config", QuoteConf("spark.sql.ansi.enabled")}});
}

arrow::Status ArithmeticOverflow(std::string message, std::string_view try_function) {
  std::string alternative;
  if (!try_function.empty()) {
    alternative = " Use '" + std::string(try_function) + "' to tolerate overflow and return NULL instead.";
  }
  return UserError("ARITHMETIC_OVERFLOW", {{"message", std::move(message)},
                                           {"alternative", std::move(alternative)},
                                           {"config", QuoteConf("spark.sql.ansi.enabled")}});
}

arrow::Status BinaryOpDiffTypes(const std::string& sql, const ExpressionPtr& left, const ExpressionPtr& right) {
  return UserError("DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", {{"sqlExpr", QuoteSqlExpression(sql)},
                                                              {"left", QuoteSqlType(left->type()->Sql())},
                                                              {"right", QuoteSqlType(right->type()->Sql())}});
}

arrow::Status BinaryOpWrongType(const std::string& sql, std::string required, const DataTypePtr& actual) {
  return UserError("DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE", {{"sqlExpr", QuoteSqlExpression(sql)},
                                                              {"inputType", std::move(required)},
                                                              {"actualDataType", QuoteSqlType(actual->Sql())}});
}

DataTypePtr DecimalResult(Arithmetic op, const types::DataType& left, const types::DataType& right) {
  int p1 = left.precision();
  int s1 = left.scale();
  int p2 = right.precision();
  int s2 = right.scale();
  int scale = std::max(s1, s2);
  switch (op) {
    case Arithmetic::kAdd:
    case Arithmetic::kSubtract:
      return expression::AdjustedDecimal(std::max(p1 - s1, p2 - s2) + scale + 1, scale);
    case Arithmetic::kMultiply:
      return expression::AdjustedDecimal(p1 + p2 + 1, s1 + s2);
    case Arithmetic::kDivide: {
      int quotient_scale = std::max(6, s1 + p2 + 1);
      return expression::AdjustedDecimal(p1 - s1 + s2 + quotient_scale, quotient_scale);
    }
    case Arithmetic::kIntegralDivide:
      return types::Long();
    default:
      return expression::AdjustedDecimal(std::min(p1 - s1, p2 - s2) + scale, scale);
  }
}

namespace {

DataTypePtr BoundedDecimal(int precision, int scale) {
  return types::Decimal(std::min(precision, types::kMaxDecimalPrecision), std::min(scale, types::kMaxDecimalPrecision));
}

// Where digits behind the point are never given up for digits before it, and results beyond 38 overflow.
DataTypePtr DecimalResultWithoutLoss(Arithmetic op, const types::DataType& left, const types::DataType& right) {
  int whole_left = left.precision() - left.scale();
  int whole_right = right.precision() - right.scale();
  int scale = std::max(left.scale(), right.scale());
  switch (op) {
    case Arithmetic::kAdd:
    case Arithmetic::kSubtract:
      return BoundedDecimal(std::max(whole_left, whole_right) + scale + 1, scale);
    case Arithmetic::kMultiply:
      return BoundedDecimal(left.precision() + right.precision() + 1, left.scale() + right.scale());
    case Arithmetic::kDivide: {
      int whole = std::min(types::kMaxDecimalPrecision, whole_left + right.scale());
      int behind = std::min(types::kMaxDecimalPrecision, std::max(6, left.scale() + right.precision() + 1));
      int beyond = whole + behind - types::kMaxDecimalPrecision;
      if (beyond > 0) {
        behind -= beyond / 2 + 1;
        whole = types::kMaxDecimalPrecision - behind;
      }
      return BoundedDecimal(whole + behind, behind);
    }
    case Arithmetic::kIntegralDivide:
      return types::Long();
    default:
      return BoundedDecimal(std::min(whole_left, whole_right) + scale, scale);
  }
}

}  // namespace

arrow::Result<ExpressionPtr> BindArithmetic(const BindInput& input, Arithmetic op, bool tried,
                                            std::string_view shown_name) {
  OnOverflow on_overflow = tried ? OnOverflow::kNull : input.context.ansi ? OnOverflow::kRaise : OnOverflow::kWrap;
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr datetime, BindDatetimeArithmetic(input, op, on_overflow, shown_name));
  if (datetime != nullptr) return datetime;

  Operands operands{input.arguments[0], input.arguments[1], tried};
  PromoteStrings(&operands);
  MeetDecimals(&operands);
  MeetNumbers(op, &operands);
  const DataTypePtr& left = operands.left->type();
  const DataTypePtr& right = operands.right->type();
  std::string sql = InfixSql(op, operands.left, operands.right);
  bool decimals = left->id() == TypeId::kDecimal && right->id() == TypeId::kDecimal;
  if (!decimals && !left->EqualsIgnoreNullability(*right)) return BinaryOpDiffTypes(sql, operands.left, operands.right);
  if (!Accepts(op, left)) return BinaryOpWrongType(sql, RequiredType(op), left);

  bool divides = op >= Arithmetic::kDivide;
  bool nullable = operands.left->nullable() || operands.right->nullable() || divides || tried;
  bool may_lose = expression::CurrentQuerySettings().decimal_precision_loss;
  DataTypePtr result = left;
  if (decimals) {
    result = may_lose ? DecimalResult(op, *left, *right) : DecimalResultWithoutLoss(op, *left, *right);
  }
  ScalarKernel kernel =
      decimals ? DecimalArithmetic(op, on_overflow, left, right, result) : NumberArithmetic(op, on_overflow, left);
  CallOptions options;
  options.can_fail = on_overflow == OnOverflow::kRaise && (divides || !IsFloating(result));
  options.style = shown_name.empty() ? CallStyle::kInfix : CallStyle::kFunction;
  options.shown_name = std::string(shown_name.empty() ? Symbol(op) : shown_name);
  return MakeCall(input, {operands.left, operands.right}, std::move(result), nullable, std::move(kernel), options);
}

}  // namespace millrace::function
