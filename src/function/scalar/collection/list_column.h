#pragma once

#include <arrow/array.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/datum.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "expression/vector.h"
#include "function/bind.h"

/// How functions of arrays and maps read their arguments and make their results: by offsets into the elements, which
/// are gathered once a batch.

namespace millrace::function {

/// Arrays (or maps) of a column, as ranges of `values()`.
class ListColumn {
 public:
  /// A scalar stands for `num_rows` equal arrays.
  static arrow::Result<ListColumn> Make(const arrow::Datum& datum, int64_t num_rows, arrow::MemoryPool* pool);

  int64_t num_rows() const { return list_->length(); }
  bool IsNull(int64_t row) const { return list_->IsNull(row); }
  bool may_have_nulls() const { return list_->null_count() > 0; }
  int64_t Begin(int64_t row) const { return list_->value_offset(row); }
  int64_t End(int64_t row) const { return list_->value_offset(row + 1); }
  int64_t Length(int64_t row) const { return list_->value_length(row); }
  /// The elements; for maps structs of key and value.
  const std::shared_ptr<arrow::Array>& values() const { return values_; }
  /// Maps only.
  std::shared_ptr<arrow::Array> keys() const { return static_cast<const arrow::StructArray&>(*values_).field(0); }
  std::shared_ptr<arrow::Array> items() const { return static_cast<const arrow::StructArray&>(*values_).field(1); }
  const std::shared_ptr<arrow::ListArray>& list() const { return list_; }

 private:
  std::shared_ptr<arrow::ListArray> list_;
  std::shared_ptr<arrow::Array> values_;
};

/// Makes a column of arrays from the places of their elements.
class ListMaker {
 public:
  ListMaker(int64_t num_rows, arrow::MemoryPool* pool);

  /// Adds element `index` of the values given to Finish, or NULL.
  arrow::Status Add(int64_t index) { return indices_.Append(index); }
  arrow::Status AddRange(int64_t begin, int64_t end);
  arrow::Status AddNull() { return indices_.AppendNull(); }
  /// Ends the row: an array of what was added since the row before.
  void EndRow() { Close(true); }
  void NullRow() { Close(false); }
  int64_t num_added() const { return indices_.length(); }

  /// A list (or map) column of `type`, whose elements are `values` at the places added.
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const types::DataType& type,
                                                      const std::shared_ptr<arrow::Array>& values);
  /// The same where the elements already stand in order.
  arrow::Result<std::shared_ptr<arrow::Array>> FinishWith(const types::DataType& type,
                                                          const std::shared_ptr<arrow::Array>& elements);
  /// Elements appended by the caller to its own builder instead of by Add.
  void SetAdded(int64_t num_elements) { external_ = num_elements; }

 private:
  void Close(bool valid);

  arrow::MemoryPool* pool_;
  arrow::Int64Builder indices_;
  std::vector<int32_t> offsets_{0};
  std::vector<bool> valid_;
  int64_t null_count_ = 0;
  int64_t external_ = -1;
};

/// `values` at `indices` (int64, NULL gives NULL).
arrow::Result<std::shared_ptr<arrow::Array>> Gather(const arrow::Array& values, const arrow::Array& indices,
                                                    arrow::MemoryPool* pool);

/// Turns a kernel over arrays of `num_rows` into one that also answers scalars with a scalar.
/// `fn(context, columns (arrays of n values), n) -> Result<shared_ptr<Array>>`
template <typename Fn>
ScalarKernel ArrayKernel(Fn fn) {
  return
      [fn = std::move(fn)](const EvalContext& context, const std::vector<arrow::Datum>& arguments, int64_t num_rows) {
        return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t n) -> arrow::Result<arrow::Datum> {
          arrow::ArrayVector columns;
          columns.reserve(arguments.size());
          for (const arrow::Datum& argument : arguments) {
            ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> column,
                                  expression::ToArray(argument, n, context.memory_pool));
            columns.push_back(std::move(column));
          }
          ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> result, fn(context, columns, n));
          return arrow::Datum(std::move(result));
        });
      };
}

/// Checks that argument `index` is an array. Errors: UserError DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE.
arrow::Status ExpectArray(const BindInput& input, size_t index);
arrow::Status ExpectMap(const BindInput& input, size_t index);

}  // namespace millrace::function
