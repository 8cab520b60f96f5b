#include "function/aggregate/collected_rows.h"

#include <arrow/array/concatenate.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>

#include "expression/vector.h"
#include "types/arrow_type.h"

namespace millrace::function {

arrow::Status CollectedRows::Add(std::span<const uint32_t> group_ids, const std::shared_ptr<arrow::Array>& values) {
  if (values->null_count() == 0 && values->type_id() != arrow::Type::NA) {
    groups_.insert(groups_.end(), group_ids.begin(), group_ids.end());
    chunks_.push_back(values);
    return arrow::Status::OK();
  }
  arrow::Int64Builder kept(pool_);
  for (size_t i = 0; i < group_ids.size(); ++i) {
    auto row = static_cast<int64_t>(i);
    if (values->IsNull(row)) continue;
    ARROW_RETURN_NOT_OK(kept.Append(row));
    groups_.push_back(group_ids[i]);
  }
  if (kept.length() == 0) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> indices, kept.Finish());
  arrow::compute::ExecContext exec(pool_);
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> taken,
                        arrow::compute::Take(*values, *indices, arrow::compute::TakeOptions::NoBoundsCheck(), &exec));
  chunks_.push_back(std::move(taken));
  return arrow::Status::OK();
}

arrow::Status CollectedRows::AddLists(std::span<const uint32_t> group_ids, const arrow::Array& lists) {
  const auto& list = static_cast<const arrow::ListArray&>(lists);
  if (list.length() == 0) return arrow::Status::OK();
  for (size_t i = 0; i < group_ids.size(); ++i) {
    auto row = static_cast<int64_t>(i);
    groups_.insert(groups_.end(), static_cast<size_t>(list.value_length(row)), group_ids[i]);
  }
  int64_t begin = list.value_offset(0), end = list.value_offset(list.length());
  if (end > begin) chunks_.push_back(list.values()->Slice(begin, end - begin));
  return arrow::Status::OK();
}

arrow::Result<CollectedRows::Grouped> CollectedRows::Group() {
  Grouped grouped;
  auto num_groups = static_cast<size_t>(num_groups_);
  // A stable counting sort by group keeps the order in which values came.
  grouped.offsets.assign(num_groups + 1, 0);
  for (uint32_t group : groups_) ++grouped.offsets[group + 1];
  for (size_t g = 0; g < num_groups; ++g) grouped.offsets[g + 1] += grouped.offsets[g];
  if (groups_.empty()) {
    ARROW_ASSIGN_OR_RAISE(grouped.values, arrow::MakeEmptyArray(types::ToArrow(*type_), pool_));
    return grouped;
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> together, arrow::Concatenate(chunks_, pool_));
  if (num_groups == 1) {
    grouped.values = together;
  } else {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> order,
                          arrow::AllocateBuffer(static_cast<int64_t>(groups_.size() * sizeof(int64_t)), pool_));
    auto* places = reinterpret_cast<int64_t*>(order->mutable_data());
    std::vector<int32_t> next(grouped.offsets.begin(), grouped.offsets.end() - 1);
    for (size_t i = 0; i < groups_.size(); ++i) places[next[groups_[i]]++] = static_cast<int64_t>(i);
    arrow::Int64Array indices(static_cast<int64_t>(groups_.size()), std::move(order));
    arrow::compute::ExecContext exec(pool_);
    ARROW_ASSIGN_OR_RAISE(
        grouped.values, arrow::compute::Take(*together, indices, arrow::compute::TakeOptions::NoBoundsCheck(), &exec));
  }
  return grouped;
}

arrow::Result<std::shared_ptr<arrow::Array>> MakeLists(const types::DataType& list_type,
                                                       const CollectedRows::Grouped& grouped, arrow::MemoryPool* pool) {
  auto bytes = static_cast<int64_t>(grouped.offsets.size() * sizeof(int32_t));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> offsets, arrow::AllocateBuffer(bytes, pool));
  std::memcpy(offsets->mutable_data(), grouped.offsets.data(), static_cast<size_t>(bytes));
  std::shared_ptr<arrow::DataType> type = types::ToArrow(list_type);
  std::shared_ptr<arrow::ArrayData> child = expression::WithType(grouped.values->data(), type->field(0)->type());
  return arrow::MakeArray(arrow::ArrayData::Make(std::move(type), static_cast<int64_t>(grouped.offsets.size()) - 1,
                                                 {nullptr, std::move(offsets)}, {std::move(child)}, 0));
}

arrow::Result<std::shared_ptr<arrow::Array>> CollectedRows::ToLists(const types::DataType& list_type) {
  ARROW_ASSIGN_OR_RAISE(Grouped grouped, Group());
  return MakeLists(list_type, grouped, pool_);
}

}  // namespace millrace::function
