#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "connector/source.h"
#include "expression/eval_context.h"
#include "logical/plan.h"

namespace spark::connect {
class Aggregate;
class DataType;
class Expression;
class Relation;
}  // namespace spark::connect

namespace millrace::analyzer {

/// What resolving may ask of the session. Outlives the call.
struct AnalyzerContext {
  expression::EvalContext eval;
  const catalog::Catalog* catalog = nullptr;
  const connector::ConnectorContext* connector = nullptr;
  /// spark.sql.sources.default.
  std::string default_source = "parquet";
  /// Inside a persisted view: the database its names are looked up in, and how many views are around.
  std::optional<std::string> view_database;
  int view_depth = 0;
  /// Runs a plan to its end (the steps of WITH RECURSIVE); its rows by partition.
  std::function<arrow::Result<std::vector<std::vector<std::shared_ptr<arrow::RecordBatch>>>>(const logical::PlanPtr&)>
      run_plan;
  /// The plan behind a CachedRemoteRelation (foreachBatch's DataFrame, a checkpointed one).
  std::function<arrow::Result<logical::PlanPtr>(const std::string& relation_id)> cached_relation;
};

/// Plan messages → typed logical plan: names, types with implicit casts, functions, stars, aliases.
/// Errors: UserError with Spark's condition (UNRESOLVED_COLUMN.WITH_SUGGESTION, DATATYPE_MISMATCH.…, …); a message
/// that is not built is refused by name with UNSUPPORTED_FEATURE-like conditions.
/// Thread: free of shared state.
arrow::Result<logical::PlanPtr> ResolveRelation(const spark::connect::Relation& relation,
                                                const AnalyzerContext& context);

/// A type given as a message, or as text inside one (Unparsed).
arrow::Result<types::DataTypePtr> ResolveDataType(const spark::connect::DataType& type);

/// `[UNSUPPORTED_FEATURE…] what is not supported`: the one refusal for messages that are not built.
arrow::Status NotSupported(std::string what);

}  // namespace millrace::analyzer
