#include "logical/node/watermark.h"

#include "analyzer/name_resolution.h"
#include "analyzer/relation_resolver.h"
#include "base/error.h"
#include "logical/node/project.h"
#include "spark/connect/relations.pb.h"
#include "types/datetime_text.h"
#include "types/interval_text.h"

namespace millrace::analyzer {

namespace {

using spark::connect::Relation;

// Spark counts a month of a delay as 31 days.
constexpr int64_t kDaysInMonth = 31;

arrow::Result<types::CalendarIntervalValue> ParseDelay(const std::string& text) {
  types::CalendarIntervalValue delay;
  if (!types::ParseDuration(text, &delay)) {
    return UserError("CANNOT_PARSE_INTERVAL", {{"intervalString", QuoteStringLiteral(text)}});
  }
  return delay;
}

bool IsTimeWindow(const types::DataType& type) {
  return type.id() == types::TypeId::kStruct && type.fields().size() == 2 && type.fields()[1].name == "end" &&
         type.fields()[1].type->id() == types::TypeId::kTimestamp;
}

}  // namespace

arrow::Result<PlanPtr> ResolveWithWatermark(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.with_watermark();
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(message.input()));
  ARROW_ASSIGN_OR_RAISE(types::CalendarIntervalValue delay, ParseDelay(message.delay_threshold()));
  int64_t delay_us = (delay.months * kDaysInMonth + delay.days) * types::kMicrosPerDay + delay.micros;
  if (delay_us < 0) {
    return arrow::Status::Invalid("requirement failed: delay threshold (", message.delay_threshold(),
                                  ") should not be negative.");
  }
  if (!child->is_streaming()) {
    // Of rows that do not stream it says nothing, whatever column it names. Source: Spark, EliminateEventTimeWatermark.
    ARROW_ASSIGN_OR_RAISE(auto parts, ParseNameParts(message.event_time()));
    if (parts.size() == 1) return child;
    return UserError("EVENT_TIME_MUST_BE_TOP_LEVEL_COLUMN", {{"eventExpr", message.event_time()}});
  }
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr column, resolver.ResolveColumn(message.event_time(), child->output()));
  if (column->kind() != expression::ExpressionKind::kAttribute) {
    return UserError("EVENT_TIME_MUST_BE_TOP_LEVEL_COLUMN", {{"eventExpr", column->Sql()}});
  }
  if (column->type()->id() != types::TypeId::kTimestamp && !IsTimeWindow(*column->type())) {
    return UserError("EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE", {{"eventName", QuoteIdentifier(message.event_time())},
                                                             {"eventType", QuoteSqlType(column->type()->Sql())}});
  }
  std::string text;
  types::AppendCalendarInterval(delay, &text);
  AttributePtr event_time;
  for (const AttributePtr& one : child->output()) {
    if (one->id() == static_cast<const expression::AttributeReference&>(*column).id()) event_time = one;
  }
  // In a program of the classic API a frame is one plan wherever it stands; a Connect client's is made anew each time.
  bool is_one = resolver.IsClassic() && relation.common().has_plan_id();
  int64_t key = is_one ? -1 - relation.common().plan_id() : expression::NextAttributeId().value;
  return std::make_shared<logical::Watermark>(std::move(event_time), delay_us, std::move(text), key, std::move(child));
}

}  // namespace millrace::analyzer
