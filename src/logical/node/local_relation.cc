#include "logical/node/local_relation.h"

namespace millrace::logical {

PlanPtr LocalRelation::OneRow() {
  Partition one = {arrow::RecordBatch::Make(arrow::schema({}), 1, arrow::ArrayVector{})};
  return std::make_shared<LocalRelation>(AttributeVector{},
                                         std::make_shared<const std::vector<Partition>>(1, std::move(one)));
}

std::shared_ptr<LocalRelation> LocalRelation::WithOutput(AttributeVector output) const {
  auto copy = std::make_shared<LocalRelation>(std::move(output), partitions_, cached_as_, rows_, is_streaming());
  copy->reads_ = reads_;
  copy->failure_ = failure_;
  return copy;
}

std::shared_ptr<LocalRelation> LocalRelation::CountReads(std::shared_ptr<std::atomic<int64_t>> reads,
                                                         arrow::Status failure) const {
  std::shared_ptr<LocalRelation> copy = WithOutput(output());
  copy->reads_ = std::move(reads);
  copy->failure_ = std::move(failure);
  return copy;
}

std::string LocalRelation::Describe() const {
  if (!cached_as_.empty()) return "InMemoryRelation " + DescribeAttributes(output()) + cached_as_;
  if (output().empty()) return "OneRowRelation";
  return "LocalRelation " + DescribeAttributes(output());
}

}  // namespace millrace::logical
