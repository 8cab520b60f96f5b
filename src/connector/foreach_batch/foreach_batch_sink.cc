#include "connector/foreach_batch/foreach_batch_sink.h"

#include "base/error.h"

namespace millrace::connector {

namespace {

class ForeachBatchWrite final : public Write {
 public:
  ForeachBatchWrite(const BatchFunction* function, BatchId batch_id) : function_(function), batch_id_(batch_id) {}

  bool takes_rows() const override { return true; }
  arrow::Status TakeRows(std::shared_ptr<MicroBatchRows> rows) override {
    return (*function_)(batch_id_, std::move(rows));
  }
  arrow::Result<std::unique_ptr<DataWriter>> OpenWriter(int) override { return NoWriters(); }
  arrow::Status Commit(std::vector<WriterCommitMessage>) override { return NoWriters(); }
  void Abort() override {}

 private:
  static arrow::Status NoWriters() { return InternalError("foreachBatch takes rows, not writers"); }

  const BatchFunction* function_;
  BatchId batch_id_;
};

class ForeachBatchSink final : public StreamSink {
 public:
  explicit ForeachBatchSink(BatchFunction function) : function_(std::move(function)) {}
  arrow::Result<std::unique_ptr<Write>> Begin(BatchId batch_id) override {
    return std::make_unique<ForeachBatchWrite>(&function_, batch_id);
  }
  std::string Description() const override { return "ForeachBatchSink"; }

 private:
  BatchFunction function_;
};

}  // namespace

std::unique_ptr<StreamSink> MakeForeachBatchSink(BatchFunction function) {
  return std::make_unique<ForeachBatchSink>(std::move(function));
}

}  // namespace millrace::connector
