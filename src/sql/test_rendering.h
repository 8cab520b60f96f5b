#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "spark/connect/relations.pb.h"
#include "sql/data_type_proto.h"
#include "sql/expression_tree.h"
#include "sql/plan_conventions.h"

namespace millrace::sql {

// Test only. Writes plan messages as Catalyst writes the trees Spark's own parser makes (Expression.toString), so that
// expectations can be recorded from Spark; quotes before unresolved names are left out on both sides.

inline std::string Render(const Expression& expression);
inline std::string Render(const Expression::SortOrder& order);

template <typename List>
std::string RenderList(const List& list, std::string_view separator = ", ") {
  std::string out;
  for (const auto& item : list) {
    if (!out.empty()) out += separator;
    out += Render(item);
  }
  return out;
}

inline std::string Render(const Expression::SortOrder& order) {
  bool descending = order.direction() == Expression::SortOrder::SORT_DIRECTION_DESCENDING;
  bool nulls_first = order.null_ordering() == Expression::SortOrder::SORT_NULLS_FIRST;
  return Render(order.child()) + (descending ? " DESC" : " ASC") + (nulls_first ? " NULLS FIRST" : " NULLS LAST");
}

inline std::string RenderType(const spark::connect::DataType& proto) {
  auto type = DataTypeFromProto(proto);
  return type.ok() ? (*type)->CatalogString() : proto.ShortDebugString();
}

inline std::string Render(const Expression::Literal& literal) {
  switch (literal.literal_type_case()) {
    case Expression::Literal::kNull:
      return "null";
    case Expression::Literal::kBoolean:
      return literal.boolean() ? "true" : "false";
    case Expression::Literal::kByte:
      return std::to_string(literal.byte());
    case Expression::Literal::kShort:
      return std::to_string(literal.short_());
    case Expression::Literal::kInteger:
      return std::to_string(literal.integer());
    case Expression::Literal::kLong:
      return std::to_string(literal.long_());
    case Expression::Literal::kFloat:
      return fmt::format("{}", literal.float_());
    case Expression::Literal::kDouble:
      return fmt::format("{}", literal.double_());
    case Expression::Literal::kDecimal:
      return literal.decimal().value();
    case Expression::Literal::kString:
      return literal.string();
    case Expression::Literal::kBinary: {
      std::string out = "0x";
      for (unsigned char byte : literal.binary()) out += fmt::format("{:02X}", byte);
      return out;
    }
    case Expression::Literal::kDate:
      return fmt::format("date {}", literal.date());
    case Expression::Literal::kTimestamp:
      return fmt::format("timestamp {}", literal.timestamp());
    case Expression::Literal::kTimestampNtz:
      return fmt::format("timestamp_ntz {}", literal.timestamp_ntz());
    case Expression::Literal::kTime:
      return fmt::format("time {}", literal.time().nano());
    case Expression::Literal::kYearMonthInterval:
      return fmt::format("{} months of {}", literal.year_month_interval(), RenderType(literal.data_type()));
    case Expression::Literal::kDayTimeInterval:
      return fmt::format("{} us of {}", literal.day_time_interval(), RenderType(literal.data_type()));
    default:
      return literal.ShortDebugString();
  }
}

inline std::string RenderFunction(const Expression::UnresolvedFunction& function) {
  const std::string& name = function.function_name();
  const auto& arguments = function.arguments();
  auto argument = [&](int i) { return Render(arguments.Get(i)); };
  auto with = [&](const std::string& more) {
    std::string call = argument(0);
    call.pop_back();
    return call + (call.ends_with('(') ? "" : ", ") + more + ")";
  };
  if (function.is_internal()) {
    if (name == kAggregateFilter) return with(argument(1));
    if (name == kIgnoreNulls) return argument(0);
    if (name == kWithinGroup) {
      std::string orders;
      for (int i = 1; i < arguments.size(); ++i) orders += (i > 1 ? ", " : "") + argument(i);
      return with(orders);
    }
    if (name == kStarExcept) return argument(0);
    return name + "!(" + RenderList(arguments) + ")";
  }
  if (arguments.size() == 2 && name == "div") return fmt::format("({} div {})", argument(0), argument(1));
  if (arguments.size() == 2 && name == "and") return fmt::format("({} AND {})", argument(0), argument(1));
  if (arguments.size() == 2 && name == "or") return fmt::format("({} OR {})", argument(0), argument(1));
  if (arguments.size() == 2 && name.find_first_not_of("+-*/%&|^<>=") == std::string::npos) {
    return fmt::format("({} {} {})", argument(0), name == "==" ? "=" : name, argument(1));
  }
  if (arguments.size() == 1 && (name == "-" || name == "~")) return name + argument(0);
  if (arguments.size() == 1 && name == "+") return "positive(" + argument(0) + ")";
  if (name == "not") return "NOT " + argument(0);
  if (name == "like") {
    std::string like = fmt::format("{} LIKE {}", argument(0), argument(1));
    return arguments.size() == 3 ? like + " ESCAPE " + argument(2) : like;
  }
  if (name == "rlike") return fmt::format("RLIKE({}, {})", argument(0), argument(1));
  if (name == "in") {
    std::string values;
    for (int i = 1; i < arguments.size(); ++i) values += (i > 1 ? "," : "") + argument(i);
    return fmt::format("{} IN ({})", argument(0), values);
  }
  if (name == "when") {
    std::string out = "CASE";
    int i = 0;
    for (; i + 1 < arguments.size(); i += 2) out += fmt::format(" WHEN {} THEN {}", argument(i), argument(i + 1));
    if (i < arguments.size()) out += " ELSE " + argument(i);
    return out + " END";
  }
  return name + "(" + (function.is_distinct() ? "distinct " : "") + RenderList(arguments) + ")";
}

inline std::string RenderBound(const Expression::Window::WindowFrame::FrameBoundary& bound, bool lower) {
  if (bound.current_row()) return "currentrow$()";
  if (bound.unbounded()) return lower ? "unboundedpreceding$()" : "unboundedfollowing$()";
  return Render(bound.value());
}

inline std::string Render(const Expression::Window& window) {
  std::string out = Render(window.window_function()) + " windowspecdefinition(";
  for (const Expression& key : window.partition_spec()) out += Render(key) + ", ";
  for (const Expression::SortOrder& order : window.order_spec()) out += Render(order) + ", ";
  if (!window.has_frame_spec()) return out + "unspecifiedframe$())";
  bool rows = window.frame_spec().frame_type() == Expression::Window::WindowFrame::FRAME_TYPE_ROW;
  return out + fmt::format("specifiedwindowframe({}, {}, {}))", rows ? "RowFrame" : "RangeFrame",
                           RenderBound(window.frame_spec().lower(), true),
                           RenderBound(window.frame_spec().upper(), false));
}

inline std::string Render(const Expression& expression) {
  switch (expression.expr_type_case()) {
    case Expression::kLiteral:
      return Render(expression.literal());
    case Expression::kUnresolvedAttribute:
      return expression.unresolved_attribute().unparsed_identifier();
    case Expression::kUnresolvedFunction:
      return RenderFunction(expression.unresolved_function());
    case Expression::kCallFunction:
      return expression.call_function().function_name() + "(" + RenderList(expression.call_function().arguments()) +
             ")";
    case Expression::kUnresolvedStar: {
      const std::string& target = expression.unresolved_star().unparsed_target();
      return target.empty() ? "*" : target;
    }
    case Expression::kUnresolvedExtractValue:
      return Render(expression.unresolved_extract_value().child()) + "[" +
             Render(expression.unresolved_extract_value().extraction()) + "]";
    case Expression::kAlias: {
      const auto& names = expression.alias().name();
      std::string out = Render(expression.alias().expr()) + " AS ";
      if (names.size() == 1) return out + names.Get(0);
      out += "(";
      for (int i = 0; i < names.size(); ++i) out += (i > 0 ? ", " : "") + names.Get(i);
      return out + ")";
    }
    case Expression::kCast: {
      bool is_try = expression.cast().eval_mode() == Expression::Cast::EVAL_MODE_TRY;
      return fmt::format("{}({} as {})", is_try ? "try_cast" : "cast", Render(expression.cast().expr()),
                         RenderType(expression.cast().type()));
    }
    case Expression::kLambdaFunction: {
      std::string out = "lambdafunction(" + Render(expression.lambda_function().function()) + ", ";
      for (const auto& variable : expression.lambda_function().arguments()) out += variable.name_parts(0) + ", ";
      return out + "false)";
    }
    case Expression::kUnresolvedNamedLambdaVariable:
      return expression.unresolved_named_lambda_variable().name_parts(0);
    case Expression::kNamedArgumentExpression:
      return expression.named_argument_expression().key() + " => " +
             Render(expression.named_argument_expression().value());
    case Expression::kSortOrder:
      return Render(expression.sort_order());
    case Expression::kWindow:
      return Render(expression.window());
    case Expression::kSubqueryExpression: {
      using Subquery = spark::connect::SubqueryExpression;
      const auto& subquery = expression.subquery_expression();
      if (subquery.subquery_type() == Subquery::SUBQUERY_TYPE_SCALAR) return "scalar-subquery []";
      if (subquery.subquery_type() == Subquery::SUBQUERY_TYPE_EXISTS) return "exists []";
      return RenderList(subquery.in_subquery_values()) + " IN (list [])";
    }
    default:
      return "{" + expression.ShortDebugString() + "}";
  }
}

}  // namespace millrace::sql
