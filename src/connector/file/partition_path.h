#pragma once

#include <arrow/array.h>
#include <arrow/result.h>
#include <arrow/scalar.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "types/data_type.h"
#include "types/time_zone.h"

/// Directories that carry columns: `…/day=2024-01-02/page=a%2Fb/`. Source: Spark, "Partition Discovery",
/// PartitioningUtils and ExternalCatalogUtils.

namespace millrace::connector::file {

/// What stands for NULL and for the empty string.
inline constexpr std::string_view kDefaultPartition = "__HIVE_DEFAULT_PARTITION__";

/// Characters a directory's name may not have become %XX; and back.
std::string EscapePathName(std::string_view name);
std::string UnescapePathName(std::string_view name);

/// Name and value of `name=value`, the name unescaped, the value as it stands; nullopt for another directory.
/// Errors: UserError EMPTY_PARTITION_COLUMN_NAME / _VALUE.
arrow::Result<std::optional<std::pair<std::string, std::string>>> ParsePartitionDirectory(std::string_view directory);

/// The type a value looks like: INT, BIGINT, DECIMAL(n,0), DOUBLE, TIMESTAMP, DATE, STRING; NULL for kDefaultPartition.
/// `infer` false: STRING.
types::DataTypePtr InferPartitionType(std::string_view raw, bool infer, const types::TimeZone& zone);
/// The type for values of both.
types::DataTypePtr WiderPartitionType(const types::DataTypePtr& a, const types::DataTypePtr& b);

/// The value as the column's type. Errors: Invalid when it cannot be read as one.
arrow::Result<std::shared_ptr<arrow::Scalar>> ReadPartitionValue(std::string_view raw, const types::DataType& type,
                                                                 const types::TimeZone& zone);

/// The text of a value, as CAST to STRING gives it; nullopt for NULL. REQUIRES: an atomic type.
std::optional<std::string> PartitionValueText(const arrow::Array& column, int64_t row, const types::DataType& type,
                                              const types::TimeZone& zone);
/// `column=value` with both escaped.
std::string PartitionDirectory(std::string_view column, const std::optional<std::string>& value);

}  // namespace millrace::connector::file
