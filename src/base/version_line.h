#pragma once

#include <arrow/result.h>

#include <string>
#include <string_view>

namespace millrace {

/// Checks the "v1" line that opens a text log and gives what follows it. Errors: a message naming `path`.
arrow::Result<std::string_view> AfterVersionLine(std::string_view text, int max_version, const std::string& path,
                                                 int* version);

}  // namespace millrace
