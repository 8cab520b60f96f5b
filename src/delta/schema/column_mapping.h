#pragma once

#include <arrow/result.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "delta/action/metadata.h"
#include "types/data_type.h"

namespace millrace::delta {

enum class ColumnMappingMode : uint8_t { kNone, kName, kId };

inline constexpr std::string_view kPhysicalNameKey = "delta.columnMapping.physicalName";
inline constexpr std::string_view kColumnIdKey = "delta.columnMapping.id";

/// Errors: Invalid for another word in delta.columnMapping.mode.
arrow::Result<ColumnMappingMode> ColumnMappingModeOf(const Metadata& metadata);

/// What files, statistics and partition values call the column: its physical name, else its own.
std::string PhysicalName(const types::StructField& field);

/// The physical names along a path of logical ones; none when the schema has no such field. Below arrays and maps there
/// are no statistics, so there are no paths either.
std::optional<std::vector<std::string>> PhysicalPath(const types::DataType& schema,
                                                     const std::vector<std::string>& logical);

/// The schema without these members of its fields' metadata, at any depth.
types::DataTypePtr WithoutFieldMetadata(const types::DataTypePtr& type, std::span<const std::string_view> keys);
/// Whether a field has one of them.
bool HasFieldMetadata(const types::DataType& type, std::span<const std::string_view> keys);
/// What column mapping, and type widening, note of fields.
inline constexpr std::string_view kMappingKeys[] = {kPhysicalNameKey, kColumnIdKey, "delta.columnMapping.nested.ids"};
inline constexpr std::string_view kTypeChangeKeys[] = {"delta.typeChanges"};

/// The schema users see: without what only the protocol needs of the columns' metadata.
types::DataTypePtr WithoutInternalMetadata(const types::DataTypePtr& type);

}  // namespace millrace::delta
