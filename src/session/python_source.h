#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "connector/sink.h"
#include "connector/source.h"
#include "python/environment.h"
#include "python/user_function.h"

namespace millrace::session {

/// What workers run for a read, and for which pickled partitions.
struct PythonRead {
  python::UserFunctionPtr function;
  std::vector<std::string> partitions;
};

/// A user's DataSource class (pyspark.sql.datasource) as one reader or writer of it uses it. Made anew for each use:
/// schema() makes the instance that what is opened afterwards shares.
struct PythonDataSource final : connector::Extension {
  /// The name it was registered under, as the user of it wrote it.
  std::string name;
  /// The pickled class.
  python::UserFunctionPtr function;
  python::EnvironmentPtr environment;
  /// The pickled instance, once CreatePythonDataSource has made it.
  mutable std::mutex mutex;
  mutable std::string instance;
  /// Of a read whose reader was offered conditions: planned with them; null for others.
  std::shared_ptr<const PythonRead> planned;
};

/// How the engine reads and writes a data source in Python; a request's extension is a PythonDataSource.
/// Source: Spark, sql/core …/datasources/v2/python.
extern const connector::SourceDef kPythonSource;
extern const connector::SinkDef kPythonSink;

/// Makes the instance, and gives its schema (`user_schema` when that is not null).
/// Errors: UserError PYTHON_DATA_SOURCE_ERROR with the traceback.
arrow::Result<types::DataTypePtr> CreatePythonDataSource(const PythonDataSource& source, const Options& options,
                                                         const types::DataTypePtr& user_schema);

/// "Failed to <action> Python data source <type>: <traceback>".
std::function<arrow::Status(std::string)> PythonDataSourceFailure(std::string action, std::string type);

/// Asks a source's reader for its read; for a stream without partitions.
arrow::Result<PythonRead> PlanPythonRead(const PythonDataSource& source, const types::DataType& schema, bool streaming);

/// One pickled partition, read by a worker.
std::shared_ptr<const connector::InputPartition> MakePythonPartition(python::EnvironmentPtr environment,
                                                                     python::UserFunctionPtr read,
                                                                     std::string partition, types::DataTypePtr schema,
                                                                     std::vector<int> columns);

/// Streams: the methods of the reader are called in a process of its own (python_stream.cc).
arrow::Result<std::unique_ptr<connector::MicroBatchStream>> OpenPythonStream(const connector::SourceRequest& request);

}  // namespace millrace::session
