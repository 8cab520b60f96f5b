#include "format/predicate.h"

#include <arrow/type_traits.h>

#include <algorithm>

namespace millrace::format {

namespace {

/// Whether a condition can be true, and can be false, for some row. NULL is neither.
struct Possible {
  bool is_true = true;
  bool is_false = true;
};

Possible OfEqual(const PredicateValue& value, const ColumnRange& range) {
  Possible possible;
  std::partial_ordering low = std::partial_ordering::unordered, high = low;
  if (range.min) low = range.min->Compare(value);
  if (range.max) high = range.max->Compare(value);
  if (low == std::partial_ordering::greater || high == std::partial_ordering::less) possible.is_true = false;
  if (low == std::partial_ordering::equivalent && high == std::partial_ordering::equivalent) possible.is_false = false;
  return possible;
}

Possible OfComparison(const Predicate& predicate, const ColumnRange& range) {
  Possible possible;
  if (range.all_null()) return {false, false};
  auto smallest = [&](const PredicateValue& value) {
    return range.min ? range.min->Compare(value) : std::partial_ordering::unordered;
  };
  auto largest = [&](const PredicateValue& value) {
    return range.max ? range.max->Compare(value) : std::partial_ordering::unordered;
  };
  const auto& values = predicate.values;
  using enum Predicate::Op;
  switch (predicate.op) {
    case kEqual:
      return OfEqual(values[0], range);
    case kIn: {
      possible = {false, true};
      for (const PredicateValue& value : values) {
        Possible one = OfEqual(value, range);
        possible.is_true = possible.is_true || one.is_true;
        possible.is_false = possible.is_false && one.is_false;
      }
      return possible;
    }
    case kLess: {
      auto low = smallest(values[0]), high = largest(values[0]);
      if (low == std::partial_ordering::greater || low == std::partial_ordering::equivalent) possible.is_true = false;
      if (high == std::partial_ordering::less) possible.is_false = false;
      return possible;
    }
    case kLessOrEqual: {
      auto low = smallest(values[0]), high = largest(values[0]);
      if (low == std::partial_ordering::greater) possible.is_true = false;
      if (high == std::partial_ordering::less || high == std::partial_ordering::equivalent) possible.is_false = false;
      return possible;
    }
    case kGreater: {
      auto low = smallest(values[0]), high = largest(values[0]);
      if (high == std::partial_ordering::less || high == std::partial_ordering::equivalent) possible.is_true = false;
      if (low == std::partial_ordering::greater) possible.is_false = false;
      return possible;
    }
    case kGreaterOrEqual: {
      auto low = smallest(values[0]), high = largest(values[0]);
      if (high == std::partial_ordering::less) possible.is_true = false;
      if (low == std::partial_ordering::greater || low == std::partial_ordering::equivalent) possible.is_false = false;
      return possible;
    }
    case kStartsWith: {
      const auto* prefix = std::get_if<std::string>(&values[0].value());
      if (prefix == nullptr) return possible;
      if (range.max && range.max->Compare(values[0]) == std::partial_ordering::less) possible.is_true = false;
      if (range.min) {
        if (const auto* min = std::get_if<std::string>(&range.min->value())) {
          if (min->compare(0, prefix->size(), *prefix) > 0) possible.is_true = false;
        }
      }
      return possible;
    }
    default:
      return possible;
  }
}

Possible Of(const Predicate& predicate, const RangeOf& range_of) {
  using enum Predicate::Op;
  switch (predicate.op) {
    case kAnd: {
      Possible all{true, false};
      for (const PredicatePtr& child : predicate.children) {
        Possible one = Of(*child, range_of);
        all.is_true = all.is_true && one.is_true;
        all.is_false = all.is_false || one.is_false;
      }
      return all;
    }
    case kOr: {
      Possible any{false, true};
      for (const PredicatePtr& child : predicate.children) {
        Possible one = Of(*child, range_of);
        any.is_true = any.is_true || one.is_true;
        any.is_false = any.is_false && one.is_false;
      }
      return any;
    }
    case kNot: {
      Possible one = Of(*predicate.children[0], range_of);
      return {one.is_false, one.is_true};
    }
    case kIsNull: {
      ColumnRange range = range_of(predicate.column, *predicate.type);
      Possible possible;
      if (range.null_count) {
        possible.is_true = *range.null_count > 0;
        possible.is_false = !range.all_null();
      }
      return possible;
    }
    default:
      return OfComparison(predicate, range_of(predicate.column, *predicate.type));
  }
}

std::string_view Symbol(Predicate::Op op) {
  using enum Predicate::Op;
  switch (op) {
    case kEqual:
      return "=";
    case kLess:
      return "<";
    case kLessOrEqual:
      return "<=";
    case kGreater:
      return ">";
    case kGreaterOrEqual:
      return ">=";
    case kIn:
      return "IN";
    case kStartsWith:
      return "STARTS WITH";
    default:
      return "?";
  }
}

}  // namespace

std::optional<PredicateValue> PredicateValue::From(const arrow::Scalar& scalar) {
  if (!scalar.is_valid) return std::nullopt;
  switch (scalar.type->id()) {
    case arrow::Type::BOOL:
      return PredicateValue(int64_t{static_cast<const arrow::BooleanScalar&>(scalar).value});
    case arrow::Type::INT8:
      return PredicateValue(int64_t{static_cast<const arrow::Int8Scalar&>(scalar).value});
    case arrow::Type::INT16:
      return PredicateValue(int64_t{static_cast<const arrow::Int16Scalar&>(scalar).value});
    case arrow::Type::INT32:
      return PredicateValue(int64_t{static_cast<const arrow::Int32Scalar&>(scalar).value});
    case arrow::Type::INT64:
      return PredicateValue(static_cast<const arrow::Int64Scalar&>(scalar).value);
    case arrow::Type::DATE32:
      return PredicateValue(int64_t{static_cast<const arrow::Date32Scalar&>(scalar).value});
    case arrow::Type::TIMESTAMP:
      return PredicateValue(static_cast<const arrow::TimestampScalar&>(scalar).value);
    case arrow::Type::FLOAT:
      return PredicateValue(double{static_cast<const arrow::FloatScalar&>(scalar).value});
    case arrow::Type::DOUBLE:
      return PredicateValue(static_cast<const arrow::DoubleScalar&>(scalar).value);
    case arrow::Type::DECIMAL128: {
      const auto& decimal = static_cast<const arrow::Decimal128Scalar&>(scalar);
      return PredicateValue(
          DecimalValue{decimal.value, static_cast<const arrow::Decimal128Type&>(*scalar.type).scale()});
    }
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return PredicateValue(std::string(static_cast<const arrow::BaseBinaryScalar&>(scalar).view()));
    default:
      return std::nullopt;
  }
}

std::partial_ordering PredicateValue::Compare(const PredicateValue& other) const {
  if (value_.index() != other.value_.index()) return std::partial_ordering::unordered;
  if (const auto* whole = std::get_if<int64_t>(&value_)) return *whole <=> std::get<int64_t>(other.value_);
  if (const auto* number = std::get_if<double>(&value_)) return *number <=> std::get<double>(other.value_);
  if (const auto* text = std::get_if<std::string>(&value_)) return *text <=> std::get<std::string>(other.value_);
  const auto& a = std::get<DecimalValue>(value_);
  const auto& b = std::get<DecimalValue>(other.value_);
  int scale = std::max(a.scale, b.scale);
  auto x = arrow::Decimal256(a.value).Rescale(a.scale, scale);
  auto y = arrow::Decimal256(b.value).Rescale(b.scale, scale);
  if (!x.ok() || !y.ok()) return std::partial_ordering::unordered;
  return *x < *y ? std::partial_ordering::less
                 : (*x == *y ? std::partial_ordering::equivalent : std::partial_ordering::greater);
}

std::string PredicateValue::ToString() const {
  if (const auto* whole = std::get_if<int64_t>(&value_)) return std::to_string(*whole);
  if (const auto* number = std::get_if<double>(&value_)) return std::to_string(*number);
  if (const auto* text = std::get_if<std::string>(&value_)) return *text;
  const auto& decimal = std::get<DecimalValue>(value_);
  return decimal.value.ToString(decimal.scale);
}

PredicatePtr Predicate::And(std::vector<PredicatePtr> children) {
  if (children.size() == 1) return children[0];
  auto node = std::make_shared<Predicate>();
  node->op = Op::kAnd;
  node->children = std::move(children);
  return node;
}

PredicatePtr Predicate::Or(std::vector<PredicatePtr> children) {
  if (children.size() == 1) return children[0];
  auto node = std::make_shared<Predicate>();
  node->op = Op::kOr;
  node->children = std::move(children);
  return node;
}

PredicatePtr Predicate::Not(PredicatePtr child) {
  auto node = std::make_shared<Predicate>();
  node->op = Op::kNot;
  node->children = {std::move(child)};
  return node;
}

PredicatePtr Predicate::Compare(Op op, std::vector<std::string> column, types::DataTypePtr type,
                                std::vector<PredicateValue> values) {
  auto node = std::make_shared<Predicate>();
  node->op = op;
  node->column = std::move(column);
  node->type = std::move(type);
  node->values = std::move(values);
  return node;
}

std::string Predicate::ToString() const {
  auto joined = [&](std::string_view between) {
    std::string text = "(";
    for (size_t i = 0; i < children.size(); ++i) {
      if (i > 0) text += between;
      text += children[i]->ToString();
    }
    return text + ")";
  };
  if (op == Op::kAnd) return joined(" AND ");
  if (op == Op::kOr) return joined(" OR ");
  if (op == Op::kNot) return "NOT " + children[0]->ToString();
  std::string name;
  for (const std::string& part : column) name += (name.empty() ? "" : ".") + part;
  if (op == Op::kIsNull) return name + " IS NULL";
  std::string text = name + " " + std::string(Symbol(op));
  for (const PredicateValue& value : values) text += " " + value.ToString();
  return text;
}

bool MayMatch(const Predicate& predicate, const RangeOf& range_of) { return Of(predicate, range_of).is_true; }

namespace {

using Rename = std::function<std::optional<std::vector<std::string>>(const std::vector<std::string>&)>;

// `negated`: the result stands below an odd number of NOTs, where it is AND, not OR, that must keep all its parts.
PredicatePtr Renamed(const PredicatePtr& predicate, const Rename& rename, bool negated) {
  using enum Predicate::Op;
  std::vector<PredicatePtr> children;
  bool below_not = negated != (predicate->op == kNot);
  for (const PredicatePtr& child : predicate->children) {
    PredicatePtr renamed = Renamed(child, rename, below_not);
    if (renamed != nullptr) children.push_back(std::move(renamed));
  }
  bool lost = children.size() != predicate->children.size();
  switch (predicate->op) {
    case kAnd:
      return children.empty() || (lost && negated) ? nullptr : Predicate::And(std::move(children));
    case kOr:
      return children.empty() || (lost && !negated) ? nullptr : Predicate::Or(std::move(children));
    case kNot:
      return lost ? nullptr : Predicate::Not(std::move(children[0]));
    default: {
      std::optional<std::vector<std::string>> column = rename(predicate->column);
      if (!column) return nullptr;
      return Predicate::Compare(predicate->op, std::move(*column), predicate->type, predicate->values);
    }
  }
}

}  // namespace

PredicatePtr RenameColumns(const PredicatePtr& predicate, const Rename& rename) {
  return predicate == nullptr ? nullptr : Renamed(predicate, rename, /*negated=*/false);
}

}  // namespace millrace::format
