#include "connector/sink.h"

namespace millrace::connector {

namespace {

class NoopWriter final : public DataWriter {
 public:
  arrow::Status Write(const std::shared_ptr<arrow::RecordBatch>&) override { return arrow::Status::OK(); }
  arrow::Result<WriterCommitMessage> Commit() override { return WriterCommitMessage(); }
  void Abort() override {}
};

class NoopWrite final : public Write {
 public:
  arrow::Result<std::unique_ptr<DataWriter>> OpenWriter(int) override { return std::make_unique<NoopWriter>(); }
  arrow::Status Commit(std::vector<WriterCommitMessage>) override { return arrow::Status::OK(); }
  void Abort() override {}
};

class NoopStreamSink final : public StreamSink {
 public:
  arrow::Result<std::unique_ptr<Write>> Begin(BatchId) override { return std::make_unique<NoopWrite>(); }
  std::string Description() const override { return "NoopTable"; }
};

}  // namespace

extern const SinkDef kNoopSink;
const SinkDef kNoopSink = {
    .name = "noop",
    .description = "Computes every row and keeps none.",
    .options = {},
    .output_modes = 7,
    .reports_num_output_rows = true,
    .temporary_checkpoint = true,
    .low_latency = {.class_name = "org.apache.spark.sql.execution.datasources.noop.NoopTable$", .continuous = true},
    .open_stream = [](const SinkRequest&) -> arrow::Result<std::unique_ptr<StreamSink>> {
      return std::make_unique<NoopStreamSink>();
    },
    .open_batch = [](const SinkRequest&) -> arrow::Result<std::unique_ptr<Write>> {
      return std::make_unique<NoopWrite>();
    },
};

}  // namespace millrace::connector
