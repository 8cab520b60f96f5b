#pragma once

#include <array>
#include <functional>
#include <memory>

#include "physical/operator/symmetric_hash_join.h"
#include "state/rocksdb/family_view.h"

namespace millrace::physical {

/// The four stores of a partition: of each side counts and values. Of format 3 they are views of one.
struct JoinStores {
  std::array<state::StateStore*, 4> of_sides = {};
  std::array<std::unique_ptr<state::FamilyView>, 4> views;

  /// `stores`: those of SymmetricHashJoin::state_stores.
  static arrow::Result<JoinStores> Open(const SymmetricHashJoin& join, const std::vector<state::StateStore*>& stores);
};

/// One state partition of a stream-stream join in one micro-batch.
///
/// Life: JoinRows for the batches of the first side, then those of the second (left, right; for a left semi join right,
/// left), then Evict. Source: Spark, OneSideHashJoiner. Thread: confined.
class JoinPartition {
 public:
  using Sink = std::function<void(std::shared_ptr<arrow::RecordBatch>)>;

  JoinPartition(const SymmetricHashJoin& join, const StatefulBatch& batch, const JoinStores& stores,
                expression::EvalContext evaluation, Sink sink);

  /// Joins rows of one side with what the other side has in state, and puts them into state. `rows`: the side's
  /// columns, then its keys.
  arrow::Status JoinRows(int side, const std::shared_ptr<arrow::RecordBatch>& rows);
  /// Removes old rows, gives those of outer sides that never matched.
  arrow::Status Evict();

  const StateMetrics& metrics() const { return metrics_; }

 private:
  using Spec = SymmetricHashJoin::Spec;
  /// Columns of one side, null where nobody reads them.
  using SideColumns = std::vector<std::shared_ptr<arrow::Array>>;
  /// Pairs of row numbers of this side and the other; -1: a row of NULLs.
  struct Pairs {
    std::vector<int32_t> mine;
    std::vector<int32_t> others;
    void Add(int32_t my_row, int32_t other_row) {
      mine.push_back(my_row);
      others.push_back(other_row);
    }
  };
  /// The rows of one call of JoinRows.
  struct Input {
    int side = 0;
    int64_t num_rows = 0;
    SideColumns columns;
    state::UnsafeRows keys;
    state::UnsafeRows values;
    /// By row: passes the condition over this side alone.
    std::vector<bool> passes;
    /// Rows that wait on the other side under the key.
    std::vector<int64_t> counts;
  };
  /// State rows of the other side that rows [begin, end) of the input may match, row after row.
  struct Candidates {
    int64_t begin = 0, end = 0;
    state::UnsafeRows keys;
    std::vector<std::string_view> values;
    SideColumns columns;
    /// By input row: the first of its candidates; one more at the end.
    std::vector<int32_t> starts;
    /// By candidate: the condition holds.
    std::vector<bool> matches;
  };

  arrow::Status Encode(int side, const std::shared_ptr<arrow::RecordBatch>& rows, Input* input);
  arrow::Status FindCandidates(const Input& input, int64_t begin, Candidates* candidates);
  arrow::Result<std::vector<bool>> Matches(const Input& input, const Pairs& pairs, const SideColumns& others);
  arrow::Status JoinRange(const Input& input, Candidates* candidates);
  arrow::Status JoinSemiRight(const Input& input);
  arrow::Status KeepRows(const Input& input, int64_t begin, const std::vector<bool>& matched);
  bool IsOld(const Input& input, int64_t row) const;

  arrow::Result<SideColumns> Decode(int side, std::span<const std::string_view> values) const;
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> PairRows(const std::vector<SymmetricHashJoin::Column>& wanted,
                                                              const std::shared_ptr<arrow::Schema>& schema, int side,
                                                              const SideColumns& mine, const SideColumns& others,
                                                              Pairs pairs) const;
  arrow::Status Emit(int side, const SideColumns& mine, const SideColumns& others, Pairs pairs);
  /// Evicts one side; unmatched rows come out when `emits`. The number of rows removed.
  arrow::Result<int64_t> EvictSide(int side, bool emits);
  bool IsOuter(int side) const;

  const SymmetricHashJoin& join_;
  const Spec& spec_;
  const StatefulBatch& batch_;
  expression::EvalContext evaluation_;
  Sink sink_;
  std::array<IndexedKeys, 2> indexed_;
  std::array<JoinSideState, 2> states_;
  StateMetrics metrics_;
  // Of KeepRows, kept for their memory.
  state::UnsafeRows kept_keys_;
  std::vector<std::string_view> kept_values_;
  std::vector<bool> kept_matched_;
};

}  // namespace millrace::physical
