#include "connector/file/file_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <map>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/json_value.h"
#include "connector/duration.h"
#include "connector/file/compactible_log.h"
#include "connector/file/file_scan.h"
#include "connector/file/glob.h"
#include "connector/file/seen_files.h"
#include "connector/file/sink_log_entry.h"
#include "connector/file/source_cleaner.h"

namespace millrace::connector::file {

namespace {

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

struct StreamOptions {
  int64_t max_files = kNoLimit;
  int64_t max_bytes = kNoLimit;
  int64_t max_age_ms = 7LL * 86400000;
  bool latest_first = false;
  bool file_name_only = false;
  /// How many listed files are kept for the next micro-batches.
  int64_t max_cached_files = 10000;
  double discard_ratio = 0.2;
};

arrow::Status ParseSwitch(const Options& given, std::string_view key, bool* value) {
  auto parsed = given.GetBool(key, *value);
  if (!parsed.ok()) {
    return arrow::Status::Invalid("Invalid value '", given.GetOr(key, ""), "' for option '", key,
                                  "', must be 'true' or 'false'");
  }
  *value = *parsed;
  return arrow::Status::OK();
}

arrow::Result<StreamOptions> ParseOptions(const Options& given) {
  StreamOptions options;
  for (const char* key : {"modifiedbefore", "modifiedafter"}) {
    if (given.Has(key)) return arrow::Status::Invalid("option '", key, "' is not allowed in file stream sources");
  }
  auto limit = [&](std::string_view key, int64_t* value) -> arrow::Status {
    if (!given.Has(key)) return arrow::Status::OK();
    auto number = given.GetInt64(key, 0);
    if (!number.ok() || *number <= 0) {
      return arrow::Status::Invalid("Invalid value '", given.GetOr(key, ""), "' for option '", key,
                                    "', must be a positive integer");
    }
    *value = *number;
    return arrow::Status::OK();
  };
  ARROW_RETURN_NOT_OK(limit("maxFilesPerTrigger", &options.max_files));
  ARROW_RETURN_NOT_OK(limit("maxBytesPerTrigger", &options.max_bytes));
  if (options.max_files != kNoLimit && options.max_bytes != kNoLimit) {
    return arrow::Status::Invalid(
        "Options 'maxFilesPerTrigger' and 'maxBytesPerTrigger' can't be both set at the same "
        "time");
  }
  if (auto age = given.Get("maxFileAge")) {
    ARROW_ASSIGN_OR_RAISE(options.max_age_ms, ParseDurationMillis(*age));
  }
  ARROW_RETURN_NOT_OK(ParseSwitch(given, "latestFirst", &options.latest_first));
  ARROW_RETURN_NOT_OK(ParseSwitch(given, "fileNameOnly", &options.file_name_only));
  if (auto text = given.Get("maxCachedFiles")) {
    auto number = given.GetInt64("maxCachedFiles", 0);
    if (!number.ok() || *number < 0) {
      return arrow::Status::Invalid("Invalid value '", *text,
                                    "' for option 'maxCachedFiles', must be an integer greater than or equal to 0");
    }
    options.max_cached_files = *number;
  }
  if (auto text = given.Get("discardCachedInputRatio")) {
    char* end = nullptr;
    options.discard_ratio = std::strtod(text->c_str(), &end);
    bool is_number = !text->empty() && *end == '\0';
    if (!is_number || !(options.discard_ratio >= 0 && options.discard_ratio <= 1)) {
      return arrow::Status::Invalid("Invalid value '", *text,
                                    "' for option 'discardCachedInputRatio', must be a positive float between 0 and 1");
    }
  }
  // With both, an old file may be one that was passed over, not one that was read.
  if (options.latest_first && (options.max_files != kNoLimit || options.max_bytes != kNoLimit)) {
    options.max_age_ms = kNoLimit;
  }
  return options;
}

struct LogEntry {
  std::string path;
  int64_t modified_ms = 0;
  int64_t batch = 0;
};

std::string EncodeEntry(const LogEntry& entry) {
  return JsonValue::Object({{"path", JsonValue::String(FileUri(entry.path))},
                            {"timestamp", JsonValue::Number(entry.modified_ms)},
                            {"batchId", JsonValue::Number(entry.batch)}})
      .ToString();
}

arrow::Result<LogEntry> DecodeEntry(std::string_view line) {
  auto json = ParseJson(line);
  const JsonValue* path = json.ok() ? json->Find("path") : nullptr;
  const JsonValue* timestamp = json.ok() ? json->Find("timestamp") : nullptr;
  const JsonValue* batch = json.ok() ? json->Find("batchId") : nullptr;
  if (path == nullptr || timestamp == nullptr || batch == nullptr) {
    return arrow::Status::Invalid("Not a line of a file source's log: ", line.substr(0, 200));
  }
  return LogEntry{LocalPath(path->AsString()), timestamp->AsInt64(), batch->AsInt64()};
}

std::string OffsetText(int64_t batch) { return fmt::format("{{\"logOffset\":{}}}", batch); }

arrow::Result<int64_t> ParseOffset(const SourceOffset& offset) {
  if (offset.json.empty()) return -1;
  auto json = ParseJson(offset.json);
  if (json.ok() && json->is_number()) return json->AsInt64();
  const JsonValue* batch = json.ok() ? json->Find("logOffset") : nullptr;
  if (batch == nullptr || !batch->is_number()) {
    return arrow::Status::Invalid("Not an offset of a file source: ", offset.json);
  }
  return batch->AsInt64();
}

class FileStream final : public MicroBatchStream {
 public:
  FileStream(FileTable table, StreamOptions options, const SourceRequest& request, CompactibleLog log,
             std::unique_ptr<SourceCleaner> cleaner)
      : table_(std::move(table)),
        options_(options),
        request_(request),
        log_(std::move(log)),
        seen_(options_.max_age_ms, options_.file_name_only),
        cleaner_(std::move(cleaner)) {}

