#include "logical/node/union.h"

namespace millrace::logical {

Union::Union(AttributeVector output, std::vector<PlanPtr> children)
    : Plan(NodeKind::kUnion, std::move(children), std::move(output)) {}

}  // namespace millrace::logical
