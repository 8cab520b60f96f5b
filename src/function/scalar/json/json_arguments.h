#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "format/option_map.h"
#include "function/bind.h"
#include "types/data_type.h"

/// The arguments that from_json, to_json, from_csv … share.

namespace millrace::function {

/// The options argument at `index`, empty when it was not given: a constant map of strings.
/// Errors: UserError INVALID_OPTIONS.NON_MAP_FUNCTION, INVALID_OPTIONS.NON_STRING_TYPE.
arrow::Result<format::OptionMap> BindOptions(const BindInput& input, size_t index);

/// The schema argument at `index`: a constant string in DDL or Spark's schema JSON.
/// Errors: UserError INVALID_SCHEMA.NON_STRING_LITERAL, and what the parser says.
arrow::Result<DataTypePtr> BindSchema(const BindInput& input, size_t index);

/// The first argument as a string column. Errors: UserError DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE.
arrow::Result<ExpressionPtr> BindText(const BindInput& input, size_t index);

/// What SQL shows of these calls: the first argument only. UnexpectedInputType words messages with the whole call, so
/// bind functions hand it this one.
BindInput WithFirstArgumentOnly(const BindInput& input);

/// Makes options part of the expression, so that calls which differ in them are not taken for the same.
ExpressionPtr OptionsLiteral(const format::OptionMap& options);

/// Shows `name(first argument)`.
std::function<std::string(const std::vector<std::string>&)> RenderFirstArgument(std::string name);

}  // namespace millrace::function
