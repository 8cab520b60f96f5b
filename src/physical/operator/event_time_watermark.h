#pragma once

#include "logical/node/watermark.h"
#include "physical/planner.h"

namespace millrace::physical {

/// Passes rows on and remembers the event times it saw, for the watermark of the next micro-batch
/// (StreamingBatch::event_times). Source: Spark, EventTimeWatermarkExec; a NULL event time counts as 1970, as there.
class EventTimeWatermark final : public Operator {
 public:
  /// `event_time`: position in the child's output.
  EventTimeWatermark(int event_time, const logical::Watermark& node, AttributeVector output, OperatorPtr child);

  int64_t delay_ms() const { return delay_ms_; }
  /// That of the withWatermark it is a place of.
  int64_t key() const { return key_; }
  const expression::AttributePtr& event_time() const { return event_time_attribute_; }
  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override { return text_; }

 private:
  int event_time_;
  expression::AttributePtr event_time_attribute_;
  int64_t delay_ms_;
  int64_t key_;
  std::string text_;
};

bool MatchesEventTimeWatermark(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanEventTimeWatermark(const logical::PlanPtr& node, const RequiredColumns& required,
                                                  Planner& planner);

/// The EventTimeWatermarks of a plan, in the order of StatefulOperators.
std::vector<const EventTimeWatermark*> EventTimeWatermarks(const Operator& root);

}  // namespace millrace::physical
