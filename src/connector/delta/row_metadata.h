#pragma once

#include <arrow/array.h>
#include <arrow/result.h>

#include <memory>
#include <string_view>
#include <vector>

#include "connector/source.h"
#include "delta/snapshot/snapshot.h"
#include "types/data_type.h"

/// `_metadata` of a Delta table: the file a row is in and, where the table tracks its rows, which row it is.
/// Source: delta-spark's DeltaParquetFileFormat; Delta's PROTOCOL.md, "Reader Requirements for Row Tracking".

namespace millrace::connector::delta_table {

struct DataFile;

/// Whether the table says which of its rows is which.
bool TracksRows(const millrace::delta::Snapshot& snapshot);

/// Fields that tell a row's id and the version that changed it last.
inline constexpr std::string_view kRowIdField = "row_id";
inline constexpr std::string_view kRowVersionField = "row_commit_version";

/// Its type for this state of the table.
types::DataTypePtr RowMetadataType(const millrace::delta::Snapshot& snapshot);

/// What is asked of files for it: ids that moved rows brought along. Empty where rows are not tracked.
std::vector<types::StructField> RowMetadataFields(const millrace::delta::Snapshot& snapshot);

/// What a file's rows have of it. `indexes`: the number of each row in the file; `ids` and `versions`: columns of
/// RowMetadataFields; all null where rows are not tracked.
struct RowMetadataInput {
  const DataFile* file = nullptr;
  int64_t num_rows = 0;
  std::shared_ptr<arrow::Array> indexes;
  std::shared_ptr<arrow::Array> ids;
  std::shared_ptr<arrow::Array> versions;
};
arrow::Result<std::shared_ptr<arrow::Array>> MakeRowMetadata(const types::DataType& type, const RowMetadataInput& input,
                                                             arrow::MemoryPool* pool);
/// The rows' ids alone. REQUIRES: rows are tracked.
arrow::Result<std::shared_ptr<arrow::Array>> MakeRowIds(const RowMetadataInput& input, arrow::MemoryPool* pool);

}  // namespace millrace::connector::delta_table
