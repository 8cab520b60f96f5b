#pragma once

#include "connector/sink.h"
#include "format/file_format.h"

namespace millrace::connector::file {

/// A stream's output directory: data files straight in place, made visible by the entry of `_spark_metadata` that names
/// them.
///
/// Idempotent by batch id: a batch whose entry exists is skipped. Only one query may write a directory.
/// Crash: data files and their directories are durable before the entry; files without an entry are not read.
/// Format: docs/formats/file_log.md. Spec: Spark's FileStreamSink.
arrow::Result<std::unique_ptr<StreamSink>> OpenFileStreamSink(const format::FileFormat& format,
                                                              const SinkRequest& request);

/// A batch job's save: files are written below `_temporary` and renamed into place at the commit, then `_SUCCESS` is
/// left. Null for SaveMode::kIgnore where the directory exists. Errors: UserError PATH_ALREADY_EXISTS.
arrow::Result<std::unique_ptr<Write>> OpenFileWrite(const format::FileFormat& format, const SinkRequest& request);

}  // namespace millrace::connector::file
