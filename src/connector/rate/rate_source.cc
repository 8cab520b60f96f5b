#include <fmt/format.h>

#include <charconv>
#include <limits>

#include "base/error.h"
#include "connector/duration.h"
#include "connector/rate/counting_rows.h"

namespace millrace::connector {

namespace {

constexpr OptionDef kOptions[] = {
    {"rowsPerSecond", "1", "How many rows a second."},
    {"rampUpTime", "0s", "How long the speed grows until it is rowsPerSecond; whole seconds."},
    {"numPartitions", "", "Number of partitions of the rows; one a core when not set."},
};

struct RateOptions {
  int64_t rows_per_second = 1;
  int64_t ramp_up_seconds = 0;
  int num_partitions = 1;
  std::string num_partitions_text = "default";
};

arrow::Result<RateOptions> ParseOptions(const SourceRequest& request) {
  RateOptions options;
  ARROW_ASSIGN_OR_RAISE(options.rows_per_second, request.options.GetInt64("rowsPerSecond", 1));
  if (options.rows_per_second <= 0) {
    return arrow::Status::Invalid("Invalid value '", options.rows_per_second,
                                  "'. The option 'rowsPerSecond' must be positive");
  }
  if (auto text = request.options.Get("rampUpTime")) {
    ARROW_ASSIGN_OR_RAISE(options.ramp_up_seconds, ParseDurationSeconds(*text));
    if (options.ramp_up_seconds < 0) {
      return arrow::Status::Invalid("Invalid value '", options.ramp_up_seconds,
                                    "'. The option 'rampUpTime' must not be negative");
    }
  }
  ARROW_ASSIGN_OR_RAISE(int64_t num_partitions,
                        request.options.GetInt64("numPartitions", request.context->parallelism));
  if (num_partitions <= 0 || num_partitions > std::numeric_limits<int>::max()) {
    return arrow::Status::Invalid("Invalid value '", num_partitions, "'. The option 'numPartitions' must be positive");
  }
  options.num_partitions = static_cast<int>(num_partitions);
  options.num_partitions_text = request.options.GetOr("numPartitions", "default");
  return options;
}

// Told by the query, not where it is written, as in Spark.
arrow::Status CheckRamp(const RateOptions& options) {
  int64_t max_seconds = std::numeric_limits<int64_t>::max() / options.rows_per_second;
  if (options.ramp_up_seconds <= max_seconds) return arrow::Status::OK();
  return UserError("INCORRECT_RAMP_UP_RATE", {{"rowsPerSecond", std::to_string(options.rows_per_second)},
                                              {"maxSeconds", std::to_string(max_seconds)},
                                              {"rampUpTimeSeconds", std::to_string(options.ramp_up_seconds)}});
}

// The first value that is not yet there `seconds` after the start.
int64_t ValueAt(int64_t seconds, const RateOptions& options) {
  int64_t gain = options.rows_per_second / (options.ramp_up_seconds + 1);
  auto ramp = [gain](int64_t s) { return s % 2 == 1 ? (s + 1) / 2 * gain * s : s / 2 * gain * (s + 1); };
  if (seconds <= options.ramp_up_seconds) return ramp(seconds);
  return ramp(options.ramp_up_seconds) + (seconds - options.ramp_up_seconds) * options.rows_per_second;
}

arrow::Result<int64_t> ParseSeconds(const SourceOffset& offset) {
  int64_t seconds = 0;
  const std::string& text = offset.json;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size()) {
    return arrow::Status::Invalid("Not an offset of the rate source (a number of seconds): ", text);
  }
  return seconds;
}

/// Offsets: whole seconds since the query was created; that moment is kept in `<metadata_path>/0`.
/// Source: Spark, RateStreamMicroBatchStream.
class RateStream final : public MicroBatchStream {
 public:
  RateStream(RateOptions options, const SourceRequest& request)
      : options_(std::move(options)), path_(JoinPath(request.metadata_path, "0")), context_(*request.context) {}

  arrow::Result<SourceOffset> InitialOffset() override {
    ARROW_RETURN_NOT_OK(LoadCreationTime());
    return SourceOffset{"0"};
  }

  arrow::Result<std::optional<SourceOffset>> LatestOffset(const SourceOffset& start) override {
    ARROW_RETURN_NOT_OK(LoadCreationTime());
    // A clock set back since the last run must not make offsets go back.
    ARROW_ASSIGN_OR_RAISE(int64_t start_seconds, ParseSeconds(start));
    last_ms_ = std::max(last_ms_, creation_ms_ + start_seconds * 1000);
    if (fixed_end_) return fixed_end_;
    return Now();
  }

  arrow::Result<std::optional<SourceOffset>> ReportLatestOffset() override {
    ARROW_RETURN_NOT_OK(LoadCreationTime());
    return Now();
  }

  arrow::Status PrepareForAvailableNow() override {
    ARROW_RETURN_NOT_OK(LoadCreationTime());
    fixed_end_ = Now();
    return arrow::Status::OK();
  }

