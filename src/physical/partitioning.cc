#include "physical/partitioning.h"

#include <arrow/array.h>

#include "expression/murmur3.h"
#include "physical/rows.h"

namespace millrace::physical {

arrow::Result<HashPartitioning> HashPartitioning::Bind(const expression::ExpressionVector& keys,
                                                       const expression::AttributeVector& input, bool direct) {
  HashPartitioning partitioning;
  ARROW_ASSIGN_OR_RAISE(partitioning.keys_, ExpressionSet::Bind(keys, input));
  for (const auto& key : keys) partitioning.types_.push_back(key->type());
  partitioning.direct_ = direct;
  return partitioning;
}

arrow::Result<std::vector<int32_t>> HashPartitioning::PartitionIds(const expression::EvalContext& context,
                                                                   const std::shared_ptr<arrow::RecordBatch>& batch,
                                                                   int num_partitions) const {
  ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector keys, keys_.Evaluate(context, batch));
  if (direct_) {
    const auto& numbers = static_cast<const arrow::Int32Array&>(*keys[0]);
    std::vector<int32_t> ids(static_cast<size_t>(numbers.length()), 0);
    for (int64_t i = 0; i < numbers.length(); ++i) {
      if (numbers.IsValid(i)) ids[static_cast<size_t>(i)] = expression::Pmod(numbers.Value(i), num_partitions);
    }
    return ids;
  }
  std::vector<int32_t> ids = expression::Murmur3Hash(DataOf(keys), types_, batch->num_rows());
  for (int32_t& id : ids) id = expression::Pmod(id, num_partitions);
  return ids;
}

}  // namespace millrace::physical
