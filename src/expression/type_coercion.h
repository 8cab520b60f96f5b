#pragma once

#include <optional>
#include <vector>

#include "expression/node.h"

/// Spark's implicit casts (AnsiTypeCoercion; where CurrentQuerySettings() say so, TypeCoercion) and the decimal rules
/// (DecimalPrecision).

namespace millrace::expression {

/// The tightest type both can be widened to without loss, or nullopt (Spark's findTightestCommonType).
std::optional<DataTypePtr> TightestCommonType(const DataTypePtr& a, const DataTypePtr& b);
/// The common type for set operations, CASE, COALESCE, comparisons …; strings meet other types as ANSI says.
std::optional<DataTypePtr> WiderType(const DataTypePtr& a, const DataTypePtr& b);
std::optional<DataTypePtr> WiderType(const std::vector<DataTypePtr>& types);
/// What a string and another type meet at (BIGINT for whole numbers, DOUBLE for fractions; without ANSI a string), or
/// nullopt when neither or both are strings.
std::optional<DataTypePtr> WiderTypeOfString(const DataTypePtr& a, const DataTypePtr& b);

/// The decimal that holds both, whole digits first when 38 are not enough.
DataTypePtr WiderDecimal(const types::DataType& a, const types::DataType& b);
/// DECIMAL(precision, scale), cut to 38 digits as results of arithmetic are
/// (spark.sql.decimalOperations.allowPrecisionLoss).
DataTypePtr AdjustedDecimal(int precision, int scale);

/// Whether a value of `from` is accepted where `to` is expected (ANSI store of function arguments), and as what type.
bool CanImplicitCast(const DataTypePtr& from, const DataTypePtr& to);

/// `expression` as `to`; itself when it already has that type. REQUIRES: CanImplicitCast or a common type.
ExpressionPtr ImplicitCast(const ExpressionPtr& expression, const DataTypePtr& to);

/// How an error message lists types.
enum class TypeListStyle : uint8_t {
  kList,    ///< ["INT", "DATE"]: CASE, IN, coalesce, greatest
  kChoice,  ///< ("INT" or "DATE"): array, map, concat and other collection functions
};

/// Casts all to their common type. Errors: DATATYPE_MISMATCH.DATA_DIFF_TYPES naming `function_name`.
arrow::Result<ExpressionVector> CoerceToCommonType(const std::string& function_name, const ExpressionVector& arguments,
                                                   const std::string& sql, TypeListStyle style = TypeListStyle::kList);

}  // namespace millrace::expression
