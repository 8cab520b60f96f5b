#pragma once

#include <cstddef>
#include <string_view>

namespace millrace {

/// How many bytes must be put in, taken out or replaced to make `b` of `a` (Levenshtein): for suggestions in errors.
size_t EditDistance(std::string_view a, std::string_view b);

}  // namespace millrace
