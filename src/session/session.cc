#include "session/session.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/initialize.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <thread>

#include "analyzer/known_frame.h"
#include "analyzer/variable.h"
#include "base/allocation.h"
#include "base/ascii.h"
#include "base/error.h"
#include "base/ids.h"
#include "expression/show_string.h"
#include "function/function_def.h"
#include "logical/node/deduplicate.h"
#include "logical/node/limit.h"
#include "optimizer/cartesian_products.h"
#include "optimizer/optimizer.h"
#include "physical/planner.h"
#include "python/profiles.h"
#include "python/worker_pool.h"
#include "session/delta_changes.h"
#include "session/python_environment.h"
#include "session/python_source.h"
#include "session/row_expressions.h"
#include "session/session_variables.h"
#include "session/sql_command.h"
#include "spark/connect/base.pb.h"
#include "spark/connect/commands.pb.h"
#include "spark/connect/relations.pb.h"
#include "sql/parser.h"
#include "sql/sql_parameters.h"
#include "sql/statement.h"
#include "types/arrow_type.h"

namespace millrace::session {

namespace connect = spark::connect;

namespace {

// What ${key} stands for in texts; none where texts are taken as they are.
sql::SettingReader SettingInText(const Conf& conf) {
  if (!conf.GetBool("spark.sql.variable.substitute")) return nullptr;
  return [&conf](const std::string& key) { return conf.Reference(key); };
}

constexpr std::string_view kWorkerLogging = "spark.sql.pyspark.worker.logging.enabled";

/// Standard output is the program's own (and the console sink's): what the engine has to say goes to standard error,
/// unless the program has set a logger.
void LogToStandardError() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (spdlog::default_logger()->name().empty()) spdlog::set_default_logger(spdlog::stderr_logger_mt("millrace"));
  });
}

}  // namespace

Engine::Engine(int num_threads) {
  LogToStandardError();
  SetUpAllocation();
  (void)arrow::compute::Initialize();
  if (num_threads == 0) num_threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  pool = std::make_unique<TaskPool>(num_threads);
  system_clock_ = std::make_unique<SystemClock>();
  clock = system_clock_.get();
  file_system = LocalFileSystem();
  python_workers = std::make_shared<python::WorkerPool>();
  python_interpreter = python::DefaultInterpreter();
}

int64_t QueryResult::num_rows() const {
  int64_t count = 0;
  for (const auto& batch : batches) count += batch->num_rows();
  return count;
}

std::shared_ptr<Session> Session::Create(std::shared_ptr<Engine> engine) {
  return std::shared_ptr<Session>(new Session(std::move(engine)));
}

Session::Session(std::shared_ptr<Engine> engine)
    : id_(RandomUuid()),
      engine_(std::move(engine)),
      catalog_(engine_->metastore),
      delta_tables_(engine_->file_system),
      profiles_(std::make_shared<python::Profiles>()) {}

Session::~Session() {
  (void)streams_.StopAll();
  if (logged_) engine_->python_workers->EndLogging(id_);
}

std::shared_ptr<Session> Session::Clone() const {
  std::shared_ptr<Session> clone(new Session(engine_));
  clone->conf_.CopyFrom(conf_);
  clone->catalog_.CopyFrom(catalog_);
  std::lock_guard lock(mutex_);
  clone->functions_ = functions_;
  clone->data_sources_ = data_sources_;
  return clone;
}

expression::EvalContext Session::MakeEvalContext() const {
  expression::EvalContext eval;
  auto zone = types::TimeZone::Load(conf_.Get("spark.sql.session.timeZone").value_or("UTC"));
  eval.time_zone = zone.ok() ? *zone : types::TimeZone::Utc();
  eval.ansi = conf_.GetBool("spark.sql.ansi.enabled");
  eval.case_sensitive = conf_.GetBool("spark.sql.caseSensitive");
  eval.current_timestamp_us = engine_->clock->NowMicros();
  return eval;
}

