#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "analyzer/analyzer.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "base/task_pool.h"
#include "catalog/catalog.h"
#include "connector/foreach/foreach_sink.h"
#include "connector/memory/memory_table.h"
#include "connector/sink.h"
#include "delta/table.h"
#include "physical/operator.h"
#include "physical/operator/collect_metrics.h"
#include "python/interpreter.h"
#include "session/conf.h"
#include "session/explain.h"
#include "session/known_frames.h"
#include "session/plan_cache.h"
#include "session/python_client.h"
#include "session/streaming_query_manager.h"
#include "streaming/streaming_query.h"

namespace spark::connect {
class Catalog;
class Command;
class Plan;
class Relation;
class SqlCommand;
class WriteOperation;
class WriteOperationV2;
class WriteStreamOperationStart;
}  // namespace spark::connect

namespace millrace::python {
class Profiles;
class StreamingWorker;
class WorkerPool;
struct UserFunction;
}  // namespace millrace::python
namespace millrace::sql {
struct Insert;
struct ParserOptions;
}  // namespace millrace::sql

namespace millrace::session {

class PythonListener;

/// What all sessions of a process share: threads, clock, files. Outlives its sessions.
struct Engine {
  /// `num_threads` 0: one a core.
  explicit Engine(int num_threads = 0);

  std::unique_ptr<TaskPool> pool;
  Clock* clock = nullptr;
  FileSystem* file_system = nullptr;
  /// Processes that run Python functions, and the Python that sessions use.
  std::shared_ptr<python::WorkerPool> python_workers;
  python::Interpreter python_interpreter;
  /// Tables of all sessions.
  std::shared_ptr<catalog::Metastore> metastore = std::make_shared<catalog::Metastore>();

 private:
  std::unique_ptr<Clock> system_clock_;
};

/// A query's result in memory.
struct QueryResult {
  types::DataTypePtr schema;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  int64_t num_rows() const;
};

/// What foreachBatch calls: the rows of one micro-batch as a relation of this session, and its number.
using ForeachBatchFunction = std::function<arrow::Status(const std::string& relation_id, BatchId batch_id)>;

/// How a caller holds on to a run.
struct RunControl {
  /// Set by whoever wants the run to end; may be null.
  const std::atomic<bool>* cancelled = nullptr;
  /// Receives what DataFrame.observe computed on the way; may be null.
  std::vector<physical::ObservedMetrics>* observed = nullptr;
  /// Receives the operators that ran; may be null.
  physical::OperatorPtr* root = nullptr;
};

/// A session: settings, views, running queries. All doors (C++ API, Spark Connect, CLI) meet here and speak plan
/// messages.
///
/// Thread: safe; queries of one session may run at once.
class Session : public std::enable_shared_from_this<Session> {
 public:
  static std::shared_ptr<Session> Create(std::shared_ptr<Engine> engine);
  ~Session();
  /// A session of its own with the same settings and views.
  std::shared_ptr<Session> Clone() const;

  Conf& conf() { return conf_; }
  /// Conf::SetAtStart, and what follows from the setting: with spark.sql.catalogImplementation "hive" the engine's
  /// tables are kept in millrace.catalog.directory from one engine to the next, as Spark keeps them in its
  /// metastore_db.
  arrow::Status SetAtStart(const std::string& key, const std::string& value);
  catalog::Catalog& catalog() { return catalog_; }
  const Engine& engine() const { return *engine_; }
  StreamingQueryManager& streams() { return streams_; }
  PlanCache& cache() { return cache_; }
  /// Tables of the memory sink, and those tests feed memory streams with.
  connector::MemoryTables& memory_tables() { return memory_tables_; }
  /// Takes what console sinks print, instead of standard output. Before the first query; may be called from their
  /// threads.
  void set_print(std::function<void(std::string_view text)> print) { print_ = std::move(print); }
  const std::string& id() const { return id_; }
  /// Where the blocks of local relations are that clients send ahead of their plans. Before the first query.
  void set_find_block(std::function<std::shared_ptr<const std::string>(const std::string& hash)> find_block) {
    find_block_ = std::move(find_block);
  }

  /// Resolves a relation message. Errors: UserError as Spark raises.
  arrow::Result<logical::PlanPtr> Analyze(const spark::connect::Relation& relation);
  arrow::Result<types::DataTypePtr> Schema(const spark::connect::Relation& relation);
  /// The same, and remembers its columns by its plan id, for what is analyzed over it (analyzer::KnownFrame).
  arrow::Result<logical::PlanPtr> AnalyzeFrame(const spark::connect::Relation& relation);

