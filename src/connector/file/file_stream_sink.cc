#include <filesystem>

#include "base/error.h"
#include "base/failpoint.h"
#include "connector/duration.h"
#include "connector/file/compactible_log.h"
#include "connector/file/file_listing.h"
#include "connector/file/file_sink.h"
#include "connector/file/file_writer.h"

namespace millrace::connector::file {

namespace {

class FileMicroBatch final : public Write {
 public:
  FileMicroBatch(std::shared_ptr<const FileWritePlan> plan, std::string path, CompactibleLog* log, BatchId batch_id,
                 std::optional<int64_t> retention_ms, const Clock* clock)
      : plan_(std::move(plan)),
        path_(std::move(path)),
        log_(log),
        batch_id_(batch_id),
        retention_ms_(retention_ms),
        clock_(clock) {}

  arrow::Result<std::unique_ptr<DataWriter>> OpenWriter(int task_index) override {
    return MakeFileWriter(plan_, path_, {.task_index = task_index, .uuid = ""});
  }

  arrow::Status Commit(std::vector<WriterCommitMessage> messages) override {
    if (messages.empty()) {
      // No partition had rows: task 0's file is left all the same.
      ARROW_ASSIGN_OR_RAISE(auto writer, OpenWriter(0));
      ARROW_ASSIGN_OR_RAISE(auto message, writer->Commit());
      messages.push_back(std::move(message));
    }
    std::vector<std::string> lines;
    for (const WriterCommitMessage& message : messages) {
      const auto* files = std::any_cast<std::vector<FileWritten>>(&message);
      if (files == nullptr) continue;
      for (const FileWritten& file : *files) {
        lines.push_back(EncodeSinkLogEntry({JoinPath(path_, file.relative_path), file.size_bytes, file.modified_ms}));
      }
    }
    ARROW_RETURN_NOT_OK(HitFailpoint("file_sink.before_log_add"));
    return log_->Add(batch_id_.value, lines, [this](std::vector<std::string> all) { return Thin(std::move(all)); });
  }

  void Abort() override {}

 private:
  // Leaves out what was taken back, and what is older than the writer's option `retention`.
  std::vector<std::string> Thin(std::vector<std::string> lines) const {
    if (!retention_ms_) return lines;
    int64_t oldest_ms = clock_->NowMillis() - *retention_ms_;
    std::erase_if(lines, [&](const std::string& line) {
      auto entry = DecodeSinkLogEntry(line);
      return entry.ok() && entry->modified_ms < oldest_ms;
    });
    return lines;
  }

  std::shared_ptr<const FileWritePlan> plan_;
  std::string path_;
  CompactibleLog* log_;
  BatchId batch_id_;
  std::optional<int64_t> retention_ms_;
  const Clock* clock_;
};

class FileStreamSink final : public StreamSink {
 public:
  /// `plan`: or why nothing can be written, which the first micro-batch tells.
  FileStreamSink(arrow::Result<std::shared_ptr<const FileWritePlan>> plan, std::string path, CompactibleLog log,
                 std::optional<int64_t> retention_ms, const Clock* clock)
      : plan_(std::move(plan)),
        path_(std::move(path)),
        log_(std::move(log)),
        retention_ms_(retention_ms),
        clock_(clock) {}

  arrow::Result<std::unique_ptr<Write>> Begin(BatchId batch_id) override {
    // As in Spark, where the files' writer looks at the columns, and the query has started by then.
    ARROW_RETURN_NOT_OK(plan_.status());
    ARROW_RETURN_NOT_OK(CheckDataTypes(**plan_));
    if (!newest_known_) {
      ARROW_ASSIGN_OR_RAISE(newest_, log_.LatestId());
      newest_known_ = true;
    }
    if (newest_ && batch_id.value <= *newest_) return nullptr;
    return std::make_unique<FileMicroBatch>(*plan_, path_, &log_, batch_id, retention_ms_, clock_);
  }

  std::string Description() const override { return "FileSink[" + ShownPath(path_) + "]"; }

 private:
  arrow::Result<std::shared_ptr<const FileWritePlan>> plan_;
  std::string path_;
  CompactibleLog log_;
  std::optional<int64_t> retention_ms_;
  const Clock* clock_;
  /// Newest entry when the query started: only those before it can come again.
  bool newest_known_ = false;
  std::optional<int64_t> newest_;
};

int64_t ConfInt64(const ConnectorContext& context, std::string_view key, int64_t fallback) {
  std::optional<std::string> text = context.conf(key);
  return text ? std::strtoll(text->c_str(), nullptr, 10) : fallback;
}

}  // namespace

arrow::Result<std::unique_ptr<StreamSink>> OpenFileStreamSink(const format::FileFormat& format,
                                                              const SinkRequest& request) {
  const ConnectorContext& context = *request.context;
  if (request.path.empty()) return UserError("_LEGACY_ERROR_TEMP_2047");
  arrow::Result<std::shared_ptr<const FileWritePlan>> plan = MakeWritePlan(format, request);
  bool told_by_query = IsErrorCondition(plan.status(), "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE") ||
                       IsErrorCondition(plan.status(), "CODEC_NOT_AVAILABLE");
  if (!told_by_query) ARROW_RETURN_NOT_OK(plan);
  SourceRequest as_source;
  as_source.paths = {request.path};
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> paths, AbsolutePaths(as_source));
  std::optional<int64_t> retention_ms;
  if (auto text = request.options.Get("retention")) {
    ARROW_ASSIGN_OR_RAISE(retention_ms, ParseDurationMillis(*text));
  }
  CompactibleLog::Settings settings;
  settings.directory = JoinPath(paths[0], kSinkLogDirectory);
  settings.durability = context.durability;
  settings.compact_interval = ConfInt64(context, "spark.sql.streaming.fileSink.log.compactInterval", 10);
  settings.min_batches_to_retain = ConfInt64(context, "spark.sql.streaming.minBatchesToRetain", 100);
  if (auto delay = context.conf("spark.sql.streaming.fileSink.log.cleanupDelay")) {
    ARROW_ASSIGN_OR_RAISE(settings.cleanup_delay_ms, ParseDurationMillis(*delay));
  }
  settings.delete_expired = context.conf("spark.sql.streaming.fileSink.log.deletion").value_or("true") != "false";
  // As Spark's, the directory is there when start() returns: what reads it in the same job may be started at once.
  ARROW_RETURN_NOT_OK(context.file_system->CreateDirectories(settings.directory));
  return std::make_unique<FileStreamSink>(std::move(plan), paths[0],
                                          CompactibleLog(context.file_system, context.clock, std::move(settings)),
                                          retention_ms, context.clock);
}

}  // namespace millrace::connector::file
