#include "connector/rate/counting_rows.h"

#include <arrow/builder.h>

#include <algorithm>
#include <cmath>

#include "types/arrow_type.h"

namespace millrace::connector {

namespace {

constexpr int64_t kRowsPerBatch = 16384;

class CountingReader final : public BatchReader {
 public:
  CountingReader(const CountingRange& range, int64_t first, int64_t step, const ReadColumns& columns,
                 arrow::MemoryPool* pool)
      : range_(range), next_(first), step_(step), columns_(columns), pool_(pool) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (next_ >= range_.end) return nullptr;
    int64_t num_rows = std::min(kRowsPerBatch, (range_.end - next_ + step_ - 1) / step_);
    arrow::TimestampBuilder timestamps(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), pool_);
    arrow::Int64Builder values(pool_);
    ARROW_RETURN_NOT_OK(timestamps.Reserve(num_rows));
    ARROW_RETURN_NOT_OK(values.Reserve(num_rows));
    for (int64_t i = 0; i < num_rows; ++i, next_ += step_) {
      double relative = static_cast<double>(next_ - range_.begin) * range_.ms_per_value;
      // Java's Math.round: half goes up.
      auto relative_ms = static_cast<int64_t>(std::floor(relative + 0.5));
      timestamps.UnsafeAppend((range_.start_ms + relative_ms) * 1000);
      values.UnsafeAppend(next_);
    }
    std::shared_ptr<arrow::Array> arrays[2];
    ARROW_ASSIGN_OR_RAISE(arrays[0], timestamps.Finish());
    ARROW_ASSIGN_OR_RAISE(arrays[1], values.Finish());
    auto rows = arrow::RecordBatch::Make(types::ToArrowSchema(*RateSchema()), num_rows, {arrays[0], arrays[1]});
    return rows->SelectColumns(columns_.indices);
  }

 private:
  CountingRange range_;
  int64_t next_;
  int64_t step_;
  ReadColumns columns_;
  arrow::MemoryPool* pool_;
};

class CountingPartition final : public InputPartition {
 public:
  CountingPartition(const CountingRange& range, int index, int count, ReadColumns columns)
      : range_(range), index_(index), count_(count), columns_(std::move(columns)) {}
  arrow::Result<std::unique_ptr<BatchReader>> Open(arrow::MemoryPool* pool) const override {
    return std::make_unique<CountingReader>(range_, range_.begin + index_, count_, columns_, pool);
  }

 private:
  CountingRange range_;
  int index_;
  int count_;
  ReadColumns columns_;
};

}  // namespace

types::DataTypePtr RateSchema() {
  return types::Struct({{"timestamp", types::Timestamp(), true, ""}, {"value", types::Long(), true, ""}});
}

InputPartitions PlanCountingRange(const CountingRange& range, int num_partitions, const ReadColumns& columns) {
  InputPartitions partitions;
  if (range.begin >= range.end) return partitions;
  for (int i = 0; i < num_partitions; ++i) {
    partitions.push_back(std::make_shared<CountingPartition>(range, i, num_partitions, columns));
  }
  return partitions;
}

}  // namespace millrace::connector
