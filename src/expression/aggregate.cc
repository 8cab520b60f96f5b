#include "expression/aggregate.h"

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

std::string AggregateCall::Sql(bool pretty) const {
  std::string sql = function_->name() + (distinct_ ? "(DISTINCT " : "(");
  for (int i = 0; i < num_arguments_; ++i) {
    sql += (i > 0 ? ", " : "") + children()[static_cast<size_t>(i)]->Sql(pretty);
  }
  sql += ")";
  if (has_filter_) sql += " FILTER (WHERE " + filter()->Sql(pretty) + ")";
  return sql;
}

}  // namespace millrace::expression
