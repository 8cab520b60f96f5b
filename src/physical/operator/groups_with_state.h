#pragma once

#include "physical/stateful/group_function.h"
#include "physical/stateful/grouped_operator.h"

namespace millrace::physical {

/// The rows that a user's function makes of each group and of the state it keeps for the group
/// (applyInPandasWithState, mapGroupsWithState, flatMapGroupsWithState).
///
/// In:    any rows; a second child: the state that groups begin with, seen by the first micro-batch only.
/// Out:   what the function gives, in the order of the state partitions; in each first the groups with rows, sorted by
///        key, then those whose timeout is due.
/// State: key = the grouping columns; value = the state as a struct, NULL when it was removed but its timeout was not,
///        and with timeouts when it is due, in ms (-1: never).
/// Late:  with timeouts by event time, rows older than the watermark of the batch before are dropped and counted.
/// Source: Spark, FlatMapGroupsWithStateExec, FlatMapGroupsInPandasWithStateExec; docs/adr/0009, 0010.
class GroupsWithState final : public GroupedOperator {
 public:
  struct Spec {
    std::unique_ptr<GroupFunction> function;
    bool is_native = false;
    GroupingKeys keys;
    /// The columns of the store's key.
    types::DataTypePtr key_schema;
    types::DataTypePtr state_type;
    logical::GroupStateTimeout timeout = logical::GroupStateTimeout::kNone;
    /// Not found unless timeouts go by event time.
    EventTimeColumn late;
    bool has_watermark = false;
    /// Of the second child.
    GroupingKeys initial_keys;
    std::vector<int> initial_columns;
    bool skips_groups_without_rows = false;
    std::string text;
  };

  GroupsWithState(Spec spec, AttributeVector output, std::vector<OperatorPtr> children);

  std::string_view short_name() const override {
    return spec_.is_native ? "flatMapGroupsWithState" : "applyInPandasWithState";
  }
  std::vector<StateStoreSpec> state_stores() const override;
  std::optional<int64_t> OutputWatermark(int64_t) const override { return std::nullopt; }
  bool ShouldRunAnotherBatch(int64_t now_ms, int64_t next_ms) const override {
    return spec_.timeout == logical::GroupStateTimeout::kEventTime && next_ms > now_ms;
  }
  bool goes_by_processing_time() const override { return spec_.timeout == logical::GroupStateTimeout::kProcessingTime; }

  arrow::Status Prepare(ExecutionContext& context) const override;

 private:
  friend class GroupStateTask;

  bool has_timeout() const { return spec_.timeout != logical::GroupStateTimeout::kNone; }

  Spec spec_;
  std::vector<types::DataTypePtr> value_types_;
  state::UnsafeRowEncoder key_encoder_;
  state::UnsafeRowEncoder value_encoder_;
  state::UnsafeRowDecoder key_decoder_;
  state::UnsafeRowDecoder value_decoder_;
};

bool MatchesGroupsWithState(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanGroupsWithState(const logical::PlanPtr& node, const RequiredColumns& required,
                                               Planner& planner);

}  // namespace millrace::physical
