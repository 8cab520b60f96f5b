#pragma once

#include <arrow/status.h>

#include <string_view>

#include "base/error.h"
#include "sql/token.h"

namespace millrace::sql {

/// Syntax error at `token` of `statement`, with Spark's text: where it is and the line with a mark under it.
/// `hint` is empty or like ": extra input 'x'".
arrow::Status SyntaxError(std::string_view statement, const Token& token, std::string_view hint = "");

/// UserError `condition` placed at byte `offset` (line and column, and the marked line, are added).
arrow::Status PositionedError(std::string_view statement, size_t offset, std::string_view condition,
                              ErrorParameters parameters = {});

/// UserError `condition` about the fragment [begin, end): the fragment is underlined.
arrow::Status FragmentError(std::string_view statement, size_t begin, size_t end, std::string_view condition,
                            ErrorParameters parameters = {});

}  // namespace millrace::sql
