#include "logical/node/deduplicate.h"

namespace millrace::logical {

PlanPtr Deduplicate::WithExpressions(ExpressionVector expressions) const {
  AttributeVector keys;
  for (ExpressionPtr& key : expressions) keys.push_back(expression::ToAttribute(key));
  return std::make_shared<Deduplicate>(std::move(keys), within_watermark_, child());
}

std::string Deduplicate::Describe() const {
  return (within_watermark_ ? "DeduplicateWithinWatermark " : "Deduplicate ") + DescribeAttributes(keys_);
}

}  // namespace millrace::logical
