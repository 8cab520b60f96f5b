#pragma once

#include <compare>
#include <string>
#include <vector>

namespace millrace::python {

/// Which Python runs the user's functions, and where it finds his modules. Processes of equal interpreters are shared.
struct Interpreter {
  /// A path, or a name looked up in PATH.
  std::string executable;
  /// In front of what PYTHONPATH says: the job's folder, --py-files.
  std::vector<std::string> module_path;
  /// Where its processes start; empty: where the engine runs.
  std::string folder = {};
  /// The session that wants to know what its workers log; empty: their output is not looked at.
  std::string log_session = {};
  /// Where a worker writes why it crashes, in a file called as its process (WorkerPool::FaultFolder); empty: nowhere.
  std::string fault_folder = {};
  /// What a function's failure tells: without what is PySpark's own in front, or no places at all. Tasks only.
  bool simplified_traceback = false;
  bool hidden_traceback = false;

  auto operator<=>(const Interpreter&) const = default;
};

/// What PYSPARK_PYTHON, PYSPARK_DRIVER_PYTHON or else `python3` name. Source: Spark, SparkConnectPlanner.pythonExec.
Interpreter DefaultInterpreter();

}  // namespace millrace::python
