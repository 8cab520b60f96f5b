#include "delta/log/log_error.h"

#include "base/error.h"

namespace millrace::delta {

arrow::Status UnreadableLogFile(const std::string& path, const std::string& problem) {
  arrow::Status error = UserError("FAILED_READ_FILE.NO_HINT", {{"path", "file://" + path}});
  return error.WithMessage(error.message(), " Caused by: ", problem);
}

bool IsUnreadableFile(const arrow::Status& status) {
  return !status.ok() && (GetErrorDetail(status) == nullptr || IsErrorCondition(status, "FAILED_READ_FILE"));
}

}  // namespace millrace::delta
