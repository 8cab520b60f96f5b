#pragma once

#include "logical/node/join.h"
#include "physical/planner.h"

namespace millrace::physical {

/// A join condition taken apart: pairs of equal expressions of left and right, and the rest.
struct JoinCondition {
  expression::ExpressionVector left_keys;
  expression::ExpressionVector right_keys;
  /// By key: written with <=>.
  std::vector<bool> null_safe;
  /// Null: nothing more.
  expression::ExpressionPtr residual;
};
JoinCondition SplitJoinCondition(const logical::Join& join);

/// Chooses the side to build and binds everything to what the children give.
arrow::Result<OperatorPtr> MakeHashJoin(const logical::Join& join, const JoinCondition& condition,
                                        const RequiredColumns& required, OperatorPtr left, OperatorPtr right);

}  // namespace millrace::physical
