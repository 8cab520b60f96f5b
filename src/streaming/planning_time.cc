#include "streaming/planning_time.h"

#include "base/ascii.h"
#include "expression/call.h"

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

ExpressionPtr AtPlanningTime(const Call& call, const PlanningTime& time) {
  auto info = std::make_shared<CallInfo>(call.info());
  info->kernel = [kernel = call.info().kernel, time](const EvalContext& context,
                                                     const std::vector<arrow::Datum>& arguments, int64_t num_rows) {
    EvalContext planned = context;
    planned.current_timestamp_us = time->load(std::memory_order_relaxed);
    return kernel(planned, arguments, num_rows);
  };
  return std::make_shared<Call>(std::move(info), call.type(), call.nullable(), call.children());
}

}  // namespace

logical::PlanPtr WithPlanningTime(const logical::PlanPtr& plan, const PlanningTime& time) {
  auto replace = [&](const ExpressionPtr& node) -> ExpressionPtr {
    return ReadsPlanningTime(*node) ? AtPlanningTime(static_cast<const Call&>(*node), time) : nullptr;
  };
  return logical::TransformUp(plan, [&](const logical::PlanPtr& node) {
    return logical::MapExpressions(node,
                                   [&](const ExpressionPtr& root) { return expression::Transform(root, replace); });
  });
}

}  // namespace millrace::streaming
