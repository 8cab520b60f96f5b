#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "connector/foreach/foreach_sink.h"
#include "expression/native_function.h"
#include "types/data_type.h"

namespace spark::connect {
class Relation;
class WriteOperation;
class WriteStreamOperationStart;
}  // namespace spark::connect

namespace millrace {
class DataFrame;
class StreamingQueryListener;
namespace streaming {
class StreamingQuery;
}
}  // namespace millrace

namespace millrace::api {

using RecordBatches = std::vector<std::shared_ptr<arrow::RecordBatch>>;

/// What computes a program's plans: the engine inside the process, or a Spark Connect server. The handles of the API
/// build the same messages for both. Thread-safe. Errors: of the query's making, with Spark's condition.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using BatchFunction = std::function<arrow::Status(const DataFrame& rows, int64_t batch_id)>;
  using PartitionFunction = std::function<arrow::Status(int partition_id, const RecordBatches& rows)>;

  virtual ~Connection() = default;

  virtual arrow::Result<types::DataTypePtr> Schema(const spark::connect::Relation& relation) = 0;
  virtual arrow::Result<bool> IsStreaming(const spark::connect::Relation& relation) = 0;
  virtual arrow::Result<std::string> Explain(const spark::connect::Relation& relation, bool extended) = 0;
  virtual arrow::Result<RecordBatches> Execute(const spark::connect::Relation& relation) = 0;
  virtual arrow::Status ForeachPartition(const spark::connect::Relation& relation,
                                         const PartitionFunction& function) = 0;
  virtual arrow::Status Write(const spark::connect::WriteOperation& write) = 0;
  virtual arrow::Status CreateTempView(const spark::connect::Relation& relation, const std::string& name,
                                       bool replace) = 0;
  /// What takes the place of the message's sink; both may be empty.
  struct StreamFunctions {
    BatchFunction foreach_batch;
    connector::MakePartitionConsumer foreach;
  };
  using QueryPtr = std::shared_ptr<streaming::StreamingQuery>;
  virtual arrow::Result<QueryPtr> StartStream(const spark::connect::WriteStreamOperationStart& start,
                                              const StreamFunctions& functions) = 0;
  /// The id by which messages refer to a function of this process; `name` says what the user called. Where the function
  /// cannot run, what uses the id is refused by that name.
  virtual std::string RegisterFunction(const std::string& name, expression::NativeFunctionPtr function) = 0;
  virtual arrow::Status SetConf(const std::string& key, const std::string& value) = 0;
  virtual arrow::Result<std::vector<QueryPtr>> ActiveQueries() = 0;
  /// Negative: for ever.
  virtual arrow::Result<bool> AwaitAnyTermination(std::chrono::milliseconds timeout) = 0;
  virtual arrow::Status ResetTerminated() = 0;
  virtual arrow::Status AddListener(std::shared_ptr<StreamingQueryListener> listener) = 0;
  virtual arrow::Status RemoveListener(const std::shared_ptr<StreamingQueryListener>& listener) = 0;
  virtual arrow::Status StopAll() = 0;
  /// How long a process that was told to end waits for StopAll.
  virtual int64_t StopTimeoutMillis() = 0;
};

std::shared_ptr<Connection> ConnectLocally(int num_threads);
/// `url`: see Session::Builder::Remote. Errors: Invalid for a url that is none; IOError when nobody answers.
arrow::Result<std::shared_ptr<Connection>> ConnectRemotely(const std::string& url);

}  // namespace millrace::api
