#pragma once

#include <string>

#include "format/option_map.h"
#include "function/scalar/json/json_arguments.h"

/// The arguments that from_avro, to_avro and schema_of_avro share.

namespace millrace::function {

/// The call with NULL for the arguments up to `count` that were not given, as Spark shows it.
BindInput WithAllArguments(BindInput input, size_t count);

/// The schema at `index`: a constant string.
/// Errors: UserError DATATYPE_MISMATCH.TYPE_CHECK_FAILURE_WITH_HINT, as Spark words it.
arrow::Result<std::string> AvroSchemaArgument(const BindInput& input, size_t index);

/// The options at `index`, empty when they are not given or NULL: a constant map of strings.
/// Errors: as AvroSchemaArgument.
arrow::Result<format::OptionMap> AvroOptionsArgument(const BindInput& input, size_t index);

}  // namespace millrace::function
