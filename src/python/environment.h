#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "python/interpreter.h"

namespace millrace::python {

class Profiles;
class WorkerPool;

/// What the Python functions of one query run with. Immutable once a plan holds it.
struct Environment {
  std::shared_ptr<WorkerPool> pool;
  /// Where profilers put what they measured; null when none is on.
  std::shared_ptr<Profiles> profiles;
  Interpreter interpreter;
  /// Sent to workers: Spark's keys that change how values are converted.
  std::map<std::string, std::string> conf;
  /// The zone that timestamps are labelled with on their way to a worker.
  std::string time_zone = "UTC";
  /// Files and unpacked archives that were added to the session; empty for none.
  std::string files_folder;
  /// spark.sql.execution.arrow.maxRecordsPerBatch, at least 1.
  int64_t max_records_per_batch = 10000;
  /// spark.sql.execution.arrow.maxBytesPerBatch.
  int64_t max_bytes_per_batch = int64_t{64} << 20;
  /// A task whose worker neither takes nor gives anything for so long fails; 0: it waits
  /// (spark.sql.execution.pyspark.udf.idleTimeoutSeconds with killOnIdleTimeout).
  int64_t idle_timeout_ms = 0;
};
using EnvironmentPtr = std::shared_ptr<const Environment>;

}  // namespace millrace::python
