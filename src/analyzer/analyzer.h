#pragma once

#include <arrow/record_batch.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.h"
#include "connector/source.h"
#include "expression/eval_context.h"
#include "logical/plan.h"
#include "python/environment.h"
#include "python/user_function.h"

namespace spark::connect {
class Aggregate;
class DataType;
class Expression;
class Relation;
}  // namespace spark::connect

namespace millrace::analyzer {

/// A Python function that a session registered under a name (spark.udf.register). Immutable.
struct RegisteredFunction {
  python::UserFunctionPtr function;
  types::DataTypePtr return_type;
};

/// A data source that a session registered under a name.
struct RegisteredSource {
  const connector::SourceDef* def = nullptr;
  std::shared_ptr<const connector::Extension> extension;
};

struct KnownFrame;

/// What resolving may ask of the session. Outlives the call.
struct AnalyzerContext {
  expression::EvalContext eval;
  const catalog::Catalog* catalog = nullptr;
  const connector::ConnectorContext* connector = nullptr;
  std::string session_id;
  /// spark.sql.sources.default.
  std::string default_source = "parquet";
  /// Inside a persisted view: the database its names are looked up in, and how many views are around.
  std::optional<std::string> view_database;
  int view_depth = 0;
  /// The SQL functions whose bodies are around, outermost first.
  std::vector<std::string> function_path;
  /// Runs a plan to its end, now; its rows by partition. For relations whose columns depend on rows (transpose, pivot
  /// without values, schema inference) and the steps of WITH RECURSIVE. Empty where nothing may run.
  std::function<arrow::Result<std::vector<std::vector<std::shared_ptr<arrow::RecordBatch>>>>(const logical::PlanPtr&)>
      run_plan;
  /// The plan behind a CachedRemoteRelation (foreachBatch's DataFrame, a checkpointed one).
  std::function<arrow::Result<logical::PlanPtr>(const std::string& relation_id)> cached_relation;
  /// A frame of the session that was resolved before, by its plan id; null when it is not remembered. May be empty.
  std::function<std::shared_ptr<const KnownFrame>(int64_t plan_id)> known_frame;
  /// Whether the rows of a plan are kept (persist). May be empty.
  std::function<bool(const logical::Plan& plan)> is_persisted;
  /// A block of a local relation that the client has sent before, by its hash; null when it is not here. May be empty.
  std::function<std::shared_ptr<const std::string>(const std::string& hash)> cached_block;
  /// Any other session setting.
  std::function<std::optional<std::string>(std::string_view key)> conf;
  /// What `${key}` stands for in texts of expressions and queries; empty where they have none.
  std::function<arrow::Result<std::string>(const std::string& key)> setting_in_text;
  /// Whether the setting is there and has that value, in whatever case.
  bool ConfIs(std::string_view key, std::string_view value) const;
  /// The function that the session registered under a lower-case name; null when there is none.
  std::function<std::shared_ptr<const RegisteredFunction>(const std::string& lower_name)> registered_function;
  /// The data source that the session registered under a name, in any case; its `def` is null when there is none.
  std::function<RegisteredSource(const std::string& name)> registered_source;
  /// What Python functions run with; null where there are none.
  python::EnvironmentPtr python;
  /// What the session's Python workers have logged, a JSON object each; empty when the session does not want to know.
  std::function<std::vector<std::string>()> worker_logs;

  /// Of run_plan: the batches that have rows, in partition order. REQUIRES: run_plan.
  arrow::Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> RowsOf(const logical::PlanPtr& plan) const;
};

/// Plan messages → typed logical plan: names, types with implicit casts, functions, stars, aliases.
/// Errors: UserError with Spark's condition (UNRESOLVED_COLUMN.WITH_SUGGESTION, DATATYPE_MISMATCH.…, …); a message
/// that is not built is refused by name with UNSUPPORTED_FEATURE-like conditions.
/// Thread: free of shared state.
arrow::Result<logical::PlanPtr> ResolveRelation(const spark::connect::Relation& relation,
                                                const AnalyzerContext& context);

/// Whether relations and expressions of this kind (the field's number in its oneof) are resolved, not refused by name.
bool ServesRelation(int field_number);
bool ServesExpression(int field_number);

/// A type given as a message, or as text inside one (Unparsed).
arrow::Result<types::DataTypePtr> ResolveDataType(const spark::connect::DataType& type);

/// `[UNSUPPORTED_FEATURE…] what is not supported`: the one refusal for messages that are not built.
arrow::Status NotSupported(std::string what);

}  // namespace millrace::analyzer
