#pragma once

#include <arrow/result.h>

#include <string>
#include <string_view>

#include "base/file_system.h"

namespace millrace {

/// The checksum file that Hadoop keeps of a local file: `.<name>.crc` beside it. Whoever replaces or removes the file
/// removes that first: Hadoop, hence Spark, refuses a file that its checksum does not fit; one without is not checked.
std::string ChecksumFileOf(const std::string& path);
bool IsChecksumFile(std::string_view name);

/// The bytes of a file, as good as its checksum file says when it has one (Spark wrote it).
/// Errors: KeyError when the file does not exist; IOError in Hadoop's words when a byte is not what was written.
arrow::Result<std::string> ReadCheckedFile(const FileSystem& file_system, const std::string& path);

}  // namespace millrace
