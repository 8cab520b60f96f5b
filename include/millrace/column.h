#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace spark::connect {
class Expression;
}

namespace millrace {

class ColumnOrLiteral;
class WindowSpec;

/// A named or computed value of a DataFrame, not yet resolved. Immutable, cheap to copy.
///
/// Errors (unknown names, wrong types) show when the frame is used, as in Spark Connect.
/// Source: Spark's Column.
class Column {
 public:
  /// The column called `name`; dots reach into structs ("visit.page"), "*" and "visit.*" are all columns.
  explicit Column(std::string_view name);
  Column(const char* name) : Column(std::string_view(name)) {}         // NOLINT: a name is a column
  Column(const std::string& name) : Column(std::string_view(name)) {}  // NOLINT
  explicit Column(std::shared_ptr<const spark::connect::Expression> message) : message_(std::move(message)) {}

  Column As(std::string_view alias) const;
  /// `type` in DDL: "string", "decimal(10,2)", "array<int>". Bad values raise.
  Column Cast(std::string_view type) const;
  /// As Cast, but bad values give NULL.
  Column TryCast(std::string_view type) const;

  // A text beside a column is a constant, as in PySpark: Col("page").StartsWith("/blog").
  Column EqualTo(const ColumnOrLiteral& other) const;
  Column NotEqualTo(const ColumnOrLiteral& other) const;
  /// NULL equals NULL.
  Column EqNullSafe(const ColumnOrLiteral& other) const;
  Column IsNull() const;
  Column IsNotNull() const;
  Column IsNaN() const;
  Column IsIn(const std::vector<ColumnOrLiteral>& values) const;
  Column Between(const ColumnOrLiteral& low, const ColumnOrLiteral& high) const;
  Column Like(std::string_view pattern) const;
  Column ILike(std::string_view pattern) const;
  Column RLike(std::string_view pattern) const;
  Column Contains(const ColumnOrLiteral& other) const;
  Column StartsWith(const ColumnOrLiteral& other) const;
  Column EndsWith(const ColumnOrLiteral& other) const;
  Column Substr(int32_t start, int32_t length) const;
  /// Field of a struct.
  Column GetField(std::string_view name) const;
  /// Element of an array (from 0) or value of a map.
  Column GetItem(const ColumnOrLiteral& key) const;
  Column WithField(std::string_view name, const Column& value) const;
  Column DropField(std::string_view name) const;

  Column Asc() const;
  Column Desc() const;
  Column AscNullsFirst() const { return Asc(); }
  Column AscNullsLast() const;
  Column DescNullsLast() const { return Desc(); }
  Column DescNullsFirst() const;

  /// when(…).When(…).Otherwise(…): continues functions::When.
  Column When(const Column& condition, const ColumnOrLiteral& value) const;
  Column Otherwise(const ColumnOrLiteral& value) const;
  /// The function's value over a window of rows: functions::RowNumber().Over(WindowSpec().PartitionBy({"user"})…).
  Column Over(const WindowSpec& window) const;

  Column BitwiseAnd(const ColumnOrLiteral& other) const;
  Column BitwiseOr(const ColumnOrLiteral& other) const;
  Column BitwiseXor(const ColumnOrLiteral& other) const;

  const spark::connect::Expression& message() const { return *message_; }

 private:
  std::shared_ptr<const spark::connect::Expression> message_;
};

/// A constant. In operators a number or a text on one side is a literal (`Col("a") == 1`, `Col("page") ==
/// Lit("home")`).
Column Lit(int32_t value);
Column Lit(int64_t value);
Column Lit(double value);
Column Lit(bool value);
Column Lit(std::string_view value);
inline Column Lit(const char* value) { return Lit(std::string_view(value)); }
Column LitNull();

/// An argument that is a column, by its name too, or a number.
class ColumnOrNumber {
 public:
  ColumnOrNumber(const Column& column) : column_(column) {}   // NOLINT: made to be converted to
  ColumnOrNumber(const char* name) : column_(name) {}         // NOLINT
  ColumnOrNumber(const std::string& name) : column_(name) {}  // NOLINT
  ColumnOrNumber(int32_t number) : column_(Lit(number)) {}    // NOLINT
  ColumnOrNumber(int64_t number) : column_(Lit(number)) {}    // NOLINT
  ColumnOrNumber(double number) : column_(Lit(number)) {}     // NOLINT
  const Column& column() const { return column_; }

