#include "format/file_format.h"

#include "base/ascii.h"
#include "base/error.h"
#include "base/file_system.h"

namespace millrace::format {

#define FORMAT(name) extern const FileFormat k##name##Format;
#include "format/registry.def"
#undef FORMAT

namespace {

const FileFormat* const kFormats[] = {
#define FORMAT(name) &k##name##Format,
#include "format/registry.def"
#undef FORMAT
};

}  // namespace

std::span<const FileFormat* const> AllFileFormats() { return kFormats; }

const FileFormat* FindFileFormat(std::string_view name) {
  for (const FileFormat* format : kFormats) {
    if (EqualsIgnoreCase(format->name, name)) return format;
  }
  return nullptr;
}

arrow::Status FileReadError(const std::string& path, const arrow::Status& status) {
  // Malformed records too: Spark names the file first, and what it met there is the cause.
  if (status.ok() || IsErrorCondition(status, "FAILED_READ_FILE")) return status;
  arrow::Status error = UserError("FAILED_READ_FILE.NO_HINT", {{"path", FileUri(path)}});
  return error.WithMessage(error.message(), "\nCaused by: ", status.message());
}

}  // namespace millrace::format
