#pragma once

#include <string>
#include <string_view>

#include <arrow/result.h>

namespace millrace {

/// Checks the "v1" line that opens a text log and gives what follows it. Errors: a message naming `path`.
arrow::Result<std::string_view> AfterVersionLine(std::string_view text, int max_version, const std::string& path,
                                                 int* version);

}  // namespace millrace
