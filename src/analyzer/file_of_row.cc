#include "analyzer/file_of_row.h"

#include <algorithm>

#include "analyzer/metadata_columns.h"
#include "analyzer/name_resolution.h"
#include "base/error.h"
#include "connector/file/metadata_column.h"
#include "function/function_def.h"
#include "logical/node/local_relation.h"
#include "logical/node/project.h"
#include "logical/node/repartition.h"
#include "logical/node/source_scan.h"
#include "logical/node/union.h"

namespace millrace::analyzer {

using expression::Alias;
using expression::AttributePtr;
using expression::ExpressionPtr;
using expression::ExpressionVector;
using expression::Literal;
using logical::NodeKind;
using logical::Plan;
using logical::PlanPtr;

namespace {

constexpr const char* kFunctions[] = {"input_file_name", "input_file_block_start", "input_file_block_length"};
// Before the name of a function: the column of rows in memory that has its values.
constexpr std::string_view kHeld = "millrace.";

bool IsFileScan(const logical::SourceScan& scan) {
  return scan.def().metadata_column != nullptr || connector::file::MetadataColumnType(scan.def()) != nullptr;
}

bool IsOnePartition(const Plan& plan) {
  if (plan.kind() != NodeKind::kRepartition) return plan.children().size() == 1 && IsOnePartition(*plan.child());
  const auto& repartition = static_cast<const logical::Repartition&>(plan);
  return !repartition.shuffle() && repartition.num_partitions() == 1;
}

arrow::Result<ExpressionPtr> FileOfScan(const logical::SourceScan& scan, const std::string& function,
                                        const expression::AttributeVector& metadata, const AnalyzerContext& context) {
  std::string field = function == "input_file_name"          ? "file_path"
                      : function == "input_file_block_start" ? "file_block_start"
                                                             : "file_block_length";
  ARROW_ASSIGN_OR_RAISE(auto value, ResolveName({metadata[0]->name(), field}, metadata, /*case_sensitive=*/true));
  if (!value) return InternalError("A scan of files without " + field);
  ExpressionPtr place = *value;
  if (place->kind() == expression::ExpressionKind::kAlias) place = static_cast<const Alias&>(*place).child();
  if (field != "file_path" || scan.def().metadata_column != nullptr) return place;
  // There the URI has no authority, "file:/a"; the function's has an empty one, "file:///a", but not of Delta's files.
  ARROW_ASSIGN_OR_RAISE(place, function::BindCall("substring", {place, Literal::Integer(6)}, context.eval));
  return function::BindCall("concat", {Literal::String("file://"), place}, context.eval);
}

PlanPtr WithValue(const PlanPtr& plan, ExpressionVector items, ExpressionPtr value, const AttributePtr& column) {
  items.push_back(std::make_shared<Alias>(std::move(value), column->name(), column->id()));
  return std::make_shared<logical::Project>(std::move(items), plan);
}

ExpressionVector ItemsOf(const Plan& plan) { return {plan.output().begin(), plan.output().end()}; }

int CountFileSources(const Plan& plan, bool* several) {
  if (plan.kind() == NodeKind::kSourceScan) return IsFileScan(static_cast<const logical::SourceScan&>(plan)) ? 1 : 0;
  int count = 0;
  for (const PlanPtr& child : plan.children()) count += CountFileSources(*child, several);
  if (plan.kind() == NodeKind::kUnion) return std::min(count, 1);
  if (count > 1) *several = true;
  return count;
}

}  // namespace

arrow::Result<PlanPtr> WithFilesOfRows(const PlanPtr& plan, const AnalyzerContext& context) {
  if (!ReadsFiles(*plan)) return plan;
  PlanPtr with = plan;
  for (const char* function : kFunctions) {
    auto column = std::make_shared<expression::AttributeReference>(
        expression::NextAttributeId(), std::string(kHeld) + function,
        function == kFunctions[0] ? types::String() : types::Long(), false);
    ARROW_ASSIGN_OR_RAISE(PlanPtr carried, CarryFile(with, function, column, context));
    if (carried == nullptr) return plan;
    with = std::move(carried);
  }
  return with;
}

bool ReadsFiles(const Plan& plan, const AnalyzerContext* context) {
  if (context != nullptr && context->is_persisted && context->is_persisted(plan)) return false;
  switch (plan.kind()) {
    case NodeKind::kSourceScan:
      return IsFileScan(static_cast<const logical::SourceScan&>(plan));
    case NodeKind::kLocalRelation:
      // SELECT without FROM has no columns.
      return !plan.output().empty() &&
             static_cast<const logical::LocalRelation&>(plan).rows() == logical::LocalRelation::Rows::kComputed;
    case NodeKind::kAggregate:
    case NodeKind::kDeduplicate:
    // All rows of a partition are read before the first is told.
    case NodeKind::kSort:
    case NodeKind::kWindow:
    case NodeKind::kGroupsWithState:
    case NodeKind::kTransformWithState:
      return false;
    case NodeKind::kLimit:
      // The rows of several partitions come to one.
      if (!IsOnePartition(*plan.child())) return false;
      break;
    case NodeKind::kRepartition:
      if (static_cast<const logical::Repartition&>(plan).shuffle()) return false;
      break;
    default:
      break;
  }
  return std::any_of(plan.children().begin(), plan.children().end(),
                     [&](const PlanPtr& child) { return ReadsFiles(*child, context); });
}

arrow::Status CheckOneFileSource(const Plan& plan, const std::string& function) {
  bool several = false;
  CountFileSources(plan, &several);
  if (!several) return arrow::Status::OK();
  return UserError("MULTI_SOURCES_UNSUPPORTED_FOR_EXPRESSION", {{"expr", QuoteSqlExpression(function + "()")}});
}

arrow::Result<PlanPtr> CarryFile(const PlanPtr& plan, const std::string& function, const AttributePtr& column,
                                 const AnalyzerContext& context) {
  if (!ReadsFiles(*plan, &context)) {
    ExpressionPtr nowhere = function == "input_file_name" ? Literal::String("") : Literal::Long(-1);
    return WithValue(plan, ItemsOf(*plan), std::move(nowhere), column);
  }
  auto carried_below = [&](const PlanPtr& child) { return CarryFile(child, function, column, context); };
  switch (plan->kind()) {
    case NodeKind::kSourceScan: {
      const expression::AttributeVector metadata = MetadataColumnsOf(plan);
      if (metadata.empty()) return nullptr;
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr value,
                            FileOfScan(static_cast<const logical::SourceScan&>(*plan), function, metadata, context));
      return WithValue(ShowMetadataColumns(plan, metadata), ItemsOf(*plan), std::move(value), column);
    }
    case NodeKind::kLocalRelation: {
      for (const AttributePtr& held : plan->output()) {
        if (held->name() == std::string(kHeld) + function) return WithValue(plan, ItemsOf(*plan), held, column);
      }
      return nullptr;
    }
    case NodeKind::kProject: {
      ARROW_ASSIGN_OR_RAISE(PlanPtr child, carried_below(plan->child()));
      if (child == nullptr) return nullptr;
      ExpressionVector items = static_cast<const logical::Project&>(*plan).items();
      items.push_back(column);
      return std::make_shared<logical::Project>(std::move(items), std::move(child));
    }
    case NodeKind::kFilter:
    case NodeKind::kWatermark:
    case NodeKind::kSubqueryAlias:
    case NodeKind::kSample:
    case NodeKind::kLimit:
    case NodeKind::kGenerate:
    case NodeKind::kCollectMetrics:
    case NodeKind::kRepartition: {
      ARROW_ASSIGN_OR_RAISE(PlanPtr child, carried_below(plan->child()));
      if (child == nullptr) return nullptr;
      PlanPtr carried = plan->WithChildren({std::move(child)});
      if (plan->kind() != NodeKind::kGenerate) return carried;
      ExpressionVector items = ItemsOf(*plan);
      items.push_back(column);
      return std::make_shared<logical::Project>(std::move(items), std::move(carried));
    }
    case NodeKind::kUnion: {
      std::vector<PlanPtr> children;
      for (const PlanPtr& child : plan->children()) {
        AttributePtr own = std::make_shared<expression::AttributeReference>(
            expression::NextAttributeId(), column->name(), column->type(), column->nullable());
        ARROW_ASSIGN_OR_RAISE(PlanPtr carried, CarryFile(child, function, own, context));
        if (carried == nullptr) return nullptr;
        ExpressionVector items = ItemsOf(*child);
        items.push_back(own);
        children.push_back(std::make_shared<logical::Project>(std::move(items), std::move(carried)));
      }
      expression::AttributeVector output = plan->output();
      output.push_back(column);
      return std::make_shared<logical::Union>(std::move(output), std::move(children));
    }
    default:
      return nullptr;
  }
}

}  // namespace millrace::analyzer
