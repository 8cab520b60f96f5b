#include "physical/write.h"

#include <filesystem>

#include "analyzer/file_of_row.h"
#include "base/ascii.h"
#include "base/error.h"
#include "base/ids.h"
#include "connector/delta/delta_sink.h"
#include "connector/foreach_batch/foreach_batch_sink.h"
#include "connector/missing_source.h"
#include "expression/type_coercion.h"
#include "format/file_format.h"
#include "logical/node/local_relation.h"
#include "logical/node/project.h"
#include "logical/node/repartition.h"
#include "logical/node/source_scan.h"
#include "optimizer/cartesian_products.h"
#include "optimizer/optimizer.h"
#include "physical/planner.h"
#include "physical/shuffle_order.h"
#include "python/worker_pool.h"
#include "session/clustering_columns.h"
#include "session/python_source.h"
#include "session/python_streaming.h"
#include "session/session.h"
#include "spark/connect/commands.pb.h"
#include "spark/connect/relations.pb.h"
#include "types/arrow_type.h"
#include "types/datetime_text.h"
#include "types/interval_text.h"

/// Batch and streaming writes: from the client's message to a sink.

namespace millrace::session {

namespace {

namespace connect = spark::connect;

constexpr char kForeachBatchModule[] = "pyspark.sql.connect.streaming.worker.foreach_batch_worker";

connector::SaveMode ToSaveMode(connect::WriteOperation::SaveMode mode) {
  switch (mode) {
    case connect::WriteOperation::SAVE_MODE_APPEND:
      return connector::SaveMode::kAppend;
    case connect::WriteOperation::SAVE_MODE_OVERWRITE:
      return connector::SaveMode::kOverwrite;
    case connect::WriteOperation::SAVE_MODE_IGNORE:
      return connector::SaveMode::kIgnore;
    default:
      return connector::SaveMode::kErrorIfExists;
  }
}

arrow::Result<connector::OutputMode> ToOutputMode(const std::string& text) {
  if (text.empty() || EqualsIgnoreCase(text, "append")) return connector::OutputMode::kAppend;
  if (EqualsIgnoreCase(text, "update")) return connector::OutputMode::kUpdate;
  if (EqualsIgnoreCase(text, "complete")) return connector::OutputMode::kComplete;
  return UserError("STREAMING_OUTPUT_MODE.INVALID", {{"outputMode", text}});
}

constexpr std::string_view kBatchDuration = "batch duration";

arrow::Result<int64_t> TriggerInterval(const std::string& text, std::string_view what = "interval of trigger") {
  types::CalendarIntervalValue interval;
  if (!types::ParseCalendarInterval(text, &interval)) {
    return UserError("INVALID_INTERVAL_FORMAT.UNRECOGNIZED_NUMBER", {{"input", text}, {"number", text}});
  }
  if (interval.months != 0) return UserError("_LEGACY_ERROR_TEMP_3262", {{"interval", text}});
  int64_t millis = (interval.days * types::kMicrosPerDay + interval.micros) / 1000;
  if (millis < 0) return arrow::Status::Invalid("requirement failed: the ", what, " should not be negative");
  return millis;
}

arrow::Result<streaming::Trigger> ToTrigger(const connect::WriteStreamOperationStart& start) {
  streaming::Trigger trigger;
  switch (start.trigger_case()) {
    case connect::WriteStreamOperationStart::kProcessingTimeInterval: {
      trigger.kind = streaming::TriggerKind::kProcessingTime;
      ARROW_ASSIGN_OR_RAISE(trigger.interval_ms, TriggerInterval(start.processing_time_interval()));
      // An interval of 0 means "as fast as possible".
      if (trigger.interval_ms == 0) trigger.kind = streaming::TriggerKind::kDefault;
      return trigger;
    }
    case connect::WriteStreamOperationStart::kAvailableNow:
      trigger.kind = streaming::TriggerKind::kAvailableNow;
      return trigger;
    case connect::WriteStreamOperationStart::kOnce:
      trigger.kind = streaming::TriggerKind::kOnce;
      return trigger;
    case connect::WriteStreamOperationStart::kContinuousCheckpointInterval: {
      trigger.kind = streaming::TriggerKind::kContinuous;
      ARROW_ASSIGN_OR_RAISE(trigger.interval_ms, TriggerInterval(start.continuous_checkpoint_interval()));
      return trigger;
    }
    case connect::WriteStreamOperationStart::kRealTimeBatchDuration: {
      trigger.kind = streaming::TriggerKind::kRealTime;
      ARROW_ASSIGN_OR_RAISE(trigger.interval_ms, TriggerInterval(start.real_time_batch_duration(), kBatchDuration));
      // Spark's check, and its words.
      if (trigger.interval_ms == 0) {
        return arrow::Status::Invalid("requirement failed: the ", kBatchDuration, " should not be negative");
      }
      return trigger;
    }
    default:
      return trigger;
  }
}

std::string DefaultSinkName(const std::string& format, const std::string& fallback) {
  return format.empty() ? fallback : format;
}

arrow::Status CheckTakesPartitions(const connect::WriteStreamOperationStart& start, bool is_foreach_batch,
                                   bool is_foreach) {
  const char* sink = nullptr;
  if (EqualsIgnoreCase(start.format(), "memory")) sink = "memory";
  if (start.has_foreach_writer() || is_foreach) sink = "foreach";
  if (start.has_foreach_batch() || is_foreach_batch) sink = "foreachBatch";
  return sink == nullptr ? arrow::Status::OK() : UserError("_LEGACY_ERROR_TEMP_1197", {{"operation", sink}});
}

// Where the micro-batches of foreachBatch go: their rows are a relation of the session while the function runs.
// `columns` of the rows may be more than `plan`, the stream, shows.
std::function<arrow::Result<std::unique_ptr<connector::StreamSink>>(const connector::SinkRequest&)> SinkOfFunction(
    std::weak_ptr<Session> weak, const logical::Plan& plan, logical::AttributeVector columns,
    const ForeachBatchFunction& foreach_batch, const std::shared_ptr<python::StreamingWorker>& worker) {
  using Rows = logical::LocalRelation::Rows;
  Rows origin = analyzer::ReadsFiles(plan) ? Rows::kComputed : Rows::kOfNoFile;
  return [weak = std::move(weak), columns = std::move(columns), shown = plan.output(), origin, foreach_batch,
          worker](const connector::SinkRequest&) -> arrow::Result<std::unique_ptr<connector::StreamSink>> {
    auto process = [weak, columns, shown, origin, foreach_batch](BatchId batch_id,
                                                                 std::shared_ptr<connector::MicroBatchRows> rows) {
      std::shared_ptr<Session> session = weak.lock();
      if (session == nullptr) return arrow::Status::Cancelled("the session has ended");
      std::string relation_id = RandomUuid();
      logical::PlanPtr held = logical::LocalRelation::Of(columns, std::move(rows), origin);
      if (shown.size() < columns.size()) {
        held = std::make_shared<logical::Project>(logical::ExpressionVector(shown.begin(), shown.end()), held);
      }
      session->PutRelation(relation_id, std::move(held));
      arrow::Status status = foreach_batch(relation_id, batch_id);
      session->RemoveRelation(relation_id);
      return status;
    };
    if (worker != nullptr) return MakePythonForeachBatchSink(worker, std::move(process));
    return connector::MakeForeachBatchSink(std::move(process));
  };
}

arrow::Status CheckStreamSink(const std::string& format, const connector::SinkDef* sink, const std::string& path) {
  if (EqualsIgnoreCase(format, "hive")) return UserError("_LEGACY_ERROR_TEMP_1187", {{"operation", "write"}});
  if (sink == nullptr ? connector::FindSource(format) != nullptr || EqualsIgnoreCase(format, "jdbc")
                      : sink->open_stream == nullptr) {
    return UserError("_LEGACY_ERROR_TEMP_2049", {{"className", format}, {"operator", "writing"}});
  }
  if (sink == nullptr) return connector::MissingSource(format);
  if (path.empty() && format::FindFileFormat(format) != nullptr) return UserError("_LEGACY_ERROR_TEMP_2047");
  return arrow::Status::OK();
}

bool ReadsFrom(const logical::Plan& plan, const std::string& target) {
  if (target.empty()) return false;
  const std::string location = AbsolutePath(LocalPath(target));
  bool found = false;
  logical::VisitPlan(plan, [&](const logical::Plan& node) {
    if (node.kind() != logical::NodeKind::kSourceScan) return;
    for (const std::string& path : static_cast<const logical::SourceScan&>(node).request()->paths) {
      found = found || AbsolutePath(LocalPath(path)) == location;
    }
  });
  return found;
}

}  // namespace

const connector::SinkDef* Session::FindSinkOrRegistered(const std::string& format,
                                                        connector::SinkRequest* request) const {
  const connector::SinkDef* def = connector::FindSink(format);
  if (def != nullptr) return def;
  request->extension = FindPythonSource(format);
  return request->extension == nullptr ? nullptr : &kPythonSink;
}

arrow::Status Session::WriteRows(logical::PlanPtr plan, const connector::SinkDef& sink, connector::SinkRequest request,
                                 const RunControl& control) {
  if (sink.open_batch == nullptr) {
    return UserError("UNSUPPORTED_FEATURE.TABLE_OPERATION",
                     {{"tableName", QuoteIdentifier(sink.name)}, {"operation", "append in batch mode"}});
  }
  request.schema = plan->Schema();
  request.context = CurrentConnectorContext();
  if (request.extension == nullptr && ReadsFrom(*plan, request.path))
    request.extension = connector::delta_table::ReadsTarget();
  if (!conf_.GetBool("spark.sql.adaptive.enabled")) {
    // Nothing brings the partitions of Spark's exchanges together then: each is a file.
    if (auto keys = physical::HashedBy(*plan)) {
      auto num_partitions = static_cast<int>(conf_.GetInt64("spark.sql.shuffle.partitions"));
      plan = std::make_shared<logical::Repartition>(num_partitions, true, std::move(*keys), std::move(plan));
    }
  }
  ARROW_ASSIGN_OR_RAISE(physical::OperatorPtr root, PlanBatch(plan));
  ARROW_ASSIGN_OR_RAISE(std::unique_ptr<connector::Write> target, sink.open_batch(request));
  if (target == nullptr) return arrow::Status::OK();
  physical::ExecutionContext context;
  Prepare(&context, control);
  ARROW_RETURN_NOT_OK(physical::RunWrite(*root, context, target.get()));
  if (!request.path.empty()) cache_.Invalidate(request.path);
  return Report(root, context, control);
}

arrow::Result<std::shared_ptr<python::StreamingWorker>> Session::StartPythonForeachBatch(
    const connect::WriteStreamOperationStart& start, ForeachBatchFunction* function) {
  if (!start.foreach_batch().has_python_function()) return analyzer::NotSupported("foreachBatch of another language");
  const auto& message = start.foreach_batch().python_function();
  python::UserFunction user{"foreachBatch", python::EvalType::kBatched, message.command(), message.python_ver()};
  ARROW_ASSIGN_OR_RAISE(PythonClient client, StreamingPythonClient("foreachBatch"));
  ARROW_ASSIGN_OR_RAISE(
      auto worker, StartStreamingWorker(MakeAnalyzerContext().python, client, kForeachBatchModule, std::move(user)));
  *function = [worker, user_id = client.user_id](const std::string& relation_id, BatchId batch_id) {
    return worker->ProcessBatch(relation_id, batch_id.value, user_id);
  };
  return worker;
}

arrow::Result<Session::MakeSink> Session::PythonForeach(const connect::WriteStreamOperationStart& start,
                                                        types::DataTypePtr schema) {
  if (!start.foreach_writer().has_python_function()) return analyzer::NotSupported("foreach of another language");
  const auto& message = start.foreach_writer().python_function();
  auto function = std::make_shared<python::UserFunction>();
  function->name = "foreach";
  function->command = message.command();
  function->python_version = message.python_ver();
  return [environment = MakeAnalyzerContext().python, function,
          schema](const connector::SinkRequest&) -> arrow::Result<std::unique_ptr<connector::StreamSink>> {
    return MakePythonForeachSink(environment, function, schema);
  };
}

arrow::Status Session::Write(const connect::WriteOperation& write, const RunControl& control) {
  if (write.sort_column_names_size() > 0 && !write.has_bucket_by()) return UserError("SORT_BY_WITHOUT_BUCKETING");
  using Method = connect::WriteOperation::SaveTable;
  bool insert = write.has_table() && write.table().save_method() == Method::TABLE_SAVE_METHOD_INSERT_INTO;
  const bool clusters = write.clustering_columns_size() > 0 && (insert || !write.has_table());
  if (clusters && write.has_bucket_by()) return UserError("SPECIFY_CLUSTER_BY_WITH_BUCKETING_IS_NOT_ALLOWED");
  if (clusters && write.partitioning_columns_size() > 0) {
    return UserError("SPECIFY_CLUSTER_BY_WITH_PARTITIONED_BY_IS_NOT_ALLOWED");
  }
  if (write.has_bucket_by() && (insert || !write.has_table())) {
    return UserError(write.sort_column_names_size() > 0 ? "_LEGACY_ERROR_TEMP_1313" : "_LEGACY_ERROR_TEMP_1312",
                     {{"operation", insert ? "insertInto" : "save"}});
  }
  if (write.has_table()) return WriteTable(write, control);
  std::string format = DefaultSinkName(write.source(), conf_.Get("spark.sql.sources.default").value_or("parquet"));
  connector::SinkRequest request;
  const connector::SinkDef* def = FindSinkOrRegistered(format, &request);
  if (def == nullptr) return connector::MissingSource(format);
  // Files and Delta tables in folders are written as if it had not been said. Spark's newer sinks compare it with how
  // their table is laid out, and that is not at all; console has no such batch writer.
  if (clusters && (def->reports_num_output_rows || request.extension != nullptr) && def->name != "console") {
    std::string columns;
    for (const std::string& column : write.clustering_columns()) columns += (columns.empty() ? "" : ", ") + column;
    return arrow::Status::Invalid(
        "requirement failed: The provided partitioning or clustering columns do not match the existing table's.\n - "
        "provided: cluster_by(",
        columns, ")\n - table: ");
  }
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, Analyze(write.input()));
  if (plan->is_streaming()) return UserError("CALL_ON_STREAMING_DATASET_UNSUPPORTED", {{"methodName", "`write`"}});
  for (const auto& [key, value] : write.options()) request.options.Set(key, value);
  request.path = write.has_path() ? write.path() : request.options.GetOr("path", "");
  request.partition_columns.assign(write.partitioning_columns().begin(), write.partitioning_columns().end());
  request.save_mode = ToSaveMode(write.mode());
  return WriteRows(std::move(plan), *def, std::move(request), control);
}

