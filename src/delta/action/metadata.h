#pragma once

#include <arrow/result.h>

#include <cstdint>

#include "delta/action/string_map.h"
#include "types/data_type.h"

namespace millrace::delta {

/// Id, schema, partition columns and properties of the table.
struct Metadata {
  std::string id;
  std::optional<std::string> name;
  std::optional<std::string> description;
  std::string format_provider = "parquet";
  StringMap format_options;
  /// Spark's schema JSON.
  std::string schema_string;
  /// Logical names.
  std::vector<std::string> partition_columns;
  StringMap configuration;
  std::optional<int64_t> created_time_ms;

  /// The schema behind schema_string. Errors: Invalid.
  arrow::Result<types::DataTypePtr> ParseSchema() const;
  std::optional<std::string> Property(std::string_view key) const {
    auto it = configuration.find(key);
    return it == configuration.end() ? std::nullopt : std::optional<std::string>(it->second);
  }
};

}  // namespace millrace::delta
