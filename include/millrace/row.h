#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace millrace {

/// One row of a result: a view into a shared batch. Cheap to copy.
class Row {
 public:
  Row(std::shared_ptr<arrow::RecordBatch> batch, int64_t index) : batch_(std::move(batch)), index_(index) {}

  int num_columns() const { return batch_->num_columns(); }
  bool IsNull(int column) const;
  /// Errors: KeyError for an unknown name, TypeError for another type, Invalid for NULL.
  arrow::Result<std::string> GetString(std::string_view column) const;
  arrow::Result<int64_t> GetInt64(std::string_view column) const;
  arrow::Result<double> GetDouble(std::string_view column) const;
  arrow::Result<bool> GetBool(std::string_view column) const;
  /// Microseconds since 1970 UTC of a timestamp.
  arrow::Result<int64_t> GetTimestampMicros(std::string_view column) const;

  /// "Row(visit_id='1_0', event_time='2024-01-01 01:00:00', page='home')"; times in UTC.
  std::string ToString() const;

  const std::shared_ptr<arrow::RecordBatch>& batch() const { return batch_; }
  int64_t index() const { return index_; }

 private:
  arrow::Result<int> Find(std::string_view column) const;
  std::shared_ptr<arrow::RecordBatch> batch_;
  int64_t index_;
};

}  // namespace millrace
