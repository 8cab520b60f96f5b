#include "optimizer/optimizer.h"

#include <array>
#include <span>

#include "optimizer/rule.h"

namespace millrace::optimizer {

namespace {

struct Phase {
  std::span<const Rule> rules;
  /// The rules run in order, over and over, until none changes the plan.
  int max_rounds;
  bool of_counted_rows = false;
};

constexpr std::array kClean = {
    Rule{"EliminateSubqueryAlias", EliminateSubqueryAlias},
};

constexpr std::array kRewrite = {
    Rule{"FoldConstants", FoldConstants},
    Rule{"SimplifyExpressions", SimplifyExpressions},
    Rule{"SimplifyExtractValue", SimplifyExtractValue},
    Rule{"UnwrapCast", UnwrapCast},
    Rule{"CombineFilters", CombineFilters},
    Rule{"EliminateOuterJoin", EliminateOuterJoin},
    Rule{"PushDownFilter", PushDownFilter},
    Rule{"PushJoinCondition", PushJoinCondition},
    Rule{"PushDownSemiJoin", PushDownSemiJoin},
    Rule{"CollapseProjects", CollapseProjects},
    Rule{"CombineLimits", CombineLimits},
    Rule{"RemoveRedundant", RemoveRedundant},
};

constexpr std::array kCompute = {
    Rule{"ComputeLocalRows", ComputeLocalRows},
};

// What it adds goes down as the user's own filters did.
constexpr std::array kInfer = {
    Rule{"InferRowFilters", InferRowFilters},
};

// When filters have gone as far down as they can, and before it is known which columns are read.
constexpr std::array kExtract = {
    Rule{"ExtractPythonUdfs", ExtractPythonUdfs},
};

constexpr std::array kPrune = {
    Rule{"PruneColumns", PruneColumns},
    Rule{"CollapseProjects", CollapseProjects},
    Rule{"RemoveRedundant", RemoveRedundant},
};

// Last, when it is known what is read.
constexpr std::array kNarrow = {
    Rule{"PruneFromJsonFields", PruneFromJsonFields},
    Rule{"OfferFilters", OfferFilters},
    Rule{"PushFilterIntoScan", PushFilterIntoScan},
};

constexpr std::array kPhases = {
    Phase{kClean, 1},
    Phase{kRewrite, 100},
    Phase{kInfer, 1, /*of_counted_rows=*/true},
    Phase{kRewrite, 100, /*of_counted_rows=*/true},
    Phase{kCompute, 1},
    Phase{kExtract, 1},
    Phase{kPrune, 10},
    Phase{kNarrow, 1},
};

}  // namespace

arrow::Result<logical::PlanPtr> Optimize(const logical::PlanPtr& plan, const expression::EvalContext& context) {
  logical::PlanPtr current = plan;
  const bool counts_rows = CountsRows(*plan);
  for (const Phase& phase : kPhases) {
    if (phase.of_counted_rows && !counts_rows) continue;
    for (int round = 0; round < phase.max_rounds; ++round) {
      logical::PlanPtr before = current;
      for (const Rule& rule : phase.rules) {
        ARROW_ASSIGN_OR_RAISE(current, rule.apply(current, context));
      }
      if (current == before) break;
    }
  }
  return current;
}

}  // namespace millrace::optimizer
