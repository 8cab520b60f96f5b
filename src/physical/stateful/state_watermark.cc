#include "physical/stateful/state_watermark.h"

#include <arrow/scalar.h>

#include <algorithm>

#include "expression/call.h"
#include "logical/plan.h"
#include "physical/stateful/event_time.h"

namespace millrace::physical {

using expression::AttributeReference;
using expression::AttributeVector;
using expression::Call;
using expression::Expression;
using expression::ExpressionKind;
using expression::ExpressionPtr;
using expression::Literal;
using types::TypeId;

namespace {

constexpr double kMicrosPerSecond = 1000000.0;
constexpr double kMicrosPerDay = 86400.0 * kMicrosPerSecond;

/// One summand: a column, or a number of microseconds.
struct Term {
  const AttributeReference* column = nullptr;
  double constant_us = 0;
  bool negated = false;

  bool operator==(const Term& other) const {
    bool same_column =
        column == nullptr ? other.column == nullptr : other.column != nullptr && column->id() == other.column->id();
    return same_column && constant_us == other.constant_us && negated == other.negated;
  }
};

std::optional<double> NumberOf(const arrow::Scalar& scalar) {
  switch (scalar.type->id()) {
    case arrow::Type::INT8:
      return static_cast<const arrow::Int8Scalar&>(scalar).value;
    case arrow::Type::INT16:
      return static_cast<const arrow::Int16Scalar&>(scalar).value;
    case arrow::Type::INT32:
      return static_cast<const arrow::Int32Scalar&>(scalar).value;
    case arrow::Type::INT64:
      return static_cast<double>(static_cast<const arrow::Int64Scalar&>(scalar).value);
    case arrow::Type::FLOAT:
      return static_cast<const arrow::FloatScalar&>(scalar).value;
    case arrow::Type::DOUBLE:
      return static_cast<const arrow::DoubleScalar&>(scalar).value;
    case arrow::Type::DECIMAL128: {
      const auto& decimal = static_cast<const arrow::Decimal128Scalar&>(scalar);
      return decimal.value.ToDouble(static_cast<const arrow::Decimal128Type&>(*decimal.type).scale());
    }
    default:
      return std::nullopt;
  }
}

// Microseconds that a constant stands for: plain numbers are seconds.
std::optional<double> MicrosOf(const Literal& literal) {
  if (literal.is_null()) return std::nullopt;
  if (literal.type()->id() == TypeId::kCalendarInterval) {
    auto interval = static_cast<const arrow::MonthDayNanoIntervalScalar&>(*literal.value()).value;
    if (interval.months != 0) return std::nullopt;  // a month has no fixed length
    return interval.days * kMicrosPerDay + static_cast<double>(interval.nanoseconds / 1000);
  }
  if (literal.type()->id() == TypeId::kDayTimeInterval) {
    return static_cast<double>(static_cast<const arrow::DurationScalar&>(*literal.value()).value);
  }
  if (!literal.type()->is_numeric()) return std::nullopt;
  std::optional<double> number = NumberOf(*literal.value());
  if (number) *number *= kMicrosPerSecond;
  return number;
}

bool IsInterval(const types::DataType& type) {
  return type.id() == TypeId::kCalendarInterval || type.id() == TypeId::kDayTimeInterval;
}

// Whether `a + b` or `a - b` is one that Spark takes apart: numbers, intervals, a timestamp and an interval.
bool IsLinear(const Call& call) {
  const types::DataType& result = *call.type();
  if (result.is_numeric() || IsInterval(result)) {
    return std::all_of(call.children().begin(), call.children().end(), [](const ExpressionPtr& child) {
      return child->type()->is_numeric() || IsInterval(*child->type());
    });
  }
  bool is_time = result.id() == TypeId::kTimestamp || result.id() == TypeId::kTimestampNtz;
  return is_time && (IsInterval(*call.children()[0]->type()) || IsInterval(*call.children()[1]->type()));
}

// The summands of an expression; false when it is not a sum of columns and constants.
bool CollectTerms(const Expression& root, bool negate, std::vector<Term>* terms) {
  switch (root.kind()) {
    case ExpressionKind::kAttribute:
      terms->push_back({static_cast<const AttributeReference*>(&root), 0, negate});
      return true;
    case ExpressionKind::kLiteral: {
      std::optional<double> micros = MicrosOf(static_cast<const Literal&>(root));
      if (micros) terms->push_back({nullptr, *micros, negate});
      return micros.has_value();
    }
    case ExpressionKind::kCast:
      return (root.type()->is_numeric() || root.type()->id() == TypeId::kTimestamp) &&
             CollectTerms(*root.children()[0], negate, terms);
    case ExpressionKind::kCall: {
      const auto& call = static_cast<const Call&>(root);
      bool is_minus = call.name() == "-" || call.name() == "negative";
      if (call.children().size() == 1) return is_minus && CollectTerms(*call.children()[0], !negate, terms);
      if (call.children().size() != 2 || (call.name() != "+" && call.name() != "-") || !IsLinear(call)) return false;
      return CollectTerms(*call.children()[0], negate, terms) &&
             CollectTerms(*call.children()[1], negate != is_minus, terms);
    }
    default:
      return false;
  }
}

bool Has(const AttributeVector& side, const AttributeReference& column) {
  return std::any_of(side.begin(), side.end(), [&](const auto& other) { return other->id() == column.id(); });
}

// Whether the column has a watermark where it comes from: the condition's copy of it may have lost the metadata.
bool HasWatermark(const AttributeVector& side, const AttributeReference& column) {
  return std::any_of(side.begin(), side.end(), [&](const auto& other) {
    return other->id() == column.id() && WatermarkDelayMs(*other).has_value();
  });
}

size_t CountColumns(const std::vector<Term>& terms, const AttributeVector& side) {
  std::vector<expression::AttributeId> ids;
  for (const Term& term : terms) {
    if (term.column != nullptr && Has(side, *term.column) &&
        std::find(ids.begin(), ids.end(), term.column->id()) == ids.end()) {
      ids.push_back(term.column->id());
    }
  }
  return ids.size();
}

}  // namespace

std::optional<StateWatermark::Bound> StateWatermark::FromLessThan(const Expression& left, const Expression& right,
                                                                  const AttributeVector& this_side,
                                                                  const AttributeVector& other_side,
                                                                  int64_t adjust_ms) {
  std::vector<Term> all, terms;
  if (!CollectTerms(left, false, &all) || !CollectTerms(right, true, &all)) return std::nullopt;
  if (CountColumns(all, this_side) > 1 || CountColumns(all, other_side) > 1) return std::nullopt;
  // Spark keeps the summands in a set.
  for (const Term& term : all) {
    if (std::find(terms.begin(), terms.end(), term) == terms.end()) terms.push_back(term);
  }
  const Term* mine = nullptr;
  for (const Term& term : terms) {
    if (term.column == nullptr || !Has(this_side, *term.column)) continue;
    if (mine != nullptr) return std::nullopt;
    mine = &term;
  }
  // `other + c - this < 0` bounds this side from below; `this - other - c < 0` does not.
  if (mine == nullptr || !mine->negated || terms.size() < 2) return std::nullopt;
  Bound bound{0, 0, adjust_ms};
  for (const Term& term : terms) {
    if (&term == mine) continue;
    double sign = term.negated ? -1 : 1;
    if (term.column == nullptr) {
      bound.constant_us += sign * term.constant_us;
    } else if (HasWatermark(other_side, *term.column)) {
      bound.watermark_factor += sign;
    } else {
      return std::nullopt;
    }
  }
  return bound;
}

std::optional<StateWatermark> StateWatermark::Derive(const ExpressionPtr& condition, const AttributeVector& this_side,
                                                     const AttributeVector& other_side) {
  if (condition == nullptr) return std::nullopt;
  bool other_has_watermark = std::any_of(other_side.begin(), other_side.end(),
                                         [](const auto& column) { return WatermarkDelayMs(*column).has_value(); });
  if (!other_has_watermark) return std::nullopt;
  StateWatermark derived;
  for (const ExpressionPtr& conjunct : logical::SplitConjuncts(condition)) {
    if (conjunct->kind() != ExpressionKind::kCall || conjunct->children().size() != 2) continue;
    const std::string& name = static_cast<const Call&>(*conjunct).name();
    bool is_less = name == "<" || name == "<=", is_greater = name == ">" || name == ">=";
    if (!is_less && !is_greater) continue;
    const Expression& left = *conjunct->children()[is_less ? 0 : 1];
    const Expression& right = *conjunct->children()[is_less ? 1 : 0];
    // State at the bound goes: where the condition includes the bound, it is one less.
    int64_t adjust_ms = name.size() == 2 ? -1 : 0;
    if (auto bound = FromLessThan(left, right, this_side, other_side, adjust_ms)) derived.bounds_.push_back(*bound);
  }
  if (derived.bounds_.empty()) return std::nullopt;
  return derived;
}

int64_t StateWatermark::At(int64_t watermark_ms) const {
  int64_t lowest = INT64_MAX;
  for (const Bound& bound : bounds_) {
    double micros = bound.watermark_factor * (static_cast<double>(watermark_ms) * 1000.0) + bound.constant_us;
    lowest = std::min(lowest, static_cast<int64_t>(micros / 1000.0) + bound.adjust_ms);
  }
  return lowest;
}

int JoinKeyWithWatermark(const expression::ExpressionVector& left_keys,
                         const expression::ExpressionVector& right_keys) {
  for (const auto* keys : {&left_keys, &right_keys}) {
    for (size_t i = 0; i < keys->size(); ++i) {
      const Expression& key = *(*keys)[i];
      if (key.kind() == ExpressionKind::kAttribute &&
          WatermarkDelayMs(static_cast<const AttributeReference&>(key)).has_value()) {
        return static_cast<int>(i);
      }
    }
  }
  return -1;
}

}  // namespace millrace::physical
