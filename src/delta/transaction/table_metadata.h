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

/// The definition with another schema (and partitioning). Columns that are new get ids where the table maps columns;
/// `overwrite`: columns of the same name and type keep theirs.
/// Errors: as DefineTable; DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT when the schema needs a feature the table does not
/// have.
arrow::Result<Metadata> ChangeSchema(const Metadata& old, const Protocol& protocol, const types::DataTypePtr& schema,
                                     std::vector<std::string> partition_columns, bool overwrite);

/// The schema as files have it: physical names at every depth, and the ids for Parquet.
types::DataTypePtr PhysicalSchema(const types::DataTypePtr& schema, ColumnMappingMode mode);

/// Features the metadata makes use of, by name, sorted.
std::vector<std::string> FeaturesUsed(const Metadata& metadata, const types::DataType& schema);

bool BooleanProperty(const Metadata& metadata, std::string_view key, bool fallback);
int64_t IntegerProperty(const Metadata& metadata, std::string_view key, int64_t fallback);

}  // namespace millrace::delta
