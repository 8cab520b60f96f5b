#include "logical/node/local_relation.h"

namespace millrace::logical {

PlanPtr LocalRelation::OneRow() {
  Partition one = {arrow::RecordBatch::Make(arrow::schema({}), 1, arrow::ArrayVector{})};
  return std::make_shared<LocalRelation>(AttributeVector{},
                                         std::make_shared<const std::vector<Partition>>(1, std::move(one)));
}

std::string LocalRelation::Describe() const {
  if (!cached_as_.empty()) return "InMemoryRelation " + DescribeAttributes(output()) + cached_as_;
  if (output().empty()) return "OneRowRelation";
  return "LocalRelation " + DescribeAttributes(output());
}

}  // namespace millrace::logical
