#include "connector/foreach_batch/foreach_batch_sink.h"

#include "connector/collected_rows.h"

namespace millrace::connector {

namespace {

class ForeachBatchWrite final : public Write {
 public:
  ForeachBatchWrite(const BatchFunction* function, BatchId batch_id) : function_(function), batch_id_(batch_id) {}

  arrow::Result<std::unique_ptr<DataWriter>> OpenWriter(int) override { return std::make_unique<CollectingWriter>(); }

  arrow::Status Commit(std::vector<WriterCommitMessage> messages) override {
    PartitionedRows rows;
    for (WriterCommitMessage& message : messages) {
      rows.push_back(CollectingWriter::Take(message));
    }
    return (*function_)(batch_id_, std::move(rows));
  }

  bool hands_on() const override { return true; }
  arrow::Status HandOn(const arrow::Status& failure) override { return (*function_)(batch_id_, failure); }
  void Abort() override {}

 private:
  const BatchFunction* function_;
  BatchId batch_id_;
};

class ForeachBatchSink final : public StreamSink {
 public:
  ForeachBatchSink(BatchFunction function, std::shared_ptr<const std::atomic<int64_t>> reads)
      : function_(std::move(function)), reads_(std::move(reads)) {}
  arrow::Result<std::unique_ptr<Write>> Begin(BatchId batch_id) override {
    return std::make_unique<ForeachBatchWrite>(&function_, batch_id);
  }
  std::string Description() const override { return "ForeachBatchSink"; }
  std::optional<int64_t> TimesRead() const override {
    if (reads_ == nullptr) return std::nullopt;
    return reads_->load();
  }

 private:
  BatchFunction function_;
  std::shared_ptr<const std::atomic<int64_t>> reads_;
};

}  // namespace

std::unique_ptr<StreamSink> MakeForeachBatchSink(BatchFunction function,
                                                 std::shared_ptr<const std::atomic<int64_t>> reads) {
  return std::make_unique<ForeachBatchSink>(std::move(function), std::move(reads));
}

}  // namespace millrace::connector