arrow::Result<std::shared_ptr<streaming::StreamingQuery>> Session::StartStream(
    const connect::WriteStreamOperationStart& start, ForeachBatchFunction foreach_batch,
    connector::MakePartitionConsumer foreach) {
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, Analyze(start.input()));
  if (!plan->is_streaming()) {
    return UserError("WRITE_STREAM_NOT_ALLOWED");
  }
  if (start.clustering_column_names_size() > 0 && start.partitioning_column_names_size() > 0) {
    return UserError("SPECIFY_CLUSTER_BY_WITH_PARTITIONED_BY_IS_NOT_ALLOWED");
  }
  if (!conf_.GetBool("spark.sql.crossJoin.enabled")) {
    ARROW_ASSIGN_OR_RAISE(logical::PlanPtr optimized, optimizer::Optimize(plan, MakeEvalContext()));
    ARROW_RETURN_NOT_OK(optimizer::CheckCartesianProducts(*optimized));
  }
  streaming::StreamingQuerySpec spec;
  spec.plan = plan;
  ARROW_ASSIGN_OR_RAISE(spec.output_mode, ToOutputMode(start.output_mode()));
  ARROW_ASSIGN_OR_RAISE(spec.trigger, ToTrigger(start));
  connector::SinkRequest& request = spec.sink_request;
  for (const auto& [key, value] : start.options()) request.options.Set(key, value);
  spec.name = start.query_name().empty() ? request.options.GetOr("queryName", "") : start.query_name();
  if (start.has_path() && request.options.Has("path") &&
      !conf_.GetBool("spark.sql.legacy.pathOptionBehavior.enabled")) {
    return UserError("_LEGACY_ERROR_TEMP_1188",
                     {{"method", "start"}, {"config", "spark.sql.legacy.pathOptionBehavior.enabled"}});
  }
  request.path = start.has_path() ? start.path() : request.options.GetOr("path", "");
  request.partition_columns.assign(start.partitioning_column_names().begin(), start.partitioning_column_names().end());
  request.schema = plan->Schema();
  request.output_mode = spec.output_mode;
  request.query_name = spec.name;

  if (!request.partition_columns.empty()) {
    ARROW_RETURN_NOT_OK(CheckTakesPartitions(start, foreach_batch != nullptr, foreach != nullptr));
  }

  if (spec.trigger.kind == streaming::TriggerKind::kContinuous && (start.has_foreach_batch() || foreach_batch)) {
    return UserError("_LEGACY_ERROR_TEMP_1195", {{"source", "foreachBatch"}});
  }
  if (conf_.GetInt64("spark.sql.streaming.minBatchesToRetain") <= 0) {
    return arrow::Status::Invalid("requirement failed: minBatchesToRetain has to be positive");
  }
  bool temporary_allowed = true;
  std::string table_provider;
  std::shared_ptr<python::StreamingWorker> worker;
  if (start.has_foreach_batch() && !foreach_batch) {
    ARROW_ASSIGN_OR_RAISE(worker, StartPythonForeachBatch(start, &foreach_batch));
  }
  if (start.has_foreach_writer()) {
    ARROW_ASSIGN_OR_RAISE(spec.make_sink, PythonForeach(start, plan->Schema()));
    spec.made_sink_low_latency = {.continuous = true, .real_time = true};
  } else if (foreach) {
    spec.made_sink_low_latency = {.continuous = true, .real_time = true};
    spec.make_sink = [foreach = std::move(foreach), schema = plan->Schema()](
                         const connector::SinkRequest&) -> arrow::Result<std::unique_ptr<connector::StreamSink>> {
      return connector::MakeForeachSink(foreach, *schema);
    };
  } else if (foreach_batch) {
    spec.made_sink_low_latency.class_name = "org.apache.spark.sql.execution.streaming.sources.ForeachBatchSink";
    ARROW_ASSIGN_OR_RAISE(spec.plan, analyzer::WithFilesOfRows(plan, MakeAnalyzerContext()));
    request.schema = spec.plan->Schema();
    spec.make_sink = SinkOfFunction(weak_from_this(), *plan, spec.plan->output(), foreach_batch, worker);
  } else {
    if (start.has_table_name()) {
      ARROW_ASSIGN_OR_RAISE(plan, PrepareStreamTable(start, plan, &request, &table_provider));
      spec.plan = plan;
      request.schema = plan->Schema();
    }
    std::string format = DefaultSinkName(table_provider.empty() ? start.format() : table_provider,
                                         conf_.Get("spark.sql.sources.default").value_or("parquet"));
    spec.sink = FindSinkOrRegistered(format, &request);
    ARROW_RETURN_NOT_OK(CheckStreamSink(format, spec.sink, request.path));
    // Files are written as if it had not been said, but for the names; Spark's newer sinks do not even look at those.
    if (start.clustering_column_names_size() > 0 && !start.has_table_name()) {
      if (spec.sink->name == "delta") return analyzer::NotSupported("clusterBy of a stream into a Delta table by path");
      if (format::FindFileFormat(format) != nullptr) {
        ARROW_RETURN_NOT_OK(CheckClusteringColumns(start, *plan->Schema(), conf_.GetBool("spark.sql.caseSensitive")));
      }
    }
    temporary_allowed = spec.sink->temporary_checkpoint;
  }
  // Asked before anything is looked for on disk, as in Spark.
  bool to_memory = spec.sink != nullptr && spec.sink->name == "memory";
  if (to_memory && spec.name.empty()) return UserError("_LEGACY_ERROR_TEMP_1194");

  std::optional<std::string> location = request.options.Get("checkpointLocation");
  if (location && location->empty()) return arrow::Status::Invalid("Can not create a Path from an empty string");
  if (!location) {
    if (auto base = conf_.Get("spark.sql.streaming.checkpointLocation")) {
      location = JoinPath(*base, spec.name.empty() ? RandomUuid() : spec.name);
    }
  }
  if (!location) {
    if (!temporary_allowed) {
      return UserError("_LEGACY_ERROR_TEMP_1298", {{"config", "spark.sql.streaming.checkpointLocation"}});
    }
    location = (std::filesystem::temp_directory_path() / ("temporary-" + RandomUuid())).string();
    spec.temporary_checkpoint = true;
  }
  spec.checkpoint_location = AbsolutePath(LocalPath(*location));
  // The rows of an earlier run are not there any more; only a complete result makes up for that.
  if (to_memory && spec.output_mode != connector::OutputMode::kComplete) {
    std::string offsets = JoinPath(spec.checkpoint_location, "offsets");
    ARROW_ASSIGN_OR_RAISE(auto found, engine_->file_system->Stat(offsets));
    if (found) return UserError("_LEGACY_ERROR_TEMP_1299", {{"checkpointPath", offsets}});
  }
  auto conf = std::make_shared<Conf>(conf_);
  spec.conf = [conf](std::string_view key) { return conf->Get(key); };
  spec.polling_delay_ms = conf_.GetMillis("spark.sql.streaming.pollingDelay");
  spec.no_data_progress_interval_ms = conf_.GetMillis("spark.sql.streaming.noDataProgressEventInterval");
  spec.stop_timeout_ms = conf_.GetMillis("spark.sql.streaming.stopTimeout");
  spec.eval = MakeEvalContext();
  spec.connector = *CurrentConnectorContext();
  spec.connector.conf = spec.conf;
  spec.pool = engine_->pool.get();
  spec.clock = engine_->clock;
  spec.file_system = engine_->file_system;
  std::string name = spec.name;
  ARROW_ASSIGN_OR_RAISE(auto query, streams_.Start(std::move(spec)));
  if (to_memory) {
    connect::Relation table;
    auto* source = table.mutable_read()->mutable_data_source();
    source->set_format("memory");
    (*source->mutable_options())["table"] = name;
    ARROW_RETURN_NOT_OK(CreateView(table, name, /*global=*/false, /*replace=*/true));
  }
  return query;
}

}  // namespace millrace::session
