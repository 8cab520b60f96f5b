#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "python/task_protocol.h"

namespace millrace::python {

/// What the profilers in workers measured of a session's functions (spark.sql.pyspark.udf.profiler), until the client
/// gets it with an answer. Thread-safe.
class Profiles {
 public:
  /// The number that a call's results go by: the same for every run of the same functions over the same columns, as
  /// Spark's plan cache makes it of the actions on one DataFrame.
  int64_t NumberOf(const TaskCall& call);
  /// `pickle`: a worker's pickled tuple of a profiler's accumulator and its value.
  void Add(std::string pickle);
  std::vector<std::string> Take();

 private:
  std::mutex mutex_;
  std::map<std::string, int64_t> numbers_;
  std::vector<std::string> results_;
};

}  // namespace millrace::python
