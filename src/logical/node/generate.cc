#include "logical/node/generate.h"

namespace millrace::logical {

namespace {

AttributeVector Concatenated(AttributeVector columns, const AttributeVector& generated) {
  columns.insert(columns.end(), generated.begin(), generated.end());
  return columns;
}

}  // namespace

Generate::Generate(ExpressionPtr generator, bool outer, AttributeVector generated, PlanPtr child)
    : Plan(NodeKind::kGenerate, {child}, Concatenated(child->output(), generated)),
      generator_(std::move(generator)),
      outer_(outer),
      generated_(std::move(generated)) {}

std::string Generate::Describe() const {
  return fmt::format("Generate {}, {}, {}", DescribeExpression(generator_), outer_, DescribeAttributes(generated_));
}

}  // namespace millrace::logical
