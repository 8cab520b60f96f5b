#include "streaming/checkpoint.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "base/checksum_file.h"
#include "base/error.h"
#include "base/ids.h"
#include "base/json_value.h"
#include "streaming/streaming_query.h"

namespace millrace::streaming {

namespace {

arrow::Result<bool> HasFiles(const FileSystem& file_system, const std::string& directory) {
  arrow::Result<std::vector<FileInfo>> files = file_system.List(directory);
  if (files.status().IsKeyError()) return false;
  ARROW_RETURN_NOT_OK(files);
  for (const FileInfo& file : *files) {
    if (!file.name.starts_with('.')) return true;
  }
  return false;
}

// Java's UUID.fromString takes parts without their leading zeros too.
bool IsUuid(std::string_view text) {
  constexpr size_t kLongest = 36, kNumParts = 5;
  std::vector<std::string_view> parts;
  for (std::string_view rest = text;;) {
    size_t dash = rest.find('-');
    parts.push_back(rest.substr(0, dash));
    if (dash == std::string_view::npos) break;
    rest.remove_prefix(dash + 1);
  }
  return text.size() <= kLongest && parts.size() == kNumParts &&
         std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
           return !part.empty() && part.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
         });
}

}  // namespace

arrow::Result<std::optional<std::string>> ReadQueryId(const FileSystem& file_system, const std::string& location) {
  std::string path = JoinPath(location, "metadata");
  arrow::Result<std::string> text = ReadCheckedFile(file_system, path);
  if (text.status().IsKeyError()) return std::nullopt;
  ARROW_RETURN_NOT_OK(text);
  arrow::Result<JsonValue> json = ParseJson(*text);
  const JsonValue* id = json.ok() ? json->Find("id") : nullptr;
  if (id == nullptr || !id->is_string() || id->AsString().empty()) {
    return arrow::Status::Invalid("Cannot read the query's metadata in ", path,
                                  ": it is no {\"id\":\"…\"}; the checkpoint is corrupt or of another program");
  }
  // A foreign id would go into tables and logs as if it were one.
  if (!IsUuid(id->AsString())) {
    return arrow::Status::Invalid("Invalid UUID string: ", id->AsString(), " (", path, ")");
  }
  return id->AsString();
}

arrow::Result<Checkpoint> OpenCheckpoint(FileSystem* file_system, const std::string& location, Durability durability,
                                         bool verify_metadata_exists, bool verify_empty_on_start) {
  Checkpoint checkpoint{location, "", false, OffsetLog(file_system, location, durability),
                        CommitLog(file_system, location, durability)};
  ARROW_ASSIGN_OR_RAISE(auto query_id, ReadQueryId(*file_system, location));
  ARROW_ASSIGN_OR_RAISE(auto newest_offsets, checkpoint.offset_log.log().LatestId());
  ARROW_ASSIGN_OR_RAISE(auto newest_commit, checkpoint.commit_log.log().LatestId());
  if (!query_id && verify_metadata_exists && (newest_offsets || newest_commit)) {
    return UserError("STREAMING_CHECKPOINT_MISSING_METADATA_FILE", {{"checkpointLocation", location}});
  }
  if (!newest_offsets && verify_empty_on_start) {
    for (const char* part : {"offsets", "commits", "state"}) {
      std::string directory = JoinPath(location, part);
      ARROW_ASSIGN_OR_RAISE(bool occupied, HasFiles(*file_system, directory));
      if (occupied) {
        return UserError("STATE_STORE_CHECKPOINT_LOCATION_NOT_EMPTY", {{"checkpointLocation", directory}});
      }
    }
  }
  // Both logs are there before their first entry, as who looks into the checkpoint of an idle query expects.
  for (const char* log : {"offsets", "commits"}) {
    ARROW_RETURN_NOT_OK(file_system->CreateDirectories(JoinPath(location, log)));
  }
  if (query_id) {
    checkpoint.query_id = *query_id;
    return checkpoint;
  }
  checkpoint.is_new = true;
  checkpoint.query_id = RandomUuid();
  ARROW_ASSIGN_OR_RAISE(bool created, WriteFileIfAbsent(*file_system, JoinPath(location, "metadata"),
                                                        "{\"id\":\"" + checkpoint.query_id + "\"}", durability));
  if (created) return checkpoint;
  // Another query was faster: go on with its id; the logs will tell who may write.
  ARROW_ASSIGN_OR_RAISE(query_id, ReadQueryId(*file_system, location));
  if (query_id) checkpoint.query_id = *query_id;
  return checkpoint;
}

}  // namespace millrace::streaming
