#pragma once

#include <arrow/scalar.h>
#include <arrow/util/decimal.h>

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "types/data_type.h"

/// Conditions on columns that readers may use to leave out rows which cannot satisfy them: whole files by their
/// statistics, row groups by theirs. Nobody relies on it: the plan filters what is left.

namespace millrace::format {

/// A value a column is compared with, or a bound of a column's values. Whole numbers, BOOLEAN, DATE (days) and
/// timestamps (µs) are int64; FLOAT and DOUBLE double; STRING and BINARY bytes.
class PredicateValue {
 public:
  struct DecimalValue {
    arrow::Decimal128 value;
    int scale = 0;
  };
  using Variant = std::variant<int64_t, double, DecimalValue, std::string>;

  explicit PredicateValue(Variant value) : value_(std::move(value)) {}
  /// None for NULL and for types that have no order here.
  static std::optional<PredicateValue> From(const arrow::Scalar& scalar);

  const Variant& value() const { return value_; }
  /// Unordered where the kinds do not fit each other, and for NaN.
  std::partial_ordering Compare(const PredicateValue& other) const;
  std::string ToString() const;

 private:
  Variant value_;
};

struct Predicate;
using PredicatePtr = std::shared_ptr<const Predicate>;

/// Immutable.
struct Predicate {
  enum class Op : uint8_t {
    kAnd,
    kOr,
    kNot,
    kEqual,
    kLess,
    kLessOrEqual,
    kGreater,
    kGreaterOrEqual,
    kIn,
    kIsNull,
    kStartsWith,
  };
  Op op = Op::kAnd;
  /// kAnd, kOr, kNot.
  std::vector<PredicatePtr> children;
  /// The others: names from the top-level column down to the field.
  std::vector<std::string> column;
  types::DataTypePtr type;
  std::vector<PredicateValue> values;

  static PredicatePtr And(std::vector<PredicatePtr> children);
  static PredicatePtr Or(std::vector<PredicatePtr> children);
  static PredicatePtr Not(PredicatePtr child);
  static PredicatePtr Compare(Op op, std::vector<std::string> column, types::DataTypePtr type,
                              std::vector<PredicateValue> values);
  std::string ToString() const;
};

/// What is known of the values of a column in a part of the data.
struct ColumnRange {
  /// Bounds of the values that are not NULL; they need not be tight.
  std::optional<PredicateValue> min;
  std::optional<PredicateValue> max;
  std::optional<int64_t> null_count;
  std::optional<int64_t> num_rows;

  bool all_null() const { return null_count && num_rows && *null_count >= *num_rows; }
};

/// What is known of a column; an empty ColumnRange for nothing.
using RangeOf = std::function<ColumnRange(const std::vector<std::string>& column, const types::DataType& type)>;

/// False only when no row can satisfy `predicate`.
bool MayMatch(const Predicate& predicate, const RangeOf& range_of);

/// The same condition about other names. Comparisons whose column gets none (nullopt) are taken to be always possible:
/// the result may be null, which stands for no condition.
PredicatePtr RenameColumns(
    const PredicatePtr& predicate,
    const std::function<std::optional<std::vector<std::string>>(const std::vector<std::string>&)>& rename);

}  // namespace millrace::format
