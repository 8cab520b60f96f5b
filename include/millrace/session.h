#pragma once

#include <arrow/result.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/data_frame.h"
#include "millrace/streaming.h"
#include "millrace/streaming_query_manager.h"

namespace millrace {

/// Reads a bounded source (Spark's DataFrameReader) or, from Session::ReadStream, a stream (DataStreamReader).
class DataFrameReader {
 public:
  DataFrameReader(std::shared_ptr<api::Connection> connection, bool streaming)
      : connection_(std::move(connection)), streaming_(streaming) {}
  DataFrameReader& Format(std::string_view name);
  /// In DDL: "a INT, b STRUCT<c: STRING>".
  DataFrameReader& Schema(std::string_view ddl);
  DataFrameReader& Option(std::string_view key, std::string_view value);
  DataFrameReader& Option(std::string_view key, const char* value) { return Option(key, std::string_view(value)); }
  DataFrameReader& Option(std::string_view key, bool value) { return Option(key, value ? "true" : "false"); }
  DataFrameReader& Option(std::string_view key, int64_t value) { return Option(key, std::to_string(value)); }
  DataFrameReader& Option(std::string_view key, int value) { return Option(key, std::to_string(value)); }
  DataFrameReader& Options(const std::map<std::string, std::string>& options);
  DataFrame Load(std::string_view path = "") const;
  DataFrame Json(std::string_view path);
  DataFrame Csv(std::string_view path);
  DataFrame Parquet(std::string_view path);
  DataFrame Text(std::string_view path);
  DataFrame Orc(std::string_view path);
  /// A table or view of the catalog, by name.
  DataFrame Table(std::string_view name) const;

 private:
  std::shared_ptr<api::Connection> connection_;
  bool streaming_;
  std::string format_;
  std::string schema_;
  std::vector<std::pair<std::string, std::string>> options_;
};

using DataStreamReader = DataFrameReader;

/// A connection to an engine: the one inside this process. Cheap to copy, thread-safe. Its queries end when the last
/// copy goes away.
class Session {
 public:
  class Builder {
   public:
    Builder& AppName(std::string_view name);
    /// A setting: "spark.sql.shuffle.partitions", "spark.sql.session.timeZone", …
    Builder& Config(std::string_view key, std::string_view value);
    /// Worker threads; 0 (default): one a core.
    Builder& NumThreads(int count);
    /// A Spark Connect server instead of the engine in this process: "sc://host:port", with parameters behind it as in
    /// PySpark ("sc://host:port/;token=…;use_ssl=true;user_id=…"). Without it the environment's SPARK_REMOTE counts.
    /// C++ functions (ForeachBatch, ForeachPartition, those of GroupByKey) cannot run there and are refused by name.
    Builder& Remote(std::string_view url);
    /// Errors: UserError for a bad setting; IOError when the server does not answer.
    arrow::Result<Session> GetOrCreate();

   private:
    std::vector<std::pair<std::string, std::string>> settings_;
    int num_threads_ = 0;
    std::string remote_;
  };

  explicit Session(std::shared_ptr<api::Connection> connection) : connection_(std::move(connection)) {}

  DataFrameReader Read() const { return DataFrameReader(connection_, false); }
  DataStreamReader ReadStream() const { return DataStreamReader(connection_, true); }
  DataFrame Range(int64_t end) const { return Range(0, end); }
  DataFrame Range(int64_t start, int64_t end, int64_t step = 1) const;
  /// A query in SQL over temporary views and inline tables.
  DataFrame Sql(std::string_view query) const;
  DataFrame Table(std::string_view name) const;
  /// Rows from Arrow.
  arrow::Result<DataFrame> CreateDataFrame(const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches) const;
  arrow::Status SetConf(std::string_view key, std::string_view value) const;

  StreamingQueryManager Streams() const { return StreamingQueryManager(connection_); }
  /// Waits until any streaming query of the session ends. Errors: its failure.
  arrow::Status AwaitAnyTermination() const;
  /// Stops all queries.
  arrow::Status Stop() const;
  /// From now on SIGTERM and SIGINT stop this session's queries cleanly (the running micro-batch is abandoned and runs
  /// again at the next start) within `millrace.stop.timeout`, and the process ends with 128 + signal.
  void StopOnSignals() const;

  const std::shared_ptr<api::Connection>& connection() const { return connection_; }

 private:
  std::shared_ptr<api::Connection> connection_;
};

}  // namespace millrace
