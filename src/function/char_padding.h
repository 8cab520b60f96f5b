#pragma once

#include "expression/expression.h"
#include "types/char_type.h"

namespace millrace::function {

/// `text` with blanks behind it up to `length` characters; longer texts as they are. What CHAR(n) is when read, and
/// what a text is when it is compared with one.
expression::ExpressionPtr PaddedTo(expression::ExpressionPtr text, int length);

/// `text` as a column declared `type` stores it: CHAR padded, blanks beyond the length cut.
/// Errors, when evaluated: UserError EXCEED_LIMIT_LENGTH.
expression::ExpressionPtr StoredAs(const types::CharType& type, expression::ExpressionPtr text);

/// Pads the sides of a comparison where one is a CHAR column and the other a shorter one, or a constant: Spark compares
/// them as if both had the longer's length. `name`: of the operator; others leave `arguments` alone.
arrow::Status PadComparedChars(std::string_view name, const expression::EvalContext& context,
                               expression::ExpressionVector* arguments);

}  // namespace millrace::function
