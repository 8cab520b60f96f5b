#include "physical/write.h"

#include <mutex>

namespace millrace::physical {

namespace {

arrow::Status WritePartition(const Operator& root, int partition, ExecutionContext& context,
                             connector::DataWriter* writer) {
  ARROW_ASSIGN_OR_RAISE(auto stream, root.Open(partition, context));
  while (true) {
    ARROW_RETURN_NOT_OK(context.CheckCancelled());
    ARROW_ASSIGN_OR_RAISE(auto batch, stream->Next());
    if (batch == nullptr) return arrow::Status::OK();
    if (batch->num_rows() == 0) continue;
    context.rows_written += batch->num_rows();
    ARROW_RETURN_NOT_OK(writer->Write(batch));
  }
}

arrow::Status WriteAll(const Operator& root, ExecutionContext& context, connector::Write* write,
                       const std::function<void()>& after_prepare,
                       std::vector<connector::WriterCommitMessage>* messages) {
  ARROW_RETURN_NOT_OK(root.Prepare(context));
  if (after_prepare) after_prepare();
  int num_partitions = root.num_partitions(context);
  if (write->single_writer()) {
    ARROW_ASSIGN_OR_RAISE(auto writer, write->OpenWriter(0));
    arrow::Status status;
    for (int i = 0; i < num_partitions && status.ok(); ++i) status = WritePartition(root, i, context, writer.get());
    if (!status.ok()) {
      writer->Abort();
      return status;
    }
    ARROW_ASSIGN_OR_RAISE(auto message, writer->Commit());
    messages->push_back(std::move(message));
    return arrow::Status::OK();
  }
  messages->resize(static_cast<size_t>(num_partitions));
  auto task = [&](int i) -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(auto writer, write->OpenWriter(i));
    arrow::Status status = WritePartition(root, i, context, writer.get());
    if (!status.ok()) {
      writer->Abort();
      return status;
    }
    ARROW_ASSIGN_OR_RAISE((*messages)[static_cast<size_t>(i)], writer->Commit());
    return arrow::Status::OK();
  };
  if (context.pool == nullptr) {
    for (int i = 0; i < num_partitions; ++i) ARROW_RETURN_NOT_OK(task(i));
    return arrow::Status::OK();
  }
  return context.pool->RunAll(num_partitions, task);
}

}  // namespace

arrow::Status RunWrite(const Operator& root, ExecutionContext& context, connector::Write* write,
                       const std::function<arrow::Status()>& before_commit,
                       const std::function<void()>& after_prepare) {
  std::vector<connector::WriterCommitMessage> messages;
  arrow::Status status = WriteAll(root, context, write, after_prepare, &messages);
  if (status.ok()) status = write->Flush(&messages);
  if (status.ok() && before_commit) status = before_commit();
  if (status.ok()) return write->Commit(std::move(messages));
  write->Abort();
  return status;
}

}  // namespace millrace::physical
