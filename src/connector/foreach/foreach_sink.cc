#include "connector/foreach/foreach_sink.h"

#include "types/arrow_type.h"

namespace millrace::connector {

namespace {

struct ForeachTarget {
  MakePartitionConsumer make;
  std::shared_ptr<arrow::Schema> schema;
};

class ConsumerWriter final : public DataWriter {
 public:
  ConsumerWriter(const ForeachTarget& target, std::unique_ptr<PartitionConsumer> consumer, bool wanted)
      : target_(target), consumer_(std::move(consumer)), wanted_(wanted) {}
  ~ConsumerWriter() override { Close(arrow::Status::Cancelled("The task was ended")); }

  arrow::Status Write(const std::shared_ptr<arrow::RecordBatch>& rows) override {
    if (!wanted_) return arrow::Status::OK();
    arrow::Status status =
        consumer_->Process(arrow::RecordBatch::Make(target_.schema, rows->num_rows(), rows->columns()));
    if (!status.ok()) Close(status);
    return status;
  }

  arrow::Result<WriterCommitMessage> Commit() override {
    Close(arrow::Status::OK());
    return WriterCommitMessage();
  }

  void Abort() override { Close(arrow::Status::Cancelled("The task was ended")); }

 private:
  void Close(const arrow::Status& error) {
    if (closed_) return;
    closed_ = true;
    consumer_->Close(error);
  }

  const ForeachTarget& target_;
  std::unique_ptr<PartitionConsumer> consumer_;
  bool wanted_;
  bool closed_ = false;
};

class ConsumerWrite final : public Write {
 public:
  ConsumerWrite(const ForeachTarget& target, BatchId batch_id) : target_(target), batch_id_(batch_id) {}

  arrow::Result<std::unique_ptr<DataWriter>> OpenWriter(int task_index) override {
    std::unique_ptr<PartitionConsumer> consumer = target_.make();
    ARROW_ASSIGN_OR_RAISE(bool wanted, consumer->Open(task_index, batch_id_));
    return std::make_unique<ConsumerWriter>(target_, std::move(consumer), wanted);
  }
  arrow::Status Commit(std::vector<WriterCommitMessage>) override { return arrow::Status::OK(); }
  void Abort() override {}

 private:
  const ForeachTarget& target_;
  BatchId batch_id_;
};

class ForeachSink final : public StreamSink {
 public:
  explicit ForeachSink(ForeachTarget target) : target_(std::move(target)) {}
  arrow::Result<std::unique_ptr<Write>> Begin(BatchId batch_id) override {
    return std::make_unique<ConsumerWrite>(target_, batch_id);
  }
  std::string Description() const override { return "ForeachWriterTable"; }
  bool reports_num_output_rows() const override { return true; }

 private:
  const ForeachTarget target_;
};

}  // namespace

std::unique_ptr<StreamSink> MakeForeachSink(MakePartitionConsumer make, const types::DataType& schema) {
  return std::make_unique<ForeachSink>(ForeachTarget{std::move(make), types::ToArrowSchema(schema)});
}

}  // namespace millrace::connector
