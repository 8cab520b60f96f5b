#pragma once

#include <span>
#include <string_view>

#include "physical/planner.h"

namespace millrace::physical {

/// How one kind of operator gets into a plan.
struct OperatorRule {
  std::string_view name;
  bool (*matches)(const logical::Plan& node);
  arrow::Result<OperatorPtr> (*plan)(const logical::PlanPtr& node, const RequiredColumns& required, Planner& planner);
};

/// All rules; the first that matches a node plans it.
std::span<const OperatorRule> OperatorRules();

}  // namespace millrace::physical
