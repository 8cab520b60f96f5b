#pragma once

#include "connector/source.h"
#include "format/file_format.h"

namespace millrace::connector::file {

/// Files as an unbounded source: each file is read once, when it appears.
///
/// Offsets: `{"logOffset":n}`, n a batch of the log in `<metadata_path>`, which says what files it was; the entry is
/// durable before the offset is returned. Limits: maxFilesPerTrigger, maxBytesPerTrigger. Format:
/// docs/formats/file_log.md. Spec: Spark's FileStreamSource.
arrow::Result<std::unique_ptr<MicroBatchStream>> OpenFileStream(const format::FileFormat& format,
                                                                const SourceRequest& request);

}  // namespace millrace::connector::file
