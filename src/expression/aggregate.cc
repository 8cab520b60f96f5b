#include "expression/aggregate.h"

#include <string_view>

#include "expression/node.h"

namespace millrace::expression {

namespace {

ExpressionVector WithFilter(ExpressionVector arguments, const ExpressionPtr& filter) {
  if (filter != nullptr) arguments.push_back(filter);
  return arguments;
}

}  // namespace

AggregateCall::AggregateCall(std::shared_ptr<const AggregateFunction> function, ExpressionVector arguments,
                             bool distinct, ExpressionPtr filter)
    : Expression(ExpressionKind::kAggregateCall, function->result_type(), function->result_nullable(),
                 WithFilter(arguments, filter)),
      function_(std::move(function)),
      distinct_(distinct),
      has_filter_(filter != nullptr),
      num_arguments_(static_cast<int>(arguments.size())) {}

ExpressionPtr AggregateCall::WithChildren(ExpressionVector children) const {
  ExpressionPtr filter;
  if (has_filter_) {
    filter = std::move(children.back());
    children.pop_back();
  }
  return std::make_shared<AggregateCall>(function_, std::move(children), distinct_, std::move(filter));
}

namespace {

// Arguments of aggregates with an order of their own, as function/aggregate/within_group.h makes them.
std::string WithinGroupSql(const AggregateCall& call, bool pretty) {
  const std::string& name = call.function()->name();
  auto text = [&](size_t i) { return call.children()[i]->Sql(pretty); };
  auto constant = [&](size_t i) { return static_cast<const Literal&>(*call.children()[i]).value(); };
  auto is_true = [&](size_t i) { return static_cast<const arrow::BooleanScalar&>(*constant(i)).value; };
  std::string_view down = " DESC";
  if (name == "mode") return "mode() WITHIN GROUP (ORDER BY " + text(0) + std::string(is_true(1) ? down : "") + ")";
  if (name != "listagg") {
    return name + "(" + text(1) + ") WITHIN GROUP (ORDER BY " + text(0) + std::string(is_true(2) ? "" : down) + ")";
  }
  // A row of keys and the text; two letters a key.
  const ExpressionVector& row = call.children()[0]->children();
  std::string letters(static_cast<const arrow::BaseBinaryScalar&>(*constant(2)).view());
  std::string orders;
  for (size_t i = 0; 2 * i < letters.size(); ++i) {
    orders += (i > 0 ? ", " : "") + row[i]->Sql(pretty) + (letters[2 * i] == 'a' ? " ASC" : " DESC") +
              (letters[2 * i + 1] == 'f' ? " NULLS FIRST" : " NULLS LAST");
  }
  return std::string(is_true(3) ? "listagg(DISTINCT " : "listagg(") + row.back()->Sql(pretty) + ", " + text(1) +
         ") WITHIN GROUP (ORDER BY " + orders + ")";
}

bool StandsWithinGroup(const AggregateCall& call) {
  const std::string& name = call.function()->name();
  return (name == "mode" && call.num_arguments() == 2) || (name == "listagg" && call.num_arguments() == 4) ||
         name == "percentile_cont" || name == "percentile_disc";
}

}  // namespace

std::string AggregateCall::Sql(bool pretty) const {
  if (StandsWithinGroup(*this)) {
    return WithinGroupSql(*this, pretty) + (has_filter_ ? " FILTER (WHERE " + filter()->Sql(pretty) + ")" : "");
  }
  std::string sql = function_->name() + (distinct_ ? "(DISTINCT " : "(");
  for (int i = 0; i < num_arguments_; ++i) {
    sql += (i > 0 ? ", " : "") + children()[static_cast<size_t>(i)]->Sql(pretty);
  }
  sql += ")";
  if (has_filter_) sql += " FILTER (WHERE " + filter()->Sql(pretty) + ")";
  return sql;
}

}  // namespace millrace::expression
