#pragma once

#include <string>
#include <string_view>

namespace millrace {

/// Whether `text` is valid UTF-8.
bool IsValidUtf8(std::string_view text);
/// `text` with each malformed sequence replaced by U+FFFD, as Java's decoder does.
std::string ReplaceInvalidUtf8(std::string_view text);

}  // namespace millrace
