#include "session/python_environment.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>

#include "base/ascii.h"
#include "python/worker_pool.h"
#include "session/session.h"

namespace millrace::session {

namespace {

// What workers are told. Source: Spark, ArrowPythonRunner.getPythonRunnerConfMap.
constexpr std::string_view kWorkerKeys[] = {
    "spark.sql.legacy.execution.pandas.groupedMap.assignColumnsByName",
    "spark.sql.execution.pandas.convertToArrowArraySafely",
    "spark.sql.execution.arrow.useLargeVarTypes",
    "spark.sql.legacy.execution.pythonUDTF.pandas.conversion.enabled",
    "spark.sql.legacy.execution.pythonUDF.pandas.conversion.enabled",
    "spark.sql.execution.pythonUDF.pandas.intToDecimalCoercionEnabled",
    "spark.sql.execution.pythonUDF.pandas.preferIntExtensionDtype",
    "spark.sql.execution.pyspark.binaryAsBytes",
    "spark.sql.execution.pythonUDF.arrow.concurrency.level",
    "spark.sql.python.filterPushdown.enabled",
};

// "64MB", "1g", a bare number of bytes.
int64_t ParseBytes(const std::string& text) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value <= 0) return std::numeric_limits<int32_t>::max();
  std::string unit = ToLowerAscii(std::string_view(end, static_cast<size_t>(text.data() + text.size() - end)));
  if (unit.starts_with("k")) return value << 10;
  if (unit.starts_with("m")) return value << 20;
  if (unit.starts_with("g")) return value << 30;
  return value;
}

}  // namespace

python::EnvironmentPtr MakePythonEnvironment(const Engine& engine, const Conf& conf, const PythonClient& client,
                                             const std::shared_ptr<python::Profiles>& profiles,
                                             const std::string& session_id) {
  auto environment = std::make_shared<python::Environment>();
  environment->pool = engine.python_workers;
  environment->interpreter = engine.python_interpreter;
  auto& path = environment->interpreter.module_path;
  path.insert(path.begin(), client.module_path.begin(), client.module_path.end());
  environment->files_folder = client.files_folder;
  // A server's sessions have their files beside their functions; the functions of a job run where the job does.
  if (conf.Get("millrace.submit.one.job").value_or("") != "true") environment->interpreter.folder = client.files_folder;
  for (const char* key : {"spark.pyspark.python", "spark.sql.execution.pyspark.python"}) {
    auto executable = conf.Get(key);
    if (executable && !executable->empty()) environment->interpreter.executable = *executable;
  }
  if (conf.GetBool("spark.sql.pyspark.worker.logging.enabled")) environment->interpreter.log_session = session_id;
  environment->interpreter.simplified_traceback =
      conf.GetBool("spark.sql.execution.pyspark.udf.simplifiedTraceback.enabled");
  environment->interpreter.hidden_traceback = conf.GetBool("spark.sql.execution.pyspark.udf.hideTraceback.enabled");
  if (conf.GetBool("spark.sql.execution.pyspark.udf.faulthandler.enabled")) {
    environment->interpreter.fault_folder = engine.python_workers->FaultFolder();
  }
  if (conf.GetBool("spark.sql.execution.pyspark.udf.killOnIdleTimeout")) {
    environment->idle_timeout_ms = conf.GetMillis("spark.sql.execution.pyspark.udf.idleTimeoutSeconds");
  }
  for (std::string_view key : kWorkerKeys) {
    auto value = conf.Get(key);
    if (value && !value->empty()) environment->conf.emplace(key, *value);
  }
  auto profiler = conf.Get("spark.sql.pyspark.udf.profiler");
  if (profiler && !profiler->empty()) {
    environment->conf["spark.sql.pyspark.udf.profiler"] = *profiler;
    environment->profiles = profiles;
  }
  environment->time_zone = conf.Get("spark.sql.session.timeZone").value_or("UTC");
  environment->conf["spark.sql.session.timeZone"] = environment->time_zone;
  int64_t rows = conf.GetInt64("spark.sql.execution.arrow.maxRecordsPerBatch");
  environment->max_records_per_batch = rows > 0 ? rows : std::numeric_limits<int32_t>::max();
  environment->max_bytes_per_batch = ParseBytes(conf.Get("spark.sql.execution.arrow.maxBytesPerBatch").value_or(""));
  return environment;
}

}  // namespace millrace::session
