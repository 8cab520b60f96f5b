#pragma once

#include <memory>

#include "connector/source.h"
#include "connector/state/checkpoint_reading.h"
#include "state/operator_metadata.h"

namespace millrace::connector {

/// One variable of a transformWithState operator, or its timers, as the source "statestore" shows it.
/// Source: Spark, SchemaUtil.generateSchemaForStateVar.
struct ShownVariable {
  enum class Kind : uint8_t { kValue, kList, kMap, kTimer } kind = Kind::kValue;
  state::StoredSchema stored;
  /// Elements and entries are rows of their own.
  bool flattened = true;
  /// The rows of the source.
  types::DataTypePtr schema;
};

/// nullopt when the operator has no variables. Errors: UserError STDS_….
arrow::Result<std::optional<ShownVariable>> FindShownVariable(const FileSystem& file_system,
                                                              const StateReadOptions& options);

/// Reads it out of the stores of `num_partitions` partitions.
std::unique_ptr<BatchScan> ScanVariable(ShownVariable variable, StateReadOptions options, FileSystem* file_system,
                                        std::map<std::string, std::string> conf, int num_partitions);

}  // namespace millrace::connector