  arrow::Status Restore() {
    ARROW_ASSIGN_OR_RAISE(std::optional<int64_t> latest, log_.LatestId());
    batch_ = latest.value_or(-1);
    ARROW_ASSIGN_OR_RAISE(std::vector<std::string> lines, log_.AllLines());
    for (const std::string& line : lines) {
      ARROW_ASSIGN_OR_RAISE(LogEntry entry, DecodeEntry(line));
      seen_.Add(entry.path, entry.modified_ms);
    }
    seen_.Purge();
    return arrow::Status::OK();
  }

  // Before the first batch of the log.
  arrow::Result<SourceOffset> InitialOffset() override { return SourceOffset{OffsetText(-1)}; }

  arrow::Status Resume(const std::optional<SourceOffset>& start, const SourceOffset& end) override {
    int64_t after = -1;
    if (start) {
      ARROW_ASSIGN_OR_RAISE(after, ParseOffset(*start));
    }
    ARROW_ASSIGN_OR_RAISE(int64_t last, ParseOffset(end));
    for (int64_t batch = after + 1; batch <= last; ++batch) {
      ARROW_ASSIGN_OR_RAISE(auto lines, log_.Lines(batch));
      if (!lines) {
        ARROW_RETURN_NOT_OK(CheckCompacted(batch));
        continue;
      }
      for (const std::string& line : *lines) {
        ARROW_ASSIGN_OR_RAISE(LogEntry entry, DecodeEntry(line));
        if (entry.batch == batch) ARROW_RETURN_NOT_OK(CheckBelowPath(entry.path));
      }
    }
    return arrow::Status::OK();
  }

  arrow::Result<std::optional<SourceOffset>> LatestOffset(const SourceOffset&) override {
    ARROW_ASSIGN_OR_RAISE(std::vector<ListedFile> chosen, ChooseFiles());
    if (!chosen.empty()) {
      std::vector<std::string> lines;
      std::vector<LogEntry> entries;
      for (const ListedFile& file : chosen) {
        entries.push_back({file.path, file.modified_ms, batch_ + 1});
        lines.push_back(EncodeEntry(entries.back()));
        seen_.Add(file.path, file.modified_ms);
      }
      seen_.Purge();
      ARROW_RETURN_NOT_OK(log_.Add(batch_ + 1, lines));
      // Lost here, the entry belongs to the first micro-batch after the restart.
      ARROW_RETURN_NOT_OK(HitFailpoint("file_source.after_log_add"));
      ++batch_;
      recent_[batch_] = std::move(entries);
      while (recent_.size() > 16) recent_.erase(recent_.begin());
    }
    if (batch_ < 0) return std::nullopt;
    return SourceOffset{OffsetText(batch_)};
  }

  arrow::Status PrepareForAvailableNow() override { return ListAll().Value(&fixed_files_); }
  void IgnoreLimits() override {
    options_.max_files = kNoLimit;
    options_.max_bytes = kNoLimit;
  }

