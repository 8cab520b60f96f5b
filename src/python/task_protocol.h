#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "python/user_function.h"
#include "python/worker.h"

namespace millrace::python {

/// One argument of a call: a column of the rows sent, and its name when it is passed by name.
struct TaskArgument {
  int32_t column = 0;
  std::string name;
};

/// One call that a worker makes for its rows: functions one around the other, innermost first.
struct TaskCall {
  std::vector<UserFunctionPtr> functions;
  std::vector<TaskArgument> arguments;
  /// What a profiler's result goes by.
  int64_t profile_number = 0;
};

/// What a worker is told before its rows.
struct TaskSpec {
  EvalType eval_type = EvalType::kArrowBatched;
  std::vector<TaskCall> calls;
  /// Keys of Environment::conf.
  std::map<std::string, std::string> conf;
  /// Further words of this kind of function ("input_type", "table_arg_offsets").
  std::map<std::string, std::string> eval_conf;
  int32_t partition = 0;
  /// Where SparkFiles.get finds what was added to the session; TaskStream fills it in.
  std::string files_folder;
  /// Table functions: JSON of the rows' type.
  std::string result_schema;
  /// Table functions: what analyze() gave, pickled; empty without one.
  std::string analyze_result;
  /// Table functions: where in the rows of a TABLE argument the values stand that it is partitioned by.
  std::vector<int32_t> partition_columns;
  /// Of the task, as TaskContext.getLocalProperty gives them.
  std::map<std::string, std::string> local_properties;
};

/// The words between connecting and the first row, as a worker of `version` reads them: PySpark 4.0 and 4.1 hold the
/// task in fields where 4.2 holds it in JSON, and send settings with some kinds of functions only.
/// Source: pyspark/worker.py of each version (main, read_udfs, read_single_udf).
std::string TaskHeader(const TaskSpec& spec, const WorkerVersion& version);

/// The same for a function over the iterator of a partition's objects, which is pickled together with how to read and
/// write them (foreach of a stream).
std::string PlainTaskHeader(const TaskSpec& spec, const WorkerVersion& version);

/// The same for a table function: `spec.calls` has one function; its rows are of the type `TaskSpec::result_schema`.
std::string TableTaskHeader(const TaskSpec& spec, const WorkerVersion& version);

/// PySpark 4.0 takes each group as one record batch of a plain stream; later ones as a stream of its own.
bool GroupsAreStreams(EvalType type, const WorkerVersion& version);

}  // namespace millrace::python
