#pragma once

#include <arrow/result.h>

#include <string_view>
#include <vector>

#include "sql/token.h"

namespace millrace::sql {

/// Cuts `text` into tokens, longest match first as Spark's lexer does; comments and white space are dropped.
/// The last token is kEnd. Characters that start no token come out as kUnrecognized for the parser to refuse.
/// The tokens are views of `text`. `double_quoted_identifiers`: "a" is a name, not a string.
/// Errors: UserError UNCLOSED_BRACKETED_COMMENT.   Thread: free function.
/// Source: Spark SQL reference, "Literals", "Identifiers", "Comments".
arrow::Result<std::vector<Token>> Tokenize(std::string_view text, bool double_quoted_identifiers = false);

}  // namespace millrace::sql