  /// Runs a batch query to the end. A ShowString relation gives one row `show_string`.
  /// Errors: as Analyze; UserError UNSUPPORTED_STREAMING_OPERATION… for a stream; failures of its data.
  arrow::Result<QueryResult> Execute(const spark::connect::Relation& relation, const RunControl& control = {});
  /// The same for a plan that is resolved already.
  arrow::Result<QueryResult> ExecutePlan(const logical::PlanPtr& plan, const RunControl& control = {});
  /// The rows of a plan, by partition.
  arrow::Result<PlanCache::Partitions> Materialize(const logical::PlanPtr& plan, const RunControl& control = {});
  /// Runs `function` once a partition, on the engine's threads, several at once.
  arrow::Status ForeachPartition(
      const spark::connect::Relation& relation,
      const std::function<arrow::Status(int, const std::vector<std::shared_ptr<arrow::RecordBatch>>&)>& function);
  arrow::Result<std::string> Explain(const spark::connect::Relation& relation, bool extended);
  arrow::Result<std::string> ExplainPlan(const logical::PlanPtr& analyzed, ExplainMode mode);
  /// The files that a plan reads, as file: URIs.
  arrow::Result<std::vector<std::string>> InputFiles(const logical::PlanPtr& plan);

  /// A SQL statement: rows of a query, or those of a command (mostly none).
  arrow::Result<QueryResult> Sql(const std::string& text);
  /// What a client's spark.sql(…) does at once: a command is run and its rows are given; nullopt for a query, which
  /// runs when its relation is asked for.
  /// `checks_query`: errors of its names are told now.
  arrow::Result<std::optional<QueryResult>> RunCommand(const spark::connect::SqlCommand& command,
                                                       bool checks_query = true);

  /// DataFrameWriter.save, saveAsTable and insertInto.
  arrow::Status Write(const spark::connect::WriteOperation& write, const RunControl& control = {});
  /// DataFrameWriterV2.
  arrow::Status WriteV2(const spark::connect::WriteOperationV2& write, const RunControl& control = {});
  /// Runs a plan into a sink; `request` needs path, options, partition columns and mode, the rest is set here.
  arrow::Status WriteRows(logical::PlanPtr plan, const connector::SinkDef& sink, connector::SinkRequest request,
                          const RunControl& control = {});
  arrow::Status CreateView(const spark::connect::Relation& relation, const std::string& name, bool global,
                           bool replace);

  /// DataStreamWriter.start. `foreach_batch` and `foreach` replace the message's sink when set.
  arrow::Result<std::shared_ptr<streaming::StreamingQuery>> StartStream(
      const spark::connect::WriteStreamOperationStart& start, ForeachBatchFunction foreach_batch = nullptr,
      connector::MakePartitionConsumer foreach = nullptr);

  /// Plans that clients refer to by id (foreachBatch's frames, checkpointed frames).
  void PutRelation(const std::string& relation_id, logical::PlanPtr plan);
  /// Resolves a query now, and gives the id of the relation that goes on meaning what its views, functions and settings
  /// are now; nullopt for a table that is read by name, and for a stream.
  arrow::Result<std::optional<std::string>> PutStatement(const spark::connect::Relation& statement);
  void RemoveRelation(const std::string& relation_id);

  /// What profilers measured of this session's Python functions.
  python::Profiles& profiles() { return *profiles_; }
  /// For functions that start from now on.
  void set_python_client(PythonClient client);
  /// A user's StreamingQueryListener as a client pickled it, in a Python process of its own; `id` is the client's.
  /// Errors: as StreamingWorker::Start.
  arrow::Status AddPythonListener(const std::string& id, python::UserFunction listener);
  /// False when there is none of that id.
  bool RemovePythonListener(const std::string& id);
  std::vector<std::string> PythonListenerIds() const;
  /// spark.udf.register: `name` means this function in expressions and SQL, unless a built-in one has it.
  void RegisterFunction(const std::string& name, analyzer::RegisteredFunction function);
  /// False when no such function is registered.
  bool UnregisterFunction(const std::string& name);
  /// In lower case, sorted.
  std::vector<std::string> RegisteredFunctions() const;

  /// spark.dataSource.register: `name` (any case) means this pickled DataSource class, unless the engine has one.
  void RegisterDataSource(const std::string& name, python::UserFunctionPtr data_source);
  /// One use of a registered class (a PythonDataSource); null when there is none of that name.
  std::shared_ptr<const connector::Extension> FindPythonSource(const std::string& name) const;

