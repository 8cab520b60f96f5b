#pragma once

#include <arrow/result.h>

#include <optional>
#include <string>
#include <vector>

namespace millrace::stream_runner {

/// Under which circumstances scripts are run: what a file of tests/config says.
///
///     crash every_failpoint            each script once for each failpoint: the engine dies there, unsynced files are
///     lost, the
///                                      query starts again
///     sample PATH-PART N               scripts with this in their path die at N places only, drawn by their name
///     restart each_process             the query is stopped and started after every `process`
///     rows_per_batch 1                 every added row is a micro-batch of its own
///     partitions 3                     rows of a source are dealt out over so many partitions
///     skip_mode update REASON…         scripts of this output mode are left out
///     state_partitions 7               the number of partitions of state
///     conf KEY VALUE                   a setting of the session, before the script's own
///     ignore VERB                      what this config changes by its nature is not compared (batch, progress,
///     offsets) skip PATH-PART REASON…           scripts with this in their path are left out
struct RunConfig {
  struct Skip {
    std::string path_part;
    std::string reason;
  };
  bool crash_everywhere = false;
  bool restart_each_process = false;
  std::optional<int> rows_per_batch;
  int partitions = 1;
  /// spark.sql.shuffle.partitions, whatever the script says.
  std::optional<int> state_partitions;
  std::vector<std::pair<std::string, std::string>> confs;
  std::vector<std::string> ignored_verbs;
  std::vector<Skip> skips;
  /// Output modes whose scripts are left out, and why.
  std::vector<Skip> mode_skips;
  struct Sample {
    std::string path_part;
    int num_crashes = 0;
  };
  std::vector<Sample> samples;

  static arrow::Result<RunConfig> Load(const std::string& path);
  bool Ignores(const std::string& verb) const;
  /// At how many places a script dies; nullopt for all.
  std::optional<int> NumCrashes(const std::string& script_path) const;
  /// Why the script is left out, or nullopt.
  std::optional<std::string> SkipReason(const std::string& script_path, const std::string& script) const;
};

}  // namespace millrace::stream_runner
