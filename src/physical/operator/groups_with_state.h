#pragma once

#include "logical/node/groups_with_state.h"
#include "physical/operator/groups_in_python.h"
#include "physical/planner.h"
#include "physical/stateful/sorted_groups.h"
#include "state/unsafe_row.h"

namespace millrace::physical {

/// The rows that a Python function makes of each group and of the state it keeps for the group
/// (applyInPandasWithState).
///
/// In:    any rows.  Out: what the function gives, in the order of the state partitions; in each first the groups with
///        rows, sorted by key, then those whose timeout is due.
/// State: key = the grouping columns; value = the state as a struct, NULL when it was removed but its timeout was not,
///        and with timeouts when it is due, in ms (-1: never).
/// Late:  with timeouts by event time, rows older than the watermark of the batch before are dropped and counted.
/// Source: Spark, FlatMapGroupsInPandasWithStateExec; docs/adr/0009.
class GroupsWithState final : public StatefulOperator {
 public:
  struct Spec {
    python::EnvironmentPtr environment;
    python::TaskSpec task;
    GroupedInput input;
    GroupingKeys keys;
    /// The columns of the store's key.
    types::DataTypePtr key_schema;
    types::DataTypePtr state_type;
    logical::GroupStateTimeout timeout = logical::GroupStateTimeout::kNone;
    /// Not found unless timeouts go by event time.
    EventTimeColumn late;
    bool has_watermark = false;
    std::vector<types::DataTypePtr> output_types;
    std::string text;
  };

  GroupsWithState(Spec spec, AttributeVector output, OperatorPtr child);

  std::string_view short_name() const override { return "applyInPandasWithState"; }
  std::vector<StateStoreSpec> state_stores() const override;
  std::optional<int64_t> OutputWatermark(int64_t) const override { return std::nullopt; }
  bool ShouldRunAnotherBatch(int64_t now_ms, int64_t next_ms) const override {
    return spec_.timeout == logical::GroupStateTimeout::kEventTime && next_ms > now_ms;
  }
  bool goes_by_processing_time() const override { return spec_.timeout == logical::GroupStateTimeout::kProcessingTime; }

  arrow::Status Prepare(ExecutionContext& context) const override;
  int num_partitions(const ExecutionContext& context) const override;
  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override { return spec_.text; }
  bool starts_stage() const override { return true; }

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
