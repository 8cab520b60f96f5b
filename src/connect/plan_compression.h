#pragma once

#include <arrow/result.h>

namespace spark::connect {
class Plan;
}

namespace millrace::connect {

/// The plan itself where a client sent it compressed; `storage` holds it then.
/// Errors: CONNECT_INVALID_PLAN.PLAN_SIZE_LARGER_THAN_MAX, CANNOT_PARSE.
arrow::Result<const spark::connect::Plan*> Decompressed(const spark::connect::Plan& plan,
                                                        spark::connect::Plan* storage);

}  // namespace millrace::connect
