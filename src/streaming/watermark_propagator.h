#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <map>

#include "base/ids.h"
#include "physical/stateful/stateful_operator.h"

namespace millrace::streaming {

/// The watermark of the rows that reach each stateful operator, given the query's: below the first it is the query's,
/// above an operator what that one promises (an operator behind another sees rows that waited in state).
/// Source: Spark, PropagateWatermarkSimulator; with `single`, UseSingleWatermarkPropagator
/// (spark.sql.streaming.statefulOperator.allowMultiple = false). Confined to the query's thread.
class WatermarkPropagator {
 public:
  WatermarkPropagator(const physical::Operator* plan, bool single) : plan_(plan), single_(single) {}

  /// Input watermark by operator (0 where there is none) when the query's is `watermark_ms`.
  /// Errors: UserError _LEGACY_ERROR_TEMP_3076 when a watermark is defined anew above another.
  arrow::Result<std::map<const physical::Operator*, int64_t>> Propagate(int64_t watermark_ms) const;

  bool single() const { return single_; }

 private:
  const physical::Operator* plan_;
  bool single_;
};

}  // namespace millrace::streaming
