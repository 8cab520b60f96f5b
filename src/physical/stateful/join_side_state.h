#pragma once

#include <arrow/result.h>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "physical/stateful/event_time.h"
#include "state/store.h"

namespace millrace::physical {

/// Adds a position to join key rows: the key of the store of values.
///
/// An UnsafeRow of n columns becomes one of n + 1: slots and what they point to move, the position is the last slot.
/// Immutable.
class IndexedKeys {
 public:
  explicit IndexedKeys(const std::vector<types::DataTypePtr>& key_types);

  /// Appends `key` with `index` to `rows`.
  void Append(std::string_view key, int64_t index, state::UnsafeRows* rows) const;
  /// `key` with `index`; valid until `scratch` is changed.
  std::string_view Make(std::string_view key, int64_t index, std::string* scratch) const;
  /// The key within a row of Make; valid until `scratch` is changed.
  std::string_view KeyOf(std::string_view indexed, std::string* scratch) const;

 private:
  int num_columns_;
  /// By column: its slot points into the row.
  std::vector<bool> points_;
  /// … and does so also when NULL (decimals beyond 18 digits, intervals).
  std::vector<bool> points_when_null_;
};

/// The rows of one side of a stream-stream join that wait in one state partition: by key a list, in two stores.
///
/// Format: Spark's version 2: key → number of rows; key and position → row and whether it was ever matched; version 1
/// is the same without that flag. Positions are dense from 0: the last row moves into the place of one that goes.
/// Source: Spark, SymmetricHashJoinStateManager. Thread: confined.
class JoinSideState {
 public:
  /// `flag_at`: the byte of a value that is the flag; none in format 1.
  JoinSideState(state::StateStore* counts, state::StateStore* values, const IndexedKeys* indexed,
                std::optional<size_t> flag_at);

  /// How many rows each key has.
  arrow::Status CountAll(const state::UnsafeRows& keys, std::vector<int64_t>* counts);
  /// The rows of (key, index) rows; the views are valid until these are changed or removed.
  /// Errors: UserError STREAM_STREAM_JOIN_INCONSISTENT_STATE.NULL_VALUE where a row is missing.
  arrow::Status GetAll(const state::UnsafeRows& indexed_keys, std::vector<std::string_view>* values);

  /// Adds rows, in order, with their flags set to `matched`; keys may repeat.
  arrow::Status AppendAll(const state::UnsafeRows& keys, const std::vector<std::string_view>& values,
                          const std::vector<bool>& matched);
  bool IsMatched(std::string_view value) const;
  /// Sets the flag of a row that has been read.
  arrow::Status MarkMatched(std::string_view indexed_key, std::string_view value);

  /// The rows of `key` become those of `kept`: (was at position, row), in the new order; there were `count`.
  struct Kept {
    int64_t position;
    std::string_view value;
  };
  arrow::Status Rearrange(std::string_view key, int64_t count, const std::vector<Kept>& kept);

  /// Removes the rows whose event time in the key, or in the value, is at or below the watermark, in Spark's order;
  /// `removed` gets their values (may be null), copied. REQUIRES: the store of counts, or of values, was declared with
  /// that time.
  arrow::Result<int64_t> EvictByKey(int64_t watermark_us, state::UnsafeRows* removed);
  arrow::Result<int64_t> EvictByValue(const EventTimeColumn& value_time, int64_t watermark_us,
                                      state::UnsafeRows* removed);

 private:
  arrow::Status SetCount(std::string_view key, int64_t count);
  /// Visits keys (entries of the store of counts), in order, with all their rows: some hundred keys are looked up
  /// together. `visit` may change the rows of the key that it is given.
  using KeyVisitor =
      std::function<arrow::Status(std::string_view key, int64_t count, std::span<const std::string_view> rows)>;
  arrow::Status VisitKeys(const std::vector<state::StateEntry>& keys, const KeyVisitor& visit);
  arrow::Status Missing(int64_t index, int64_t count) const;

  state::StateStore* counts_;
  state::StateStore* values_;
  const IndexedKeys* indexed_;
  std::optional<size_t> flag_at_;
  std::string key_scratch_;
  std::string value_scratch_;
  // Of AppendAll and VisitKeys, kept for their memory.
  state::UnsafeRows indexed_keys_;
  state::UnsafeRows new_values_;
  state::UnsafeRows new_counts_;
  std::vector<std::string_view> found_;
};

}  // namespace millrace::physical
