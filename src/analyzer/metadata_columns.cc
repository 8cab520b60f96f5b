#include "analyzer/metadata_columns.h"

#include <algorithm>

#include "connector/file/metadata_column.h"
#include "logical/node/local_relation.h"
#include "logical/node/project.h"
#include "logical/node/repartition.h"
#include "logical/node/sort.h"
#include "logical/node/source_scan.h"
#include "logical/node/subquery_alias.h"

namespace millrace::analyzer {

using expression::AttributeVector;
using logical::NodeKind;
using logical::PlanPtr;

namespace {

// A scan that shows the column has one more than its schema.
bool ShowsMetadata(const logical::SourceScan& scan) {
  return scan.output().size() == scan.request()->schema->fields().size() + 1 &&
         scan.output().back()->name() == connector::file::kMetadataColumn;
}

}  // namespace

AttributeVector MetadataColumnsOf(const PlanPtr& plan) {
  switch (plan->kind()) {
    case NodeKind::kSourceScan: {
      const auto& scan = static_cast<const logical::SourceScan&>(*plan);
      size_t num_columns = scan.request()->schema->fields().size();
      // An expression further down has asked for it already.
      if (ShowsMetadata(scan)) return {scan.output().back()};
      types::DataTypePtr type = connector::file::MetadataColumnType(scan.def());
      // A table that cannot be opened now tells so when it is read.
      if (scan.def().metadata_column != nullptr) type = scan.def().metadata_column(*scan.request()).ValueOr(nullptr);
      if (type == nullptr || scan.output().size() != num_columns) return {};
      return {std::make_shared<expression::AttributeReference>(expression::NextAttributeId(),
                                                               std::string(connector::file::kMetadataColumn), type,
                                                               /*nullable=*/false, std::vector<std::string>{}, "")};
    }
    case NodeKind::kFilter:
    case NodeKind::kProject:
    case NodeKind::kWatermark:
      return MetadataColumnsOf(plan->child());
    case NodeKind::kSubqueryAlias: {
      AttributeVector columns = MetadataColumnsOf(plan->child());
      for (auto& column : columns)
        column = column->WithQualifier(static_cast<const logical::SubqueryAlias&>(*plan).name());
      return columns;
    }
    default:
      return {};
  }
}

bool ReadsFiles(const logical::Plan& plan) {
  switch (plan.kind()) {
    case NodeKind::kSourceScan: {
      const auto& scan = static_cast<const logical::SourceScan&>(plan);
      return scan.def().metadata_column != nullptr || connector::file::MetadataColumnType(scan.def()) != nullptr;
    }
    case NodeKind::kLocalRelation:
      // SELECT without FROM has no columns.
      return !plan.output().empty() &&
             static_cast<const logical::LocalRelation&>(plan).rows() == logical::LocalRelation::Rows::kComputed;
    case NodeKind::kAggregate:
    case NodeKind::kDeduplicate:
    case NodeKind::kWindow:
    case NodeKind::kGroupsWithState:
    case NodeKind::kTransformWithState:
      return false;
    case NodeKind::kSort:
      if (static_cast<const logical::Sort&>(plan).global()) return false;
      break;
    case NodeKind::kRepartition:
      if (static_cast<const logical::Repartition&>(plan).shuffle()) return false;
      break;
    default:
      break;
  }
  return std::any_of(plan.children().begin(), plan.children().end(),
                     [](const PlanPtr& child) { return ReadsFiles(*child); });
}

PlanPtr ShowMetadataColumns(const PlanPtr& plan, const AttributeVector& columns) {
  if (plan->kind() == NodeKind::kSourceScan) {
    const auto& scan = static_cast<const logical::SourceScan&>(*plan);
    if (ShowsMetadata(scan)) return plan;
    AttributeVector output = scan.output();
    connector::ReadColumns read = scan.columns();
    int next = static_cast<int>(scan.request()->schema->fields().size());
    for (const auto& column : columns) {
      output.push_back(column);
      read.indices.push_back(next++);
    }
    return std::make_shared<logical::SourceScan>(std::move(output), std::move(read), &scan.def(), scan.request(),
                                                 scan.is_streaming(), scan.key());
  }
  PlanPtr child = ShowMetadataColumns(plan->child(), columns);
  if (plan->kind() != NodeKind::kProject) return plan->WithChildren({std::move(child)});
  expression::ExpressionVector items = static_cast<const logical::Project&>(*plan).items();
  for (const auto& column : columns) {
    bool shown = std::any_of(items.begin(), items.end(),
                             [&](const auto& item) { return expression::ToAttribute(item)->id() == column->id(); });
    if (!shown) items.push_back(column);
  }
  return std::make_shared<logical::Project>(std::move(items), std::move(child));
}

}  // namespace millrace::analyzer
