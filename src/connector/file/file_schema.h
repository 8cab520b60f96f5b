#pragma once

#include <string>
#include <vector>

#include "connector/file/file_listing.h"
#include "connector/source.h"
#include "format/file_format.h"

namespace millrace::connector::file {

/// A file source's request, resolved.
struct FileTable {
  const format::FileFormat* format = nullptr;
  ListingOptions listing;
  /// Without globs expanded.
  std::vector<std::string> paths;
  /// Columns the files have.
  types::DataTypePtr data_schema;
  /// Columns the directories have.
  types::DataTypePtr partition_schema;
  /// Both, data columns first: what users see.
  types::DataTypePtr schema;
  /// Bounded reads only: what was listed.
  std::vector<ListedFile> files;
  PartitionColumns partitions;
};

/// The columns of a source: the user's schema, else what the files say (bounded reads; streams only where
/// spark.sql.streaming.schemaInference is set, and text). Columns of directories come last.
/// Errors: UserError PATH_NOT_FOUND, UNABLE_TO_INFER_SCHEMA, UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE, and for a stream
/// without a schema.
arrow::Result<types::DataTypePtr> ResolveFileSchema(const format::FileFormat& format, const SourceRequest& request);

/// Opens a bounded read: lists the files. REQUIRES: request.schema is set.
arrow::Result<FileTable> OpenFileTable(const format::FileFormat& format, const SourceRequest& request);
/// Opens a stream: lists nothing.
arrow::Result<FileTable> OpenFileStreamTable(const format::FileFormat& format, const SourceRequest& request);

/// The stream's table for a micro-batch of these files: where no directory carried a column when the stream was
/// defined, those that do now. Columns the user's schema does not have are not made. Source: Spark,
/// FileStreamSource.getBatch.
FileTable WithColumnsOfDirectories(const FileTable& table, const std::vector<std::string>& files, bool case_sensitive);

/// The options of a read or a write, and what the session says where they do not (spark.sql.parquet.compression.codec).
format::OptionMap FormatOptions(const format::FileFormat& format, const Options& options,
                                const ConnectorContext& context);
format::SessionFormat ToSessionFormat(const ConnectorContext& context);

/// Errors: UserError UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE for a column the format cannot hold.
arrow::Status CheckTypes(const format::FileFormat& format, const types::DataType& schema);

}  // namespace millrace::connector::file
