#pragma once

#include <optional>

#include "logical/plan.h"

namespace millrace::logical {

/// At most `limit` rows after skipping `offset` rows; with `tail`, the last `limit` rows.
class Limit final : public Plan {
 public:
  Limit(std::optional<int64_t> limit, int64_t offset, bool tail, PlanPtr child);
  const std::optional<int64_t>& limit() const { return limit_; }
  int64_t offset() const { return offset_; }
  bool tail() const { return tail_; }
  PlanPtr WithChildren(std::vector<PlanPtr> children) const override {
    return std::make_shared<Limit>(limit_, offset_, tail_, std::move(children[0]));
  }
  std::string Describe() const override;

 private:
  std::optional<int64_t> limit_;
  int64_t offset_;
  bool tail_;
};

}  // namespace millrace::logical
