#pragma once

#include <memory>
#include <vector>

#include "expression/call.h"
#include "function/bind.h"
#include "function/scalar/collection/list_column.h"

/// What functions that take lambdas share.

namespace millrace::function {

using expression::LambdaFunction;

/// Argument `index` as a lambda of parameters of these types; a plain expression becomes one that ignores them.
std::shared_ptr<const LambdaFunction> AsLambda(const ExpressionPtr& argument,
                                               const std::vector<types::StructField>& parameters);

/// Parameters of a lambda over an array's elements: element, and its index when two are written.
/// Errors: UserError DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE when the first argument is no array.
arrow::Result<std::vector<types::StructField>> ElementParameters(const ExpressionVector& arguments, int argument_index,
                                                                 int num_parameters);
/// Key and value of the first argument, a map.
arrow::Result<std::vector<types::StructField>> EntryParameters(const ExpressionVector& arguments, int argument_index,
                                                               int num_parameters);

/// Argument `index` (0-based) has not the type that lambdas need.
arrow::Status NotACollection(const ExpressionVector& arguments, size_t index, std::string_view required);

/// Errors: DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE when lambda `index` does not return `type`.
arrow::Status ExpectLambdaResult(const BindInput& input, size_t index, const DataTypePtr& type);

/// The elements of a column of arrays laid out without gaps: element e belongs to row outer_rows[e] of the input.
struct FlatElements {
  std::shared_ptr<arrow::Array> outer_rows;  ///< int32
  std::shared_ptr<arrow::Array> places;      ///< int64, into the list column's values
  std::vector<int64_t> offsets;              ///< by row, num_rows + 1
};
arrow::Result<FlatElements> Flatten(const ListColumn& lists, arrow::MemoryPool* pool);

/// 0, 1, 2, … within each row (int32).
arrow::Result<std::shared_ptr<arrow::Array>> ElementIndices(const FlatElements& elements, arrow::MemoryPool* pool);

/// The lambda's value for each element; an empty array where there is none.
arrow::Result<std::shared_ptr<arrow::Array>> ApplyToElements(const EvalContext& context, const LambdaFunction& lambda,
                                                             const arrow::RecordBatch& input,
                                                             const std::shared_ptr<arrow::Array>& outer_rows,
                                                             const arrow::ArrayVector& parameters);

/// The call itself.
ExpressionPtr MakeHigherOrder(const BindInput& input, ExpressionVector arguments, DataTypePtr type, bool nullable,
                              expression::HigherOrderKernel kernel);

}  // namespace millrace::function
