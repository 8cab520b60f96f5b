#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "expression/node.h"

namespace millrace::analyzer {

using expression::AttributeVector;
using expression::ExpressionPtr;

/// Cuts "a.`b.c`.d" into its parts. Errors: UserError INVALID_ATTRIBUTE_NAME_SYNTAX.
arrow::Result<std::vector<std::string>> ParseNameParts(std::string_view name);

/// The value called `parts` among `input`: a column, possibly qualified, then fields of structs, keys of maps …
/// nullopt when no column matches. Names ignore case unless `case_sensitive`.
/// Errors: UserError AMBIGUOUS_REFERENCE, FIELD_NOT_FOUND and what extracting a field raises.
/// Source: Spark, AttributeSeq.resolve.
arrow::Result<std::optional<ExpressionPtr>> ResolveName(const std::vector<std::string>& parts,
                                                        const AttributeVector& input, bool case_sensitive);

/// The one of `columns` with that id; null when there is none.
expression::AttributePtr FindColumn(expression::AttributeId id, const AttributeVector& columns);

/// UNRESOLVED_COLUMN.WITH_SUGGESTION (the five nearest names by edit distance) or WITHOUT_SUGGESTION.
arrow::Status UnresolvedColumn(const std::vector<std::string>& parts, const AttributeVector& input);

}  // namespace millrace::analyzer
