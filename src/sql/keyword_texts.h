#pragma once

#include <string_view>
#include <vector>

namespace millrace::sql {

/// All keywords of Spark SQL ("SELECT"), sorted. Apart from token.h, whose enumerators have the names of many things.
std::vector<std::string_view> KeywordTexts();

}  // namespace millrace::sql
