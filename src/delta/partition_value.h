#pragma once

#include <arrow/result.h>
#include <arrow/scalar.h>

#include <memory>
#include <optional>
#include <string_view>

#include "types/data_type.h"
#include "types/time_zone.h"

namespace millrace::delta {

/// The value of a partition column as its text in the log says, as delta-spark casts it: NULL for none and for a text
/// that is no value of the type (the empty text is one of STRING only); timestamps are ISO 8601 with a zone, or a wall
/// clock reading of `zone`. Errors: Invalid for a type that cannot partition.
arrow::Result<std::shared_ptr<arrow::Scalar>> ReadPartitionValue(std::optional<std::string_view> text,
                                                                 const types::DataType& type,
                                                                 const types::TimeZone& zone);

}  // namespace millrace::delta
