#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/result.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/file_system.h"

/// Compressed text files: the codecs that Hadoop tells by a file's suffix.

namespace millrace::format {

/// ".gz" for "gzip"; "" for "", "none" and "uncompressed".
/// Errors: UserError CODEC_NOT_AVAILABLE.WITH_AVAILABLE_CODECS_SUGGESTION for any other name, and for lz4 and snappy,
/// whose Hadoop framing is not written here.
arrow::Result<std::string> CompressionSuffix(std::string_view codec);

/// The bytes of a text file, decompressed by its suffix.
arrow::Result<std::shared_ptr<arrow::io::InputStream>> OpenTextInput(const std::string& path);
/// Whether the suffix names a codec: such a file can only be read from its beginning.
bool IsCompressed(std::string_view path);
/// All of it.
arrow::Result<std::string> ReadTextFile(const std::string& path);

/// An Arrow stream that writes to a file of `file_system` and syncs it when closed.
arrow::Result<std::shared_ptr<arrow::io::OutputStream>> OpenSyncedOutput(FileSystem* file_system,
                                                                         const std::string& path, bool sync);
/// The same, compressing as `codec` says.
arrow::Result<std::shared_ptr<arrow::io::OutputStream>> OpenTextOutput(FileSystem* file_system, const std::string& path,
                                                                       bool sync, std::string_view codec);

}  // namespace millrace::format
