#pragma once

#include <arrow/status.h>

#include <string>

namespace millrace::delta {

/// A file of the log that is there and cannot be understood: UserError FAILED_READ_FILE.NO_HINT, with what is wrong.
arrow::Status UnreadableLogFile(const std::string& path, const std::string& problem);

/// Whether a failure is about a file's bytes (or its absence), not about what the log says: reading another file that
/// says the same may help.
bool IsUnreadableFile(const arrow::Status& status);

}  // namespace millrace::delta
