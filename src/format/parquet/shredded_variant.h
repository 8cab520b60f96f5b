#pragma once

#include <arrow/array.h>
#include <arrow/result.h>

#include <memory>

namespace millrace::format {

/// The variants of a Parquet group that holds parts of them in columns of their own: (metadata, value, typed_value),
/// where typed_value is a primitive column, a list of such groups or a struct of such groups.
///
/// Returns a struct of `to`'s fields (value, metadata). Each value is written anew, with a dictionary of its own.
/// Errors: UserError MALFORMED_VARIANT, INVALID_VARIANT_FROM_PARQUET, UNSUPPORTED_CALL for a type of typed_value that
/// no variant of Spark's holds. Source: Parquet's "Variant Shredding"; Spark, ShreddingUtils.rebuild.
arrow::Result<std::shared_ptr<arrow::Array>> AssembleVariants(const arrow::StructArray& group,
                                                              const std::shared_ptr<arrow::DataType>& to);

}  // namespace millrace::format
