#include "logical/node/local_relation.h"

namespace millrace::logical {

PlanPtr LocalRelation::OneRow() {
  Partition one = {arrow::RecordBatch::Make(arrow::schema({}), 1, arrow::ArrayVector{})};
  return std::make_shared<LocalRelation>(AttributeVector{},
                                         std::make_shared<const std::vector<Partition>>(1, std::move(one)));
}

std::shared_ptr<LocalRelation> LocalRelation::WithOutput(AttributeVector output) const {
  auto copy = std::make_shared<LocalRelation>(std::move(output), partitions_, cached_as_, rows_, is_streaming());
  copy->micro_batch_ = micro_batch_;
  return copy;
}

std::shared_ptr<LocalRelation> LocalRelation::Of(AttributeVector output,
                                                 std::shared_ptr<connector::MicroBatchRows> rows, Rows origin) {
  std::shared_ptr<const std::vector<Partition>> held = rows->held();
  if (held == nullptr) held = std::make_shared<const std::vector<Partition>>();
  auto relation = std::make_shared<LocalRelation>(std::move(output), std::move(held), std::string(), origin);
  relation->micro_batch_ = std::move(rows);
  return relation;
}

std::string LocalRelation::Describe() const {
  if (!cached_as_.empty()) return "InMemoryRelation " + DescribeAttributes(output()) + cached_as_;
  if (output().empty()) return "OneRowRelation";
  return "LocalRelation " + DescribeAttributes(output());
}

}  // namespace millrace::logical
