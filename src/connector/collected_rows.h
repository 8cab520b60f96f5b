#pragma once

#include <vector>

#include "connector/sink.h"

namespace millrace::connector {

/// Keeps the rows of its partition in memory and hands them to the commit of the whole write.
class CollectingWriter final : public DataWriter {
 public:
  using Rows = std::vector<std::shared_ptr<arrow::RecordBatch>>;

  arrow::Status Write(const std::shared_ptr<arrow::RecordBatch>& rows) override {
    if (rows->num_rows() > 0) rows_.push_back(rows);
    return arrow::Status::OK();
  }
  arrow::Result<WriterCommitMessage> Commit() override { return WriterCommitMessage(std::move(rows_)); }
  void Abort() override { rows_.clear(); }

  /// The rows behind a message of Commit; empty for a partition that had no writer.
  static Rows Take(WriterCommitMessage& message) {
    auto* rows = std::any_cast<Rows>(&message);
    return rows == nullptr ? Rows() : std::move(*rows);
  }
  /// The rows of all partitions, in their order.
  static Rows TakeAll(std::vector<WriterCommitMessage>& messages) {
    Rows all;
    for (WriterCommitMessage& message : messages) {
      for (auto& batch : Take(message)) all.push_back(std::move(batch));
    }
    return all;
  }

 private:
  Rows rows_;
};

}  // namespace millrace::connector
