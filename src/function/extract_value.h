#pragma once

#include <optional>

#include "function/function_def.h"

namespace millrace::function {

/// `child.key`, `child[key]`: a struct's field by name, that field of every struct in an array, an array's element by
/// index from 0 (ANSI: out of range raises INVALID_ARRAY_INDEX), a map's value (NULL when the key is not there).
/// Errors: UserError FIELD_NOT_FOUND, AMBIGUOUS_REFERENCE_TO_FIELDS, INVALID_EXTRACT_FIELD_TYPE,
/// INVALID_EXTRACT_BASE_FIELD_TYPE.
arrow::Result<ExpressionPtr> ExtractValue(const ExpressionPtr& child, const ExpressionPtr& key, bool case_sensitive);

/// Field `ordinal` of a struct; `name` is how the user wrote it.
ExpressionPtr GetStructField(const ExpressionPtr& child, int ordinal, std::string name);

/// The field index when `expression` is a struct's field access; its child is children()[0].
std::optional<int> StructFieldOrdinal(const expression::Expression& expression);

}  // namespace millrace::function
