#include "connector/file/compactible_log.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/checksum_file.h"
#include "base/error.h"
#include "base/version_line.h"

namespace millrace::connector::file {

namespace {

constexpr std::string_view kCompactSuffix = ".compact";

}  // namespace

int64_t DeriveCompactInterval(int64_t wanted, int64_t compacted_id) {
  int64_t length = compacted_id + 1;
  for (int64_t interval = wanted; interval <= length / 2; ++interval) {
    if (length % interval == 0) return interval;
  }
  return length;
}

arrow::Result<std::vector<CompactibleLog::Entry>> CompactibleLog::List() const {
  arrow::Result<std::vector<FileInfo>> files = file_system_->List(settings_.directory);
  if (files.status().IsKeyError()) return std::vector<Entry>{};
  ARROW_RETURN_NOT_OK(files);
  std::vector<Entry> entries;
  for (const FileInfo& file : *files) {
    std::string_view name = file.name;
    Entry entry;
    entry.compacted = name.ends_with(kCompactSuffix);
    if (entry.compacted) name.remove_suffix(kCompactSuffix.size());
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), entry.id);
    if (error != std::errc() || end != name.data() + name.size() || entry.id < 0) continue;
    entry.modified_ms = file.modified_ms;
    entries.push_back(entry);
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.id < b.id; });
  return entries;
}

arrow::Result<int64_t> CompactibleLog::CompactInterval() const {
  if (compact_interval_) return *compact_interval_;
  ARROW_ASSIGN_OR_RAISE(std::vector<Entry> entries, List());
  std::vector<int64_t> compacted;
  for (const Entry& entry : entries) {
    if (entry.compacted) compacted.push_back(entry.id);
  }
  int64_t interval = std::max<int64_t>(1, settings_.compact_interval);
  if (compacted.size() >= 2) {
    interval = compacted[compacted.size() - 1] - compacted[compacted.size() - 2];
  } else if (compacted.size() == 1) {
    interval = DeriveCompactInterval(interval, compacted[0]);
  }
  // Who only reads a log must see a compaction that happens meanwhile.
  if (!entries.empty()) compact_interval_ = interval;
  return interval;
}

arrow::Result<std::string> CompactibleLog::PathOf(int64_t id) const {
  ARROW_ASSIGN_OR_RAISE(int64_t interval, CompactInterval());
  std::string name = std::to_string(id);
  if ((id + 1) % interval == 0) name += kCompactSuffix;
  return JoinPath(settings_.directory, name);
}

arrow::Result<std::optional<int64_t>> CompactibleLog::LatestId() const {
  ARROW_ASSIGN_OR_RAISE(std::vector<Entry> entries, List());
  if (entries.empty()) return std::nullopt;
  return entries.back().id;
}

