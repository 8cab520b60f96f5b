#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "expression/vector.h"
#include "function/bind.h"
#include "types/datetime_text.h"

/// What the functions of wall clock readings share.

namespace millrace::function {

/// Turns instants into wall clock µs; wall clock readings stay what they are.
class LocalClock {
 public:
  /// `ntz`: the input is a wall clock reading already.
  LocalClock(const types::TimeZone& zone, bool ntz)
      : zone_(zone), fixed_(ntz || zone.is_fixed()), offset_us_(ntz ? 0 : zone.OffsetSeconds(0) * int64_t{1000000}) {}

  int64_t ToLocal(int64_t us) const { return us + (fixed_ ? offset_us_ : zone_.OffsetSeconds(us) * int64_t{1000000}); }

 private:
  const types::TimeZone& zone_;
  bool fixed_;
  int64_t offset_us_;
};

/// Kernel of one timestamp argument: `fn(local_us, Out* out)`.
template <typename Out, typename Fn>
ScalarKernel LocalTimeKernel(std::shared_ptr<arrow::DataType> type, bool ntz, Fn fn) {
  return [type = std::move(type), ntz, fn](const EvalContext& context, const std::vector<arrow::Datum>& arguments,
                                           int64_t num_rows) -> arrow::Result<arrow::Datum> {
    return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t n) {
      LocalClock clock(*context.time_zone, ntz);
      expression::FixedColumn<int64_t> column(arguments[0]);
      return expression::MapFixed<Out>(
          context, type, n, [&](int64_t i, Out* out) { fn(clock.ToLocal(column[i]), out); }, column);
    });
  };
}

/// Argument `index` as TIMESTAMP or TIMESTAMP_NTZ: what it is, else TIMESTAMP.
/// Errors: UserError DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE.
arrow::Result<ExpressionPtr> CoerceToAnyTimestamp(const BindInput& input, size_t index);

/// Midnight of a date in `zone`. Errors: Invalid "long overflow".
arrow::Status DaysToMicros(int32_t days, const types::TimeZone& zone, int64_t* utc_us);

}  // namespace millrace::function
