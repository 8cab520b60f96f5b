#include "base/error.h"
#include "connector/collected_rows.h"
#include "connector/memory/memory_table.h"
#include "connector/sink.h"

namespace millrace::connector {

namespace {

class MemoryWrite final : public Write {
 public:
  MemoryWrite(std::shared_ptr<MemoryTable> table, BatchId batch_id, bool replace)
      : table_(std::move(table)), batch_id_(batch_id), replace_(replace) {}
  arrow::Result<std::unique_ptr<DataWriter>> OpenWriter(int) override { return std::make_unique<CollectingWriter>(); }
  arrow::Status Commit(std::vector<WriterCommitMessage> messages) override {
    table_->AddMicroBatch(batch_id_, CollectingWriter::TakeAll(messages), replace_);
    return arrow::Status::OK();
  }
  void Abort() override {}

 private:
  std::shared_ptr<MemoryTable> table_;
  BatchId batch_id_;
  bool replace_;
};

class MemorySink final : public StreamSink {
 public:
  MemorySink(std::shared_ptr<MemoryTable> table, bool replace) : table_(std::move(table)), replace_(replace) {}
  arrow::Result<std::unique_ptr<Write>> Begin(BatchId batch_id) override {
    return std::make_unique<MemoryWrite>(table_, batch_id, replace_);
  }
  std::string Description() const override { return "MemorySink"; }

 private:
  std::shared_ptr<MemoryTable> table_;
  bool replace_;
};

}  // namespace

extern const SinkDef kMemorySink;
const SinkDef kMemorySink = {
    .name = "memory",
    .description = "Keeps the rows in the process, readable as a table called like the query.",
    .options = {},
    .output_modes = 7,
    .reports_num_output_rows = true,
    .temporary_checkpoint = true,
    .low_latency = {.class_name = "org.apache.spark.sql.execution.streaming.sources.MemorySink", .continuous = true},
    .open_stream = [](const SinkRequest& request) -> arrow::Result<std::unique_ptr<StreamSink>> {
      if (request.query_name.empty()) return UserError("_LEGACY_ERROR_TEMP_1194");
      if (request.context->memory_tables == nullptr) return InternalError("no memory tables in this context");
      std::shared_ptr<MemoryTable> table = request.context->memory_tables->Find(request.query_name);
      // A query that is started again goes on filling its table.
      if (table == nullptr || !table->schema()->Equals(*request.schema)) {
        table = request.context->memory_tables->Create(request.query_name, request.schema);
      }
      return std::make_unique<MemorySink>(std::move(table), request.output_mode == OutputMode::kComplete);
    },
};

}  // namespace millrace::connector
