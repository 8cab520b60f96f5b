#pragma once

#include <arrow/array.h>
#include <arrow/builder.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "expression/vector.h"
#include "types/data_type.h"
#include "types/time_zone.h"
#include "variant/variant.h"
#include "variant/variant_builder.h"

/// Variant columns as kernels read and write them.

namespace millrace::expression {

/// View of a variant column: an array, or one value for all rows. The datum's data must outlive it.
class VariantColumn {
 public:
  static arrow::Result<VariantColumn> Make(const arrow::Datum& datum, arrow::MemoryPool* pool);

  bool IsNull(int64_t i) const { return rows_->IsNull(Row(i)); }
  std::string_view value(int64_t i) const { return values_->GetView(Row(i)); }
  std::string_view metadata(int64_t i) const { return metadata_->GetView(Row(i)); }
  /// Errors: as variant::Variant.
  arrow::Result<variant::Variant> operator[](int64_t i) const { return variant::Variant::Make(value(i), metadata(i)); }

 private:
  int64_t Row(int64_t i) const { return is_scalar_ ? 0 : i; }

  bool is_scalar_ = false;
  std::shared_ptr<arrow::StructArray> rows_;
  std::shared_ptr<arrow::BinaryArray> values_;
  std::shared_ptr<arrow::BinaryArray> metadata_;
};

/// Writes a variant column. Has what MapBuilt asks of a builder.
class VariantColumnBuilder {
 public:
  explicit VariantColumnBuilder(arrow::MemoryPool* pool) : values_(pool), metadata_(pool), validity_(pool) {}

  arrow::Status Reserve(int64_t num_rows);
  arrow::Status Append(std::string_view value, std::string_view metadata);
  arrow::Status AppendNull();
  int64_t length() const { return values_.length(); }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish();

 private:
  arrow::BinaryBuilder values_;
  arrow::BinaryBuilder metadata_;
  arrow::TypedBufferBuilder<bool> validity_;
};

/// Variants, or none, in the order of rows.
using VariantItems = std::vector<std::optional<variant::Variant>>;

/// Whether a value of the type may become a variant, and a variant such a value. Source: Spark,
/// VariantGet.checkDataType.
bool CanBeVariant(const types::DataType& type, bool structs_and_maps);

/// The items as `type`: NULL for none and for a variant's null. A value that cannot be cast is NULL, or, with `raises`,
/// UserError INVALID_VARIANT_CAST for the first one.
arrow::Result<std::shared_ptr<arrow::ArrayData>> VariantsAs(const EvalContext& context, const VariantItems& items,
                                                            const types::DataType& type, bool raises);

/// Every value of a column of `type` as a variant; structs and maps as objects.
/// Errors: UserError VARIANT_DUPLICATE_KEY, VARIANT_SIZE_LIMIT naming `function`.
arrow::Result<std::shared_ptr<arrow::ArrayData>> ToVariants(const EvalContext& context, const arrow::ArrayData& column,
                                                            const types::DataType& type, std::string_view function);

arrow::Status VariantTooLarge(std::string_view function);

}  // namespace millrace::expression
