#pragma once

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fault_injection_file_system.h"
#include "session/session.h"
#include "spark/connect/commands.pb.h"
#include "spark/connect/relations.pb.h"
#include "stream_runner/run_config.h"
#include "stream_runner/script.h"

namespace millrace::stream_runner {

/// A place where the engine shall die once.
struct CrashPoint {
  std::string failpoint;
  /// Which hit.
  int nth = 1;
};

/// One run of a script on an engine of its own, with a clock that stands still and a disk that can lose power.
class ScriptRun {
 public:
  ScriptRun(const RunConfig& config, std::optional<CrashPoint> crash);
  ~ScriptRun();

  struct Failure {
    int line = 0;
    std::vector<std::string> expected;
    std::vector<std::string> got;
  };
  struct Outcome {
    int passed = 0;
    std::vector<Failure> failures;
    /// The query needs an operator that is not built; the rest of the script was left out.
    std::optional<std::string> not_built;
    /// The crash point was reached.
    bool crashed = false;
  };
  Outcome Run(const std::vector<Step>& steps);
  /// The rows of a query over what the script has set up, as a batch, sorted; as `check` shows them.
  arrow::Result<std::vector<std::string>> BatchAnswer(const std::string& sql);

 private:
  /// Answer of a step that has one; an error is a defect of the script.
  arrow::Result<std::optional<std::vector<std::string>>> Do(const Step& step);
  arrow::Status AddMemorySource(const std::string& text);
  arrow::Status AddOtherSource(const std::string& text);
  arrow::Status AddView(const Step& step);
  arrow::Status AddRows(const std::string& text);
  arrow::Status WriteSourceFile(const Step& step);
  arrow::Status Query(const Step& step);
  void Start();
  void StopQuery();
  /// Runs what was added to its end; starts again after a crash.
  void Process();
  arrow::Status ProcessOnce();
  arrow::Status Deliver();
  bool RecoverFromCrash();
  arrow::Result<std::vector<std::string>> NewRows(bool only_new, bool as_they_come);
  /// The newest row of each value of the first `num_columns` columns, sorted.
  std::vector<std::string> LastRows(size_t num_columns);
  arrow::Result<std::vector<std::string>> RowsOf(const session::QueryResult& result) const;
  std::vector<std::string> ErrorAnswer();
  arrow::Result<std::vector<std::string>> Inspect(const Step& step);
  /// Puts a checkpoint that real Spark left (tests/data/spark-checkpoint) in place, its paths made this script's.
  arrow::Status CopySparkCheckpoint(const std::string& name);
  arrow::Status Damage(const Step& step);
  std::string Expand(std::string text) const;
  std::string Folder(const std::string& name) const { return (folder_ / name).string(); }
  void ArmCrash();

  const RunConfig& config_;
  std::optional<CrashPoint> crash_;
  std::filesystem::path folder_;
  ManualClock clock_;
  FaultInjectionFileSystem files_;
  std::shared_ptr<session::Engine> engine_;
  std::shared_ptr<session::Session> session_;

  struct MemorySource {
    std::string columns;  ///< "`a`, `b`"
    std::string casts;
    std::vector<std::string> pending;
  };
  std::map<std::string, MemorySource> sources_;
  spark::connect::WriteStreamOperationStart start_;
  bool has_query_ = false;
  /// The sink is a format of its own, not the rows kept here.
  bool has_sink_ = false;
  std::string sink_format_;
  std::string sink_path_;
  std::string sink_schema_;
  std::string printed_;
  std::shared_ptr<streaming::StreamingQuery> query_;
  arrow::Status error_;
  bool crashed_ = false;
  std::atomic<bool> crash_hit_{false};
  int64_t next_mtime_ms_ = 1704067200000;

  std::mutex mutex_;
  // Guarded by mutex_: rows by micro-batch.
  std::map<int64_t, std::vector<std::string>> batches_;
  int64_t shown_ = -1;
  std::vector<std::string> shown_rows_;
  /// Rows with this text in them are left out of every check; empty for none.
  std::string left_out_;
};

/// The plan message of a query in SQL.
spark::connect::Relation SqlRelation(const std::string& sql);

}  // namespace millrace::stream_runner
