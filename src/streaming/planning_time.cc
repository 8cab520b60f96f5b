#include "streaming/planning_time.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/error.h"
#include "expression/aggregate.h"
#include "expression/call.h"
#include "expression/node.h"
#include "logical/transform_expressions.h"
#include "streaming/call_context.h"

namespace millrace::streaming {

namespace {

using expression::Call;
using expression::CallInfo;
using expression::EvalContext;
using expression::ExpressionPtr;

bool ReadsPlanningTime(const expression::Expression& node) {
  if (node.kind() != expression::ExpressionKind::kCall) return false;
  const std::string& name = static_cast<const Call&>(node).name();
  return EqualsIgnoreCase(name, "now") || name == "current_time";
}

bool ReadsBatchTime(const expression::Expression& node) {
  if (node.kind() != expression::ExpressionKind::kCall || !node.children().empty()) return false;
  static constexpr std::array<std::string_view, 5> kNames = {"current_timestamp", "localtimestamp", "current_date",
                                                             "curdate", "unix_timestamp"};
  const std::string& name = static_cast<const Call&>(node).name();
  return std::any_of(kNames.begin(), kNames.end(), [&](std::string_view one) { return EqualsIgnoreCase(one, name); });
}

ExpressionPtr WithDeterminism(const Call& call, bool deterministic) {
  auto info = std::make_shared<CallInfo>(call.info());
  info->deterministic = deterministic;
  return std::make_shared<Call>(std::move(info), call.type(), call.nullable(), call.children());
}

ExpressionPtr AtPlanningTime(const Call& call, const PlanningTime& time) {
  return InChangedContext(
      call, [time](EvalContext* context) { context->current_timestamp_us = time->load(std::memory_order_relaxed); });
}

// As Spark shows it: a call of the time of the batch, below what asks for it.
ExpressionPtr ShownBatchTime(const ExpressionPtr& node) {
  if (!ReadsBatchTime(*node)) return nullptr;
  const auto& call = static_cast<const Call&>(*node);
  bool seconds = EqualsIgnoreCase(call.name(), "unix_timestamp");
  auto info = std::make_shared<CallInfo>(call.info());
  info->name = "current_batch_timestamp";
  ExpressionPtr time = std::make_shared<Call>(std::move(info), call.type(), call.nullable(), call.children());
  if (!seconds) return time;
  expression::ExpressionVector arguments{std::move(time), expression::Literal::String("yyyy-MM-dd HH:mm:ss")};
  return std::make_shared<Call>(std::make_shared<CallInfo>(call.info()), call.type(), call.nullable(),
                                std::move(arguments));
}

// Of an aggregate only what it takes counts, not its FILTER.
arrow::Status CheckAggregated(const ExpressionPtr& value) {
  if (value->kind() != expression::ExpressionKind::kAggregateCall) {
    for (const ExpressionPtr& child : value->children()) ARROW_RETURN_NOT_OK(CheckAggregated(child));
    return arrow::Status::OK();
  }
  const auto& call = static_cast<const expression::AggregateCall&>(*value);
  bool fixed = std::all_of(call.children().begin(), call.children().begin() + call.num_arguments(),
                           [](const ExpressionPtr& one) { return one->deterministic(); });
  if (fixed) return arrow::Status::OK();
  ExpressionPtr shown = expression::Transform(value, ShownBatchTime);
  return UserError("AGGREGATE_FUNCTION_WITH_NONDETERMINISTIC_EXPRESSION",
                   {{"sqlExpr", QuoteSqlExpression(shown->Sql(true))}});
}

}  // namespace

bool AsksForCurrentTime(const expression::Expression& node) {
  if (ReadsBatchTime(node)) return true;
  return node.kind() == expression::ExpressionKind::kCall &&
         EqualsIgnoreCase(static_cast<const Call&>(node).name(), "now");
}

arrow::Status CheckAggregatedTimes(const logical::PlanPtr& plan) {
  arrow::Status status;
  logical::VisitPlan(*plan, [&](const logical::Plan& node) {
    if (node.kind() != logical::NodeKind::kAggregate) return;
    for (const ExpressionPtr& value : node.expressions()) {
      if (status.ok()) status = CheckAggregated(value);
    }
  });
  return status;
}

logical::PlanPtr WithPlanningTime(const logical::PlanPtr& plan, const PlanningTime& time) {
  return logical::TransformAllExpressions(plan, [&](const ExpressionPtr& node) -> ExpressionPtr {
    if (ReadsBatchTime(*node)) return WithDeterminism(static_cast<const Call&>(*node), false);
    return ReadsPlanningTime(*node) ? AtPlanningTime(static_cast<const Call&>(*node), time) : nullptr;
  });
}

logical::PlanPtr WithBatchTimeKnown(const logical::PlanPtr& plan) {
  return logical::TransformAllExpressions(plan, [](const ExpressionPtr& node) -> ExpressionPtr {
    return ReadsBatchTime(*node) ? WithDeterminism(static_cast<const Call&>(*node), true) : nullptr;
  });
}

}  // namespace millrace::streaming
