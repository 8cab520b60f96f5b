#include "delta/schema/clustering.h"

#include "base/error.h"
#include "base/json_value.h"
#include "delta/feature/table_feature.h"
#include "delta/schema/column_mapping.h"
#include "delta/transaction/file_statistics.h"
#include "delta/transaction/table_metadata.h"

namespace millrace::delta {

namespace {

// Whether files have least and greatest values of a column.
bool HasBounds(const std::vector<StatisticsColumn>& columns, const std::vector<std::string>& physical, size_t depth) {
  for (const StatisticsColumn& column : columns) {
    if (column.name != physical[depth]) continue;
    if (depth + 1 == physical.size()) return column.has_bounds && column.children.empty();
    return HasBounds(column.children, physical, depth + 1);
  }
  return false;
}

bool CanHaveBounds(const types::DataType& type) {
  return type.is_numeric() || type.is_datetime() || type.id() == types::TypeId::kString;
}

// The logical path of physical names.
std::optional<ColumnPath> LogicalPath(const types::DataType& schema, const JsonValue& physical) {
  ColumnPath path;
  const types::DataType* level = &schema;
  for (const JsonValue& name : physical.elements()) {
    const types::StructField* found = nullptr;
    if (level->id() != types::TypeId::kStruct) return std::nullopt;
    for (const types::StructField& field : level->fields()) {
      if (PhysicalName(field) == name.AsString()) found = &field;
    }
    if (found == nullptr) return std::nullopt;
    path.push_back(found->name);
    level = found->type.get();
  }
  return path;
}

}  // namespace

arrow::Result<DomainMetadata> ClusteringDomain(const types::DataTypePtr& schema, const Metadata& metadata,
                                               const std::vector<ColumnPath>& columns) {
  if (columns.size() > kClusteringColumnsMax) {
    return UserError("DELTA_CLUSTER_BY_INVALID_NUM_COLUMNS",
                     {{"numColumnsLimit", std::to_string(kClusteringColumnsMax)},
                      {"actualNumColumns", std::to_string(columns.size())}});
  }
  ARROW_ASSIGN_OR_RAISE(ColumnMappingMode mode, ColumnMappingModeOf(metadata));
  types::DataTypePtr physical_schema = PhysicalSchema(schema, mode);
  ARROW_ASSIGN_OR_RAISE(StatisticsPlan statistics,
                        StatisticsPlan::Make(*physical_schema, *physical_schema, metadata.configuration));
  JsonValue listed = JsonValue::Array();
  std::string missing, unsupported;
  for (const ColumnPath& column : columns) {
    ARROW_ASSIGN_OR_RAISE(std::vector<int> position, FindColumn(*schema, column));
    ColumnPath logical;
    JsonValue path = JsonValue::Array();
    std::vector<std::string> physical;
    for (size_t depth = 1; depth <= position.size(); ++depth) {
      types::StructField field = FieldAt(*schema, {position.begin(), position.begin() + static_cast<ptrdiff_t>(depth)});
      logical.push_back(field.name);
      physical.push_back(mode == ColumnMappingMode::kNone ? field.name : PhysicalName(field));
      path.elements().push_back(JsonValue::String(physical.back()));
    }
    listed.elements().push_back(std::move(path));
    if (HasBounds(statistics.columns, physical, 0)) continue;
    missing += (missing.empty() ? "" : ", ") + PathText(logical);
    types::DataTypePtr type = FieldAt(*schema, position).type;
    if (!CanHaveBounds(*type)) {
      unsupported += (unsupported.empty() ? "" : ", ") + PathText(logical) + " : " + type->Sql();
    }
  }
  if (!unsupported.empty()) {
    return UserError("DELTA_CLUSTERING_COLUMNS_DATATYPE_NOT_SUPPORTED", {{"columnsWithDataTypes", unsupported}});
  }
  if (!missing.empty()) {
    std::vector<types::StructField> with_statistics;
    for (const types::StructField& field : schema->fields()) {
      std::string name = mode == ColumnMappingMode::kNone ? field.name : PhysicalName(field);
      for (const StatisticsColumn& column : statistics.columns) {
        if (column.name == name) with_statistics.push_back(field);
      }
    }
    return UserError("DELTA_CLUSTERING_COLUMN_MISSING_STATS",
                     {{"columns", missing}, {"schema", types::Struct(std::move(with_statistics))->ToTreeString()}});
  }
  DomainMetadata domain;
  domain.domain = std::string(kClusteringDomain);
  domain.configuration =
      JsonValue::Object({{"clusteringColumns", std::move(listed)}, {"domainName", JsonValue::String(domain.domain)}})
          .ToString();
  return domain;
}

std::optional<std::vector<ColumnPath>> ClusteringColumns(const Snapshot& snapshot) {
  if (!Supports(snapshot.protocol(), "clustering")) return std::nullopt;
  std::vector<ColumnPath> columns;
  auto domain = snapshot.domain_metadata().find(kClusteringDomain);
  if (domain == snapshot.domain_metadata().end()) return columns;
  auto parsed = ParseJson(domain->second.configuration);
  const JsonValue* listed = parsed.ok() ? parsed->Find("clusteringColumns") : nullptr;
  if (listed == nullptr || !listed->is_array()) return columns;
  for (const JsonValue& physical : listed->elements()) {
    if (auto path = LogicalPath(*snapshot.schema(), physical)) columns.push_back(*std::move(path));
  }
  return columns;
}

std::string ClusteringText(const std::vector<ColumnPath>& columns) {
  JsonValue list = JsonValue::Array();
  for (const ColumnPath& column : columns) list.elements().push_back(JsonValue::String(PathText(column)));
  return list.ToString();
}

}  // namespace millrace::delta