int Session::DefaultParallelism() const {
  if (int set = std::atoi(conf_.Get("spark.default.parallelism").value_or("").c_str()); set > 0) return set;
  std::string master = conf_.Get("spark.master").value_or("");
  if (master == "local") return 1;
  int cores = master.starts_with("local[") ? std::atoi(master.c_str() + 6) : 0;
  return cores > 0 ? cores : engine_->pool->num_threads();
}

connector::ConnectorContext Session::MakeConnectorContext() {
  connector::ConnectorContext context;
  context.file_system = engine_->file_system;
  context.clock = engine_->clock;
  context.durability = conf_.Get("millrace.durability") == "process" ? Durability::kProcess : Durability::kMachine;
  expression::EvalContext eval = MakeEvalContext();
  context.time_zone = eval.time_zone;
  context.case_sensitive = eval.case_sensitive;
  context.parallelism = DefaultParallelism();
  context.conf = [this](std::string_view key) { return conf_.Get(key); };
  context.memory_tables = &memory_tables_;
  context.delta_tables = &delta_tables_;
  context.compile = [this](const types::DataTypePtr& schema, const std::vector<std::string>& sql) {
    return CompileRowExpressions(*this, schema, sql);
  };
  if (print_) context.print = print_;
  context.show = [eval](const types::DataType& schema, const std::vector<std::shared_ptr<arrow::RecordBatch>>& rows,
                        int64_t num_rows, int truncate) {
    return expression::ShowString(eval, schema, rows, {.num_rows = num_rows, .truncate = truncate, .vertical = false});
  };
  return context;
}

const connector::ConnectorContext* Session::CurrentConnectorContext() {
  connector::ConnectorContext made = MakeConnectorContext();
  std::string key = made.time_zone->id() + (made.case_sensitive ? "|case" : "|") +
                    (made.durability == Durability::kMachine ? "|machine|" : "|process|") +
                    std::to_string(made.parallelism);
  std::lock_guard lock(mutex_);
  auto& slot = connector_contexts_[key];
  if (slot == nullptr) slot = std::make_unique<connector::ConnectorContext>(std::move(made));
  return slot.get();
}

analyzer::AnalyzerContext Session::MakeAnalyzerContext() {
  analyzer::AnalyzerContext context;
  context.eval = MakeEvalContext();
  context.catalog = &catalog_;
  context.connector = CurrentConnectorContext();
  context.default_source = conf_.Get("spark.sql.sources.default").value_or("parquet");
  context.session_id = id_;
  context.conf = [this](std::string_view key) { return conf_.Get(key); };
  context.setting_in_text = SettingInText(conf_);
  context.cached_block = find_block_;
  context.run_plan = [weak = weak_from_this()](const logical::PlanPtr& plan)
      -> arrow::Result<std::vector<std::vector<std::shared_ptr<arrow::RecordBatch>>>> {
    std::shared_ptr<Session> session = weak.lock();
    if (session == nullptr) return arrow::Status::Cancelled("the session has ended");
    ARROW_ASSIGN_OR_RAISE(physical::OperatorPtr root, session->PlanBatch(plan));
    physical::ExecutionContext run;
    session->Prepare(&run);
    return physical::Collect(*root, run);
  };
  context.cached_relation = [this](const std::string& relation_id) -> arrow::Result<logical::PlanPtr> {
    KeptRelation kept;
    {
      std::lock_guard lock(mutex_);
      auto it = relations_.find(relation_id);
      if (it == relations_.end()) return UserError("DATAFRAME_NOT_FOUND", {{"dfId", relation_id}});
      kept = it->second;
    }
    bool moved = kept.statement != nullptr && kept.time_zone != MakeEvalContext().time_zone->id();
    return moved ? Analyze(*kept.statement) : kept.plan;
  };
  context.is_persisted = [this](const logical::Plan& plan) { return cache_.Holds(plan); };
  context.known_frame = [this](int64_t plan_id) {
    std::lock_guard lock(mutex_);
    return known_frames_.Find(plan_id);
  };
  context.registered_function = [this](const std::string& name) -> std::shared_ptr<const analyzer::RegisteredFunction> {
    std::lock_guard lock(mutex_);
    auto it = functions_.find(name);
    return it == functions_.end() ? nullptr : it->second;
  };
  context.python = PythonEnvironment();
  if (conf_.GetBool(kWorkerLogging)) {
    context.worker_logs = [workers = engine_->python_workers, id = id_] { return workers->logs().Of(id); };
  }
  context.registered_source = [this](const std::string& name) -> analyzer::RegisteredSource {
    auto source = FindPythonSource(name);
    return {source == nullptr ? nullptr : &kPythonSource, source};
  };
  return context;
}

