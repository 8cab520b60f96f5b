#include "function/aggregate/row_store.h"

#include <arrow/array/concatenate.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>

namespace millrace::function {

namespace {
constexpr size_t kMaxChunks = 16;
}

arrow::Status RowStore::Begin(const std::shared_ptr<arrow::Array>& array) {
  if (chunks_.size() >= kMaxChunks) {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> together, ToArray());
    for (size_t group = 0; group < places_.size(); ++group) {
      if (Has(group)) places_[group] = {0, static_cast<int64_t>(group)};
    }
    chunks_ = {std::move(together)};
  }
  chunks_.push_back(array);
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<arrow::Array>> RowStore::ToArray() {
  if (chunks_.empty()) return arrow::MakeArrayOfNull(type_, static_cast<int64_t>(places_.size()), pool_);
  std::vector<int64_t> starts(chunks_.size());
  int64_t total = 0;
  for (size_t i = 0; i < chunks_.size(); ++i) {
    starts[i] = total;
    total += chunks_[i]->length();
  }
  arrow::Int64Builder indices(pool_);
  ARROW_RETURN_NOT_OK(indices.Reserve(static_cast<int64_t>(places_.size())));
  for (const Place& place : places_) {
    if (place.chunk < 0) {
      indices.UnsafeAppendNull();
    } else {
      indices.UnsafeAppend(starts[static_cast<size_t>(place.chunk)] + place.row);
    }
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> rows, indices.Finish());
  std::shared_ptr<arrow::Array> values = chunks_[0];
  if (chunks_.size() > 1) {
    ARROW_ASSIGN_OR_RAISE(values, arrow::Concatenate(chunks_, pool_));
  }
  arrow::compute::ExecContext exec(pool_);
  return arrow::compute::Take(*values, *rows, arrow::compute::TakeOptions::NoBoundsCheck(), &exec);
}

}  // namespace millrace::function
