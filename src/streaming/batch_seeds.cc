#include "streaming/batch_seeds.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "expression/node.h"
#include "logical/transform_expressions.h"
#include "streaming/call_context.h"

namespace millrace::streaming {

namespace {

using expression::ExpressionPtr;

bool DrawsNumbers(const expression::Expression& node) {
  if (node.kind() != expression::ExpressionKind::kCall) return false;
  static constexpr std::array<std::string_view, 6> kNames = {"rand", "random", "randn", "uuid", "shuffle", "randstr"};
  const std::string& name = static_cast<const expression::Call&>(node).name();
  return std::any_of(kNames.begin(), kNames.end(), [&](std::string_view one) { return EqualsIgnoreCase(one, name); });
}

// The kernels add the partition's index to their seed: those of a micro-batch are as if they came after all before.
ExpressionPtr Shifted(const expression::Call& call, const RunningBatch& batch) {
  return InChangedContext(call, [batch](expression::EvalContext* context) {
    constexpr uint64_t kFarApart = 0x9e3779b1;  // partitions' indices lie side by side
    auto number = static_cast<uint64_t>(batch->load(std::memory_order_relaxed));
    context->partition_index = static_cast<int32_t>(static_cast<uint32_t>(context->partition_index) +
                                                    static_cast<uint32_t>(number * kFarApart));
  });
}

}  // namespace

logical::PlanPtr WithSeedsOfBatch(const logical::PlanPtr& plan, const RunningBatch& batch) {
  return logical::TransformAllExpressions(plan, [&](const ExpressionPtr& node) -> ExpressionPtr {
    return DrawsNumbers(*node) ? Shifted(static_cast<const expression::Call&>(*node), batch) : nullptr;
  });
}

}  // namespace millrace::streaming
