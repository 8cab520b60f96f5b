#pragma once

#include "logical/plan.h"

namespace millrace::logical {

/// Gives the child's columns a qualifier: `FROM t AS x`, df.alias("x"), temp views. Same ids; the optimiser drops it.
class SubqueryAlias final : public Plan {
 public:
  SubqueryAlias(std::vector<std::string> name, PlanPtr child);
  const std::vector<std::string>& name() const { return name_; }
  PlanPtr WithChildren(std::vector<PlanPtr> children) const override {
    return std::make_shared<SubqueryAlias>(name_, std::move(children[0]));
  }
  std::string Describe() const override;

 private:
  std::vector<std::string> name_;
};

}  // namespace millrace::logical
