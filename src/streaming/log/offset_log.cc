#include "streaming/log/offset_log.h"

#include <fmt/format.h>

#include <charconv>

#include "base/error.h"
#include "base/json_value.h"
#include "base/version_line.h"

namespace millrace::streaming {

namespace {

constexpr CheckpointedConf kConfs[] = {
    {"spark.sql.shuffle.partitions", "200", ""},
    {"spark.sql.streaming.stateStore.providerClass",
     "org.apache.spark.sql.execution.streaming.state.HDFSBackedStateStoreProvider", ""},
    {"spark.sql.streaming.multipleWatermarkPolicy", "min", "min"},
    {"spark.sql.streaming.flatMapGroupsWithState.stateFormatVersion", "2", "1"},
    {"spark.sql.streaming.aggregation.stateFormatVersion", "2", "1"},
    {"spark.sql.streaming.join.stateFormatVersion", "2", "1"},
    {"spark.sql.streaming.stateStore.compression.codec", "lz4", "lz4"},
    {"spark.sql.streaming.stateStore.rocksdb.formatVersion", "5", ""},
    {"spark.sql.streaming.statefulOperator.useStrictDistribution", "true", "false"},
    {"spark.sql.optimizer.pruneFiltersCanPruneStreamingSubplan", "false", "true"},
    {"spark.sql.streaming.stateStore.encodingFormat", "unsaferow", "unsaferow"},
    {"spark.sql.streaming.stateStore.rowChecksum.enabled", "false", "false"},
    {"spark.sql.streaming.stateStore.rocksdb.mergeOperatorVersion", "2", "1"},
    {"spark.sql.function.protobufExtensions.enabled", "false", "false"},
    {"spark.sql.streaming.queryEvolution.enableSourceEvolution", "false", "false"},
};

constexpr int kNewestVersion = 2;

arrow::Status Malformed(const std::string& path, std::string_view what) {
  return arrow::Status::Invalid("Malformed log file ", path, ": ", what);
}

std::string_view TakeLine(std::string_view* text) {
  size_t end = text->find('\n');
  std::string_view line = text->substr(0, end);
  *text = end == std::string_view::npos ? std::string_view() : text->substr(end + 1);
  return line;
}

arrow::Status DecodeMetadata(std::string_view line, const std::string& path, OffsetEntry* entry) {
  arrow::Result<JsonValue> json = ParseJson(line);
  if (!json.ok() || !json->is_object()) return Malformed(path, "its second line is not a JSON object");
  if (const JsonValue* value = json->Find("batchWatermarkMs")) entry->watermark_ms = value->AsInt64();
  if (const JsonValue* value = json->Find("batchTimestampMs")) entry->timestamp_ms = value->AsInt64();
  if (const JsonValue* conf = json->Find("conf")) {
    for (const auto& [key, value] : conf->members()) entry->conf[key] = value.AsString();
  }
  return arrow::Status::OK();
}

// Version 2: before each offset stands its source's place in the plan, or the name that the user gave it.
arrow::Result<size_t> TakeSourceId(std::string_view* line, const std::string& path) {
  constexpr size_t kMaxSources = 10000;
  size_t colon = line->find(':');
  std::string_view id = line->substr(0, colon);
  size_t place = 0;
  auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), place);
  if (colon == std::string_view::npos || id.empty()) return Malformed(path, "a line has no source");
  if (error != std::errc() || end != id.data() + id.size() || place > kMaxSources) {
    return UserError(
        "UNSUPPORTED_CALL.WITHOUT_SUGGESTION",
        {{"methodName", fmt::format("offsets of a source by name ('{}' in {})", id, path)}, {"className", "Millrace"}});
  }
  line->remove_prefix(colon + 1);
  return place;
}

}  // namespace

std::span<const CheckpointedConf> CheckpointedConfs() { return kConfs; }

std::string EncodeOffsetEntry(const OffsetEntry& entry) {
  JsonValue conf = JsonValue::Object();
  for (const auto& [key, value] : entry.conf) {
    // Spark's version 2 is silent about it.
    if (entry.version > 1 && key == "spark.sql.shuffle.partitions") continue;
    conf.members().emplace_back(key, JsonValue::String(value));
  }
  JsonValue metadata = JsonValue::Object({{"batchWatermarkMs", JsonValue::Number(entry.watermark_ms)},
                                          {"batchTimestampMs", JsonValue::Number(entry.timestamp_ms)},
                                          {"conf", std::move(conf)}});
  if (entry.version > 1) metadata.members().emplace_back("sourceMetadataInfo", JsonValue::Object());
  std::string text = "v" + std::to_string(entry.version) + "\n" + metadata.ToString();
  for (size_t i = 0; i < entry.offsets.size(); ++i) {
    if (entry.version > 1 && !entry.offsets[i]) continue;
    text += '\n';
    if (entry.version > 1) text += std::to_string(i) + ":";
    text += entry.offsets[i] ? entry.offsets[i]->json : "-";
  }
  return text;
}

arrow::Result<OffsetEntry> DecodeOffsetEntry(std::string_view text, const std::string& path) {
  int version = 0;
  ARROW_ASSIGN_OR_RAISE(std::string_view rest, AfterVersionLine(text, kNewestVersion, path, &version));
  OffsetEntry entry;
  entry.version = version;
  if (version > 1 && rest.empty()) return Malformed(path, "it has no second line");
  std::string_view metadata = TakeLine(&rest);
  // Spark 2.0 wrote no metadata: an empty line.
  if (!metadata.empty()) ARROW_RETURN_NOT_OK(DecodeMetadata(metadata, path, &entry));
  while (!rest.empty()) {
    std::string_view line = TakeLine(&rest);
    size_t at = entry.offsets.size();
    if (version > 1) {
      ARROW_ASSIGN_OR_RAISE(at, TakeSourceId(&line, path));
    }
    if (entry.offsets.size() <= at) entry.offsets.resize(at + 1);
    if (line == "-") continue;
    // Every source's offset is a JSON document; half a line is a truncated file.
    if (!ParseJson(line).ok()) return Malformed(path, "an offset is not JSON: " + std::string(line.substr(0, 80)));
    entry.offsets[at] = connector::SourceOffset{std::string(line)};
  }
  if (metadata.empty() && entry.offsets.empty()) return Malformed(path, "it holds no offsets");
  return entry;
}

arrow::Status OffsetLog::Add(BatchId batch_id, const OffsetEntry& entry) {
  return log_.Add(batch_id, EncodeOffsetEntry(entry));
}

arrow::Result<std::optional<OffsetEntry>> OffsetLog::Get(BatchId batch_id, int num_sources) const {
  ARROW_ASSIGN_OR_RAISE(auto text, log_.Get(batch_id));
  if (!text) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(OffsetEntry entry, DecodeOffsetEntry(*text, log_.PathOf(batch_id)));
  // Version 2 knows each source by itself: there may be more now, or fewer.
  if (num_sources >= 0 && entry.version > 1) entry.offsets.resize(static_cast<size_t>(num_sources));
  if (num_sources >= 0 && entry.offsets.size() != static_cast<size_t>(num_sources)) {
    return arrow::Status::Invalid("assertion failed: There are [", entry.offsets.size(),
                                  "] sources in the checkpoint offsets and now there are [", num_sources,
                                  "] sources requested by the query. Cannot continue.");
  }
  return entry;
}

}  // namespace millrace::streaming
