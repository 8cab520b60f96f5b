#pragma once

#include <cstdint>
#include <optional>

#include "millrace/column.h"

/// Functions that need an order of rows, for Column::Over.
/// Arguments that are `Column` take a column's name too. NULL in gives NULL out unless said otherwise. Source: Spark's
/// functions.
namespace millrace::functions {

/// The fraction of the partition's rows up to this one and its peers.
Column CumeDist();
/// The rank, without gaps.
Column DenseRank();
/// The value of the row so many rows before; `fallback`, or NULL, where there is none.
Column Lag(const Column& value, int32_t offset = 1, const std::optional<ColumnOrLiteral>& fallback = {});
/// The value of the row so many rows after; `fallback`, or NULL, where there is none.
Column Lead(const Column& value, int32_t offset = 1, const std::optional<ColumnOrLiteral>& fallback = {});
/// The value of the n-th row of the frame, from 1.
Column NthValue(const Column& value, int32_t offset, bool ignore_nulls = false);
/// Which of so many equal parts of the partition the row is in, from 1.
Column Ntile(int32_t num_buckets);
/// The rank as a fraction from 0 to 1.
Column PercentRank();
/// The rank; peers share one, and leave gaps.
Column Rank();
/// The row's number, from 1.
Column RowNumber();

}  // namespace millrace::functions
