#pragma once

#include <arrow/array.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <span>

#include "function/aggregate/collected_rows.h"
#include "state/unsafe_row.h"

/// The bytes in which aggregates whose buffer is an object in Spark lie in state, so that either engine goes on from
/// them. Source: Spark, Collect.serialize and TypedAggregateWithHashMapAsBuffer.serialize.

namespace millrace::function {

/// Lists of values (collect_list, collect_set, listagg): an UnsafeRow that holds the list alone.
class ListBuffers {
 public:
  ListBuffers(const types::DataTypePtr& list_type, arrow::MemoryPool* pool);

  arrow::Result<std::shared_ptr<arrow::Array>> Encode(const arrow::Array& lists) const;
  /// Adds the elements of row i to group `group_ids[i]`. Errors: Invalid when it is not such bytes.
  arrow::Status Decode(std::span<const uint32_t> group_ids, const arrow::Array& buffers, CollectedRows* rows) const;

 private:
  arrow::MemoryPool* pool_;
  state::UnsafeRowEncoder encoder_;
  state::UnsafeRowDecoder decoder_;
};

/// Values and how often each came (percentile, median, mode): sized UnsafeRows of value and count, then -1.
class CountBuffers {
 public:
  CountBuffers(types::DataTypePtr type, arrow::MemoryPool* pool);

  arrow::Result<std::shared_ptr<arrow::Array>> Encode(const CollectedRows::Grouped& grouped) const;
  /// Adds each value as often as it came. Errors: Invalid when it is not such bytes.
  arrow::Status Decode(std::span<const uint32_t> group_ids, const arrow::Array& buffers, CollectedRows* rows) const;

 private:
  types::DataTypePtr type_;
  arrow::MemoryPool* pool_;
  state::UnsafeRowEncoder encoder_;
  state::UnsafeRowDecoder decoder_;
};

}  // namespace millrace::function
