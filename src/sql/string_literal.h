#pragma once

#include <string>
#include <string_view>

namespace millrace::sql {

/// The value of a string token with its quotes: '…' and "…" with backslash escapes and doubled quotes, r'…' as written.
/// `\u0041` and `\U0001F600` are code points, `\101` is octal, `\%` and `\_` keep their backslash (for LIKE), an
/// unknown
/// `\x` is x. A half of a surrogate pair on its own becomes U+FFFD.
/// Source: Spark SQL reference, "String Literal".
std::string UnquoteString(std::string_view token);

/// The name in a back-ticked token; a doubled back-tick stands for one.
std::string UnquoteIdentifier(std::string_view token);

}  // namespace millrace::sql