 private:
  Column column_;
};

/// An argument that is a column or a constant. A text is a constant here; a column is written Col("name").
class ColumnOrLiteral {
 public:
  ColumnOrLiteral(const Column& column) : column_(column) {}        // NOLINT: made to be converted to
  ColumnOrLiteral(const char* value) : column_(Lit(value)) {}       // NOLINT
  ColumnOrLiteral(std::string_view value) : column_(Lit(value)) {}  // NOLINT
  ColumnOrLiteral(const std::string& value) : column_(Lit(std::string_view(value))) {}  // NOLINT
  ColumnOrLiteral(int32_t value) : column_(Lit(value)) {}                               // NOLINT
  ColumnOrLiteral(int64_t value) : column_(Lit(value)) {}                               // NOLINT
  ColumnOrLiteral(double value) : column_(Lit(value)) {}                                // NOLINT
  ColumnOrLiteral(bool value) : column_(Lit(value)) {}                                  // NOLINT
  const Column& column() const { return column_; }

 private:
  Column column_;
};

Column operator+(const Column& a, const Column& b);
Column operator-(const Column& a, const Column& b);
Column operator*(const Column& a, const Column& b);
Column operator/(const Column& a, const Column& b);
Column operator%(const Column& a, const Column& b);
Column operator-(const Column& a);
Column operator==(const Column& a, const Column& b);
Column operator!=(const Column& a, const Column& b);
Column operator<(const Column& a, const Column& b);
Column operator<=(const Column& a, const Column& b);
Column operator>(const Column& a, const Column& b);
Column operator>=(const Column& a, const Column& b);
Column operator&&(const Column& a, const Column& b);
Column operator||(const Column& a, const Column& b);
Column operator!(const Column& a);

template <typename T>
concept LiteralNumber =
    std::same_as<T, int32_t> || std::same_as<T, int64_t> || std::same_as<T, double> || std::same_as<T, bool>;

template <LiteralNumber T>
Column operator+(const Column& a, T b) {
  return a + Lit(b);
}
template <LiteralNumber T>
Column operator-(const Column& a, T b) {
  return a - Lit(b);
}
template <LiteralNumber T>
Column operator*(const Column& a, T b) {
  return a * Lit(b);
}
template <LiteralNumber T>
Column operator/(const Column& a, T b) {
  return a / Lit(b);
}
template <LiteralNumber T>
Column operator%(const Column& a, T b) {
  return a % Lit(b);
}
template <LiteralNumber T>
Column operator==(const Column& a, T b) {
  return a == Lit(b);
}
template <LiteralNumber T>
Column operator!=(const Column& a, T b) {
  return a != Lit(b);
}
template <LiteralNumber T>
Column operator<(const Column& a, T b) {
  return a < Lit(b);
}
template <LiteralNumber T>
Column operator<=(const Column& a, T b) {
  return a <= Lit(b);
}
template <LiteralNumber T>
Column operator>(const Column& a, T b) {
  return a > Lit(b);
}
template <LiteralNumber T>
Column operator>=(const Column& a, T b) {
  return a >= Lit(b);
}

// A text beside an operator is a literal, as in PySpark; a column is written Col("name").
inline Column operator==(const Column& a, const char* b) { return a == Lit(b); }
inline Column operator!=(const Column& a, const char* b) { return a != Lit(b); }
inline Column operator<(const Column& a, const char* b) { return a < Lit(b); }
inline Column operator<=(const Column& a, const char* b) { return a <= Lit(b); }
inline Column operator>(const Column& a, const char* b) { return a > Lit(b); }
inline Column operator>=(const Column& a, const char* b) { return a >= Lit(b); }

}  // namespace millrace
