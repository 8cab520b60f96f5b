#pragma once

#include "logical/plan.h"

namespace millrace::logical {

enum class JoinType : uint8_t { kInner, kLeftOuter, kRightOuter, kFullOuter, kLeftSemi, kLeftAnti, kCross };
/// "Inner", "LeftOuter": as explain() prints it.
const char* JoinTypeName(JoinType type);

/// Pairs of rows for which `condition` (null: every pair) is true; outer types add unmatched rows with NULLs.
/// Output: left columns then right columns (left only for semi and anti); nullable where the type makes them so.
class Join final : public Plan {
 public:
  Join(JoinType type, ExpressionPtr condition, PlanPtr left, PlanPtr right);
  JoinType type() const { return type_; }
  /// May be null.
  const ExpressionPtr& condition() const { return condition_; }
  const PlanPtr& left() const { return children()[0]; }
  const PlanPtr& right() const { return children()[1]; }
  ExpressionVector expressions() const override;
  PlanPtr WithExpressions(ExpressionVector expressions) const override;
  PlanPtr WithChildren(std::vector<PlanPtr> children) const override {
    return std::make_shared<Join>(type_, condition_, std::move(children[0]), std::move(children[1]));
  }
  std::string Describe() const override;

 private:
  JoinType type_;
  ExpressionPtr condition_;
};

}  // namespace millrace::logical
