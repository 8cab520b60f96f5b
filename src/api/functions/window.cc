#include "millrace/functions/window.h"

#include "api/functions/arguments.h"

namespace millrace::functions {

using api::Arguments;
using api::Optional;

Column CumeDist() { return Call("cume_dist", {}); }
Column DenseRank() { return Call("dense_rank", {}); }
Column Lag(const Column& value, int32_t offset, const std::optional<ColumnOrLiteral>& fallback) {
  return Call("lag", Arguments({value, Lit(offset)}, Optional(fallback)));
}
Column Lead(const Column& value, int32_t offset, const std::optional<ColumnOrLiteral>& fallback) {
  return Call("lead", Arguments({value, Lit(offset)}, Optional(fallback)));
}
Column NthValue(const Column& value, int32_t offset, bool ignore_nulls) {
  return Call("nth_value", {value, Lit(offset), Lit(ignore_nulls)});
}
Column Ntile(int32_t num_buckets) { return Call("ntile", {Lit(num_buckets)}); }
Column PercentRank() { return Call("percent_rank", {}); }
Column Rank() { return Call("rank", {}); }
Column RowNumber() { return Call("row_number", {}); }

}  // namespace millrace::functions
