#include "streaming/log/commit_log.h"

#include "base/json_value.h"
#include "base/version_line.h"

namespace millrace::streaming {

namespace {

// v2 adds ids of state stores, v3 of sinks: what a query without state needs stands in all versions.
constexpr int kNewestVersion = 3;

}  // namespace

std::string EncodeCommitEntry(const CommitEntry& entry) {
  JsonValue json = JsonValue::Object();
  json.Set("nextBatchWatermarkMs", JsonValue::Number(entry.next_watermark_ms));
  if (entry.state_ids) json.Set("stateUniqueIds", state::EncodeStateIds(*entry.state_ids));
  return (entry.state_ids ? "v2\n" : "v1\n") + json.ToString();
}

arrow::Result<CommitEntry> DecodeCommitEntry(std::string_view text, const std::string& path) {
  int version = 0;
  if (text.empty()) {
    return arrow::Status::Invalid("Failed to read log file file:", path,
                                  ". Incomplete log file in the offset commit log");
  }
  ARROW_ASSIGN_OR_RAISE(std::string_view rest, AfterVersionLine(text, kNewestVersion, path, &version));
  // A version line alone stands for an entry without members, as in Spark.
  arrow::Result<JsonValue> json = ParseJson(rest.empty() ? "{}" : rest);
  if (!json.ok() || !json->is_object()) {
    return arrow::Status::Invalid("Malformed log file ", path, ": its second line is not a JSON object");
  }
  CommitEntry entry;
  if (const JsonValue* value = json->Find("nextBatchWatermarkMs")) entry.next_watermark_ms = value->AsInt64();
  const JsonValue* ids = json->Find("stateUniqueIds");
  if (ids != nullptr && ids->is_object()) entry.state_ids = state::DecodeStateIds(*ids);
  return entry;
}

arrow::Status CommitLog::Add(BatchId batch_id, const CommitEntry& entry) {
  return log_.Add(batch_id, EncodeCommitEntry(entry));
}

arrow::Result<std::optional<CommitEntry>> CommitLog::Get(BatchId batch_id) const {
  ARROW_ASSIGN_OR_RAISE(auto text, log_.Get(batch_id));
  if (!text) return std::nullopt;
  return DecodeCommitEntry(*text, log_.PathOf(batch_id));
}

}  // namespace millrace::streaming
