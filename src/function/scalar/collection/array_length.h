#pragma once

#include <arrow/status.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace millrace::function {

/// As many elements as an array of Spark's holds.
inline constexpr int64_t kArrayLengthMax = 2'147'483'632;

/// Errors: UserError COLLECTION_SIZE_LIMIT_EXCEEDED.PARAMETER for an array of `length` elements that a function was
/// asked for.
inline arrow::Status CheckArrayLength(std::string_view function_name, int64_t length) {
  if (length <= kArrayLengthMax) return arrow::Status::OK();
  return UserError("COLLECTION_SIZE_LIMIT_EXCEEDED.PARAMETER",
                   {{"numberOfElements", std::to_string(length)},
                    {"functionName", QuoteIdentifier(function_name)},
                    {"maxRoundedArrayLength", std::to_string(kArrayLengthMax)},
                    {"parameter", QuoteIdentifier("count")}});
}

}  // namespace millrace::function
