#include <arrow/scalar.h>

#include <algorithm>
#include <array>
#include <optional>

#include "expression/call.h"
#include "expression/type_coercion.h"
#include "function/bind.h"
#include "logical/transform_expressions.h"
#include "optimizer/rule.h"

namespace millrace::optimizer {

namespace {

using expression::Literal;
using types::DataType;
using types::TypeId;

// Every value of `from` is one of `to`. Whole numbers may have more digits than a fraction keeps.
// Source: Spark, UnwrapCastInBinaryComparison and Cast.canUpCast.
bool KeepsEachValue(const DataType& from, const DataType& to) {
  if (!from.is_numeric() || !to.is_numeric() || from.Equals(to)) return false;
  if (to.id() == TypeId::kDecimal) {
    if (from.id() == TypeId::kFloat || from.id() == TypeId::kDouble) return false;
    constexpr std::array kDigits = {3, 5, 10, 20};
    int scale = from.id() == TypeId::kDecimal ? from.scale() : 0;
    int precision = from.id() == TypeId::kDecimal
                        ? from.precision()
                        : kDigits[static_cast<size_t>(from.id()) - static_cast<size_t>(TypeId::kByte)];
    return to.scale() >= scale && to.precision() - to.scale() >= precision - scale;
  }
  if (from.id() == TypeId::kDecimal || from.id() > to.id()) return false;
  if (from.id() == TypeId::kInteger) return to.id() != TypeId::kFloat;
  return from.id() != TypeId::kLong;
}

ExpressionPtr BelowWideningCast(const ExpressionPtr& node) {
  if (node->kind() != ExpressionKind::kCast) return nullptr;
  const ExpressionPtr& child = node->children()[0];
  return !child->foldable() && KeepsEachValue(*child->type(), *node->type()) ? child : nullptr;
}

struct NarrowValue {
  ExpressionPtr literal;
  /// What the literal became when it took the narrow type: smaller (-1), the same (0), larger (1).
  int moved = 0;
};

class Narrowing {
 public:
  Narrowing(const types::DataTypePtr& type, const EvalContext& context) : type_(type), context_(context) {}

  // `node` as a value of the narrow type; nullopt: it has none near.
  std::optional<NarrowValue> Of(const ExpressionPtr& node) const {
    if (node->kind() != ExpressionKind::kLiteral || static_cast<const Literal&>(*node).is_null()) return std::nullopt;
    auto narrow = As(node, type_);
    if (narrow == nullptr) return std::nullopt;
    auto back = As(narrow, node->type());
    if (back == nullptr) return std::nullopt;
    const auto& value = static_cast<const Literal&>(*node).value();
    const auto& returned = static_cast<const Literal&>(*back).value();
    if (returned->Equals(*value)) return NarrowValue{std::move(narrow), 0};
    auto smaller = function::BindCall("<", {back, node}, context_);
    auto is_smaller = smaller.ok() ? EvaluateFoldable(**smaller, context_) : smaller.status();
    if (!is_smaller.ok() || !(*is_smaller)->is_valid) return std::nullopt;
    bool down = static_cast<const arrow::BooleanScalar&>(**is_smaller).value;
    return NarrowValue{std::move(narrow), down ? -1 : 1};
  }

 private:
  // Null where it cannot be one.
  ExpressionPtr As(const ExpressionPtr& literal, const types::DataTypePtr& type) const {
    auto value = EvaluateFoldable(expression::Cast(literal, type, expression::CastMode::kAnsi, false), context_);
    return value.ok() && (*value)->is_valid ? std::make_shared<Literal>(type, *value) : nullptr;
  }

