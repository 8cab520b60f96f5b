#pragma once

#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <memory>
#include <string>
#include <vector>

#include "python/environment.h"
#include "python/user_function.h"
#include "types/data_type.h"

/// Rows on their way to a Python worker and back.

namespace millrace::expression {

/// The Arrow form in which workers expect a Spark type: timestamps are labelled with the session's zone.
/// Errors: UserError UNSUPPORTED_DATATYPE-like for types that have none.
arrow::Result<std::shared_ptr<arrow::DataType>> WorkerType(const types::DataType& type,
                                                           const python::Environment& environment);
arrow::Result<std::shared_ptr<arrow::Schema>> WorkerSchema(const std::vector<types::StructField>& fields,
                                                           const python::Environment& environment);
/// The columns under `schema`, which differs in zones and nested nullability only.
std::shared_ptr<arrow::RecordBatch> ForWorker(const std::shared_ptr<arrow::Schema>& schema,
                                              const arrow::ArrayVector& columns, int64_t num_rows);
/// One struct column of all columns, as functions over whole rows take them.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> AsStruct(const std::shared_ptr<arrow::RecordBatch>& rows);

/// A column that a worker made, as a column of `type`. Errors: UserError ARROW_TYPE_MISMATCH when it is of another
/// type.
arrow::Result<std::shared_ptr<arrow::Array>> FromWorker(const std::shared_ptr<arrow::Array>& column,
                                                        const types::DataType& type, python::EvalType eval_type,
                                                        arrow::MemoryPool* memory);
/// Columns that a worker made as the fields of the struct column number `column`.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> RowsOfStruct(const std::shared_ptr<arrow::RecordBatch>& batch,
                                                                const std::shared_ptr<arrow::Schema>& schema,
                                                                const std::vector<types::DataTypePtr>& types,
                                                                python::EvalType eval_type, arrow::MemoryPool* memory,
                                                                int column = 0);

/// Writes an Arrow stream piece by piece into a buffer that somebody else sends.
class ArrowPieces {
 public:
  explicit ArrowPieces(std::shared_ptr<arrow::Schema> schema) : schema_(std::move(schema)) {}

  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  arrow::Status Write(const arrow::RecordBatch& batch, std::string* out);
  /// Ends the stream; the next Write begins another.
  arrow::Status End(std::string* out);

 private:
  class Sink;
  arrow::Status Begin(std::string* out);

  std::shared_ptr<arrow::Schema> schema_;
  std::shared_ptr<Sink> sink_;
  std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;
};

/// Cuts and joins batches so that each has exactly `max_rows` rows but the last, or fewer when they are wide.
class BatchCutter {
 public:
  BatchCutter(std::shared_ptr<arrow::Schema> schema, const python::Environment& environment)
      : schema_(std::move(schema)),
        max_rows_(environment.max_records_per_batch),
        max_bytes_(environment.max_bytes_per_batch) {}

  void Add(std::shared_ptr<arrow::RecordBatch> batch);
  /// The next batch; null when more rows are needed, or with `last` when there are none.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next(bool last, arrow::MemoryPool* memory);

 private:
  std::shared_ptr<arrow::Schema> schema_;
  int64_t max_rows_;
  int64_t max_bytes_;
  /// How many rows the next batch has.
  int64_t limit_ = 0;
  int64_t num_rows_ = 0;
  std::vector<std::shared_ptr<arrow::RecordBatch>> waiting_;
};

}  // namespace millrace::expression