python::EnvironmentPtr Session::PythonEnvironment() const {
  std::lock_guard lock(mutex_);
  logged_ = logged_ || conf_.GetBool(kWorkerLogging);
  return MakePythonEnvironment(*engine_, conf_, python_client_, profiles_, id_);
}

void Session::RegisterDataSource(const std::string& name, python::UserFunctionPtr data_source) {
  std::lock_guard lock(mutex_);
  data_sources_[ToLowerAscii(name)] = std::move(data_source);
}

std::shared_ptr<const connector::Extension> Session::FindPythonSource(const std::string& name) const {
  auto source = std::make_shared<PythonDataSource>();
  {
    std::lock_guard lock(mutex_);
    auto it = data_sources_.find(ToLowerAscii(name));
    if (it == data_sources_.end()) return nullptr;
    source->function = it->second;
  }
  source->name = name;
  source->environment = PythonEnvironment();
  return source;
}

void Session::set_python_client(PythonClient client) {
  std::lock_guard lock(mutex_);
  python_client_ = std::move(client);
}

void Session::RegisterFunction(const std::string& name, analyzer::RegisteredFunction function) {
  auto shared = std::make_shared<const analyzer::RegisteredFunction>(std::move(function));
  // It takes the place of a temporary one in SQL.
  catalog().temporary_functions().Drop("", ToLowerAscii(name));
  std::lock_guard lock(mutex_);
  functions_[ToLowerAscii(name)] = std::move(shared);
}

std::vector<std::string> Session::RegisteredFunctions() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, function] : functions_) names.push_back(name);
  return names;
}

bool Session::UnregisterFunction(const std::string& name) {
  std::lock_guard lock(mutex_);
  return functions_.erase(ToLowerAscii(name)) > 0;
}

arrow::Result<logical::PlanPtr> Session::Analyze(const connect::Relation& relation) {
  return analyzer::ResolveRelation(relation, MakeAnalyzerContext());
}

arrow::Result<logical::PlanPtr> Session::AnalyzeFrame(const connect::Relation& relation) {
  if (!relation.common().has_plan_id()) return Analyze(relation);
  auto known = std::make_shared<analyzer::KnownFrame>();
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, analyzer::ResolveFrame(relation, MakeAnalyzerContext(), known.get()));
  std::lock_guard lock(mutex_);
  known_frames_.Remember(relation.common().plan_id(), std::move(known));
  return plan;
}

arrow::Result<types::DataTypePtr> Session::Schema(const connect::Relation& relation) {
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, Analyze(relation));
  return plan->Schema();
}

namespace {

// Source: Spark, UnsupportedOperationChecker.checkForBatch.
arrow::Status CheckBatchOperations(const logical::Plan& plan) {
  bool within_watermark = false;
  logical::VisitPlan(plan, [&](const logical::Plan& node) {
    within_watermark = within_watermark || (node.kind() == logical::NodeKind::kDeduplicate &&
                                            static_cast<const logical::Deduplicate&>(node).within_watermark());
  });
  if (!within_watermark) return arrow::Status::OK();
  return UserError("_LEGACY_ERROR_TEMP_3102",
                   {{"msg", "dropDuplicatesWithinWatermark is not supported with batch DataFrames/DataSets"}});
}

}  // namespace

