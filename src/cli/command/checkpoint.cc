#include <chrono>
#include <cstdio>
#include <thread>

#include "base/json_value.h"
#include "cli/checkpoint_report.h"
#include "cli/checkpoint_rewind.h"
#include "cli/checkpoint_waiting.h"
#include "cli/command.h"

namespace millrace::cli {

namespace {

struct CheckpointOptions {
  std::string directory;
  int num_batches = 10;
  int64_t to_batch = -1;
  bool dry_run = false;
  bool without_state = false;
  WatchOptions watch;
};

arrow::Status Show(const CheckpointOptions& options) {
  ARROW_ASSIGN_OR_RAISE(CheckpointReport report, ReadCheckpoint(*LocalFileSystem(), options.directory));
  std::fputs(FormatReport(report, options.num_batches).c_str(), stdout);
  if (!report.has_state || options.without_state || report.batches.empty()) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(WatermarkReport watermark, ReportWatermark(*LocalFileSystem(), report));
  ARROW_ASSIGN_OR_RAISE(std::vector<StateReport> state, ReadState(*LocalFileSystem(), options.directory));
  std::fputs(("\n" + FormatWaiting(report, watermark, state)).c_str(), stdout);
  return arrow::Status::OK();
}

arrow::Status RewindTo(const CheckpointOptions& options) {
  ARROW_ASSIGN_OR_RAISE(Rewind rewind, PlanRewind(*LocalFileSystem(), options.directory, options.to_batch));
  for (const std::string& file : rewind.files) std::printf("%s\n", file.c_str());
  if (options.dry_run) {
    std::printf("%zu files would go; nothing was changed\n", rewind.files.size());
    return arrow::Status::OK();
  }
  ARROW_RETURN_NOT_OK(ApplyRewind(*LocalFileSystem(), options.directory, rewind));
  std::printf("%zu files moved to %s; micro-batch %lld runs next\n", rewind.files.size(), rewind.kept_in.c_str(),
              static_cast<long long>(options.to_batch + 1));
  return arrow::Status::OK();
}

}  // namespace

void AddCheckpointCommand(CLI::App& program, int* exit_code) {
  CLI::App* command = program.add_subcommand("checkpoint", "Look into the checkpoint a streaming query left");
  command->require_subcommand(1);
  auto options = std::make_shared<CheckpointOptions>();
  CLI::App* show =
      command->add_subcommand("show", "What it read, what is done, where it goes on, and why no more comes out");
  show->add_option("directory", options->directory, "Checkpoint location")->required();
  show->add_option("--batches", options->num_batches, "Micro-batches shown")->capture_default_str();
  show->add_flag("--without-state", options->without_state,
                 "Leave the rows in state uncounted: reading many takes time");
  show->callback([options, exit_code] { *exit_code = ExitCodeOf(Show(*options)); });

  CLI::App* rewind = command->add_subcommand(
      "rewind",
      "Make an earlier micro-batch the last one that is done; what came after it is read again. The query must "
      "not run. Files and Delta tables skip the micro-batches they have");
  rewind->add_option("directory", options->directory, "Checkpoint location")->required();
  rewind->add_option("--to", options->to_batch, "The micro-batch to go on after")->required();
  rewind->add_flag("--dry-run", options->dry_run, "Only say which files would go");
  rewind->callback([options, exit_code] { *exit_code = ExitCodeOf(RewindTo(*options)); });

  CLI::App* watch = command->add_subcommand("watch", "Follow a running query: rates, durations, offsets, lag");
  watch->add_option("directory", options->watch.directory, "Checkpoint location")->required();
  watch->add_option("--kafka", options->watch.kafka, "Brokers to ask for the newest offsets (shows the lag)");
  watch->add_option("--seconds", options->watch.seconds, "End after so many seconds; 0: at Ctrl-C")
      ->capture_default_str();
  watch->add_option("--every", options->watch.interval_ms, "Milliseconds between two looks")->capture_default_str();
  watch->add_flag("--lines", options->watch.lines, "One line a look instead of a screen that is drawn anew");
  watch->callback([options, exit_code] { *exit_code = ExitCodeOf(WatchCheckpoint(options->watch)); });
}

}  // namespace millrace::cli
