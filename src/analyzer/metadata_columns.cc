#include "analyzer/metadata_columns.h"

#include <algorithm>

#include "connector/file/metadata_column.h"
#include "logical/node/project.h"
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
  // A frame of which only the columns are known.
  if (plan->children().empty()) return plan;
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