arrow::Result<physical::OperatorPtr> Session::PlanBatch(const logical::PlanPtr& analyzed) {
  ARROW_RETURN_NOT_OK(CheckIsNoStream(*analyzed));
  ARROW_RETURN_NOT_OK(CheckBatchOperations(*analyzed));
  expression::EvalContext eval = MakeEvalContext();
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr with_cached, cache_.Apply(analyzed, [this](const logical::PlanPtr& persisted) {
    return Materialize(persisted);
  }));
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr optimized, optimizer::Optimize(with_cached, eval));
  if (!conf_.GetBool("spark.sql.crossJoin.enabled")) {
    ARROW_RETURN_NOT_OK(optimizer::CheckCartesianProducts(*optimized));
  }
  return physical::PlanOperators(optimized, engine_->pool->num_threads());
}

void Session::Prepare(physical::ExecutionContext* context, const RunControl& control) const {
  context->cancelled = control.cancelled;
  context->eval = MakeEvalContext();
  context->pool = engine_->pool.get();
  context->shuffle_partitions = static_cast<int>(conf_.GetInt64("spark.sql.shuffle.partitions"));
  context->batch_rows = conf_.GetInt64("millrace.batch.rows");
}

arrow::Status Session::Report(const physical::OperatorPtr& root, physical::ExecutionContext& context,
                              const RunControl& control) {
  if (control.root != nullptr) *control.root = root;
  if (control.observed == nullptr) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(*control.observed, physical::FinishObservedMetrics(*root, context));
  return arrow::Status::OK();
}

namespace {

arrow::Result<QueryResult> TextResult(const std::string& column, const std::string& text) {
  arrow::StringBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Append(text));
  ARROW_ASSIGN_OR_RAISE(auto array, builder.Finish());
  QueryResult result;
  result.schema = types::Struct({{column, types::String(), false, ""}});
  result.batches.push_back(arrow::RecordBatch::Make(types::ToArrowSchema(*result.schema), 1, {std::move(array)}));
  return result;
}

}  // namespace

arrow::Result<QueryResult> Session::Execute(const connect::Relation& relation, const RunControl& control) {
  if (relation.has_catalog()) return ExecuteCatalog(relation.catalog());
  if (relation.has_extension()) {
    ARROW_ASSIGN_OR_RAISE(auto changed, RunDeltaRelation(*this, relation));
    if (changed) return std::move(*changed);
  }
  if (relation.has_show_string()) {
    const auto& show = relation.show_string();
    ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, Analyze(show.input()));
    types::DataTypePtr schema = plan->Schema();
    // One row more than shown tells whether there are more.
    plan = std::make_shared<logical::Limit>(std::max<int64_t>(0, show.num_rows()) + 1, 0, false, std::move(plan));
    ARROW_ASSIGN_OR_RAISE(QueryResult rows, ExecutePlan(plan, control));
    ARROW_ASSIGN_OR_RAISE(std::string text,
                          expression::ShowString(
                              MakeEvalContext(), *schema, rows.batches,
                              {.num_rows = show.num_rows(), .truncate = show.truncate(), .vertical = show.vertical()}));
    return TextResult("show_string", text);
  }
  if (relation.has_html_string()) {
    const auto& html = relation.html_string();
    ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, Analyze(html.input()));
    types::DataTypePtr schema = plan->Schema();
    plan = std::make_shared<logical::Limit>(std::max<int64_t>(0, html.num_rows()) + 1, 0, false, std::move(plan));
    ARROW_ASSIGN_OR_RAISE(QueryResult rows, ExecutePlan(plan, control));
    ARROW_ASSIGN_OR_RAISE(
        std::string text,
        expression::HtmlString(MakeEvalContext(), *schema, rows.batches,
                               {.num_rows = html.num_rows(), .truncate = html.truncate(), .vertical = false}));
    return TextResult("html_string", text);
  }
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, Analyze(relation));
  return ExecutePlan(plan, control);
}

arrow::Result<QueryResult> Session::ExecutePlan(const logical::PlanPtr& plan, const RunControl& control) {
  QueryResult result;
  result.schema = plan->Schema();
  ARROW_ASSIGN_OR_RAISE(physical::OperatorPtr root, PlanBatch(plan));
  physical::ExecutionContext context;
  Prepare(&context, control);
  ARROW_ASSIGN_OR_RAISE(auto partitions, physical::Collect(*root, context));
  ARROW_RETURN_NOT_OK(Report(root, context, control));
  for (auto& partition : partitions) {
    for (auto& batch : partition) {
      if (batch->num_rows() > 0) result.batches.push_back(std::move(batch));
    }
  }
  return result;
}