  arrow::Result<InputPartitions> PlanPartitions(const SourceOffset& start, const SourceOffset& end,
                                                const ReadColumns& columns) override {
    ARROW_ASSIGN_OR_RAISE(int64_t after, ParseOffset(start));
    ARROW_ASSIGN_OR_RAISE(int64_t last, ParseOffset(end));
    // As Spark says it: the source's log was lost or is another's, and begins anew below the checkpoint's offsets.
    if (after > last) return arrow::Status::Invalid("assertion failed");
    std::vector<FileToRead> files;
    std::vector<std::string> paths;
    for (int64_t batch = after + 1; batch <= last; ++batch) {
      ARROW_ASSIGN_OR_RAISE(std::vector<LogEntry> entries, EntriesOf(batch));
      for (LogEntry& entry : entries) {
        ARROW_RETURN_NOT_OK(CheckBelowPath(entry.path));
        ARROW_ASSIGN_OR_RAISE(auto info, request_.context->file_system->Stat(entry.path));
        // Deleted since: Spark lists the files of a micro-batch again and goes without those that are not there.
        if (!info) continue;
        paths.push_back(entry.path);
        FileToRead file;
        file.file = {entry.path, info->size_bytes, entry.modified_ms};
        files.push_back(std::move(file));
      }
    }
    const bool case_sensitive = request_.context->case_sensitive;
    const FileTable table = WithColumnsOfDirectories(table_, paths, case_sensitive);
    for (FileToRead& file : files) {
      file.partition_values = PartitionValuesOf(file.file.path, *table.partition_schema, case_sensitive);
    }
    ReadColumns wanted = columns;
    // It may ask for a column that the files do not have.
    if (table.partition_schema != table_.partition_schema) wanted.filter = nullptr;
    ARROW_ASSIGN_OR_RAISE(auto plan, MakeReadPlan(table, request_, wanted));
    return PackFiles(std::move(plan), std::move(files), *request_.context);
  }

  arrow::Status Commit(const SourceOffset& end) override {
    if (cleaner_ == nullptr) return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(int64_t batch, ParseOffset(end));
    if (batch < 0) return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(std::vector<LogEntry> entries, EntriesOf(batch));
    for (const LogEntry& entry : entries) cleaner_->Clean(entry.path);
    return arrow::Status::OK();
  }

  std::string Description() const override { return "FileStreamSource[" + ShownPath(table_.paths[0]) + "]"; }
  void Stop() override {}

 private:
  // Whether a batch whose file is gone is in a compacted one. Without it the next files would take its number, and
  // nobody would read them. Source: Spark, FileStreamSourceLog.get.
  arrow::Status CheckCompacted(int64_t batch) const {
    ARROW_ASSIGN_OR_RAISE(std::vector<std::string> lines, log_.AllLines());
    for (const std::string& line : lines) {
      ARROW_ASSIGN_OR_RAISE(LogEntry entry, DecodeEntry(line));
      if (entry.batch == batch) return arrow::Status::OK();
    }
    return MissingBatch(batch);
  }

  arrow::Status MissingBatch(int64_t batch) const {
    return arrow::Status::Invalid("batch ", batch, " doesn't exist in the file source's log ", log_.directory());
  }

  // The log may be another source's: sources of a query that changed places. Source: Spark, PartitioningAwareFileIndex.
  arrow::Status CheckBelowPath(const std::string& file) const {
    const std::string& path = table_.paths[0];
    if (IsGlob(path) || file.starts_with(path)) return arrow::Status::OK();
    return arrow::Status::Invalid("Wrong basePath ", path, " for the root path: ", ShownPath(file));
  }

  arrow::Result<std::vector<LogEntry>> EntriesOf(int64_t batch) {
    auto it = recent_.find(batch);
    if (it != recent_.end()) return it->second;
    ARROW_ASSIGN_OR_RAISE(auto lines, log_.Lines(batch));
    if (!lines) return MissingBatch(batch);
    std::vector<LogEntry> entries;
    for (const std::string& line : *lines) {
      ARROW_ASSIGN_OR_RAISE(LogEntry entry, DecodeEntry(line));
      // A compacted file holds the earlier ones' lines too.
      if (entry.batch == batch) entries.push_back(std::move(entry));
    }
    return entries;
  }

  /// All files there are, in the order they are to be read.
  arrow::Result<std::vector<ListedFile>> ListAll() {
    const ConnectorContext& context = *request_.context;
    ARROW_ASSIGN_OR_RAISE(std::vector<std::string> roots, ExpandGlob(*context.file_system, table_.paths[0]));
    std::erase_if(roots, IsBelowSinkLog);
    if (cleaner_ != nullptr && !roots.empty()) {
      ARROW_ASSIGN_OR_RAISE(bool has_log, HasSinkLog(*context.file_system, roots[0]));
      if (has_log) {
        return arrow::Status::Invalid(
            "Clean up source files is not supported when reading from the output directory of "
            "FileStreamSink.");
      }
    }
    ARROW_ASSIGN_OR_RAISE(std::vector<ListedFile> files,
                          ListFiles(context, roots, table_.listing, /*must_exist=*/false));
    // The loop may list before the analysis' directories exist; then there is nothing to be wrong about.
    ARROW_ASSIGN_OR_RAISE(PartitionColumns partitions,
                          DiscoverPartitions(context, roots, files, table_.listing, table_.schema.get()));
    KeepFilesInRoots(roots, table_.listing, partitions, &files);
    std::stable_sort(files.begin(), files.end(), [this](const ListedFile& a, const ListedFile& b) {
      return options_.latest_first ? a.modified_ms > b.modified_ms : a.modified_ms < b.modified_ms;
    });
    return files;
  }

