#pragma once

#include "logical/plan.h"

namespace millrace::logical {

/// Marks an event-time column and how late its rows may come: the column's metadata gets
/// `spark.watermarkDelayMs`, and an older mark on another column goes. Nodes of one `key` are places of one
/// withWatermark: they see its time together.
class Watermark final : public Plan {
 public:
  Watermark(AttributePtr event_time, int64_t delay_us, std::string delay_text, int64_t key, PlanPtr child);
  const AttributePtr& event_time() const { return event_time_; }
  int64_t delay_us() const { return delay_us_; }
  const std::string& delay_text() const { return delay_text_; }
  int64_t key() const { return key_; }
  ExpressionVector expressions() const override { return {event_time_}; }
  PlanPtr WithExpressions(ExpressionVector expressions) const override;
  PlanPtr WithChildren(std::vector<PlanPtr> children) const override {
    return std::make_shared<Watermark>(event_time_, delay_us_, delay_text_, key_, std::move(children[0]));
  }
  std::string Describe() const override;

 private:
  AttributePtr event_time_;
  int64_t delay_us_;
  std::string delay_text_;
  int64_t key_;
};

}  // namespace millrace::logical
