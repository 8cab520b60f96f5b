#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <string_view>

#include "analyzer/analyzer.h"
#include "spark/connect/expressions.pb.h"

namespace millrace::analyzer {

using Arguments = google::protobuf::RepeatedPtrField<spark::connect::Expression>;

bool HasNamedArguments(const Arguments& arguments);

/// `name => value` put where the function has that parameter; parameters left out get their defaults.
/// Errors: UserError NAMED_PARAMETERS_NOT_SUPPORTED for a function that has no names, UNEXPECTED_POSITIONAL_ARGUMENT,
/// DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT, REQUIRED_PARAMETER_NOT_FOUND, UNRECOGNIZED_PARAMETER_NAME.
/// Source: Spark, NamedParametersSupport.defaultRearrange.
arrow::Result<Arguments> PlaceNamedArguments(std::string_view function, const Arguments& arguments);

}  // namespace millrace::analyzer
