#include "connector/foreach_batch/foreach_batch_sink.h"

#include <mutex>

namespace millrace::connector {

namespace {

using Rows = std::vector<std::shared_ptr<arrow::RecordBatch>>;

class CollectingWriter final : public DataWriter {
 public:
  arrow::Status Write(const std::shared_ptr<arrow::RecordBatch>& rows) override {
    if (rows->num_rows() > 0) rows_.push_back(rows);
    return arrow::Status::OK();
  }
  arrow::Result<WriterCommitMessage> Commit() override { return WriterCommitMessage(std::move(rows_)); }
  void Abort() override { rows_.clear(); }

 private:
  Rows rows_;
};

class ForeachBatchWrite final : public Write {
 public:
  ForeachBatchWrite(const std::function<arrow::Status(BatchId, PartitionedRows)>* function, BatchId batch_id)
      : function_(function), batch_id_(batch_id) {}

  arrow::Result<std::unique_ptr<DataWriter>> OpenWriter(int) override { return std::make_unique<CollectingWriter>(); }

  arrow::Status Commit(std::vector<WriterCommitMessage> messages) override {
    PartitionedRows rows;
    for (WriterCommitMessage& message : messages) {
      auto* partition = std::any_cast<Rows>(&message);
      rows.push_back(partition == nullptr ? Rows() : std::move(*partition));
    }
    return (*function_)(batch_id_, std::move(rows));
  }

  void Abort() override {}

 private:
  const std::function<arrow::Status(BatchId, PartitionedRows)>* function_;
  BatchId batch_id_;
};

class ForeachBatchSink final : public StreamSink {
 public:
  explicit ForeachBatchSink(std::function<arrow::Status(BatchId, PartitionedRows)> function)
      : function_(std::move(function)) {}
  arrow::Result<std::unique_ptr<Write>> Begin(BatchId batch_id) override {
    return std::make_unique<ForeachBatchWrite>(&function_, batch_id);
  }
  std::string Description() const override { return "ForeachBatchSink"; }

 private:
  std::function<arrow::Status(BatchId, PartitionedRows)> function_;
};

}  // namespace

std::unique_ptr<StreamSink> MakeForeachBatchSink(std::function<arrow::Status(BatchId, PartitionedRows)> function) {
  return std::make_unique<ForeachBatchSink>(std::move(function));
}

}  // namespace millrace::connector
