#pragma once

#include <arrow/result.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/options.h"
#include "delta/action/metadata.h"
#include "delta/action/protocol.h"
#include "delta/schema/column_mapping.h"

/// Properties of tables, the protocol they ask for, and ids of columns: what a writer settles when a table is made or
/// its schema changes. Source: delta-spark's DeltaConfigs, Protocol.forNewTable and DeltaColumnMapping.

namespace millrace::delta {

/// The `delta.…` entries of a writer's options, checked, in the spelling of delta-spark.
/// Errors: UserError DELTA_UNKNOWN_CONFIGURATION; Invalid for a value of the wrong form.
arrow::Result<StringMap> TableProperties(const Options& options);

/// Session defaults (spark.databricks.delta.properties.defaults.…) where the table does not say otherwise.
StringMap WithDefaults(StringMap properties, const std::function<std::optional<std::string>(std::string_view)>& conf);

struct TableDefinition {
  Metadata metadata;
  Protocol protocol;
};

/// A new table. `properties` may hold delta.minReaderVersion, …, which become the protocol and do not stay.
/// Errors: UserError DELTA_UNSUPPORTED_FEATURES_IN_CONFIG, DELTA_UNSUPPORTED_COLUMN_MAPPING_MODE, names that Parquet
/// cannot hold.
arrow::Result<TableDefinition> DefineTable(const types::DataTypePtr& schema, std::vector<std::string> partition_columns,
                                           const StringMap& properties, int64_t now_ms);

/// A table's definition after a change; no protocol when the one it has will do.
struct DefinitionChange {
  Metadata metadata;
  std::optional<Protocol> protocol;
};
/// What becomes of the columns a table had.
enum class SchemaReplacement : uint8_t {
  kNone,    ///< they stay, or are changed one by one
  kSchema,  ///< all rows go with them; properties stay
  kTable,   ///< REPLACE TABLE: nothing stays
};
/// Settles `proposed` (its schema_string is set from `schema`) for a table that is there: ids of new columns where it
/// maps columns, and features that the definition asks for.
/// Errors: as DefineTable; DELTA_UNSUPPORTED_COLUMN_MAPPING_MODE_CHANGE; DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT for a
/// feature that a table must be given explicitly.
arrow::Result<DefinitionChange> UpdateDefinition(const Metadata& old, const Protocol& protocol, Metadata proposed,
                                                 const types::DataTypePtr& schema, SchemaReplacement replacement);

/// The schema as files have it: physical names at every depth, and the ids for Parquet.
types::DataTypePtr PhysicalSchema(const types::DataTypePtr& schema, ColumnMappingMode mode);

/// Names of columns and fields that Parquet files cannot have.
std::vector<std::string> NamesFilesCannotHave(const types::DataType& schema);

/// Features the metadata makes use of, by name, sorted.
std::vector<std::string> FeaturesUsed(const Metadata& metadata, const types::DataType& schema);

bool BooleanProperty(const Metadata& metadata, std::string_view key, bool fallback);
int64_t IntegerProperty(const Metadata& metadata, std::string_view key, int64_t fallback);

}  // namespace millrace::delta
