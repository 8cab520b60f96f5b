#include "streaming/log/metadata_log.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/checksum_file.h"
#include "base/error.h"
#include "base/failpoint.h"

namespace millrace::streaming {

namespace {

std::optional<BatchId> ParseBatchId(std::string_view name) {
  int64_t id = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  if (error != std::errc() || end != name.data() + name.size() || id < 0) return std::nullopt;
  return BatchId(id);
}

}  // namespace

arrow::Status MetadataLog::Add(BatchId batch_id, std::string_view text) {
  if (!directory_made_) {
    ARROW_RETURN_NOT_OK(file_system_->CreateDirectories(directory_));
    if (durability_ == Durability::kMachine) {
      ARROW_RETURN_NOT_OK(file_system_->SyncDirectory(std::filesystem::path(directory_).parent_path().string()));
    }
    directory_made_ = true;
  }
  std::string path = PathOf(batch_id);
  ARROW_ASSIGN_OR_RAISE(bool created, WriteFileIfAbsent(*file_system_, path, text, durability_));
  if (!created) {
    return UserError("CONCURRENT_STREAM_LOG_UPDATE", {{"batchId", batch_id.ToString()}, {"path", directory_}});
  }
  return arrow::Status::OK();
}

arrow::Result<std::optional<std::string>> MetadataLog::Get(BatchId batch_id) const {
  arrow::Result<std::string> text = ReadCheckedFile(*file_system_, PathOf(batch_id));
  if (text.status().IsKeyError()) return std::nullopt;
  ARROW_RETURN_NOT_OK(text);
  return std::move(*text);
}

arrow::Result<std::vector<BatchId>> MetadataLog::Ids() const {
  arrow::Result<std::vector<FileInfo>> files = file_system_->List(directory_);
  if (files.status().IsKeyError()) return std::vector<BatchId>{};
  ARROW_RETURN_NOT_OK(files);
  std::vector<BatchId> ids;
  for (const FileInfo& file : *files) {
    if (auto id = ParseBatchId(file.name)) ids.push_back(*id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

arrow::Result<std::optional<BatchId>> MetadataLog::LatestId() const {
  ARROW_ASSIGN_OR_RAISE(std::vector<BatchId> ids, Ids());
  if (ids.empty()) return std::nullopt;
  return ids.back();
}

arrow::Status MetadataLog::Purge(BatchId threshold) {
  if (threshold.value <= 0) return arrow::Status::OK();
  ARROW_RETURN_NOT_OK(HitFailpoint("purge.before_delete"));
  // In the steady state exactly one entry falls out each micro-batch: no need to list for that.
  ARROW_ASSIGN_OR_RAISE(auto newest_old, file_system_->Stat(PathOf(threshold.Previous())));
  if (!newest_old) return arrow::Status::OK();
  ARROW_RETURN_NOT_OK(file_system_->Remove(PathOf(threshold.Previous())));
  if (threshold.value < 2) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(auto more, file_system_->Stat(PathOf(BatchId(threshold.value - 2))));
  if (!more) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(std::vector<BatchId> ids, Ids());
  for (BatchId id : ids) {
    if (id < threshold) ARROW_RETURN_NOT_OK(file_system_->Remove(PathOf(id)));
  }
  return arrow::Status::OK();
}

}  // namespace millrace::streaming
