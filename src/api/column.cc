#include "millrace/column.h"

#include "api/message.h"

namespace millrace {

using spark::connect::Expression;

Column::Column(std::string_view name) {
  auto message = std::make_shared<Expression>();
  if (name == "*") {
    message->mutable_unresolved_star();
  } else if (name.ends_with(".*")) {
    message->mutable_unresolved_star()->set_unparsed_target(std::string(name));
  } else {
    message->mutable_unresolved_attribute()->set_unparsed_identifier(std::string(name));
  }
  message_ = std::move(message);
}

Column Column::As(std::string_view alias) const {
  auto message = std::make_shared<Expression>();
  *message->mutable_alias()->mutable_expr() = *message_;
  message->mutable_alias()->add_name(std::string(alias));
  return Column(std::move(message));
}

namespace {

Column MakeCast(const Expression& child, std::string_view type, Expression::Cast::EvalMode mode) {
  auto message = std::make_shared<Expression>();
  *message->mutable_cast()->mutable_expr() = child;
  message->mutable_cast()->set_type_str(std::string(type));
  message->mutable_cast()->set_eval_mode(mode);
  return Column(std::move(message));
}

Column MakeSortOrder(const Expression& child, Expression::SortOrder::SortDirection direction,
                     Expression::SortOrder::NullOrdering nulls) {
  auto message = std::make_shared<Expression>();
  *message->mutable_sort_order()->mutable_child() = child;
  message->mutable_sort_order()->set_direction(direction);
  message->mutable_sort_order()->set_null_ordering(nulls);
  return Column(std::move(message));
}

template <typename Set>
Column MakeLiteral(Set&& set) {
  auto message = std::make_shared<Expression>();
  set(message->mutable_literal());
  return Column(std::move(message));
}

}  // namespace

Column Column::Cast(std::string_view type) const {
  return MakeCast(*message_, type, Expression::Cast::EVAL_MODE_UNSPECIFIED);
}
Column Column::TryCast(std::string_view type) const {
  return MakeCast(*message_, type, Expression::Cast::EVAL_MODE_TRY);
}

Column Column::EqualTo(const ColumnOrLiteral& other) const { return *this == other.column(); }
Column Column::NotEqualTo(const ColumnOrLiteral& other) const { return *this != other.column(); }
Column Column::EqNullSafe(const ColumnOrLiteral& other) const {
  return functions::Call("<=>", {*this, other.column()});
}
Column Column::IsNull() const { return functions::Call("isnull", {*this}); }
Column Column::IsNotNull() const { return functions::Call("isnotnull", {*this}); }
Column Column::IsNaN() const { return functions::Call("isnan", {*this}); }
Column Column::IsIn(const std::vector<ColumnOrLiteral>& values) const {
  std::vector<Column> arguments = {*this};
  for (const ColumnOrLiteral& value : values) arguments.push_back(value.column());
  return functions::Call("in", arguments);
}
Column Column::Between(const ColumnOrLiteral& low, const ColumnOrLiteral& high) const {
  return (*this >= low.column()) && (*this <= high.column());
}
Column Column::Like(std::string_view pattern) const { return functions::Call("like", {*this, Lit(pattern)}); }
Column Column::ILike(std::string_view pattern) const { return functions::Call("ilike", {*this, Lit(pattern)}); }
Column Column::RLike(std::string_view pattern) const { return functions::Call("rlike", {*this, Lit(pattern)}); }
Column Column::Contains(const ColumnOrLiteral& other) const {
  return functions::Call("contains", {*this, other.column()});
}
Column Column::StartsWith(const ColumnOrLiteral& other) const {
  return functions::Call("startswith", {*this, other.column()});
}
Column Column::EndsWith(const ColumnOrLiteral& other) const {
  return functions::Call("endswith", {*this, other.column()});
}
Column Column::BitwiseAnd(const ColumnOrLiteral& other) const { return functions::Call("&", {*this, other.column()}); }
Column Column::BitwiseOr(const ColumnOrLiteral& other) const { return functions::Call("|", {*this, other.column()}); }
Column Column::BitwiseXor(const ColumnOrLiteral& other) const { return functions::Call("^", {*this, other.column()}); }
Column Column::Substr(int32_t start, int32_t length) const {
  return functions::Call("substr", {*this, Lit(start), Lit(length)});
}

Column Column::GetField(std::string_view name) const { return GetItem(name); }
Column Column::GetItem(const ColumnOrLiteral& key) const {
  auto message = std::make_shared<Expression>();
  *message->mutable_unresolved_extract_value()->mutable_child() = *message_;
  *message->mutable_unresolved_extract_value()->mutable_extraction() = key.column().message();
  return Column(std::move(message));
}

Column Column::WithField(std::string_view name, const Column& value) const {
  auto message = std::make_shared<Expression>();
  *message->mutable_update_fields()->mutable_struct_expression() = *message_;
  message->mutable_update_fields()->set_field_name(std::string(name));
  *message->mutable_update_fields()->mutable_value_expression() = value.message();
  return Column(std::move(message));
}

Column Column::DropField(std::string_view name) const {
  auto message = std::make_shared<Expression>();
  *message->mutable_update_fields()->mutable_struct_expression() = *message_;
  message->mutable_update_fields()->set_field_name(std::string(name));
  return Column(std::move(message));
}

Column Column::Asc() const {
  return MakeSortOrder(*message_, Expression::SortOrder::SORT_DIRECTION_ASCENDING,
                       Expression::SortOrder::SORT_NULLS_FIRST);
}
Column Column::Desc() const {
  return MakeSortOrder(*message_, Expression::SortOrder::SORT_DIRECTION_DESCENDING,
                       Expression::SortOrder::SORT_NULLS_LAST);
}
Column Column::AscNullsLast() const {
  return MakeSortOrder(*message_, Expression::SortOrder::SORT_DIRECTION_ASCENDING,
                       Expression::SortOrder::SORT_NULLS_LAST);
}
Column Column::DescNullsFirst() const {
  return MakeSortOrder(*message_, Expression::SortOrder::SORT_DIRECTION_DESCENDING,
                       Expression::SortOrder::SORT_NULLS_FIRST);
}

namespace {

// A CASE so far, with two more (or, for ELSE, one more) arguments.
Column ExtendCase(const Expression& so_far, const std::vector<Column>& more) {
  auto message = std::make_shared<Expression>(so_far);
  auto* call = message->mutable_unresolved_function();
  call->set_function_name("when");
  for (const Column& one : more) *call->add_arguments() = one.message();
  return Column(std::move(message));
}

}  // namespace

Column Column::When(const Column& condition, const ColumnOrLiteral& value) const {
  return ExtendCase(*message_, {condition, value.column()});
}
Column Column::Otherwise(const ColumnOrLiteral& value) const { return ExtendCase(*message_, {value.column()}); }

Column Lit(int32_t value) {
  return MakeLiteral([&](Expression::Literal* literal) { literal->set_integer(value); });
}
Column Lit(int64_t value) {
  return MakeLiteral([&](Expression::Literal* literal) { literal->set_long_(value); });
}
Column Lit(double value) {
  return MakeLiteral([&](Expression::Literal* literal) { literal->set_double_(value); });
}
Column Lit(bool value) {
  return MakeLiteral([&](Expression::Literal* literal) { literal->set_boolean(value); });
}
Column Lit(std::string_view value) {
  return MakeLiteral([&](Expression::Literal* literal) { literal->set_string(std::string(value)); });
}
Column LitNull() {
  return MakeLiteral([&](Expression::Literal* literal) { literal->mutable_null()->mutable_null(); });
}

Column operator+(const Column& a, const Column& b) { return functions::Call("+", {a, b}); }
Column operator-(const Column& a, const Column& b) { return functions::Call("-", {a, b}); }
Column operator*(const Column& a, const Column& b) { return functions::Call("*", {a, b}); }
Column operator/(const Column& a, const Column& b) { return functions::Call("/", {a, b}); }
Column operator%(const Column& a, const Column& b) { return functions::Call("%", {a, b}); }
Column operator-(const Column& a) { return functions::Call("-", {a}); }
Column operator==(const Column& a, const Column& b) { return functions::Call("==", {a, b}); }
Column operator!=(const Column& a, const Column& b) { return functions::Call("not", {a == b}); }
Column operator<(const Column& a, const Column& b) { return functions::Call("<", {a, b}); }
Column operator<=(const Column& a, const Column& b) { return functions::Call("<=", {a, b}); }
Column operator>(const Column& a, const Column& b) { return functions::Call(">", {a, b}); }
Column operator>=(const Column& a, const Column& b) { return functions::Call(">=", {a, b}); }
Column operator&&(const Column& a, const Column& b) { return functions::Call("and", {a, b}); }
Column operator||(const Column& a, const Column& b) { return functions::Call("or", {a, b}); }
Column operator!(const Column& a) { return functions::Call("not", {a}); }

}  // namespace millrace
