#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <memory>

#include "connector/delta/data_files.h"
#include "connector/source.h"
#include "delta/snapshot/snapshot.h"

/// Rows that move to other files of a table that tracks its rows: they keep their ids, and the versions that changed
/// them last, in two columns more of those files. Source: Delta's PROTOCOL.md, "Writer Requirements for Row Tracking".

namespace millrace::connector::delta_table {

/// Ids and versions of the rows of one batch. Null where a row has none yet: it gets its file's.
struct RowMarks {
  std::shared_ptr<arrow::Array> ids;
  std::shared_ptr<arrow::Array> versions;
};

/// How rows of the table become files that have these columns too; the same plan where the table does not track rows.
std::shared_ptr<const DataFilePlan> WithRowMarks(std::shared_ptr<const DataFilePlan> plan,
                                                 const millrace::delta::Snapshot& snapshot);

/// Asks for what TakeRowMarks takes, behind the columns of `schema`; nothing where the table does not track rows.
void ReadRowMarks(const millrace::delta::Snapshot& snapshot, const types::DataType& schema, ReadColumns* columns);

/// Takes the marks off rows that were read so.
arrow::Result<RowMarks> TakeRowMarks(const millrace::delta::Snapshot& snapshot,
                                     std::shared_ptr<arrow::RecordBatch>* rows);

/// Shaped rows with their marks, for a plan that WithRowMarks made of one for this table.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> PutRowMarks(const millrace::delta::Snapshot& snapshot,
                                                               std::shared_ptr<arrow::RecordBatch> shaped,
                                                               const RowMarks& marks);

}  // namespace millrace::connector::delta_table
