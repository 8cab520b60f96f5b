#pragma once

#include <arrow/status.h>

#include <array>
#include <functional>
#include <string_view>

namespace millrace {

/// Every place where a crash is simulated by tests. Crash runs walk this list, so a new point is
/// tested at once. Named `<component>.<moment>`.
inline constexpr std::array<std::string_view, 27> kFailpoints = {
    "source.before_initial_offsets",
    "source.after_initial_offsets",
    "offset_log.before_add",
    "offset_log.after_add",
    "batch.before_run",
    "batch.after_run",
    "state.before_metadata",
    "state.before_commit",
    "state.before_store_commit",
    "state.before_sync",
    "state.after_commit",
    "sink.before_commit",
    "sink.after_commit",
    "commit_log.before_add",
    "commit_log.after_add",
    "log.before_rename",
    "purge.before_delete",
    "file_source.after_log_add",
    "file_sink.before_log_add",
    "state.before_delta_rename",
    "state.before_snapshot_rename",
    "state.before_delete",
    "delta.after_data_files",
    "delta.before_commit",
    "delta.after_commit",
    "delta.before_checkpoint",
    "delta.before_last_checkpoint",
};

enum class FailpointAction {
  kError,  ///< the call returns an IOError naming the failpoint
  kCrash,  ///< the process ends at once, as by kill -9
};

/// Arms `name` so that its `nth` hit (1 = the next) acts; earlier and later hits pass.
/// `on_hit` runs when it acts, before the error is returned: a test can stop its file system there.
/// Also read once at process start from the environment, MILLRACE_FAILPOINT="name=crash@3".
arrow::Status ArmFailpoint(std::string_view name, FailpointAction action, int nth = 1,
                           std::function<void()> on_hit = {});
void DisarmFailpoints();

/// Called by the code under test. One relaxed atomic load when nothing is armed.
arrow::Status HitFailpoint(std::string_view name);

}  // namespace millrace
