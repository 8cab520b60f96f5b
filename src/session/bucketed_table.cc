#include <algorithm>

#include "base/error.h"
#include "base/ids.h"
#include "base/json_value.h"
#include "session/table_commands.h"
#include "spark/connect/expressions.pb.h"
#include "spark/connect/relations.pb.h"
#include "types/data_type.h"

/// Tables of files whose rows lie in buckets.

namespace millrace::session {

namespace {

// Spark's default of spark.sql.sources.bucketing.maxBuckets.
constexpr int64_t kMaxBuckets = 100000;

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

arrow::Status Normalize(const catalog::Table& table, bool case_sensitive, const char* what,
                        std::vector<std::string>* columns) {
  for (std::string& column : *columns) {
    int at = table.schema->FieldIndex(column, case_sensitive);
    if (at < 0) {
      std::string all;
      for (const auto& field : table.schema->fields()) all += (all.empty() ? "" : ", ") + QuoteIdentifier(field.name);
      return UserError("COLUMN_NOT_DEFINED_IN_TABLE", {{"colType", what},
                                                       {"colName", QuoteIdentifier(column)},
                                                       {"tableName", QuoteNameParts(table.FullName())},
                                                       {"tableCols", all}});
    }
    column = table.schema->fields()[static_cast<size_t>(at)].name;
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Status TableCommands::SetClustering(const std::vector<sql::NameParts>& columns, Save* save) {
  if (save->buckets) return UserError("SPECIFY_CLUSTER_BY_WITH_BUCKETING_IS_NOT_ALLOWED");
  if (!save->partition_columns.empty()) {
    if (KeepsOwnSchema(save->provider)) {
      return UserError("_LEGACY_ERROR_TEMP_0035",
                       {{"message",
                         "Clustering and partitioning cannot both be specified. Please remove PARTITIONED BY "
                         "if you want to create a Delta table with clustering."}});
    }
    return UserError("SPECIFY_CLUSTER_BY_WITH_PARTITIONED_BY_IS_NOT_ALLOWED");
  }
  if (KeepsOwnSchema(save->provider)) {
    save->cluster_columns = columns;
    return arrow::Status::OK();
  }
  JsonValue names = JsonValue::Array();
  for (const sql::NameParts& column : columns) {
    JsonValue path = JsonValue::Array();
    for (const std::string& part : column) path.elements().push_back(JsonValue::String(part));
    names.elements().push_back(std::move(path));
  }
  save->properties[std::string(kClusteringProperty)] = names.ToString();
  return arrow::Status::OK();
}

arrow::Status TableCommands::SetPartitionTransform(const sql::PartitionTransform& transform, Save* save) {
  if (transform.function != "bucket") {
    if (KeepsOwnSchema(save->provider)) {
      return UserError("DELTA_OPERATION_NOT_ALLOWED", {{"operation", "Partitioning by expressions"}});
    }
    if (transform.function.empty()) {
      return UserError("INVALID_SQL_SYNTAX.UNSUPPORTED_SQL_STATEMENT", {{"sqlText", "PARTITIONED BY a field"}});
    }
    return UserError("UNSUPPORTED_PARTITION_TRANSFORM", {{"transform", QuoteIdentifier(transform.text)}});
  }
  if (save->buckets) return UserError("UNSUPPORTED_FEATURE.MULTIPLE_BUCKET_TRANSFORMS");
  save->buckets = sql::BucketSpec{transform.num_buckets, transform.columns};
  return arrow::Status::OK();
}

std::vector<std::string> ClusteringOf(const catalog::Table& table) {
  std::vector<std::string> columns;
  auto property = table.properties.find(std::string(kClusteringProperty));
  if (property == table.properties.end()) return columns;
  auto names = ParseJson(property->second);
  if (!names.ok() || !names->is_array()) return columns;
  for (const JsonValue& path : names->elements()) {
    std::string name;
    for (const JsonValue& part : path.elements()) name += (name.empty() ? "" : ".") + part.AsString();
    columns.push_back(std::move(name));
  }
  return columns;
}

std::string ShownBuckets(const std::optional<sql::BucketSpec>& buckets) {
  if (!buckets) return "not bucketed";
  std::string text =
      std::to_string(buckets->num_buckets) + " buckets, bucket columns: [" + Joined(buckets->columns) + "]";
  if (!buckets->sort_columns.empty()) text += ", sort columns: [" + Joined(buckets->sort_columns) + "]";
  return text;
}

arrow::Status CheckBuckets(Session& session, catalog::Table* table) {
  if (!table->buckets || table->schema == nullptr) return arrow::Status::OK();
  const Conf& conf = session.conf();
  int64_t max_buckets = conf.GetInt64("spark.sql.sources.bucketing.maxBuckets");
  if (max_buckets <= 0) max_buckets = kMaxBuckets;
  sql::BucketSpec& buckets = *table->buckets;
  if (buckets.num_buckets <= 0 || buckets.num_buckets > max_buckets) {
    return UserError("INVALID_BUCKET_COUNT", {{"bucketingMaxBuckets", std::to_string(max_buckets)},
                                              {"numBuckets", std::to_string(buckets.num_buckets)}});
  }
  bool case_sensitive = conf.GetBool("spark.sql.caseSensitive");
  ARROW_RETURN_NOT_OK(Normalize(*table, case_sensitive, "bucket", &buckets.columns));
  ARROW_RETURN_NOT_OK(Normalize(*table, case_sensitive, "sort", &buckets.sort_columns));
  auto in_directories = [table](const std::string& column) {
    const auto& columns = table->partition_columns;
    return std::find(columns.begin(), columns.end(), column) != columns.end();
  };
  std::string partitions = Joined(table->partition_columns);
  for (const std::string& column : buckets.columns) {
    if (!in_directories(column)) continue;
    return UserError("_LEGACY_ERROR_TEMP_1166", {{"bucketCol", column}, {"normalizedPartCols", partitions}});
  }
  for (const std::string& column : buckets.sort_columns) {
    if (!in_directories(column)) continue;
    return UserError("_LEGACY_ERROR_TEMP_1167", {{"sortCol", column}, {"normalizedPartCols", partitions}});
  }
  return arrow::Status::OK();
}

// Source: Spark, HashPartitioning.partitionIdExpression, V1WritesUtils.getSortOrder.
arrow::Result<logical::PlanPtr> InBuckets(Session& session, logical::PlanPtr plan, const catalog::Table& table) {
  const sql::BucketSpec& buckets = *table.buckets;
  std::string id = RandomUuid();
  session.PutRelation(id, std::move(plan));
  spark::connect::Relation sort;
  sort.mutable_sort()->set_is_global(false);
  auto* with = sort.mutable_sort()->mutable_input()->mutable_with_columns();
  with->mutable_input()->mutable_cached_remote_relation()->set_relation_id(id);
  std::string hashed;
  for (const std::string& column : buckets.columns) hashed += (hashed.empty() ? "" : ", ") + QuoteIdentifier(column);
  auto* alias = with->add_aliases();
  alias->add_name(std::string(kBucketColumn));
  alias->mutable_expr()->mutable_expression_string()->set_expression("pmod(hash(" + hashed + "), " +
                                                                     std::to_string(buckets.num_buckets) + ")");
  auto add_order = [&sort](const std::string& column) {
    auto* order = sort.mutable_sort()->add_order();
    order->mutable_child()->mutable_unresolved_attribute()->set_unparsed_identifier(QuoteIdentifier(column));
    order->set_direction(spark::connect::Expression::SortOrder::SORT_DIRECTION_ASCENDING);
    order->set_null_ordering(spark::connect::Expression::SortOrder::SORT_NULLS_FIRST);
  };
  for (const std::string& column : table.partition_columns) add_order(column);
  add_order(std::string(kBucketColumn));
  for (const std::string& column : buckets.sort_columns) add_order(column);
  arrow::Result<logical::PlanPtr> arranged = session.Analyze(sort);
  session.RemoveRelation(id);
  return arranged;
}

}  // namespace millrace::session
