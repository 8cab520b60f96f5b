#include "connector/delta/auto_compact.h"

#include <cstdlib>

#include "base/ascii.h"
#include "base/json_value.h"
#include "connector/delta/optimize.h"
#include "connector/delta/symlink_manifest.h"
#include "connector/delta/write_plan.h"
#include "delta/schema/clustering.h"
#include "delta/schema/column_mapping.h"
#include "delta/transaction/table_metadata.h"

namespace millrace::connector::delta_table {

namespace delta = millrace::delta;

namespace {

constexpr int64_t kMaxFileBytes = int64_t{128} << 20;
constexpr int64_t kMinNumFiles = 50;

int64_t Number(const ConnectorContext& context, const char* key, int64_t fallback) {
  auto text = context.conf(key);
  if (!text) return fallback;
  char* end = nullptr;
  int64_t value = std::strtoll(text->c_str(), &end, 10);
  return end != text->c_str() && value >= 0 ? value : fallback;
}

bool IsWanted(const delta::Metadata& metadata, const ConnectorContext& context) {
  if (auto setting = context.conf("spark.databricks.delta.autoCompact.enabled")) {
    return EqualsIgnoreCase(*setting, "true");
  }
  return delta::BooleanProperty(metadata, "delta.autoOptimize", false) ||
         delta::BooleanProperty(metadata, "delta.autoOptimize.autoCompact", false);
}

// The partitions as the log tells conditions: as Spark prints ones that are not resolved.
std::string PredicateText(const delta::Snapshot& snapshot, const std::vector<delta::PartitionValues>& partitions) {
  std::string text;
  for (const delta::PartitionValues& values : partitions) {
    std::string one;
    for (int index : snapshot.partition_columns()) {
      const types::StructField& field = snapshot.schema()->fields()[static_cast<size_t>(index)];
      std::string name = delta::PhysicalName(field);
      const auto* value = values.Find(name);
      std::string condition = "('" + name + " <=> cast(" + (value != nullptr ? value->value_or("null") : "null") +
                              " as " + ToLowerAscii(field.type->Sql()) + "))";
      one = one.empty() ? condition : "(" + one + " AND " + condition + ")";
    }
    text = text.empty() ? one : "(" + text + " OR " + one + ")";
  }
  JsonValue list = JsonValue::Array();
  if (!text.empty()) list.elements().push_back(JsonValue::String(text));
  return list.ToString();
}

arrow::Status Join(const std::shared_ptr<delta::Table>& table, const std::vector<delta::PartitionValues>& partitions,
                   const ConnectorContext& context) {
  OptimizeRequest request;
  request.table = table;
  ARROW_ASSIGN_OR_RAISE(request.snapshot, table->Update());
  request.context = &context;
  request.max_file_bytes = Number(context, "spark.databricks.delta.autoCompact.maxFileSize", kMaxFileBytes);
  request.min_file_bytes =
      Number(context, "spark.databricks.delta.autoCompact.minFileSize", request.max_file_bytes / 2);
  if (!request.snapshot->partition_columns().empty()) request.only_partitions = partitions;
  ARROW_ASSIGN_OR_RAISE(auto transaction, delta::Transaction::BeginAt(table, request.snapshot, SettingsOf(context)));
  ARROW_ASSIGN_OR_RAISE(OptimizeTotals totals, StageOptimize(request, transaction.get()));
  if (totals.removed.empty()) return arrow::Status::OK();
  delta::Operation operation;
  operation.name = "OPTIMIZE";
  operation.parameters = {{"predicate", JsonValue::String(PredicateText(*request.snapshot, request.only_partitions))},
                          {"zOrderBy", JsonValue::String("[]")},
                          {"clusterBy", JsonValue::String("[]")},
                          {"auto", JsonValue::Bool(true)}};
  operation.keeps_row_ids = true;
  operation.metrics = OptimizeMetrics(totals);
  ARROW_ASSIGN_OR_RAISE(delta::CommitOutcome outcome, transaction->Commit(operation));
  if (const auto* conflict = std::get_if<delta::Conflict>(&outcome)) return delta::ToStatus(*conflict, table->path());
  FollowCommit(*table, std::get<delta::Committed>(outcome), context);
  return arrow::Status::OK();
}

}  // namespace

void JoinSmallFiles(const std::shared_ptr<delta::Table>& table, const delta::Committed& committed,
                    const ConnectorContext& context) {
  if (committed.snapshot == nullptr || committed.added_to.empty()) return;
  if (!IsWanted(committed.snapshot->metadata(), context)) return;
  auto clustering = delta::ClusteringColumns(*committed.snapshot);
  if (clustering && !clustering->empty()) return;
  int64_t num_files_min = Number(context, "spark.databricks.delta.autoCompact.minNumFiles", kMinNumFiles);
  auto due = table->file_counts().Claim(committed.added_to, num_files_min);
  if (due.empty()) return;
  bool joined = Join(table, due, context).ok();
  table->file_counts().Release(due, joined);
}

void FollowWrite(const std::shared_ptr<delta::Table>& table, const delta::Committed& committed,
                 const ConnectorContext& context) {
  FollowCommit(*table, committed, context);
  JoinSmallFiles(table, committed, context);
}

}  // namespace millrace::connector::delta_table
