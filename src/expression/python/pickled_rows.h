#pragma once

#include <arrow/array/array_nested.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "types/data_type.h"

/// Rows as pickles: how functions without Arrow (SQL_BATCHED_UDF) take their arguments and give their results.

namespace millrace::expression {

/// Appends the rows as frames of at most 100 tuples each. Timestamps become datetimes of the process's own zone, which
/// workers share. Format: docs of Python's pickletools; Spark, EvaluatePython.toJava.
arrow::Status AppendPickledRows(const arrow::RecordBatch& rows, const std::vector<types::DataTypePtr>& types,
                                std::string* out);
/// The rows as Row objects, for functions that take them one by one.
arrow::Status AppendPickledStructs(const arrow::RecordBatch& rows, const types::DataType& schema, std::string* out);
/// One value alone, in the form that Python's DataType.fromInternal takes: dates are days, times microseconds.
arrow::Status AppendPickledInternal(const arrow::Array& array, int64_t row, const types::DataType& type,
                                    std::string* out);
/// What follows the last frame.
void AppendEndOfPickles(std::string* out);

/// A pickled list of results, each one value, or a tuple of one for each of several functions. A value of another kind
/// than the type is NULL, as in Spark (EvaluatePython.makeFromJava).
/// Errors: IOError for a pickle that holds objects of classes nobody knows here.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> UnpickleResults(std::string_view pickle,
                                                                   const std::vector<types::DataTypePtr>& types,
                                                                   arrow::MemoryPool* memory);

/// One row of `rows` as a pickle of its own, a Row object, appended.
arrow::Status AppendPickledStruct(const arrow::StructArray& rows, int64_t row, const types::DataType& type,
                                  std::string* out);
/// Pickles of one value each as a column of `type`; a view without data is NULL. Errors: as UnpickleResults.
arrow::Result<std::shared_ptr<arrow::Array>> UnpickleValues(std::span<const std::string_view> pickles,
                                                            const types::DataType& type, arrow::MemoryPool* memory);

}  // namespace millrace::expression
