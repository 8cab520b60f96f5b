#pragma once

#include <arrow/array.h>
#include <arrow/result.h>

#include <limits>
#include <memory>
#include <string_view>

#include "connector/source.h"
#include "format/file_format.h"

namespace millrace::connector::file {

struct ListedFile;

/// The column that file sources have and do not show: where a row comes from. Spec: Spark's FileFormat.
inline constexpr std::string_view kMetadataColumn = "_metadata";
inline constexpr int kMetadataPosition = std::numeric_limits<int>::min();

/// Its type; null for sources that are no files. In ReadColumns it stands behind the schema's last column.
types::DataTypePtr MetadataColumnType(const SourceDef& def);
types::DataTypePtr MetadataColumnType(std::string_view format_name);

/// `num_rows` rows of it, of rows that stand one after another in `file`, the first at `first_row`.
arrow::Result<std::shared_ptr<arrow::Array>> MakeMetadataColumn(const types::DataType& type, const ListedFile& file,
                                                                const format::FileBlock& block, int64_t first_row,
                                                                int64_t num_rows, arrow::MemoryPool* pool);

}  // namespace millrace::connector::file
