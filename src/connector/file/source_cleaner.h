#pragma once

#include <arrow/result.h>

#include <memory>
#include <string>

#include "connector/source.h"

namespace millrace::connector::file {

/// What becomes of a file once its micro-batch is committed (option cleanSource): deleted, or moved below
/// sourceArchiveDir. A file that cannot be moved or deleted stays where it is; that is logged. Confined.
class SourceCleaner {
 public:
  virtual ~SourceCleaner() = default;
  virtual void Clean(const std::string& path) = 0;
};

/// Null when nothing shall be done. Errors: Invalid for an archive that the stream would read again.
arrow::Result<std::unique_ptr<SourceCleaner>> MakeSourceCleaner(const Options& options, const std::string& source_path,
                                                                FileSystem* file_system);

}  // namespace millrace::connector::file
