#include <fmt/format.h>

#include <limits>

#include "base/error.h"
#include "base/json_value.h"
#include "connector/rate/counting_rows.h"

namespace millrace::connector {

namespace {

constexpr OptionDef kOptions[] = {
    {"rowsPerBatch", "0", "How many rows each micro-batch has. Required."},
    {"numPartitions", "", "Number of partitions of the rows; one a core when not set."},
    {"startTimestamp", "0", "Timestamp of the first micro-batch's rows, ms since 1970 UTC."},
    {"advanceMillisPerBatch", "1000", "How much later the rows of the next micro-batch are."},
};

struct PerBatchOptions {
  int64_t rows_per_batch = 0;
  int num_partitions = 1;
  int64_t start_ms = 0;
  int64_t advance_ms = 1000;
};

arrow::Result<PerBatchOptions> ParseOptions(const SourceRequest& request) {
  PerBatchOptions options;
  ARROW_ASSIGN_OR_RAISE(options.rows_per_batch, request.options.GetInt64("rowsPerBatch", 0));
  if (options.rows_per_batch <= 0) {
    return arrow::Status::Invalid("Invalid value '", options.rows_per_batch,
                                  "'. The option 'rowsPerBatch' must be positive");
  }
  ARROW_ASSIGN_OR_RAISE(int64_t num_partitions,
                        request.options.GetInt64("numPartitions", request.context->parallelism));
  if (num_partitions <= 0 || num_partitions > std::numeric_limits<int>::max()) {
    return arrow::Status::Invalid("Invalid value '", num_partitions, "'. The option 'numPartitions' must be positive");
  }
  options.num_partitions = static_cast<int>(num_partitions);
  ARROW_ASSIGN_OR_RAISE(options.start_ms, request.options.GetInt64("startTimestamp", 0));
  if (options.start_ms < 0) {
    return arrow::Status::Invalid("Invalid value '", options.start_ms,
                                  "'. The option 'startTimestamp' must be non-negative");
  }
  ARROW_ASSIGN_OR_RAISE(options.advance_ms, request.options.GetInt64("advanceMillisPerBatch", 1000));
  if (options.advance_ms < 0) {
    return arrow::Status::Invalid("Invalid value '", options.advance_ms,
                                  "'. The option 'advanceMillisPerBatch' must be non-negative");
  }
  return options;
}

struct Position {
  int64_t offset = 0;
  int64_t timestamp_ms = 0;
};

SourceOffset ToOffset(const Position& position) {
  return SourceOffset{fmt::format("{{\"offset\":{},\"timestamp\":{}}}", position.offset, position.timestamp_ms)};
}

arrow::Result<Position> FromOffset(const SourceOffset& offset) {
  auto json = ParseJson(offset.json);
  const JsonValue* rows = json.ok() ? json->Find("offset") : nullptr;
  const JsonValue* timestamp = json.ok() ? json->Find("timestamp") : nullptr;
  if (rows == nullptr || timestamp == nullptr) {
    return arrow::Status::Invalid("Not an offset of the rate-micro-batch source: ", offset.json);
  }
  return Position{rows->AsInt64(), timestamp->AsInt64()};
}

/// Every micro-batch has the same number of rows, all with one timestamp. Source: Spark, RatePerMicroBatchStream.
class RatePerMicroBatchStream final : public MicroBatchStream {
 public:
  explicit RatePerMicroBatchStream(const PerBatchOptions& options) : options_(options) {}

  arrow::Result<SourceOffset> InitialOffset() override { return ToOffset({0, options_.start_ms}); }

  arrow::Result<std::optional<SourceOffset>> LatestOffset(const SourceOffset& start) override {
    if (fixed_end_) return fixed_end_;
    ARROW_ASSIGN_OR_RAISE(Position position, FromOffset(start));
    if (__builtin_add_overflow(position.offset, options_.rows_per_batch, &position.offset)) {
      position.offset = std::numeric_limits<int64_t>::max();
    }
    position.timestamp_ms += options_.advance_ms;
    // An AvailableNow run is one micro-batch.
    if (available_now_) fixed_end_ = ToOffset(position);
    return ToOffset(position);
  }

  arrow::Status PrepareForAvailableNow() override {
    available_now_ = true;
    return arrow::Status::OK();
  }

  arrow::Result<InputPartitions> PlanPartitions(const SourceOffset& start, const SourceOffset& end,
                                                const ReadColumns& columns) override {
    ARROW_ASSIGN_OR_RAISE(Position from, FromOffset(start));
    ARROW_ASSIGN_OR_RAISE(Position until, FromOffset(end));
    if (from.offset > until.offset) {
      return arrow::Status::Invalid("startOffset(", from.offset, ") > endOffset(", until.offset, ")");
    }
    CountingRange range{from.offset, until.offset, from.timestamp_ms, 0};
    return PlanCountingRange(range, options_.num_partitions, columns);
  }

  arrow::Status Commit(const SourceOffset&) override { return arrow::Status::OK(); }

  std::string Description() const override {
    return fmt::format(
        "RatePerMicroBatchStream[rowsPerBatch={}, numPartitions={}, startTimestamp={}, advanceMsPerBatch={}]",
        options_.rows_per_batch, options_.num_partitions, options_.start_ms, options_.advance_ms);
  }

  void Stop() override {}

 private:
  PerBatchOptions options_;
  bool available_now_ = false;
  std::optional<SourceOffset> fixed_end_;
};

}  // namespace

extern const SourceDef kRateMicroBatchSource;
const SourceDef kRateMicroBatchSource = {
    .name = "rate-micro-batch",
    .description = "Counts, so many rows a micro-batch, the same ones in every run.",
    .options = kOptions,
    .schema = [](const SourceRequest& request) -> arrow::Result<types::DataTypePtr> {
      if (request.user_schema != nullptr) {
        return UserError("_LEGACY_ERROR_TEMP_2242", {{"provider", "RatePerMicroBatchProvider"}});
      }
      ARROW_RETURN_NOT_OK(ParseOptions(request).status());
      return RateSchema();
    },
    .open_stream = [](const SourceRequest& request) -> arrow::Result<std::unique_ptr<MicroBatchStream>> {
      ARROW_ASSIGN_OR_RAISE(PerBatchOptions options, ParseOptions(request));
      return std::make_unique<RatePerMicroBatchStream>(options);
    },
    .low_latency = {.class_name = "org.apache.spark.sql.execution.streaming.sources.RatePerMicroBatchStream"},
};

}  // namespace millrace::connector
