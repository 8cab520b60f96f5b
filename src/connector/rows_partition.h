#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <memory>
#include <vector>

#include "connector/source.h"

namespace millrace::connector {

/// A partition whose rows are in memory already; the batches hold the columns asked for.
class RowsPartition final : public InputPartition {
 public:
  explicit RowsPartition(std::vector<std::shared_ptr<arrow::RecordBatch>> rows) : rows_(std::move(rows)) {}

  arrow::Result<std::unique_ptr<BatchReader>> Open(arrow::MemoryPool*) const override {
    return std::make_unique<Reader>(&rows_);
  }

 private:
  class Reader final : public BatchReader {
   public:
    explicit Reader(const std::vector<std::shared_ptr<arrow::RecordBatch>>* rows) : rows_(rows) {}
    arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
      while (next_ < rows_->size()) {
        const auto& batch = (*rows_)[next_++];
        if (batch->num_rows() > 0) return batch;
      }
      return nullptr;
    }

   private:
    const std::vector<std::shared_ptr<arrow::RecordBatch>>* rows_;
    size_t next_ = 0;
  };

  std::vector<std::shared_ptr<arrow::RecordBatch>> rows_;
};

}  // namespace millrace::connector
