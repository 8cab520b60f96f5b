#pragma once

#include <arrow/status.h>

#include <string>

#include "base/error.h"
#include "base/file_system.h"
#include "connector/file/file_listing.h"

namespace millrace::connector::file {

/// A failure of the disk while rows are written to `path`, as UserError TASK_WRITE_FAILED with its cause; others pass
/// through.
inline arrow::Status FileWriteError(const std::string& path, const arrow::Status& status) {
  if (!status.IsIOError() || GetErrorDetail(status) != nullptr) return status;
  arrow::Status error = UserError("TASK_WRITE_FAILED", {{"path", ShownPath(path)}});
  return error.WithMessage(error.message(), "\nCaused by: ", status.message());
}

/// The same of opening `file`: a format may write its first bytes then. What cannot even be created is told as it is,
/// as Spark does.
inline arrow::Status FileOpenError(const FileSystem& files, const std::string& file, const std::string& path,
                                   const arrow::Status& status) {
  if (status.ok()) return status;
  auto created = files.Stat(file);
  return created.ok() && *created ? FileWriteError(path, status) : status;
}

}  // namespace millrace::connector::file
