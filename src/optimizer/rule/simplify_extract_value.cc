#include "expression/call.h"
#include "function/extract_value.h"
#include "logical/transform_expressions.h"
#include "optimizer/rule.h"

namespace millrace::optimizer {

// named_struct('a', x, 'b', y).a is x.
arrow::Result<PlanPtr> SimplifyExtractValue(const PlanPtr& plan, const EvalContext&) {
  auto simplify = [](const ExpressionPtr& node) -> ExpressionPtr {
    std::optional<int> ordinal = function::StructFieldOrdinal(*node);
    if (!ordinal.has_value()) return nullptr;
    const ExpressionPtr& made = node->children()[0];
    if (made->kind() != ExpressionKind::kCall) return nullptr;
    const std::string& name = static_cast<const expression::Call&>(*made).name();
    size_t position = static_cast<size_t>(*ordinal);
    // named_struct alternates names and values.
    if (name == "named_struct") {
      position = position * 2 + 1;
    } else if (name != "struct") {
      return nullptr;
    }
    if (position >= made->children().size()) return nullptr;
    const ExpressionPtr& value = made->children()[position];
    for (const ExpressionPtr& other : made->children()) {
      // What is left out must not be missed: an error, or a draw.
      if (other != value && (other->can_fail() || !other->deterministic())) return nullptr;
    }
    return value->type()->Equals(*node->type()) ? value : nullptr;
  };
  return logical::TransformAllExpressions(plan, simplify);
}

}  // namespace millrace::optimizer
