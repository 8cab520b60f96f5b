#include "physical/operator/range_scan.h"

#include <arrow/array/array_primitive.h>
#include <arrow/buffer.h>

namespace millrace::physical {

namespace {

using Wide = __int128;

// Number of values of the range; exact even where end - start exceeds 64 bits.
Wide NumValues(int64_t start, int64_t end, int64_t step) {
  Wide distance = Wide{end} - start;
  if ((step > 0) != (distance > 0) || distance == 0) return 0;
  Wide whole = distance / step;
  return distance % step == 0 ? whole : whole + 1;
}

class RangeStream final : public BatchStream {
 public:
  RangeStream(std::shared_ptr<arrow::Schema> schema, Wide first, Wide count, int64_t step, int64_t batch_rows,
              arrow::MemoryPool* pool)
      : schema_(std::move(schema)), next_(first), left_(count), step_(step), batch_rows_(batch_rows), pool_(pool) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (left_ <= 0) return nullptr;
    auto num_rows = static_cast<int64_t>(std::min<Wide>(left_, batch_rows_));
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer, arrow::AllocateBuffer(num_rows * 8, pool_));
    auto* values = reinterpret_cast<int64_t*>(buffer->mutable_data());
    auto value = static_cast<uint64_t>(next_);
    for (int64_t i = 0; i < num_rows; ++i, value += static_cast<uint64_t>(step_)) {
      values[i] = static_cast<int64_t>(value);
    }
    next_ += Wide{num_rows} * step_;
    left_ -= num_rows;
    auto column = std::make_shared<arrow::Int64Array>(num_rows, std::move(buffer));
    return arrow::RecordBatch::Make(schema_, num_rows, arrow::ArrayVector{std::move(column)});
  }

 private:
  std::shared_ptr<arrow::Schema> schema_;
  Wide next_;
  Wide left_;
  int64_t step_;
  int64_t batch_rows_;
  arrow::MemoryPool* pool_;
};

}  // namespace

RangeScan::RangeScan(const logical::Range& range, int num_partitions)
    : Operator({}, range.output()),
      start_(range.start()),
      end_(range.end()),
      step_(range.step()),
      num_partitions_(num_partitions) {}

arrow::Result<std::unique_ptr<BatchStream>> RangeScan::Open(int partition, ExecutionContext& context) const {
  Wide count = NumValues(start_, end_, step_);
  Wide from = Wide{partition} * count / num_partitions_;
  Wide to = (Wide{partition} + 1) * count / num_partitions_;
  return std::make_unique<RangeStream>(schema(), start_ + from * step_, to - from, step_, context.batch_rows,
                                       context.eval.memory_pool);
}

std::string RangeScan::Describe() const {
  return fmt::format("Range ({}, {}, step={}, splits={})", start_, end_, step_, num_partitions_);
}

bool MatchesRangeScan(const logical::Plan& node) { return node.kind() == logical::NodeKind::kRange; }

arrow::Result<OperatorPtr> PlanRangeScan(const logical::PlanPtr& node, const RequiredColumns&, Planner& planner) {
  const auto& range = static_cast<const logical::Range&>(*node);
  int num_partitions = range.num_partitions();
  if (num_partitions <= 0) {
    constexpr int64_t kRowsWorthATask = 100000;
    bool small = NumValues(range.start(), range.end(), range.step()) < kRowsWorthATask;
    num_partitions = small ? 1 : planner.parallelism();
  }
  return std::make_shared<RangeScan>(range, num_partitions);
}

}  // namespace millrace::physical
