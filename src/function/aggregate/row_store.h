#pragma once

#include <arrow/array.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace millrace::function {

/// One value of any type a group, held as a reference into the batch it came from. A batch is let go when its values
/// have been replaced or copied together, which happens every few batches.
class RowStore {
 public:
  RowStore(std::shared_ptr<arrow::DataType> type, arrow::MemoryPool* pool) : type_(std::move(type)), pool_(pool) {}

  void Resize(int64_t num_groups) { places_.resize(static_cast<size_t>(num_groups)); }
  size_t size() const { return places_.size(); }

  /// Announces the array that Set refers to. Must be called before them, once a batch.
  arrow::Status Begin(const std::shared_ptr<arrow::Array>& array);
  void Set(size_t group, int64_t row) { places_[group] = {static_cast<int32_t>(chunks_.size() - 1), row}; }
  /// True when the group has a row, NULL or not.
  bool Has(size_t group) const { return places_[group].chunk >= 0; }
  const arrow::ArrayData& Data(size_t group) const {
    return *chunks_[static_cast<size_t>(places_[group].chunk)]->data();
  }
  int64_t Row(size_t group) const { return places_[group].row; }
  bool IsNull(size_t group) const {
    return !Has(group) || chunks_[static_cast<size_t>(places_[group].chunk)]->IsNull(places_[group].row);
  }

  /// One value a group; NULL where there is none.
  arrow::Result<std::shared_ptr<arrow::Array>> ToArray();

 private:
  struct Place {
    int32_t chunk = -1;
    int64_t row = 0;
  };
  std::shared_ptr<arrow::DataType> type_;
  arrow::MemoryPool* pool_;
  std::vector<Place> places_;
  arrow::ArrayVector chunks_;
};

}  // namespace millrace::function