  arrow::Result<std::vector<ListedFile>> ChooseFiles() {
    if (unread_.empty()) {
      std::vector<ListedFile> all;
      if (fixed_files_) {
        all = *fixed_files_;
      } else {
        ARROW_ASSIGN_OR_RAISE(all, ListAll());
      }
      for (ListedFile& file : all) {
        if (seen_.IsNew(file.path, file.modified_ms)) unread_.push_back(std::move(file));
      }
    }
    std::vector<ListedFile> chosen;
    int64_t bytes = 0;
    while (!unread_.empty() && static_cast<int64_t>(chosen.size()) < options_.max_files) {
      bytes += unread_.front().size_bytes;
      // One file at least, however large.
      if (bytes > options_.max_bytes && !chosen.empty()) break;
      chosen.push_back(std::move(unread_.front()));
      unread_.pop_front();
    }
    // Few left: better listed again with what has come since. And the latest must be looked for each time.
    if (options_.latest_first || FewAreLeft()) unread_.clear();
    if (static_cast<int64_t>(unread_.size()) > options_.max_cached_files) {
      unread_.resize(static_cast<size_t>(options_.max_cached_files));
    }
    return chosen;
  }

  /// Of files or of bytes, by what the batches are limited by; without a limit all of them have been chosen.
  bool FewAreLeft() const {
    auto below = [this](double left, int64_t limit) {
      return left < static_cast<double>(limit) * options_.discard_ratio;
    };
    if (options_.max_files != kNoLimit) return below(static_cast<double>(unread_.size()), options_.max_files);
    if (options_.max_bytes == kNoLimit) return true;
    double bytes = 0;
    for (const ListedFile& file : unread_) bytes += static_cast<double>(file.size_bytes);
    return below(bytes, options_.max_bytes);
  }

  FileTable table_;
  StreamOptions options_;
  SourceRequest request_;
  CompactibleLog log_;
  SeenFiles seen_;
  std::unique_ptr<SourceCleaner> cleaner_;
  /// Newest batch of the log.
  int64_t batch_ = -1;
  std::deque<ListedFile> unread_;
  std::optional<std::vector<ListedFile>> fixed_files_;
  /// Entries of the batches added last.
  std::map<int64_t, std::vector<LogEntry>> recent_;
};

int64_t ConfInt64(const ConnectorContext& context, std::string_view key, int64_t fallback) {
  std::optional<std::string> text = context.conf(key);
  return text ? std::strtoll(text->c_str(), nullptr, 10) : fallback;
}

}  // namespace

arrow::Result<std::unique_ptr<MicroBatchStream>> OpenFileStream(const format::FileFormat& format,
                                                                const SourceRequest& request) {
  const ConnectorContext& context = *request.context;
  ARROW_ASSIGN_OR_RAISE(StreamOptions options, ParseOptions(request.options));
  ARROW_ASSIGN_OR_RAISE(FileTable table, OpenFileStreamTable(format, request));
  if (!IsGlob(table.paths[0])) {
    ARROW_ASSIGN_OR_RAISE(auto info, context.file_system->Stat(table.paths[0]));
    if (info && !info->is_directory) return arrow::Status::Invalid("Option 'basePath' must be a directory");
  }
  ARROW_ASSIGN_OR_RAISE(auto cleaner, MakeSourceCleaner(request.options, table.paths[0], context.file_system));
  CompactibleLog::Settings settings;
  settings.directory = request.metadata_path;
  settings.durability = context.durability;
  settings.compact_interval = ConfInt64(context, "spark.sql.streaming.fileSource.log.compactInterval", 10);
  settings.min_batches_to_retain = ConfInt64(context, "spark.sql.streaming.minBatchesToRetain", 100);
  if (auto delay = context.conf("spark.sql.streaming.fileSource.log.cleanupDelay")) {
    ARROW_ASSIGN_OR_RAISE(settings.cleanup_delay_ms, ParseDurationMillis(*delay));
  }
  settings.delete_expired = context.conf("spark.sql.streaming.fileSource.log.deletion").value_or("true") != "false";
  auto stream = std::make_unique<FileStream>(std::move(table), options, request,
                                             CompactibleLog(context.file_system, context.clock, std::move(settings)),
                                             std::move(cleaner));
  ARROW_RETURN_NOT_OK(stream->Restore());
  return stream;
}

}  // namespace millrace::connector::file
