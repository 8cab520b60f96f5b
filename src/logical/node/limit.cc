#include "logical/node/limit.h"

namespace millrace::logical {

Limit::Limit(std::optional<int64_t> limit, int64_t offset, bool tail, PlanPtr child)
    : Plan(NodeKind::kLimit, {child}, child->output()), limit_(limit), offset_(offset), tail_(tail) {}

std::string Limit::Describe() const {
  if (tail_) return fmt::format("Tail {}", limit_.value_or(0));
  if (!limit_.has_value()) return fmt::format("Offset {}", offset_);
  if (offset_ == 0) return fmt::format("GlobalLimit {}", *limit_);
  return fmt::format("GlobalLimit {}, Offset {}", *limit_, offset_);
}

}  // namespace millrace::logical
