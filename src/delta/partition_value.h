#pragma once

#include <arrow/result.h>
#include <arrow/scalar.h>

#include <memory>
#include <optional>
#include <string_view>

#include "types/data_type.h"
#include "types/time_zone.h"

namespace millrace::delta {

/// The value of a partition column as its text in the log says: none and the empty text are NULL; timestamps are ISO
/// 8601 with a zone, or a wall clock reading of `zone`.
/// Errors: Invalid when the text is no value of the type.
arrow::Result<std::shared_ptr<arrow::Scalar>> ReadPartitionValue(std::optional<std::string_view> text,
                                                                 const types::DataType& type,
                                                                 const types::TimeZone& zone);

}  // namespace millrace::delta
