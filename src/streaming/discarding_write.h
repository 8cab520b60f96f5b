#pragma once

#include "connector/sink.h"

namespace millrace::streaming {

/// Takes rows that the sink has already, of a micro-batch that is computed again for its state alone. Thread-safe.
class DiscardingWrite final : public connector::Write {
 public:
  arrow::Result<std::unique_ptr<connector::DataWriter>> OpenWriter(int) override { return std::make_unique<Writer>(); }
  arrow::Status Commit(std::vector<connector::WriterCommitMessage>) override { return arrow::Status::OK(); }
  void Abort() override {}

 private:
  class Writer final : public connector::DataWriter {
   public:
    arrow::Status Write(const std::shared_ptr<arrow::RecordBatch>&) override { return arrow::Status::OK(); }
    arrow::Result<connector::WriterCommitMessage> Commit() override { return connector::WriterCommitMessage(); }
    void Abort() override {}
  };
};

}  // namespace millrace::streaming
