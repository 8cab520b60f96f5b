#include <fmt/format.h>

#include "connector/collected_rows.h"
#include "connector/sink.h"

namespace millrace::connector {

namespace {

constexpr OptionDef kOptions[] = {
    {"numRows", "20", "How many rows of a micro-batch are printed."},
    {"truncate", "true", "Whether cells are cut to 20 characters."},
};

struct ConsoleOptions {
  int64_t num_rows = 20;
  int truncate = 20;
};

/// Errors in Java's words: Spark reads the options when it writes the first rows, and nobody says whose they are.
arrow::Result<ConsoleOptions> ParseOptions(const Options& given) {
  ConsoleOptions options;
  auto num_rows = given.GetInt64("numRows", 20);
  if (!num_rows.ok()) return arrow::Status::Invalid("For input string: \"", given.Get("numRows").value_or(""), "\"");
  options.num_rows = *num_rows;
  auto truncate = given.GetBool("truncate", true);
  if (!truncate.ok()) {
    return arrow::Status::Invalid(given.Get("truncate").value_or(""), " is not a boolean string.");
  }
  options.truncate = *truncate ? 20 : 0;
  return options;
}

/// Prints as Spark's ConsoleWrite: a ruled title for micro-batches, and what show() prints.
class ConsoleWrite final : public Write {
 public:
  ConsoleWrite(std::optional<BatchId> batch_id, ConsoleOptions options, types::DataTypePtr schema,
               const ConnectorContext* context)
      : batch_id_(batch_id), options_(options), schema_(std::move(schema)), context_(context) {}

  arrow::Result<std::unique_ptr<DataWriter>> OpenWriter(int) override { return std::make_unique<CollectingWriter>(); }
  bool single_writer() const override { return true; }

  arrow::Status Commit(std::vector<WriterCommitMessage> messages) override {
    ARROW_ASSIGN_OR_RAISE(std::string table, context_->show(*schema_, CollectingWriter::TakeAll(messages),
                                                            options_.num_rows, options_.truncate));
    std::string text;
    if (batch_id_) {
      static constexpr std::string_view kRule = "-------------------------------------------";
      text = fmt::format("{}\nBatch: {}\n{}\n", kRule, batch_id_->value, kRule);
    }
    context_->print(text + table + "\n");
    return arrow::Status::OK();
  }

  void Abort() override {}

 private:
  std::optional<BatchId> batch_id_;
  ConsoleOptions options_;
  types::DataTypePtr schema_;
  const ConnectorContext* context_;
};

class ConsoleSink final : public StreamSink {
 public:
  explicit ConsoleSink(const SinkRequest& request)
      : options_(request.options), schema_(request.schema), context_(request.context) {}
  arrow::Result<std::unique_ptr<Write>> Begin(BatchId batch_id) override {
    ARROW_ASSIGN_OR_RAISE(ConsoleOptions options, ParseOptions(options_));
    return std::make_unique<ConsoleWrite>(batch_id, options, schema_, context_);
  }
  // Java's identity hash stands behind the @.
  std::string Description() const override {
    return fmt::format("org.apache.spark.sql.execution.streaming.ConsoleTable$@{:x}",
                       static_cast<uint32_t>(reinterpret_cast<uintptr_t>(this) >> 4));
  }

 private:
  Options options_;
  types::DataTypePtr schema_;
  const ConnectorContext* context_;
};

}  // namespace

extern const SinkDef kConsoleSink;
const SinkDef kConsoleSink = {
    .name = "console",
    .description = "Prints each micro-batch as a table.",
    .options = kOptions,
    .output_modes = 7,
    .reports_num_output_rows = true,
    .temporary_checkpoint = true,
    .low_latency = {.continuous = true, .real_time = true},
    .open_stream = [](const SinkRequest& request) -> arrow::Result<std::unique_ptr<StreamSink>> {
      return std::make_unique<ConsoleSink>(request);
    },
    .open_batch = [](const SinkRequest& request) -> arrow::Result<std::unique_ptr<Write>> {
      ARROW_ASSIGN_OR_RAISE(ConsoleOptions options, ParseOptions(request.options));
      return std::make_unique<ConsoleWrite>(std::nullopt, options, request.schema, request.context);
    },
};

}  // namespace millrace::connector
