#include "physical/computed_rows.h"

#include <arrow/array/builder_primitive.h>
#include <gtest/gtest.h>

#include "physical/rows.h"

namespace millrace::physical {
namespace {

constexpr int kPartitions = 2;
constexpr int kBatches = 5;
constexpr int kRows = 10;
constexpr int64_t kScan = 7;

// 50 rows a partition, numbered through; counts its runs and, as a scan does, the rows that were read.
class Numbers final : public Operator {
 public:
  Numbers()
      : Operator({}, {std::make_shared<expression::AttributeReference>(expression::NextAttributeId(), "n",
                                                                       types::Long(), false)}) {}

  arrow::Status Prepare(ExecutionContext&) const override {
    ++num_runs;
    return arrow::Status::OK();
  }
  int num_partitions(const ExecutionContext&) const override { return kPartitions; }
  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override {
    return std::make_unique<Stream>(this, partition, &context);
  }
  std::string Describe() const override { return "Numbers"; }

  mutable int num_runs = 0;
  /// The batch of partition 1 that cannot be computed; -1 for none.
  int fails_at = -1;

 private:
  class Stream final : public BatchStream {
   public:
    Stream(const Numbers* numbers, int partition, ExecutionContext* context)
        : numbers_(numbers), partition_(partition), context_(context) {}
    ~Stream() override {
      std::lock_guard lock(context_->metrics_mutex);
      context_->rows_read[kScan] += next_ * kRows;
    }
    arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
      if (next_ == kBatches) return nullptr;
      if (partition_ == 1 && next_ == numbers_->fails_at) return arrow::Status::Invalid("cannot be computed");
      arrow::Int64Builder builder;
      for (int i = 0; i < kRows; ++i) {
        ARROW_RETURN_NOT_OK(builder.Append((partition_ * kBatches + next_) * kRows + i));
      }
      ++next_;
      ARROW_ASSIGN_OR_RAISE(auto values, builder.Finish());
      return arrow::RecordBatch::Make(numbers_->schema(), kRows, {std::move(values)});
    }

   private:
    const Numbers* numbers_;
    int partition_;
    ExecutionContext* context_;
    int next_ = 0;
  };
};

struct Fixture {
  explicit Fixture(int64_t held_bytes, int fails_at = -1) {
    root->fails_at = fails_at;
    context->eval.memory_pool = arrow::default_memory_pool();
    rows = std::make_shared<ComputedRows>(root, context, held_bytes);
  }
  std::shared_ptr<Numbers> root = std::make_shared<Numbers>();
  std::shared_ptr<ExecutionContext> context = std::make_shared<ExecutionContext>();
  std::shared_ptr<ComputedRows> rows;
};

arrow::Result<int64_t> ReadPartition(connector::MicroBatchRows::Reading& reading, int partition) {
  ARROW_ASSIGN_OR_RAISE(auto reader, reading.Open(partition));
  int64_t next = partition * kBatches * kRows;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(auto batch, reader->Next());
    if (batch == nullptr) break;
    for (int64_t i = 0; i < batch->num_rows(); ++i) {
      EXPECT_EQ(static_cast<const arrow::Int64Array&>(*batch->column(0)).Value(i), next++);
    }
    reading.HandedOut(batch->num_rows());
  }
  return next - partition * kBatches * kRows;
}

int64_t ReadAll(ComputedRows& rows) {
  auto reading = *rows.Begin();
  int64_t total = 0;
  for (int i = 0; i < reading->num_partitions(); ++i) total += *ReadPartition(*reading, i);
  return total;
}