arrow::Result<std::optional<std::vector<std::string>>> CompactibleLog::Lines(int64_t id) const {
  ARROW_ASSIGN_OR_RAISE(std::string path, PathOf(id));
  arrow::Result<std::string> text = ReadCheckedFile(*file_system_, path);
  if (text.status().IsKeyError()) return std::nullopt;
  ARROW_RETURN_NOT_OK(text);
  int version = 0;
  ARROW_ASSIGN_OR_RAISE(std::string_view rest, AfterVersionLine(*text, 1, path, &version));
  std::vector<std::string> lines;
  while (!rest.empty()) {
    size_t end = rest.find('\n');
    lines.emplace_back(rest.substr(0, end));
    // Every line is a JSON object; half of one is a truncated file.
    if (!lines.back().starts_with('{') || !lines.back().ends_with('}')) {
      return arrow::Status::Invalid("Malformed log file ", path,
                                    ": a line is not a JSON object: ", lines.back().substr(0, 80));
    }
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  return lines;
}

arrow::Result<std::vector<std::string>> CompactibleLog::LinesUpTo(int64_t id, const MissingFile& missing) const {
  std::vector<std::string> all;
  if (id < 0) return all;
  ARROW_ASSIGN_OR_RAISE(int64_t interval, CompactInterval());
  for (int64_t i = std::max<int64_t>(0, (id + 1) / interval * interval - 1); i <= id; ++i) {
    ARROW_ASSIGN_OR_RAISE(auto lines, Lines(i));
    if (!lines) {
      ARROW_ASSIGN_OR_RAISE(std::string path, PathOf(i));
      return missing(path);
    }
    all.insert(all.end(), std::make_move_iterator(lines->begin()), std::make_move_iterator(lines->end()));
  }
  return all;
}

arrow::Result<std::vector<std::string>> CompactibleLog::AllLines() const {
  ARROW_ASSIGN_OR_RAISE(std::optional<int64_t> latest, LatestId());
  if (!latest) return std::vector<std::string>();
  ARROW_ASSIGN_OR_RAISE(int64_t interval, CompactInterval());
  return LinesUpTo(*latest, [&](const std::string& path) {
    return arrow::Status::Invalid(path, " doesn't exist (latestId: ", *latest, ", compactInterval: ", interval, ")");
  });
}

arrow::Status CompactibleLog::Add(int64_t id, const std::vector<std::string>& lines,
                                  const std::function<std::vector<std::string>(std::vector<std::string>)>& compact) {
  ARROW_ASSIGN_OR_RAISE(int64_t interval, CompactInterval());
  compact_interval_ = interval;
  std::vector<std::string> all;
  if ((id + 1) % interval == 0) {
    ARROW_ASSIGN_OR_RAISE(all, LinesUpTo(id - 1, [](const std::string& path) {
                            return UserError("BATCH_METADATA_NOT_FOUND", {{"batchMetadataFile", path}});
                          }));
    all.insert(all.end(), lines.begin(), lines.end());
    if (compact) all = compact(std::move(all));
  } else {
    all = lines;
  }
  std::string text = "v1";
  for (const std::string& line : all) {
    text += '\n';
    text += line;
  }
  ARROW_RETURN_NOT_OK(file_system_->CreateDirectories(settings_.directory));
  if (settings_.durability == Durability::kMachine) {
    ARROW_RETURN_NOT_OK(file_system_->SyncDirectory(std::filesystem::path(settings_.directory).parent_path().string()));
  }
  ARROW_ASSIGN_OR_RAISE(std::string path, PathOf(id));
  ARROW_ASSIGN_OR_RAISE(bool created, WriteFileIfAbsent(*file_system_, path, text, settings_.durability));
  if (!created) {
    return UserError("CONCURRENT_STREAM_LOG_UPDATE", {{"batchId", std::to_string(id)}, {"path", settings_.directory}});
  }
  return settings_.delete_expired ? DeleteExpired(id) : arrow::Status::OK();
}

arrow::Status CompactibleLog::DeleteExpired(int64_t id) {
  int64_t interval = *compact_interval_;
  int64_t oldest_kept = id + 1 - settings_.min_batches_to_retain;
  // Listing is worth its cost only when a compacted file has just made others superfluous.
  if (interval > oldest_kept || (id + 1) % interval != 0) return arrow::Status::OK();
  int64_t oldest_compacted = oldest_kept - oldest_kept % interval - 1;
  int64_t expired_ms = clock_->NowMillis() - settings_.cleanup_delay_ms;
  ARROW_ASSIGN_OR_RAISE(std::vector<Entry> entries, List());
  for (const Entry& entry : entries) {
    if (entry.id >= oldest_compacted || entry.modified_ms > expired_ms) continue;
    std::string name = std::to_string(entry.id) + std::string(entry.compacted ? kCompactSuffix : "");
    ARROW_RETURN_NOT_OK(file_system_->Remove(JoinPath(settings_.directory, name)));
  }
  return arrow::Status::OK();
}

}  // namespace millrace::connector::file
