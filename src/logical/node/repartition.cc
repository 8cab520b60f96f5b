#include "logical/node/repartition.h"

namespace millrace::logical {

std::string Repartition::Describe() const {
  if (keys_.empty()) return fmt::format("Repartition {}, {}", num_partitions_, shuffle_);
  if (num_partitions_ == 0) return "RepartitionByExpression " + DescribeExpressions(keys_);
  return fmt::format("RepartitionByExpression {}, {}", DescribeExpressions(keys_), num_partitions_);
}

}  // namespace millrace::logical
