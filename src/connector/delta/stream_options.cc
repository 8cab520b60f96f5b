#include "connector/delta/stream_options.h"

#include <charconv>

#include "base/ascii.h"
#include "base/error.h"

namespace millrace::connector::delta_table {

namespace {

arrow::Status Illegal(const char* name, const std::string& input, const char* explain) {
  return UserError("DELTA_ILLEGAL_OPTION", {{"input", input}, {"name", name}, {"explain", explain}});
}

std::optional<int64_t> ParseWhole(std::string_view text) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "10g", "512k", "100": as Java's byteStringAs reads it.
std::optional<int64_t> ParseBytes(const std::string& text) {
  std::string lower = ToLowerAscii(TrimAscii(text));
  size_t digits = 0;
  while (digits < lower.size() && lower[digits] >= '0' && lower[digits] <= '9') ++digits;
  std::optional<int64_t> count = ParseWhole(std::string_view(lower).substr(0, digits));
  if (!count) return std::nullopt;
  std::string_view unit = std::string_view(lower).substr(digits);
  struct Unit {
    std::string_view name;
    int shift;
  };
  static constexpr Unit kUnits[] = {{"", 0},   {"b", 0},   {"k", 10}, {"kb", 10}, {"m", 20}, {"mb", 20},
                                    {"g", 30}, {"gb", 30}, {"t", 40}, {"tb", 40}, {"p", 50}, {"pb", 50}};
  for (const Unit& known : kUnits) {
    if (known.name == unit && *count <= (INT64_MAX >> known.shift)) return *count << known.shift;
  }
  return std::nullopt;
}

arrow::Result<bool> Flag(const Options& options, const char* name) {
  auto text = options.Get(name);
  if (!text) return false;
  if (EqualsIgnoreCase(*text, "true")) return true;
  if (EqualsIgnoreCase(*text, "false")) return false;
  return Illegal(name, *text, "must be 'true' or 'false'");
}

}  // namespace

arrow::Result<StreamOptions> StreamOptions::Parse(const SourceRequest& request) {
  const Options& given = request.options;
  StreamOptions options;
  auto max_bytes = given.Get("maxBytesPerTrigger");
  if (max_bytes) {
    std::optional<int64_t> bytes = ParseBytes(*max_bytes);
    if (!bytes || *bytes <= 0) {
      return Illegal("maxBytesPerTrigger", *max_bytes, "must be a size configuration such as '10g'");
    }
    options.max_bytes = *bytes;
    options.max_files = kNoLimit;
  }
  if (auto max_files = given.Get("maxFilesPerTrigger")) {
    std::optional<int64_t> files = ParseWhole(*max_files);
    if (!files || *files <= 0 || *files > INT32_MAX) {
      return Illegal("maxFilesPerTrigger", *max_files, "must be a positive integer");
    }
    options.max_files = *files;
  }
  ARROW_ASSIGN_OR_RAISE(bool ignore_file_deletion, Flag(given, "ignoreFileDeletion"));
  ARROW_ASSIGN_OR_RAISE(options.ignore_changes, Flag(given, "ignoreChanges"));
  ARROW_ASSIGN_OR_RAISE(options.ignore_deletes, Flag(given, "ignoreDeletes"));
  ARROW_ASSIGN_OR_RAISE(options.skip_change_commits, Flag(given, "skipChangeCommits"));
  options.ignore_changes = options.ignore_changes || ignore_file_deletion;
  if (given.Has("failOnDataLoss")) {
    ARROW_ASSIGN_OR_RAISE(options.fail_on_data_loss, Flag(given, "failOnDataLoss"));
  }
  ARROW_ASSIGN_OR_RAISE(options.read_change_feed, IsChangeFeed(given));
  if (auto pattern = given.Get("excludeRegex")) {
    auto compiled = kafka::TopicPattern::Compile(*pattern);
    if (!compiled.ok()) return UserError("DELTA_REGEX_OPT_SYNTAX_ERROR", {{"regExpOption", "excludeRegex"}});
    options.exclude = std::move(*compiled);
  }
  auto version = given.Get("startingVersion");
  auto timestamp = given.Get("startingTimestamp");
  if (version && timestamp) {
    return UserError("DELTA_STARTING_VERSION_AND_TIMESTAMP_BOTH_SET",
                     {{"version", "startingVersion"}, {"timestamp", "startingTimestamp"}});
  }
  if (version && *version == "latest") {
    options.from_latest = true;
  } else if (version) {
    options.starting_version = ParseWhole(*version);
    if (!options.starting_version || *options.starting_version < 0) {
      return Illegal("startingVersion", *version, "must be greater than or equal to zero");
    }
  }
  if (timestamp) {
    ARROW_ASSIGN_OR_RAISE(options.starting_timestamp_us, ParseTimestampOption(*timestamp, *request.context->time_zone));
  }
  return options;
}

}  // namespace millrace::connector::delta_table
