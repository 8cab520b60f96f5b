#pragma once

#include <arrow/array.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "types/data_type.h"

namespace millrace::function {

/// Values of one column gathered by group, in the order they came: what collect_list, percentiles and listagg hold.
/// Confined to one task.
class CollectedRows {
 public:
  CollectedRows(types::DataTypePtr type, arrow::MemoryPool* pool) : type_(std::move(type)), pool_(pool) {}

  void Resize(int64_t num_groups) { num_groups_ = num_groups; }
  int64_t num_groups() const { return num_groups_; }

  /// Takes the values that are not NULL; row i goes to group `group_ids[i]`.
  arrow::Status Add(std::span<const uint32_t> group_ids, const std::shared_ptr<arrow::Array>& values);
  /// Takes arrays of values: row i's elements go to group `group_ids[i]`.
  arrow::Status AddLists(std::span<const uint32_t> group_ids, const arrow::Array& lists);

  /// The values of all groups, group after group, and where each group begins (num_groups + 1 offsets).
  struct Grouped {
    std::shared_ptr<arrow::Array> values;
    std::vector<int32_t> offsets;
  };
  arrow::Result<Grouped> Group();
  /// The same as a column of arrays (Arrow form of ARRAY<type>, elements nullable as `list_type` says).
  arrow::Result<std::shared_ptr<arrow::Array>> ToLists(const types::DataType& list_type);

 private:
  types::DataTypePtr type_;
  arrow::MemoryPool* pool_;
  int64_t num_groups_ = 0;
  arrow::ArrayVector chunks_;
  /// Of each value in the chunks, in order.
  std::vector<uint32_t> groups_;
};

/// A column of lists over `grouped`.
arrow::Result<std::shared_ptr<arrow::Array>> MakeLists(const types::DataType& list_type,
                                                       const CollectedRows::Grouped& grouped, arrow::MemoryPool* pool);

}  // namespace millrace::function