  arrow::Result<InputPartitions> PlanPartitions(const SourceOffset& start, const SourceOffset& end,
                                                const ReadColumns& columns) override {
    ARROW_RETURN_NOT_OK(LoadCreationTime());
    ARROW_ASSIGN_OR_RAISE(int64_t start_seconds, ParseSeconds(start));
    ARROW_ASSIGN_OR_RAISE(int64_t end_seconds, ParseSeconds(end));
    if (start_seconds > end_seconds) {
      return arrow::Status::Invalid("startSeconds(", start_seconds, ") > endSeconds(", end_seconds, ")");
    }
    int64_t max_seconds = std::numeric_limits<int64_t>::max() / options_.rows_per_second;
    if (end_seconds > max_seconds) {
      return arrow::Status::Invalid("Max offset with ", options_.rows_per_second, " rowsPerSecond is ", max_seconds,
                                    ", but it's ", end_seconds, " now.");
    }
    last_ms_ = std::max(last_ms_, end_seconds * 1000 + creation_ms_);
    CountingRange range;
    range.begin = ValueAt(start_seconds, options_);
    range.end = ValueAt(end_seconds, options_);
    range.start_ms = creation_ms_ + start_seconds * 1000;
    if (range.end > range.begin) {
      range.ms_per_value =
          static_cast<double>((end_seconds - start_seconds) * 1000) / static_cast<double>(range.end - range.begin);
    }
    return PlanCountingRange(range, options_.num_partitions, columns);
  }

  arrow::Status Commit(const SourceOffset&) override { return arrow::Status::OK(); }

  // Without its closing bracket, as in Spark.
  std::string Description() const override {
    return fmt::format("RateStreamV2[rowsPerSecond={}, rampUpTimeSeconds={}, numPartitions={}",
                       options_.rows_per_second, options_.ramp_up_seconds, options_.num_partitions_text);
  }

  void Stop() override {}

 private:
  SourceOffset Now() {
    last_ms_ = std::max(last_ms_, context_.clock->NowMillis());
    return SourceOffset{std::to_string((last_ms_ - creation_ms_) / 1000)};
  }

  arrow::Status LoadCreationTime() {
    if (loaded_) return arrow::Status::OK();
    arrow::Result<std::string> text = context_.file_system->ReadFile(path_);
    if (text.status().IsKeyError()) {
      creation_ms_ = context_.clock->NowMillis();
      ARROW_RETURN_NOT_OK(context_.file_system->CreateDirectories(path_.substr(0, path_.size() - 2)));
      ARROW_ASSIGN_OR_RAISE(bool created, WriteFileIfAbsent(*context_.file_system, path_,
                                                            fmt::format("v1\n{}", creation_ms_), context_.durability));
      if (!created) text = context_.file_system->ReadFile(path_);
    }
    if (!text.status().IsKeyError()) {
      ARROW_RETURN_NOT_OK(text.status());
      bool versioned = text->starts_with("v1\n");
      auto parsed = ParseSeconds(SourceOffset{versioned ? text->substr(3) : ""});
      if (versioned && !parsed.ok()) {
        return arrow::Status::Invalid("For input string: \"", text->substr(3), "\"");
      }
      if (!parsed.ok()) {
        return arrow::Status::Invalid("Malformed log file ", path_,
                                      ": it is no \"v1\" line with the time the query was created below it");
      }
      creation_ms_ = *parsed;
    }
    last_ms_ = std::max(last_ms_, creation_ms_);
    loaded_ = true;
    return arrow::Status::OK();
  }

  RateOptions options_;
  std::string path_;
  ConnectorContext context_;
  bool loaded_ = false;
  int64_t creation_ms_ = 0;
  int64_t last_ms_ = 0;
  std::optional<SourceOffset> fixed_end_;
};

}  // namespace

extern const SourceDef kRateSource;
const SourceDef kRateSource = {
    .name = "rate",
    .description = "Counts, so many rows a second, for trying things.",
    .options = kOptions,
    .schema = [](const SourceRequest& request) -> arrow::Result<types::DataTypePtr> {
      ARROW_RETURN_NOT_OK(ParseOptions(request).status());
      if (request.user_schema != nullptr) {
        return UserError("_LEGACY_ERROR_TEMP_2242", {{"provider", "RateStreamProvider"}});
      }
      return RateSchema();
    },
    .open_stream = [](const SourceRequest& request) -> arrow::Result<std::unique_ptr<MicroBatchStream>> {
      ARROW_ASSIGN_OR_RAISE(RateOptions options, ParseOptions(request));
      ARROW_RETURN_NOT_OK(CheckRamp(options));
      return std::make_unique<RateStream>(std::move(options), request);
    },
    .low_latency = {.class_name = "org.apache.spark.sql.execution.streaming.sources.RateStreamMicroBatchStream",
                    .continuous = true},
};

}  // namespace millrace::connector
