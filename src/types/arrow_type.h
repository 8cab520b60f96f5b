#pragma once

#include <arrow/type_fwd.h>

#include <memory>

#include "types/data_type.h"

namespace millrace::types {

/// How a Spark type lies in memory. Nullability of nested fields is kept.
///   string/binary → utf8/binary (32-bit offsets) · timestamp → timestamp[us, UTC] · timestamp_ntz → timestamp[us] ·
///   date → date32 · decimal → decimal128 · year-month interval → month_interval · day-time interval → duration[us] ·
///   calendar interval → month_day_nano (nanoseconds always a multiple of 1000) · void → null ·
///   time → time64[ns] · variant → struct<value: binary, metadata: binary>, the metadata marked for clients
std::shared_ptr<arrow::DataType> ToArrow(const DataType& type);
std::shared_ptr<arrow::Field> ToArrow(const StructField& field);
/// Whether an Arrow struct is the form of a variant.
bool IsVariantStruct(const arrow::DataType& type);
/// The schema of batches whose columns are `struct_type`'s fields.
std::shared_ptr<arrow::Schema> ToArrowSchema(const DataType& struct_type);

/// The Spark type of foreign Arrow data (files, clients). Unsigned, large and 64-bit-offset types become the Spark
/// type that holds them. Errors: UserError UNSUPPORTED_ARROWTYPE.
arrow::Result<DataTypePtr> FromArrow(const arrow::DataType& type);
arrow::Result<DataTypePtr> FromArrowSchema(const arrow::Schema& schema);

}  // namespace millrace::types
