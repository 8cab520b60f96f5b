#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "physical/stateful/stateful_operator.h"

namespace millrace::physical {
class EventTimeWatermark;
}

namespace millrace::streaming {

/// The query's watermark: for each withWatermark the latest event time less its delay, and one of them for all, by
/// spark.sql.streaming.multipleWatermarkPolicy. One that has seen nothing counts as 1970, and the watermark never goes
/// back. Source: Spark, WatermarkTracker. Confined to the query's thread.
class WatermarkTracker {
 public:
  /// `plan` may be null: no input. `now_ms`: since when an input that brings nothing has stood still. Errors: Invalid
  /// for a policy that is not min or max.
  static arrow::Result<WatermarkTracker> Make(const physical::Operator* plan, std::string_view policy, int64_t now_ms);

  struct Input {
    /// Its places in the plan, at least one.
    std::vector<const physical::EventTimeWatermark*> nodes;
    /// nullopt: no row was seen since the query started.
    std::optional<int64_t> watermark_ms;
    /// When it last moved, or the query started, ms since 1970 UTC, by the engine's clock.
    int64_t moved_at_ms = 0;
  };

  /// Of an earlier run.
  void Restore(int64_t watermark_ms) { watermark_ms_ = std::max(watermark_ms_, watermark_ms); }
  /// Takes in what a micro-batch saw.
  void Update(const std::map<const physical::Operator*, physical::EventTimeStats>& seen, int64_t now_ms);

  bool has_event_time() const { return !inputs_.empty(); }
  int64_t watermark_ms() const { return watermark_ms_; }
  const std::vector<Input>& inputs() const { return inputs_; }
  /// Position of the input whose watermark is the query's; nullopt without withWatermark.
  std::optional<size_t> Deciding() const;

 private:
  std::vector<Input> inputs_;
  bool take_max_ = false;
  int64_t watermark_ms_ = 0;
};

}  // namespace millrace::streaming