  const types::DataTypePtr& type_;
  const EvalContext& context_;
};

struct Comparison {
  std::string_view name;
  /// With its sides exchanged.
  std::string_view turned;
  /// Over a value that became smaller, or larger; empty: such a comparison stays.
  std::string_view over_smaller;
  std::string_view over_larger;
};
constexpr std::array kComparisons = {
    Comparison{"=", "=", "", ""},      Comparison{"!=", "!=", "", ""},    Comparison{"<=>", "<=>", "", ""},
    Comparison{"<", ">", "<=", "<"},   Comparison{"<=", ">=", "<=", "<"}, Comparison{">", "<", ">", ">="},
    Comparison{">=", "<=", ">", ">="},
};

const Comparison* FindComparison(std::string_view name) {
  auto it =
      std::find_if(kComparisons.begin(), kComparisons.end(), [&](const Comparison& one) { return one.name == name; });
  return it == kComparisons.end() ? nullptr : &*it;
}

ExpressionPtr Bound(std::string_view name, ExpressionVector arguments, const EvalContext& context) {
  auto call = function::BindCall(name, std::move(arguments), context);
  return call.ok() ? *std::move(call) : nullptr;
}

// The day of an instant against a day: the instant against the midnights around it.
ExpressionPtr UnwrapDay(std::string_view name, const ExpressionPtr& instant, const ExpressionPtr& day,
                        const EvalContext& context) {
  auto midnight = [&](int32_t days_later) -> ExpressionPtr {
    int32_t date = static_cast<const arrow::Date32Scalar&>(*static_cast<const Literal&>(*day).value()).value;
    auto later = std::make_shared<Literal>(day->type(), std::make_shared<arrow::Date32Scalar>(date + days_later));
    auto value =
        EvaluateFoldable(expression::Cast(later, instant->type(), expression::CastMode::kAnsi, false), context);
    return value.ok() && (*value)->is_valid ? std::make_shared<Literal>(instant->type(), *value) : nullptr;
  };
  ExpressionPtr begin = midnight(0), end = midnight(1);
  if (begin == nullptr || end == nullptr) return nullptr;
  if (name == ">") return Bound(">=", {instant, end}, context);
  if (name == "<=") return Bound("<", {instant, end}, context);
  if (name == ">=" || name == "<") return Bound(name, {instant, begin}, context);
  if (name != "=") return nullptr;
  ExpressionPtr from = Bound(">=", {instant, begin}, context), to = Bound("<", {instant, end}, context);
  if (from == nullptr || to == nullptr) return nullptr;
  return std::make_shared<expression::Logical>(/*is_and=*/true, std::move(from), std::move(to));
}

bool IsDayOfInstant(const ExpressionPtr& node) {
  if (node->kind() != ExpressionKind::kCast || node->type()->id() != TypeId::kDate) return false;
  TypeId from = node->children()[0]->type()->id();
  return (from == TypeId::kTimestamp || from == TypeId::kTimestampNtz) && !node->children()[0]->foldable();
}

ExpressionPtr UnwrapComparison(const Comparison& comparison, const ExpressionVector& sides,
                               const EvalContext& context) {
  bool turned = sides[0]->kind() == ExpressionKind::kLiteral;
  const ExpressionPtr& literal = sides[turned ? 0 : 1];
  if (IsDayOfInstant(sides[turned ? 1 : 0]) && literal->kind() == ExpressionKind::kLiteral &&
      !static_cast<const Literal&>(*literal).is_null()) {
    return UnwrapDay(turned ? comparison.turned : comparison.name, sides[turned ? 1 : 0]->children()[0], literal,
                     context);
  }
  ExpressionPtr column = BelowWideningCast(sides[turned ? 1 : 0]);
  if (column == nullptr) return nullptr;
  auto value = Narrowing(column->type(), context).Of(literal);
  if (!value) return nullptr;
  const Comparison& straight = turned ? *FindComparison(comparison.turned) : comparison;
  std::string_view name = value->moved == 0  ? straight.name
                          : value->moved < 0 ? straight.over_smaller
                                             : straight.over_larger;
  if (name.empty()) return nullptr;
  if (!turned) return Bound(name, {column, value->literal}, context);
  return Bound(FindComparison(name)->turned, {value->literal, column}, context);
}

ExpressionPtr UnwrapIn(const ExpressionVector& arguments, const EvalContext& context) {
  ExpressionPtr column = BelowWideningCast(arguments[0]);
  if (column == nullptr) return nullptr;
  Narrowing narrowing(column->type(), context);
  ExpressionVector narrow = {column};
  for (size_t i = 1; i < arguments.size(); ++i) {
    auto value = narrowing.Of(arguments[i]);
    if (!value || value->moved != 0) return nullptr;
    narrow.push_back(value->literal);
  }
  return Bound("in", std::move(narrow), context);
}

}  // namespace

// A column is compared in its own type: sources understand that, and what is known of the column is known of a key.
arrow::Result<PlanPtr> UnwrapCast(const PlanPtr& plan, const EvalContext& context) {
  auto unwrap = [&](const ExpressionPtr& node) -> ExpressionPtr {
    if (node->kind() != ExpressionKind::kCall || node->children().size() < 2) return nullptr;
    const std::string& name = static_cast<const expression::Call&>(*node).name();
    if (name == "in") return UnwrapIn(node->children(), context);
    const Comparison* comparison = FindComparison(name);
    return comparison == nullptr ? nullptr : UnwrapComparison(*comparison, node->children(), context);
  };
  return logical::TransformAllExpressions(plan, unwrap);
}

}  // namespace millrace::optimizer
