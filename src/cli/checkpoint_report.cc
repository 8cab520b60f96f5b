#include "cli/checkpoint_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_value.h"
#include "streaming/log/commit_log.h"
#include "streaming/progress.h"
#include "streaming/streaming_query.h"

namespace millrace::cli {

std::optional<int64_t> KafkaPositionSum(const std::string& offset_json) {
  auto json = ParseJson(offset_json);
  if (!json.ok() || !json->is_object() || json->members().empty()) return std::nullopt;
  int64_t sum = 0;
  for (const auto& [topic, partitions] : json->members()) {
    if (!partitions.is_object()) return std::nullopt;
    for (const auto& [partition, position] : partitions.members()) {
      if (!position.is_number()) return std::nullopt;
      sum += position.AsInt64();
    }
  }
  return sum;
}

namespace {

std::optional<int64_t> TotalPosition(const streaming::OffsetEntry& entry) {
  int64_t total = 0;
  for (const auto& offset : entry.offsets) {
    if (!offset) continue;
    std::optional<int64_t> sum = KafkaPositionSum(offset->json);
    if (!sum) return std::nullopt;
    total += *sum;
  }
  return total;
}

}  // namespace

arrow::Result<CheckpointReport> ReadCheckpoint(FileSystem& file_system, const std::string& directory, int newest) {
  CheckpointReport report;
  report.directory = directory;
  ARROW_ASSIGN_OR_RAISE(report.query_id, streaming::ReadQueryId(file_system, directory));
  streaming::OffsetLog offsets(&file_system, directory, Durability::kProcess);
  streaming::CommitLog commits(&file_system, directory, Durability::kProcess);
  ARROW_ASSIGN_OR_RAISE(std::vector<BatchId> ids, offsets.log().Ids());
  if (!report.query_id && ids.empty()) {
    return arrow::Status::Invalid("There is no checkpoint in ", directory);
  }
  if (newest > 0 && ids.size() > static_cast<size_t>(newest)) {
    ids.erase(ids.begin(), ids.end() - newest);
  }
  std::optional<int64_t> before;
  for (BatchId id : ids) {
    ARROW_ASSIGN_OR_RAISE(auto entry, offsets.Get(id, -1));
    if (!entry) continue;
    BatchReport batch;
    batch.batch_id = id.value;
    batch.offsets = std::move(*entry);
    ARROW_ASSIGN_OR_RAISE(auto commit_file, file_system.Stat(commits.log().PathOf(id)));
    batch.committed = commit_file.has_value();
    if (commit_file) batch.duration_ms = std::max<int64_t>(0, commit_file->modified_ms - batch.offsets.timestamp_ms);
    std::optional<int64_t> total = TotalPosition(batch.offsets);
    if (total && before) batch.num_records = *total - *before;
    before = total;
    report.batches.push_back(std::move(batch));
  }
  ARROW_ASSIGN_OR_RAISE(auto state, file_system.Stat(JoinPath(directory, "state")));
  report.has_state = state.has_value();
  return report;
}

std::string FormatReport(const CheckpointReport& report, int num_batches) {
  std::string text =
      fmt::format("checkpoint  {}\nquery id    {}\n", report.directory, report.query_id.value_or("(no metadata file)"));
  if (report.batches.empty()) return text + "no micro-batch was planned yet\n";
  const BatchReport& last = report.batches.back();
  text += fmt::format("planned     {} micro-batches in the log, {} to {}\n", report.batches.size(),
                      report.batches.front().batch_id, last.batch_id);
  text += last.committed
              ? fmt::format("next        micro-batch {} goes on after the offsets of {}\n", last.batch_id + 1,
                            last.batch_id)
              : fmt::format("next        micro-batch {} runs again: it was planned and is not done\n", last.batch_id);
  if (last.offsets.watermark_ms > 0) {
    text += fmt::format("watermark   {}\n", streaming::IsoMillis(last.offsets.watermark_ms));
  }
  text += "\n  batch  planned at                 took ms   records  offsets\n";
  size_t first = report.batches.size() - std::min(report.batches.size(), static_cast<size_t>(std::max(0, num_batches)));
  for (size_t i = first; i < report.batches.size(); ++i) {
    const BatchReport& batch = report.batches[i];
    std::string offsets;
    for (const auto& offset : batch.offsets.offsets) {
      if (!offsets.empty()) offsets += "  ";
      offsets += offset ? offset->json : "-";
    }
    text +=
        fmt::format("{:7}  {}  {:>8}  {:>8}  {}\n", batch.batch_id, streaming::IsoMillis(batch.offsets.timestamp_ms),
                    batch.duration_ms ? std::to_string(*batch.duration_ms) : "not done",
                    batch.num_records ? std::to_string(*batch.num_records) : "", offsets);
  }
  return text;
}

}  // namespace millrace::cli
