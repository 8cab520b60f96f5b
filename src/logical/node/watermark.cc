#include "logical/node/watermark.h"

#include "base/json_value.h"

namespace millrace::logical {

namespace {

constexpr std::string_view kDelayKey = "spark.watermarkDelayMs";

AttributePtr WithMetadata(const AttributePtr& column, const JsonValue& metadata) {
  std::string text = metadata.members().empty() ? std::string() : metadata.ToString();
  return std::make_shared<expression::AttributeReference>(column->id(), column->name(), column->type(),
                                                          column->nullable(), column->qualifier(), std::move(text));
}

// Source: Spark, EventTimeWatermark.output.
AttributeVector Marked(const AttributePtr& event_time, int64_t delay_us, const AttributeVector& columns) {
  AttributeVector output;
  for (const AttributePtr& column : columns) {
    bool is_event_time = column->id() == event_time->id();
    if (!is_event_time && column->metadata_json().find(kDelayKey) == std::string::npos) {
      output.push_back(column);
      continue;
    }
    JsonValue metadata = JsonValue::Object();
    if (!column->metadata_json().empty()) {
      metadata = ParseJson(column->metadata_json()).ValueOr(JsonValue::Object());
    }
    if (is_event_time) {
      metadata.Set(std::string(kDelayKey), JsonValue::Number(delay_us / 1000));
    } else {
      std::erase_if(metadata.members(), [](const JsonValue::Member& member) { return member.first == kDelayKey; });
    }
    output.push_back(WithMetadata(column, metadata));
  }
  return output;
}

}  // namespace

Watermark::Watermark(AttributePtr event_time, int64_t delay_us, std::string delay_text, int64_t key, PlanPtr child)
    : Plan(NodeKind::kWatermark, {child}, Marked(event_time, delay_us, child->output())),
      event_time_(std::move(event_time)),
      delay_us_(delay_us),
      delay_text_(std::move(delay_text)),
      key_(key) {}

PlanPtr Watermark::WithExpressions(ExpressionVector expressions) const {
  return std::make_shared<Watermark>(expression::ToAttribute(expressions[0]), delay_us_, delay_text_, key_, child());
}

std::string Watermark::Describe() const {
  return fmt::format("EventTimeWatermark {}, {}", DescribeAttribute(*event_time_), delay_text_);
}

}  // namespace millrace::logical
