#pragma once

#include "physical/planner.h"

namespace millrace::physical {

/// Nodes that change no row: aliases of subqueries, and watermarks where nothing streams.
bool MatchesRenaming(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanRenaming(const logical::PlanPtr& node, const RequiredColumns& required,
                                        Planner& planner);

}  // namespace millrace::physical
