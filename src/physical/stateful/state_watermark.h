#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "expression/node.h"

namespace millrace::physical {

/// How old the rows of one side of a stream-stream join may be, given the watermark of the other side.
///
/// From each conjunct of the join's condition of the form `this time > other time + constant` (any arrangement of sums,
/// differences, casts and constants) follows `this time > watermark + constant` for all rows to come: rows that do not
/// satisfy it can go. Source: Spark, StreamingJoinHelper.getStateValueWatermark, whose arithmetic in doubles, whose
/// limits and whose -1 for inclusive comparisons are kept.
class StateWatermark {
 public:
  /// `condition` may be null. nullopt when nothing follows from it.
  static std::optional<StateWatermark> Derive(const expression::ExpressionPtr& condition,
                                              const expression::AttributeVector& this_side,
                                              const expression::AttributeVector& other_side);

  /// Rows of this side with a time at or before this can go when the other side's watermark is `watermark_ms`.
  int64_t At(int64_t watermark_ms) const;

 private:
  struct Bound {
    double watermark_factor;  ///< how often the watermark stands in the sum
    double constant_us;
    int64_t adjust_ms;
  };
  static std::optional<Bound> FromLessThan(const expression::Expression& left, const expression::Expression& right,
                                           const expression::AttributeVector& this_side,
                                           const expression::AttributeVector& other_side, int64_t adjust_ms);

  std::vector<Bound> bounds_;
};

/// The position of the first join key that carries a watermark, of the left side's keys before the right's; -1: none.
int JoinKeyWithWatermark(const expression::ExpressionVector& left_keys, const expression::ExpressionVector& right_keys);

}  // namespace millrace::physical
