#include "streaming/watermark_tracker.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/error.h"
#include "physical/operator/event_time_watermark.h"

namespace millrace::streaming {

arrow::Result<WatermarkTracker> WatermarkTracker::Make(const physical::Operator* plan, std::string_view policy,
                                                       int64_t now_ms) {
  WatermarkTracker tracker;
  std::string lower = ToLowerAscii(policy);
  if (lower != "min" && lower != "max") {
    return arrow::Status::Invalid("Could not recognize watermark policy '", policy, "'");
  }
  tracker.take_max_ = lower == "max";
  if (plan == nullptr) return tracker;
  for (const physical::EventTimeWatermark* node : physical::EventTimeWatermarks(*plan)) {
    auto same = std::find_if(tracker.inputs_.begin(), tracker.inputs_.end(),
                             [&](const Input& input) { return input.nodes[0]->key() == node->key(); });
    if (same != tracker.inputs_.end()) {
      same->nodes.push_back(node);
    } else {
      tracker.inputs_.push_back({{node}, std::nullopt, now_ms});
    }
  }
  return tracker;
}

std::optional<size_t> WatermarkTracker::Deciding() const {
  std::optional<size_t> chosen;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    int64_t value = inputs_[i].watermark_ms.value_or(0);
    if (!chosen) {
      chosen = i;
      continue;
    }
    int64_t best = inputs_[*chosen].watermark_ms.value_or(0);
    if (take_max_ ? value > best : value < best) chosen = i;
  }
  return chosen;
}

void WatermarkTracker::Update(const std::map<const physical::Operator*, physical::EventTimeStats>& seen,
                              int64_t now_ms) {
  for (Input& input : inputs_) {
    for (const physical::EventTimeWatermark* node : input.nodes) {
      auto it = seen.find(node);
      if (it == seen.end() || it->second.count == 0) continue;
      int64_t watermark = it->second.max_ms - node->delay_ms();
      if (input.watermark_ms && watermark <= *input.watermark_ms) continue;
      input.watermark_ms = watermark;
      input.moved_at_ms = now_ms;
    }
  }
  std::optional<size_t> deciding = Deciding();
  if (deciding) watermark_ms_ = std::max(watermark_ms_, inputs_[*deciding].watermark_ms.value_or(0));
}

}  // namespace millrace::streaming