arrow::Result<PlanCache::Partitions> Session::Materialize(const logical::PlanPtr& plan, const RunControl& control) {
  // Not PlanBatch: the plan itself is what is being computed, only parts of it may be known.
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr optimized, optimizer::Optimize(plan, MakeEvalContext()));
  ARROW_ASSIGN_OR_RAISE(physical::OperatorPtr root, physical::PlanOperators(optimized, engine_->pool->num_threads()));
  physical::ExecutionContext context;
  Prepare(&context, control);
  ARROW_ASSIGN_OR_RAISE(std::vector<physical::Batches> partitions, physical::Collect(*root, context));
  return std::make_shared<const std::vector<logical::LocalRelation::Partition>>(std::move(partitions));
}

arrow::Status Session::ForeachPartition(
    const connect::Relation& relation,
    const std::function<arrow::Status(int, const std::vector<std::shared_ptr<arrow::RecordBatch>>&)>& function) {
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, Analyze(relation));
  ARROW_ASSIGN_OR_RAISE(physical::OperatorPtr root, PlanBatch(plan));
  physical::ExecutionContext context;
  Prepare(&context);
  ARROW_ASSIGN_OR_RAISE(auto partitions, physical::Collect(*root, context));
  return engine_->pool->RunAll(static_cast<int>(partitions.size()),
                               [&](int i) { return function(i, partitions[static_cast<size_t>(i)]); });
}

sql::ParserOptions Session::ParserOptions() {
  sql::ParserOptions options;
  options.is_aggregate = [](std::string_view name) { return function::IsAggregateFunction(name); };
  expression::EvalContext eval = MakeEvalContext();
  options.time_zone = eval.time_zone;
  options.time_type = conf().GetBool("spark.sql.timeType.enabled");
  options.double_quoted_identifiers =
      eval.ansi && EqualsIgnoreCase(conf().Get("spark.sql.ansi.doubleQuotedIdentifiers").value_or(""), "true");
  options.timestamp_ntz = EqualsIgnoreCase(conf().Get("spark.sql.timestampType").value_or(""), "TIMESTAMP_NTZ");
  options.view_schema_modes = conf().GetBool("spark.sql.legacy.viewSchemaBindingMode");
  options.script_cursors = conf().GetBool("spark.sql.scripting.cursorEnabled");
  options.continue_handlers = conf().GetBool("spark.sql.scripting.continueHandlerEnabled");
  options.now_us = eval.current_timestamp_us;
  options.setting = SettingInText(conf_);
  options.variable_text = [this](const std::vector<std::string>& parts) {
    return analyzer::VariableText(catalog_, parts);
  };
  options.constant = [this](const connect::Expression& expression) { return ConstantOf(*this, expression); };
  return options;
}

arrow::Result<QueryResult> Session::Sql(const std::string& text) {
  sql::Statement statement;
  ARROW_RETURN_NOT_OK(sql::ParseStatement(text, ParserOptions(), &statement));
  return statement.query ? Execute(*statement.query) : RunSqlCommand(*this, *statement.command);
}

arrow::Result<std::optional<QueryResult>> Session::RunCommand(const connect::SqlCommand& command, bool checks_query) {
  // A text over frames of the client is a query.
  if (command.input().has_with_relations()) {
    if (checks_query) ARROW_RETURN_NOT_OK(Analyze(command.input()));
    return std::nullopt;
  }
  sql::ParserOptions options = ParserOptions();
  bool as_relation = command.has_input() && command.input().has_sql();
  sql::SqlParameters parameters = as_relation ? sql::SqlParameters(command.input().sql()) : sql::SqlParameters(command);
  parameters.AddTo(&options);
  sql::Statement statement;
// Clients before 4.0 send the text beside the input.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  const std::string& text = as_relation ? command.input().sql().query() : command.sql();
#pragma GCC diagnostic pop
  ARROW_RETURN_NOT_OK(sql::ParseStatement(text, options, &statement));
  if (statement.query) {
    // EXECUTE IMMEDIATE and DESCRIBE HISTORY give rows, but are no relations that a client could go on with.
    connect::Relation ignored;
    if (as_relation && !sql::ParseQuery(text, options, &ignored).ok()) return Execute(*statement.query);
    if (checks_query) ARROW_RETURN_NOT_OK(as_relation ? Analyze(command.input()) : Analyze(*statement.query));
    return std::nullopt;
  }
  return RunSqlCommand(*this, *statement.command);
}

