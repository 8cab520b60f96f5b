#pragma once

#include <arrow/result.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"

namespace millrace::connector::file {

/// Whether a path holds one of Hadoop's glob characters: { } [ ] * ? or a backslash.
bool IsGlob(std::string_view path);
/// Whether a name is of the pattern: * ? [abc] [^a-z] {x,y} and \ before a character that stands for itself.
bool GlobMatches(std::string_view pattern, std::string_view name);
/// The existing paths of an absolute pattern, in order of name; `pattern` itself, existing or not, when it is no glob.
arrow::Result<std::vector<std::string>> ExpandGlob(const FileSystem& file_system, const std::string& pattern);

}  // namespace millrace::connector::file
