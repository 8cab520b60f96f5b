#pragma once

#include <array>
#include <optional>

#include "logical/node/join.h"
#include "physical/expression_set.h"
#include "physical/planner.h"
#include "physical/stateful/event_time.h"
#include "physical/stateful/join_side_state.h"
#include "physical/stateful/state_watermark.h"
#include "physical/stateful/stateful_operator.h"
#include "state/unsafe_row.h"

namespace millrace::physical {

/// Joins two streams: each side's rows meet the other side's, those of this micro-batch and those that wait in state.
///
/// In:    any rows of two sides.  Out: pairs, and for outer joins rows that no partner can come for any more, in the
///        order in which Spark gives them, state partition by state partition.
/// State: four stores, Spark's format version 2 (physical/stateful/join_side_state.h); in format 3 these are column
///        families of one store, in RocksDB.
/// Late:  rows older than the watermark of the batch before are dropped and counted, on a side that has an event time.
/// Evicts: by a watermarked join key, or by the time range in the condition (physical/stateful/state_watermark.h).
/// Source: Spark, StreamingSymmetricHashJoinExec.
class SymmetricHashJoin final : public StatefulOperator {
 public:
  /// A column of the output or of the condition: a side (0 left, 1 right) and a position there.
  struct Column {
    int side = 0;
    int index = 0;
  };
  struct Side {
    ExpressionSet keys;
    std::vector<types::DataTypePtr> key_types;
    /// Empty, or the part of the condition over this side alone.
    ExpressionSet filter;
    /// Spark's optimiser puts IS NOT NULL below the join where a NULL can make no output.
    bool drops_null_keys = false;
    /// As the keys: columns whose NULL makes a comparison of the condition NULL.
    std::vector<int> never_null;
    /// Among the side's columns.
    EventTimeColumn event_time;
    /// The same in a row of state; found only when old rows can be told by it.
    EventTimeColumn value_time;
    std::optional<StateWatermark> watermark;
    types::DataTypePtr key_schema;
    /// The side's columns; then `matched` in formats that keep it.
    types::DataTypePtr value_schema;
    size_t num_columns = 0;
    /// Columns that the output or the condition reads.
    std::vector<int> read_columns;
  };
  struct Spec {
    logical::JoinType type = logical::JoinType::kInner;
    std::array<Side, 2> sides;
    /// Rows of state have a flag that they have matched: all formats but the first.
    bool keeps_matched = true;
    /// The four stores are families of one: format 3.
    bool has_families = false;
    /// Among the key columns; found when a join key has a watermark.
    EventTimeColumn key_time;
    /// Empty, or the part of the condition over both sides, over `residual_columns`.
    ExpressionSet residual;
    std::vector<Column> residual_columns;
    std::shared_ptr<arrow::Schema> residual_schema;
    std::vector<Column> output_columns;
    std::string text;
  };

  SymmetricHashJoin(Spec spec, AttributeVector output, OperatorPtr left, OperatorPtr right);

  std::string_view short_name() const override { return "symmetricHashJoin"; }
  std::vector<StateStoreSpec> state_stores() const override;
  void DescribeFamilies(state::StatefulOperatorInfo* info) const override;
  /// The four stores of counts and values, left and right, also where they are families.
  std::vector<StateStoreSpec> side_stores() const;
  std::optional<int64_t> OutputWatermark(int64_t input_ms) const override;
  bool ShouldRunAnotherBatch(int64_t now_ms, int64_t next_ms) const override;
  bool holds_rows_back() const override {
    return spec_.type == logical::JoinType::kLeftOuter || spec_.type == logical::JoinType::kRightOuter ||
           spec_.type == logical::JoinType::kFullOuter;
  }

  arrow::Status Prepare(ExecutionContext& context) const override;
  int num_partitions(const ExecutionContext& context) const override;
  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override { return spec_.text; }
  bool starts_stage() const override { return true; }

  const Spec& spec() const { return spec_; }

 private:
  Spec spec_;
};

bool MatchesSymmetricHashJoin(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanSymmetricHashJoin(const logical::PlanPtr& node, const RequiredColumns& required,
                                                 Planner& planner);

}  // namespace millrace::physical