arrow::Status Session::SetAtStart(const std::string& key, const std::string& value) {
  ARROW_RETURN_NOT_OK(conf_.SetAtStart(key, value));
  if (key != "spark.sql.catalogImplementation" || value != "hive") return arrow::Status::OK();
  std::string directory = conf_.Get("millrace.catalog.directory").value_or("");
  return engine_->metastore->KeepIn(engine_->file_system, AbsolutePath(LocalPath(directory)));
}

std::string Session::WarehouseDirectory() const {
  return AbsolutePath(LocalPath(conf_.Get("spark.sql.warehouse.dir").value_or("spark-warehouse")));
}

std::string Session::SearchPath() const {
  return "[`system`.`builtin`, `system`.`session`, " + catalog::QuotedDatabase(catalog_.current_database()) + "]";
}

std::vector<std::string> Session::FullNameOf(const std::vector<std::string>& name) const {
  std::optional<catalog::Catalog::TableName> qualified = catalog_.QualifyTable(name);
  if (!qualified) return name;
  return {catalog::kCatalogName, qualified->database, name.back()};
}

arrow::Result<types::DataTypePtr> Session::TableSchema(const std::vector<std::string>& name) {
  connect::Relation relation;
  relation.mutable_read()->mutable_named_table()->set_unparsed_identifier(QuoteNameParts(name));
  return Schema(relation);
}

arrow::Status Session::SetCached(const std::vector<std::string>& name, bool cached) {
  connect::Relation relation;
  relation.mutable_read()->mutable_named_table()->set_unparsed_identifier(QuoteNameParts(name));
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, Analyze(relation));
  if (cached) {
    return cache_.Persist(plan, kDefaultStorageLevel);
  }
  cache_.Unpersist(*plan);
  return arrow::Status::OK();
}

arrow::Result<bool> Session::IsCached(const std::vector<std::string>& name) {
  connect::Relation relation;
  relation.mutable_read()->mutable_named_table()->set_unparsed_identifier(QuoteNameParts(name));
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, Analyze(relation));
  return cache_.LevelOf(*plan).use_memory;
}

void Session::ClearCache() { cache_.Clear(); }

arrow::Status Session::CreateView(const connect::Relation& relation, const std::string& name, bool global,
                                  bool replace) {
  auto parts = sql::ParseMultipartIdentifier(name);
  if (!parts.ok() || parts->size() > 2) return UserError("_LEGACY_ERROR_TEMP_1321", {{"viewName", name}});
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, Analyze(relation));
  return catalog_.CreateView(name, global, replace, std::move(plan));
}

void Session::PutRelation(const std::string& relation_id, logical::PlanPtr plan) {
  std::lock_guard lock(mutex_);
  relations_[relation_id] = {std::move(plan), nullptr, ""};
}

arrow::Result<std::optional<std::string>> Session::PutStatement(const connect::Relation& statement) {
  // Tables are read as they are later; what a text says of functions, settings and views is what it means now.
  if (statement.read().has_named_table() && !TemporaryViewIn(statement)) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, Analyze(statement));
  if (plan->is_streaming()) return std::nullopt;
  std::string id = std::string(analyzer::kStatement) + RandomUuid();
  std::string zone = MakeEvalContext().time_zone->id();
  std::lock_guard lock(mutex_);
  relations_[id] = {std::move(plan), std::make_shared<connect::Relation>(statement), std::move(zone)};
  return id;
}

void Session::RemoveRelation(const std::string& relation_id) {
  std::lock_guard lock(mutex_);
  relations_.erase(relation_id);
}

}  // namespace millrace::session
