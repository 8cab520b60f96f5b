#pragma once

#include <optional>
#include <vector>

#include "millrace/column.h"

/// Conditions, NULLs and predicates.
/// Arguments that are `Column` take a column's name too. NULL in gives NULL out unless said otherwise. Source: Spark's
/// functions.
namespace millrace::functions {

/// The first value that is not NULL.
Column Coalesce(const std::vector<Column>& values);
/// Whether two values are equal, NULL being equal to NULL.
Column EqualNull(const Column& first, const Column& second);
/// As Nvl.
Column IfNull(const Column& first, const Column& second);
/// As like, whatever the case of letters.
Column ILike(const Column& text, const Column& pattern, const std::optional<ColumnOrLiteral>& escape_char = {});
/// Whether the number is NaN; false for NULL.
Column IsNaN(const Column& value);
/// Whether the value is not NULL.
Column IsNotNull(const Column& value);
/// Whether the value is NULL.
Column IsNull(const Column& value);
/// Whether the text matches a pattern of % (any text) and _ (one character).
Column Like(const Column& text, const Column& pattern, const std::optional<ColumnOrLiteral>& escape_char = {});
/// The first number, or the second where the first is NaN.
Column NaNvl(const Column& first, const Column& second);
/// NULL where both values are equal, else the first.
Column NullIf(const Column& first, const Column& second);
/// NULL where the number is zero, else the number.
Column NullIfZero(const Column& value);
/// The second value where the first is not NULL, else the third.
Column Nvl2(const Column& first, const Column& second, const Column& otherwise);
/// The first value, or the second where the first is NULL.
Column Nvl(const Column& first, const Column& second);
/// As RLike.
Column RegexpLike(const Column& text, const Column& regexp);
/// Whether a part of the text matches a regular expression.
Column RLike(const Column& text, const Column& regexp);
/// The value where the condition is true, else NULL; goes on with Column::When and Otherwise.
Column When(const Column& condition, const ColumnOrLiteral& value);
/// Zero where the number is NULL, else the number.
Column ZeroIfNull(const Column& value);

}  // namespace millrace::functions