TEST(ComputedRows, AreHeldWholeWhereTheyFit) {
  Fixture f(1 << 20);
  ASSERT_TRUE(f.rows->Compute({}).ok());
  ASSERT_NE(f.rows->held(), nullptr);
  EXPECT_EQ(f.rows->held()->size(), kPartitions);
  EXPECT_EQ(CountRows((*f.rows->held())[1]), kBatches * kRows);
  (*f.rows->Begin())->HandedOut(1);
  (*f.rows->Begin())->HandedOut(100);
  f.rows->Close();
  EXPECT_EQ(f.rows->RowsRead(), (std::map<int64_t, int64_t>{{kScan, 101}}));
  EXPECT_EQ(f.root->num_runs, 1);
}

TEST(ComputedRows, BeyondWhatIsHeldTheFirstReadingGoesOnAndOthersComputeAnew) {
  // Nothing, a part of the first partition, all of it and a part of the second.
  for (int64_t held_bytes : {0, 200, 500}) {
    Fixture f(held_bytes);
    ASSERT_TRUE(f.rows->Compute({}).ok());
    ASSERT_EQ(f.rows->held(), nullptr);
    EXPECT_EQ(ReadAll(*f.rows), 100);
    EXPECT_EQ(f.root->num_runs, 1);
    EXPECT_EQ(ReadAll(*f.rows), 100);
    EXPECT_EQ(f.root->num_runs, 2);
    f.rows->Close();
    EXPECT_EQ(f.rows->RowsRead(), (std::map<int64_t, int64_t>{{kScan, 200}})) << held_bytes;
  }
}

TEST(ComputedRows, AReadingContentWithWhatIsHeldLeavesTheRunToTheNext) {
  Fixture f(200);
  ASSERT_TRUE(f.rows->Compute({}).ok());
  {
    auto reading = *f.rows->Begin();
    auto reader = *reading->Open(0);
    EXPECT_EQ((*reader->Next())->num_rows(), kRows);
    reading->HandedOut(1);
  }
  EXPECT_EQ(ReadAll(*f.rows), 100);
  EXPECT_EQ(f.root->num_runs, 1);
  f.rows->Close();
  EXPECT_EQ(f.rows->RowsRead(), (std::map<int64_t, int64_t>{{kScan, 101}}));
}

TEST(ComputedRows, TwoReadingsAtOnce) {
  Fixture f(200);
  ASSERT_TRUE(f.rows->Compute({}).ok());
  auto first = *f.rows->Begin();
  auto second = *f.rows->Begin();
  for (int i : {1, 0}) {
    EXPECT_EQ(*ReadPartition(*second, i), 50);
    EXPECT_EQ(*ReadPartition(*first, i), 50);
  }
  EXPECT_EQ(f.root->num_runs, 2);
}

TEST(ComputedRows, AFailureStandsBehindTheRowsBeforeIt) {
  for (int64_t held_bytes : {0, 200, 1 << 20}) {
    Fixture f(held_bytes, /*fails_at=*/2);
    EXPECT_EQ(f.rows->Compute({}).ok(), held_bytes < 1000);
    EXPECT_EQ(f.rows->held(), nullptr);
    auto reading = *f.rows->Begin();
    EXPECT_EQ(*ReadPartition(*reading, 0), 50);
    auto reader = *reading->Open(1);
    EXPECT_EQ((*reader->Next())->num_rows(), kRows);
    EXPECT_EQ((*reader->Next())->num_rows(), kRows);
    EXPECT_EQ(reader->Next().status().message(), "cannot be computed");
  }
}

TEST(ComputedRows, NothingIsReadWhenTheMicroBatchIsOver) {
  Fixture f(200);
  ASSERT_TRUE(f.rows->Compute({}).ok());
  auto reading = *f.rows->Begin();
  auto reader = *reading->Open(1);
  ASSERT_TRUE(reader->Next().ok());
  f.rows->Close();
  EXPECT_TRUE(reader->Next().status().IsCancelled());
  EXPECT_TRUE((*reading->Open(0))->Next().ok());  // held
  EXPECT_TRUE(f.rows->Begin().status().IsCancelled());
}

}  // namespace
}  // namespace millrace::physical
