#include "streaming/checkpoint.h"

#include <filesystem>

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

}  // namespace

arrow::Result<std::optional<std::string>> ReadQueryId(const FileSystem& file_system, const std::string& location) {
  std::string path = JoinPath(location, "metadata");
  arrow::Result<std::string> text = file_system.ReadFile(path);
  if (text.status().IsKeyError()) return std::nullopt;
  ARROW_RETURN_NOT_OK(text);
  arrow::Result<JsonValue> json = ParseJson(*text);
  const JsonValue* id = json.ok() ? json->Find("id") : nullptr;
  if (id == nullptr || !id->is_string() || id->AsString().empty()) {
    return arrow::Status::Invalid("Cannot read the query's metadata in ", path,
                                  ": it is no {\"id\":\"…\"}; the checkpoint is corrupt or of another program");
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
