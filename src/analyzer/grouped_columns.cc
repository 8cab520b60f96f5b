#include "analyzer/grouped_columns.h"

#include "analyzer/name_resolution.h"
#include "base/ascii.h"
#include "base/error.h"
#include "logical/node/project.h"
#include "logical/node/watermark.h"

namespace millrace::analyzer {

using expression::AttributePtr;
using expression::AttributeReference;
using expression::ExpressionKind;

AttributeVector ToOutput(const types::DataType& schema) {
  AttributeVector output;
  for (const types::StructField& field : schema.fields()) {
    output.push_back(
        std::make_shared<AttributeReference>(expression::NextAttributeId(), field.name, field.type, field.nullable));
  }
  return output;
}

arrow::Result<logical::GroupedColumns> ResolveGrouping(
    RelationResolver& resolver, const google::protobuf::RepeatedPtrField<spark::connect::Expression>& messages,
    PlanPtr* plan) {
  logical::GroupedColumns columns;
  columns.values = (*plan)->output();
  OperatorInput below;
  const AttributeVector visible = (*plan)->output();
  ARROW_ASSIGN_OR_RAISE(ExpressionVector keys, resolver.Expressions(visible, &below).ResolveAll(messages));
  ARROW_ASSIGN_OR_RAISE(*plan, below.Apply(*plan, resolver.context().eval));
  ExpressionVector items((*plan)->output().begin(), (*plan)->output().end());
  bool computed = false;
  for (const ExpressionPtr& key : keys) {
    ExpressionPtr named = ExpressionResolver::Name(key);
    if (named->kind() != ExpressionKind::kAttribute) {
      items.push_back(named);
      computed = true;
    }
    columns.keys.push_back(expression::ToAttribute(named));
  }
  if (computed) *plan = std::make_shared<logical::Project>(std::move(items), *plan);
  return columns;
}

// Source: Spark, UpdateEventTimeWatermarkColumn.
arrow::Status MarkEventTime(const std::string& name, const logical::Plan& child, AttributeVector* output) {
  int64_t delay_us = -1;
  logical::VisitPlan(child, [&](const logical::Plan& node) {
    if (node.kind() != logical::NodeKind::kWatermark || delay_us >= 0) return;
    delay_us = static_cast<const logical::Watermark&>(node).delay_us();
  });
  if (delay_us < 0) return UserError("CANNOT_ASSIGN_EVENT_TIME_COLUMN_WITHOUT_WATERMARK");
  for (AttributePtr& column : *output) {
    if (!EqualsIgnoreCase(column->name(), name)) continue;
    std::string metadata = "{\"spark.watermarkDelayMs\":" + std::to_string(delay_us / 1000) + "}";
    column = std::make_shared<AttributeReference>(column->id(), column->name(), column->type(), column->nullable(),
                                                  column->qualifier(), metadata);
    return arrow::Status::OK();
  }
  return UnresolvedColumn({name}, *output);
}

arrow::Result<std::string> ParseOutputMode(const std::string& text) {
  std::string mode = ToLowerAscii(text);
  if (mode == "append" || mode == "update" || mode == "complete") return mode;
  return UserError("STREAMING_OUTPUT_MODE.INVALID", {{"outputMode", text}});
}

arrow::Result<bool> ParseUpdates(const std::string& text) {
  ARROW_ASSIGN_OR_RAISE(std::string mode, ParseOutputMode(text));
  if (mode == "complete") return arrow::Status::Invalid("The output mode of function should be append or update");
  return mode == "update";
}

// Source: Spark, GroupStateImpl.groupStateTimeoutFromString.
arrow::Result<logical::GroupStateTimeout> ParseTimeout(const std::string& text) {
  for (auto timeout : {logical::GroupStateTimeout::kNone, logical::GroupStateTimeout::kProcessingTime,
                       logical::GroupStateTimeout::kEventTime}) {
    if (text == logical::GroupStateTimeoutName(timeout)) return timeout;
  }
  return arrow::Status::Invalid("Invalid string for GroupStateTimeout: ", text);
}

}  // namespace millrace::analyzer
