#include "streaming/log/offset_log.h"

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

}  // namespace

std::span<const CheckpointedConf> CheckpointedConfs() { return kConfs; }

std::string EncodeOffsetEntry(const OffsetEntry& entry) {
  JsonValue conf = JsonValue::Object();
  for (const auto& [key, value] : entry.conf) conf.members().emplace_back(key, JsonValue::String(value));
  JsonValue metadata = JsonValue::Object({{"batchWatermarkMs", JsonValue::Number(entry.watermark_ms)},
                                          {"batchTimestampMs", JsonValue::Number(entry.timestamp_ms)},
                                          {"conf", std::move(conf)}});
  std::string text = "v1\n" + metadata.ToString();
  for (const auto& offset : entry.offsets) {
    text += '\n';
    text += offset ? offset->json : "-";
  }
  return text;
}

arrow::Result<OffsetEntry> DecodeOffsetEntry(std::string_view text, const std::string& path) {
  int version = 0;
  ARROW_ASSIGN_OR_RAISE(std::string_view rest, AfterVersionLine(text, kNewestVersion, path, &version));
  if (version != 1) {
    return UserError("UNSUPPORTED_CALL.WITHOUT_SUGGESTION",
                     {{"methodName", "offset log version 2 (" + path + ")"}, {"className", "Millrace"}});
  }
  OffsetEntry entry;
  std::string_view metadata = TakeLine(&rest);
  // Spark 2.0 wrote no metadata: an empty line.
  if (!metadata.empty()) ARROW_RETURN_NOT_OK(DecodeMetadata(metadata, path, &entry));
  while (!rest.empty()) {
    std::string_view line = TakeLine(&rest);
    if (line == "-") {
      entry.offsets.emplace_back(std::nullopt);
      continue;
    }
    // Every source's offset is a JSON document; half a line is a truncated file.
    if (!ParseJson(line).ok()) return Malformed(path, "an offset is not JSON: " + std::string(line.substr(0, 80)));
    entry.offsets.emplace_back(connector::SourceOffset{std::string(line)});
  }
  if (entry.offsets.empty()) return Malformed(path, "it holds no offsets");
  return entry;
}

arrow::Status OffsetLog::Add(BatchId batch_id, const OffsetEntry& entry) {
  return log_.Add(batch_id, EncodeOffsetEntry(entry));
}

arrow::Result<std::optional<OffsetEntry>> OffsetLog::Get(BatchId batch_id, int num_sources) const {
  ARROW_ASSIGN_OR_RAISE(auto text, log_.Get(batch_id));
  if (!text) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(OffsetEntry entry, DecodeOffsetEntry(*text, log_.PathOf(batch_id)));
  if (num_sources >= 0 && entry.offsets.size() != static_cast<size_t>(num_sources)) {
    return arrow::Status::Invalid("assertion failed: There are [", entry.offsets.size(),
                                  "] sources in the checkpoint offsets and now there are [", num_sources,
                                  "] sources requested by the query. Cannot continue.");
  }
  return entry;
}

}  // namespace millrace::streaming