  /// Columns of a table or view by name. Errors: UserError TABLE_OR_VIEW_NOT_FOUND.
  arrow::Result<types::DataTypePtr> TableSchema(const std::vector<std::string>& name);
  /// spark.sql.warehouse.dir as an absolute path.
  std::string WarehouseDirectory() const;
  /// Where names are looked for, as messages show it.
  std::string SearchPath() const;
  /// A table name with catalog and database, for messages.
  std::vector<std::string> FullNameOf(const std::vector<std::string>& name) const;
  /// The first temporary view that a query reads by name.
  std::optional<std::string> TemporaryViewIn(const spark::connect::Relation& query) const;
  /// The rows to insert; DEFAULT in VALUES means the column's default.
  arrow::Result<logical::PlanPtr> AnalyzeInsert(const sql::Insert& insert, const catalog::Table& table);
  /// CACHE TABLE marks a name; queries read the table itself all the same.
  /// Persists the rows of a table or view, or forgets them.
  arrow::Status SetCached(const std::vector<std::string>& name, bool cached);
  arrow::Result<bool> IsCached(const std::vector<std::string>& name);
  void ClearCache();

  analyzer::AnalyzerContext MakeAnalyzerContext();
  /// The context of an evaluation now: session zone, ANSI mode, current time.
  expression::EvalContext MakeEvalContext() const;
  sql::ParserOptions ParserOptions();
  /// Connector contexts live as long as the session: plans point at them.
  const connector::ConnectorContext* CurrentConnectorContext();

 private:
  explicit Session(std::shared_ptr<Engine> engine);
  arrow::Result<QueryResult> ExecuteCatalog(const spark::connect::Catalog& message);
  arrow::Status WriteTable(const spark::connect::WriteOperation& write, const RunControl& control);
  /// toTable: makes the table when it is not there; fills in where its rows go. The plan with the table's columns.
  arrow::Result<logical::PlanPtr> PrepareStreamTable(const spark::connect::WriteStreamOperationStart& start,
                                                     logical::PlanPtr plan, connector::SinkRequest* request,
                                                     std::string* provider);
  /// Spark's: spark.default.parallelism, or N of a master local[N], or the threads there are.
  int DefaultParallelism() const;
  connector::ConnectorContext MakeConnectorContext();
  arrow::Result<physical::OperatorPtr> PlanBatch(const logical::PlanPtr& analyzed);
  /// After a run: what the caller wants to know of it.
  static arrow::Status Report(const physical::OperatorPtr& root, physical::ExecutionContext& context,
                              const RunControl& control);
  void Prepare(physical::ExecutionContext* context, const RunControl& control = {}) const;
  python::EnvironmentPtr PythonEnvironment() const;
  /// Null when there is none; a registered one also fills in the request's extension.
  const connector::SinkDef* FindSinkOrRegistered(const std::string& format, connector::SinkRequest* request) const;
  /// Of this session's Python processes; an error names `what` when there is no server they could come back to.
  arrow::Result<PythonClient> StreamingPythonClient(const std::string& what);
  using MakeSink = std::function<arrow::Result<std::unique_ptr<connector::StreamSink>>(const connector::SinkRequest&)>;
  /// Starts the worker of a Python foreachBatch; `function` hands it a micro-batch.
  arrow::Result<std::shared_ptr<python::StreamingWorker>> StartPythonForeachBatch(
      const spark::connect::WriteStreamOperationStart& start, ForeachBatchFunction* function);
  arrow::Result<MakeSink> PythonForeach(const spark::connect::WriteStreamOperationStart& start,
                                        types::DataTypePtr schema);

  std::string id_;
  std::shared_ptr<Engine> engine_;
  Conf conf_;
  catalog::Catalog catalog_;
  connector::MemoryTables memory_tables_;
  delta::TableCache delta_tables_;
  std::function<void(std::string_view)> print_;
  std::function<std::shared_ptr<const std::string>(const std::string&)> find_block_;
  mutable std::mutex mutex_;
  struct KeptRelation {
    logical::PlanPtr plan;
    /// Of a statement: what it was resolved from and in which time zone, for plans are computed in that of the session.
    std::shared_ptr<const spark::connect::Relation> statement;
    std::string time_zone;
  };
  std::map<std::string, KeptRelation> relations_;
  KnownFrames known_frames_;
  std::map<std::string, std::unique_ptr<connector::ConnectorContext>> connector_contexts_;
  PlanCache cache_;
  PythonClient python_client_;
  const std::shared_ptr<python::Profiles> profiles_;
  /// Workers of this session may have logged.
  mutable bool logged_ = false;
  /// By lower-case name.
  std::map<std::string, std::shared_ptr<const analyzer::RegisteredFunction>> functions_;
  /// By lower-case name.
  std::map<std::string, python::UserFunctionPtr> data_sources_;
  /// Each with its id at `streams_`.
  std::map<std::string, std::pair<int, std::shared_ptr<PythonListener>>> python_listeners_;
  StreamingQueryManager streams_;
};

}  // namespace millrace::session
