#pragma once

#include "function/function_def.h"
#include "function/scalar/collection/list_column.h"

namespace millrace::function {

/// What becomes of a key that a new map has twice (spark.sql.mapKeyDedupPolicy).
enum class MapKeyPolicy : uint8_t { kException, kLastWins };
/// The policy of calls that are bound now.
MapKeyPolicy CurrentMapKeyPolicy();

/// Checks the keys of new maps row by row: `begin(row)` and `end(row)` bound row's keys in `keys`.
/// Errors: UserError NULL_MAP_KEY, DUPLICATED_MAP_KEY for the first one.
arrow::Status CheckMapKeys(const EvalContext& context, const types::DataType& key_type, const arrow::Array& keys,
                           int64_t begin, int64_t end, MapKeyPolicy policy);

/// `maps` of `type`; with kLastWins each key once, where it came first, with the value that came last.
arrow::Result<std::shared_ptr<arrow::Array>> DistinctKeys(const EvalContext& context, const types::DataType& type,
                                                          std::shared_ptr<arrow::Array> maps, MapKeyPolicy policy);

/// A map column over keys and values that stand in order; offsets are the maker's.
arrow::Result<std::shared_ptr<arrow::Array>> FinishMaps(const EvalContext& context, const types::DataType& type,
                                                        ListMaker* maker, const std::shared_ptr<arrow::Array>& keys,
                                                        const std::shared_ptr<arrow::Array>& values);

/// Errors: UserError DATATYPE_MISMATCH.INVALID_MAP_KEY_TYPE when `key` is or holds a map.
arrow::Status ExpectMapKeyType(const BindInput& input, const DataTypePtr& key);

}  // namespace millrace::function
