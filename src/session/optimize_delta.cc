#include "session/optimize_delta.h"

#include <algorithm>
#include <limits>
#include <set>

#include "analyzer/name_resolution.h"
#include "base/error.h"
#include "base/json_value.h"
#include "connector/delta/write_plan.h"
#include "delta/feature/table_feature.h"
#include "delta/log/log_paths.h"
#include "delta/schema/clustering.h"
#include "delta/schema/column_mapping.h"
#include "delta/transaction/table_metadata.h"
#include "format/file_format.h"
#include "session/result_rows.h"
#include "session/row_changes.h"
#include "session/unresolved_text.h"
#include "sql/parser.h"

/// OPTIMIZE and REORG. Source: delta-spark's OptimizeTableCommand and DeltaReorgTableCommand.

namespace millrace::session {

namespace {

std::string TextList(const std::vector<std::string>& texts) {
  JsonValue list = JsonValue::Array();
  for (const std::string& text : texts) list.elements().push_back(JsonValue::String(text));
  return list.ToString();
}

int64_t Sum(const std::vector<int64_t>& sizes) {
  int64_t sum = 0;
  for (int64_t size : sizes) sum += size;
  return sum;
}

JsonValue SizesJson(const std::vector<int64_t>& sizes) {
  JsonValue json = JsonValue::Object();
  if (!sizes.empty()) {
    json.Set("min", JsonValue::Number(*std::min_element(sizes.begin(), sizes.end())));
    json.Set("max", JsonValue::Number(*std::max_element(sizes.begin(), sizes.end())));
  }
  double average = sizes.empty() ? 0 : static_cast<double>(Sum(sizes)) / static_cast<double>(sizes.size());
  json.Set("avg", JsonValue::Number(average));
  json.Set("totalFiles", JsonValue::Number(static_cast<int64_t>(sizes.size())));
  json.Set("totalSize", JsonValue::Number(Sum(sizes)));
  return json;
}

constexpr const char* kOptimizeColumns =
    "path STRING, metrics STRUCT<numFilesAdded: BIGINT, numFilesRemoved: BIGINT, filesAdded: STRUCT<min: BIGINT, max: "
    "BIGINT, avg: DOUBLE, totalFiles: BIGINT, totalSize: BIGINT>, filesRemoved: STRUCT<min: BIGINT, max: BIGINT, avg: "
    "DOUBLE, totalFiles: BIGINT, totalSize: BIGINT>, partitionsOptimized: BIGINT, zOrderStats: STRUCT<strategyName: "
    "STRING, inputCubeFiles: STRUCT<num: BIGINT, size: BIGINT>, inputOtherFiles: STRUCT<num: BIGINT, size: BIGINT>, "
    "inputNumCubes: BIGINT, mergedFiles: STRUCT<num: BIGINT, size: BIGINT>, numOutputCubes: BIGINT, mergedNumCubes: "
    "BIGINT>, clusteringStats: STRUCT<inputZCubeFiles: STRUCT<numFiles: BIGINT, size: BIGINT>, inputOtherFiles: "
    "STRUCT<numFiles: BIGINT, size: BIGINT>, inputNumZCubes: BIGINT, mergedFiles: STRUCT<numFiles: BIGINT, size: "
    "BIGINT>, numOutputZCubes: BIGINT>, numBins: BIGINT, numBatches: BIGINT, totalConsideredFiles: BIGINT, "
    "totalFilesSkipped: BIGINT, preserveInsertionOrder: BOOLEAN, numFilesSkippedToReduceWriteAmplification: BIGINT, "
    "numBytesSkippedToReduceWriteAmplification: BIGINT, startTimeMs: BIGINT, endTimeMs: BIGINT, "
    "totalClusterParallelism: BIGINT, totalScheduledTasks: BIGINT, autoCompactParallelismStats: "
    "STRUCT<maxClusterActiveParallelism: BIGINT, minClusterActiveParallelism: BIGINT, maxSessionActiveParallelism: "
    "BIGINT, minSessionActiveParallelism: BIGINT>, deletionVectorStats: STRUCT<numDeletionVectorsRemoved: BIGINT, "
    "numDeletionVectorRowsRemoved: BIGINT>, numTableColumns: BIGINT, numTableColumnsWithStats: BIGINT>";

// Where the columns are, and their names as the table spells them.
arrow::Result<std::vector<std::vector<int>>> ZOrderColumns(const delta::Snapshot& snapshot,
                                                           const std::vector<sql::NameParts>& names,
                                                           std::vector<std::string>* spelled) {
  std::vector<std::vector<int>> columns;
  for (const sql::NameParts& name : names) {
    std::string shown = name[0];
    for (size_t i = 1; i < name.size(); ++i) shown += "." + name[i];
    auto found = delta::FindColumn(*snapshot.schema(), name);
    if (!found.ok()) return UserError("DELTA_ZORDERING_COLUMN_DOES_NOT_EXIST", {{"columnName", shown}});
    const auto& partitions = snapshot.partition_columns();
    if (std::find(partitions.begin(), partitions.end(), (*found)[0]) != partitions.end()) {
      return UserError("DELTA_ZORDERING_ON_PARTITION_COLUMN", {{"colName", shown}});
    }
    if (delta::FieldAt(*snapshot.schema(), *found).type->is_nested()) {
      return analyzer::NotSupported("OPTIMIZE ZORDER BY a column of nested type");
    }
    delta::ColumnPath path;
    for (size_t depth = 1; depth <= found->size(); ++depth) {
      path.push_back(
          delta::FieldAt(*snapshot.schema(), {found->begin(), found->begin() + static_cast<ptrdiff_t>(depth)}).name);
    }
    spelled->push_back(delta::PathText(path));
    columns.push_back(*std::move(found));
  }
  return columns;
}

// The conditions as one, on partition columns only.
arrow::Result<connector::RowExpressionsPtr> PartitionFilter(Session& session, const delta::Snapshot& snapshot,
                                                            const std::vector<std::string>& where) {
  std::string all;
  for (const std::string& one : where) all += (all.empty() ? "(" : " AND (") + one + ")";
  ARROW_ASSIGN_OR_RAISE(auto compiled, session.CurrentConnectorContext()->compile(snapshot.schema(), {all}));
  const auto& partitions = snapshot.partition_columns();
  for (int column : compiled->InputColumns(0)) {
    if (std::find(partitions.begin(), partitions.end(), column) != partitions.end()) continue;
    std::string names;
    for (const std::string& name : snapshot.metadata().partition_columns) names += (names.empty() ? "" : ", ") + name;
    return UserError(
        "DELTA_NON_PARTITION_COLUMN_REFERENCE",
        {{"columnName", snapshot.schema()->fields()[static_cast<size_t>(column)].name}, {"columnList", names}});
  }
  return compiled;
}

int64_t BytesSetting(Session& session, const char* key, int64_t fallback) {
  auto text = session.conf().Get(key);
  if (!text) return fallback;
  int64_t value = std::strtoll(text->c_str(), nullptr, 10);
  return value > 0 ? value : fallback;
}

using connector::delta_table::OptimizeRequest;
using connector::delta_table::OptimizeTotals;

arrow::Result<OptimizeRequest> RequestFor(Session& session, const OpenedTable& opened,
                                          const std::vector<std::string>& where) {
  OptimizeRequest request;
  request.table = opened.table;
  request.snapshot = opened.snapshot;
  request.context = session.CurrentConnectorContext();
  request.min_file_bytes = BytesSetting(session, "spark.databricks.delta.optimize.minFileSize", request.min_file_bytes);
  request.max_file_bytes = BytesSetting(session, "spark.databricks.delta.optimize.maxFileSize", request.max_file_bytes);
  if (!where.empty()) {
    ARROW_ASSIGN_OR_RAISE(request.partitions, PartitionFilter(session, *opened.snapshot, where));
  }
  return request;
}

// Rewrites, and commits where anything was.
arrow::Result<OptimizeTotals> Rewrite(Session& session, const OpenedTable& opened, const OptimizeRequest& request,
                                      delta::Operation operation) {
  ARROW_ASSIGN_OR_RAISE(auto transaction, BeginChange(session, opened));
  ARROW_ASSIGN_OR_RAISE(OptimizeTotals totals, connector::delta_table::StageOptimize(request, transaction.get()));
  if (totals.removed.empty()) return totals;
  operation.keeps_row_ids = true;
  operation.metrics = connector::delta_table::OptimizeMetrics(totals);
  ARROW_RETURN_NOT_OK(CommitChange(session, *transaction, operation));
  return totals;
}

// What Delta counts files by where it lays out rows.
JsonValue FileCount(const char* count, const std::vector<int64_t>& sizes) {
  return JsonValue::Object(
      {{count, JsonValue::Number(static_cast<int64_t>(sizes.size()))}, {"size", JsonValue::Number(Sum(sizes))}});
}

JsonValue ZOrderStatistics(const OptimizeTotals& totals) {
  JsonValue none = FileCount("num", {});
  JsonValue taken = FileCount("num", totals.removed);
  return JsonValue::Object({{"strategyName", JsonValue::String("all")},
                            {"inputCubeFiles", none},
                            {"inputOtherFiles", taken},
                            {"inputNumCubes", JsonValue::Number(int64_t{0})},
                            {"mergedFiles", taken},
                            {"numOutputCubes", JsonValue::Number(totals.num_partitions)}});
}

JsonValue ClusteringStatistics(const OptimizeTotals& totals) {
  return JsonValue::Object({{"inputZCubeFiles", FileCount("numFiles", totals.cube_files)},
                            {"inputOtherFiles", FileCount("numFiles", totals.other_files)},
                            {"inputNumZCubes", JsonValue::Number(totals.num_cubes)},
                            {"mergedFiles", FileCount("numFiles", totals.removed)},
                            {"numOutputZCubes", JsonValue::Number(totals.num_bins)}});
}

// The one row of the statement.
arrow::Result<QueryResult> Shown(const OpenedTable& opened, const OptimizeRequest& request,
                                 const OptimizeTotals& totals) {
  const delta::Snapshot& snapshot = *opened.snapshot;
  auto number = [](int64_t value) { return JsonValue::Number(value); };
  auto num_columns = static_cast<int64_t>(snapshot.schema()->fields().size());
  int64_t num_indexed = delta::IntegerProperty(snapshot.metadata(), "delta.dataSkippingNumIndexedCols", 32);
  JsonValue metrics = JsonValue::Object();
  metrics.Set("numFilesAdded", number(static_cast<int64_t>(totals.added.size())))
      .Set("numFilesRemoved", number(static_cast<int64_t>(totals.removed.size())))
      .Set("filesAdded", SizesJson(totals.added))
      .Set("filesRemoved", SizesJson(totals.removed))
      .Set("partitionsOptimized", number(totals.num_partitions))
      .Set("numBins", number(totals.num_bins))
      .Set("numBatches", number(1))
      .Set("totalConsideredFiles", number(totals.num_considered))
      .Set("totalFilesSkipped", number(totals.num_considered - static_cast<int64_t>(totals.removed.size())))
      .Set("preserveInsertionOrder", JsonValue::Bool(false))
      .Set("numFilesSkippedToReduceWriteAmplification", number(0))
      .Set("numBytesSkippedToReduceWriteAmplification", number(0))
      .Set("startTimeMs", number(request.context->clock->NowMillis()))
      .Set("endTimeMs", number(0))
      .Set("totalClusterParallelism", number(request.context->parallelism))
      .Set("totalScheduledTasks", number(0))
      .Set("numTableColumns", number(num_columns))
      .Set("numTableColumnsWithStats", number(std::min(num_indexed, num_columns)));
  if (!request.clustering.empty()) {
    metrics.Set("clusteringStats", ClusteringStatistics(totals));
  } else if (!request.order_by.empty()) {
    metrics.Set("zOrderStats", ZOrderStatistics(totals));
  }
  if (totals.num_vectors_removed > 0) {
    metrics.Set("deletionVectorStats",
                JsonValue::Object()
                    .Set("numDeletionVectorsRemoved", number(totals.num_vectors_removed))
                    .Set("numDeletionVectorRowsRemoved", number(totals.num_vector_rows_removed)));
  }
  JsonValue row = JsonValue::Object();
  row.Set("path", JsonValue::String("file:" + opened.table->path())).Set("metrics", std::move(metrics));
  return ResultOfJson(kOptimizeColumns, {row});
}

// Conditions as the log tells them.
std::string PredicateText(const std::vector<std::string>& where) {
  std::vector<std::string> texts;
  for (const std::string& one : where) {
    spark::connect::Expression condition;
    bool parsed = sql::ParseExpression(one, sql::ParserOptions{}, &condition).ok();
    std::vector<std::string> conjuncts = parsed ? UnresolvedConjuncts(condition) : std::vector<std::string>();
    if (conjuncts.empty()) conjuncts = {one};
    texts.insert(texts.end(), conjuncts.begin(), conjuncts.end());
  }
  return TextList(texts);
}

delta::Operation ReorgOperation(const std::vector<std::string>& where) {
  delta::Operation operation;
  operation.name = "REORG";
  operation.parameters = {{"predicate", JsonValue::String(PredicateText(where))},
                          {"applyPurge", JsonValue::Bool(true)}};
  return operation;
}

// Columns of a file, called as files call them.
arrow::Result<types::DataTypePtr> FileSchema(const delta::Snapshot& snapshot, const delta::FileRef& file) {
  std::string path = delta::DataFilePath(snapshot.table_path(), file.columns->path(file.row));
  return format::FindFileFormat("parquet")->infer_schema({path}, {}, {});
}

// Whether files have a field, at any depth, that the table does not.
bool HasOtherFields(const types::DataType& file, const types::DataType& table, const delta::Metadata& metadata) {
  if (file.id() != table.id()) return false;
  switch (file.id()) {
    case types::TypeId::kStruct:
      for (const types::StructField& field : file.fields()) {
        bool of_rows = metadata.Property("delta.rowTracking.materializedRowIdColumnName") == field.name ||
                       metadata.Property("delta.rowTracking.materializedRowCommitVersionColumnName") == field.name;
        if (of_rows) continue;
        int at = table.FieldIndex(field.name, /*case_sensitive=*/false);
        if (at < 0) return true;
        if (HasOtherFields(*field.type, *table.fields()[static_cast<size_t>(at)].type, metadata)) return true;
      }
      return false;
    case types::TypeId::kArray:
      return HasOtherFields(*file.element(), *table.element(), metadata);
    case types::TypeId::kMap:
      return HasOtherFields(*file.key(), *table.key(), metadata) ||
             HasOtherFields(*file.value(), *table.value(), metadata);
    default:
      return false;
  }
}

bool HasOtherTypes(const types::DataType& file, const types::DataType& table) {
  if (file.id() != table.id()) return !file.is_nested() && !table.is_nested();
  switch (file.id()) {
    case types::TypeId::kStruct:
      for (const types::StructField& field : file.fields()) {
        int at = table.FieldIndex(field.name, /*case_sensitive=*/false);
        if (at >= 0 && HasOtherTypes(*field.type, *table.fields()[static_cast<size_t>(at)].type)) return true;
      }
      return false;
    case types::TypeId::kArray:
      return HasOtherTypes(*file.element(), *table.element());
    case types::TypeId::kMap:
      return HasOtherTypes(*file.key(), *table.key()) || HasOtherTypes(*file.value(), *table.value());
    default:
      return !file.Equals(table);
  }
}

// REORG: a request for the files that want it.
arrow::Result<OptimizeRequest> ReorgRequest(Session& session, const OpenedTable& opened, ReorgKind kind,
                                            const std::vector<std::string>& where) {
  ARROW_ASSIGN_OR_RAISE(OptimizeRequest request, RequestFor(session, opened, where));
  delta::SnapshotPtr snapshot = opened.snapshot;
  ARROW_ASSIGN_OR_RAISE(delta::ColumnMappingMode mode, delta::ColumnMappingModeOf(snapshot->metadata()));
  types::DataTypePtr table = delta::PhysicalSchema(snapshot->schema(), mode);
  request.wants = [snapshot, table, kind](const delta::FileRef& file) -> arrow::Result<bool> {
    bool purges = kind == ReorgKind::kPurge;
    if (purges && file.columns->has_deletion_vector(file.row)) return true;
    ARROW_ASSIGN_OR_RAISE(types::DataTypePtr of_file, FileSchema(*snapshot, file));
    return purges ? HasOtherFields(*of_file, *table, snapshot->metadata()) : HasOtherTypes(*of_file, *table);
  };
  return request;
}

arrow::Status CheckClusteredOptimize(const sql::OptimizeTable& optimize,
                                     const std::optional<std::vector<delta::ColumnPath>>& clustering) {
  if (optimize.full && (!clustering || clustering->empty())) return UserError("DELTA_OPTIMIZE_FULL_NOT_SUPPORTED");
  if (!clustering) return arrow::Status::OK();
  std::string list;
  for (const std::string& one : optimize.where) list += (list.empty() ? "" : ", ") + one;
  if (!list.empty()) return UserError("DELTA_CLUSTERING_WITH_PARTITION_PREDICATE", {{"predicates", list}});
  for (const sql::NameParts& one : optimize.zorder_by) list += (list.empty() ? "" : ", ") + delta::PathText(one);
  if (!list.empty()) return UserError("DELTA_CLUSTERING_WITH_ZORDER_BY", {{"zOrderBy", list}});
  return arrow::Status::OK();
}

// Files that are laid out by the columns already, all at once, need no new layout; those laid out by others, or by
// somebody else, get one only where all is laid out anew.
std::function<arrow::Result<bool>(const delta::FileRef&)> ClusteringCandidates(const delta::Snapshot& snapshot,
                                                                               const std::string& columns, bool full) {
  struct State {
    bool is_done = true;
    bool all = false;
  };
  auto is_candidate = [columns](const delta::Add& add) {
    bool ours = !add.clustering_provider || *add.clustering_provider == delta::kClusteringProvider;
    if (!ours || !add.tags || add.tags->count("ZCUBE_ID") == 0) return ours;
    auto by = add.tags->find("ZCUBE_ZORDER_BY");
    return by == add.tags->end() || by->second == columns;
  };
  State state;
  std::set<std::string> cubes;
  snapshot.files().ForEach([&](const delta::FileRef& file) {
    delta::Add add = file.columns->ToAdd(file.row);
    if (!is_candidate(add)) {
      state.all = full;
      return;
    }
    bool in_cube = add.tags && add.tags->count("ZCUBE_ID") > 0;
    if (in_cube) cubes.insert(add.tags->find("ZCUBE_ID")->second);
    state.is_done = state.is_done && in_cube;
  });
  state.is_done = state.is_done && cubes.size() <= 1;
  return [state, is_candidate](const delta::FileRef& file) -> arrow::Result<bool> {
    if (state.all) return true;
    return !state.is_done && is_candidate(file.columns->ToAdd(file.row));
  };
}

}  // namespace

arrow::Result<QueryResult> RunOptimize(Session& session, const sql::OptimizeTable& optimize) {
  ARROW_ASSIGN_OR_RAISE(OpenedTable opened, OpenDeltaTable(session, optimize.table, "OPTIMIZE"));
  const delta::Snapshot& snapshot = *opened.snapshot;
  auto clustering = delta::ClusteringColumns(snapshot);
  ARROW_RETURN_NOT_OK(CheckClusteredOptimize(optimize, clustering));
  ARROW_ASSIGN_OR_RAISE(OptimizeRequest request, RequestFor(session, opened, optimize.where));
  std::vector<std::string> zorder, clustered;
  if (clustering && !clustering->empty()) {
    ARROW_ASSIGN_OR_RAISE(request.order_by, ZOrderColumns(snapshot, *clustering, &clustered));
    request.clustering = TextList(clustered);
    request.wants = ClusteringCandidates(snapshot, request.clustering, optimize.full);
  } else {
    ARROW_ASSIGN_OR_RAISE(request.order_by, ZOrderColumns(snapshot, optimize.zorder_by, &zorder));
  }
  // One layout of all there is.
  if (!request.order_by.empty()) request.max_file_bytes = std::numeric_limits<int64_t>::max();
  delta::Operation operation;
  operation.name = "OPTIMIZE";
  operation.parameters = {{"predicate", JsonValue::String(PredicateText(optimize.where))},
                          {"zOrderBy", JsonValue::String(TextList(zorder))},
                          {"clusterBy", JsonValue::String(TextList(clustered))},
                          {"auto", JsonValue::Bool(false)}};
  if (clustering && !clustering->empty()) operation.parameters.emplace_back("isFull", JsonValue::Bool(optimize.full));
  ARROW_ASSIGN_OR_RAISE(OptimizeTotals totals, Rewrite(session, opened, request, std::move(operation)));
  return Shown(opened, request, totals);
}

arrow::Result<QueryResult> RunReorg(Session& session, const sql::ReorgTable& reorg) {
  ARROW_ASSIGN_OR_RAISE(OpenedTable opened, OpenDeltaTable(session, reorg.table, "REORG"));
  ARROW_ASSIGN_OR_RAISE(OptimizeRequest request, ReorgRequest(session, opened, ReorgKind::kPurge, reorg.where));
  ARROW_ASSIGN_OR_RAISE(OptimizeTotals totals, Rewrite(session, opened, request, ReorgOperation(reorg.where)));
  return Shown(opened, request, totals);
}

arrow::Result<int64_t> ReorganizeFiles(Session& session, const OpenedTable& opened, ReorgKind kind) {
  ARROW_ASSIGN_OR_RAISE(OptimizeRequest request, ReorgRequest(session, opened, kind, {}));
  ARROW_ASSIGN_OR_RAISE(OptimizeTotals totals, Rewrite(session, opened, request, ReorgOperation({})));
  return static_cast<int64_t>(totals.removed.size());
}

}  // namespace millrace::session
