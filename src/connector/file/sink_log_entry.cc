#include "connector/file/sink_log_entry.h"

#include <filesystem>

#include "base/clock.h"
#include "base/json_value.h"
#include "connector/file/compactible_log.h"

namespace millrace::connector::file {

std::string EncodeSinkLogEntry(const SinkLogEntry& entry) {
  // Block size of Hadoop's local file system: readers of Spark split by it.
  return JsonValue::Object({{"path", JsonValue::String(FileUri(entry.path))},
                            {"size", JsonValue::Number(entry.size_bytes)},
                            {"isDir", JsonValue::Bool(false)},
                            {"modificationTime", JsonValue::Number(entry.modified_ms)},
                            {"blockReplication", JsonValue::Number(int64_t{1})},
                            {"blockSize", JsonValue::Number(int64_t{33554432})},
                            {"action", JsonValue::String("add")}})
      .ToString();
}

arrow::Result<SinkLogEntry> DecodeSinkLogEntry(std::string_view line) {
  auto json = ParseJson(line);
  const JsonValue* path = json.ok() ? json->Find("path") : nullptr;
  if (path == nullptr || !path->is_string()) {
    return arrow::Status::Invalid("Not a line of a file sink's log: ", line.substr(0, 200));
  }
  SinkLogEntry entry;
  entry.path = LocalPath(path->AsString());
  if (const JsonValue* size = json->Find("size")) entry.size_bytes = size->AsInt64();
  if (const JsonValue* modified = json->Find("modificationTime")) entry.modified_ms = modified->AsInt64();
  return entry;
}

arrow::Result<std::vector<SinkLogEntry>> ReadSinkLog(FileSystem* file_system, const std::string& path) {
  SystemClock clock;
  CompactibleLog log(file_system, &clock, {.directory = JoinPath(path, kSinkLogDirectory)});
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> lines, log.AllLines());
  std::vector<SinkLogEntry> entries;
  for (const std::string& line : lines) {
    ARROW_ASSIGN_OR_RAISE(SinkLogEntry entry, DecodeSinkLogEntry(line));
    entries.push_back(std::move(entry));
  }
  return entries;
}

bool IsBelowSinkLog(const std::string& path) {
  for (const auto& part : std::filesystem::path(path)) {
    if (part == kSinkLogDirectory) return true;
  }
  return false;
}

arrow::Result<bool> HasSinkLog(const FileSystem& file_system, const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(auto info, file_system.Stat(JoinPath(path, kSinkLogDirectory)));
  return info && info->is_directory;
}

}  // namespace millrace::connector::file
