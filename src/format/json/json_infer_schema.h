#pragma once

#include <arrow/result.h>

#include <memory>
#include <string_view>
#include <vector>

#include "format/json/json_options.h"
#include "format/text_value.h"
#include "types/data_type.h"

namespace millrace::format {

/// Infers the schema of JSON records: the type of each record, merged to the tightest type that holds all.
///
/// Thread: confined; merge the results of several with Merge.
/// Source: JsonInferSchema.scala; tests/sql/json/schema_of_json.slt.
class JsonSchemaInference {
 public:
  static arrow::Result<JsonSchemaInference> Make(const JsonOptions& options);

  /// The type of one record as it stands: VOID where nothing is known, structs sorted by name; nullptr when malformed.
  types::DataTypePtr TypeOf(std::string_view record) const;

  /// Takes one record of a data source into account. Errors: UserError MALFORMED_RECORD_IN_PARSING in FAILFAST mode.
  arrow::Status Add(std::string_view record);
  /// Takes the types another inference saw into account.
  arrow::Status Merge(const JsonSchemaInference& other);
  /// The schema of the source so far: a struct, perhaps of no fields.
  types::DataTypePtr Finish() const;

  /// VOID becomes STRING (or goes, with dropFieldIfAllNull), structs without fields go; nullptr when nothing is left.
  types::DataTypePtr Canonical(const types::DataTypePtr& type) const;

 private:
  JsonSchemaInference(const JsonOptions& options, TextValueParser values)
      : options_(options), values_(std::move(values)) {}
  arrow::Status MergeRoot(types::DataTypePtr type);

  JsonOptions options_;
  TextValueParser values_;
  /// Null before the first record.
  types::DataTypePtr root_;
};

/// The tightest type that holds both, as inference chooses it; `mixed` where there is none. Structs are sorted by name.
types::DataTypePtr MergeInferredTypes(const types::DataTypePtr& a, const types::DataTypePtr& b,
                                      const types::DataTypePtr& mixed = types::String());

}  // namespace millrace::format
