#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "expression/group_setting.h"
#include "expression/native_function.h"
#include "logical/node/groups_with_state.h"
#include "physical/operator/groups_in_python.h"
#include "physical/planner.h"
#include "state/unsafe_row.h"

namespace millrace::physical {

/// Groups on their way to one run of a function.
struct StateGroups {
  /// How many rows each has: of groups that timed out 0.
  std::vector<int64_t> lengths;
  std::vector<int32_t> partitions;
  state::UnsafeRows keys;
  /// The grouping columns, one row a group.
  arrow::ArrayVector key_columns;
  /// When they were to time out, in ms.
  std::vector<int64_t> timeouts;
  /// NULL: none.
  std::shared_ptr<arrow::StructArray> states;
  /// The child's columns, the rows of one group after those of another; none when they timed out.
  arrow::ArrayVector columns;
  int64_t num_rows = 0;
};

/// What a function left of a group's state.
struct StateChange {
  size_t group = 0;
  bool exists = false;
  bool updated = false;
  bool removed = false;
  int64_t timeout_ms = expression::kNoTimeout;
  /// What counts as the timeout before.
  int64_t old_timeout_ms = expression::kNoTimeout;

  bool removes() const { return removed && timeout_ms == expression::kNoTimeout; }
  bool writes() const { return !removes() && (updated || removed || timeout_ms != old_timeout_ms); }
};

/// A user's function that is handed groups together with their states. Immutable, thread-safe.
class GroupFunction {
 public:
  using TakeRows = std::function<void(std::shared_ptr<arrow::RecordBatch>)>;
  /// `states` aligns with the changes; looked at where one writes.
  using TakeChanges =
      std::function<arrow::Status(std::span<const StateChange>, const std::shared_ptr<arrow::StructArray>& states)>;

  virtual ~GroupFunction() = default;
  /// Rows come before the changes of the groups they are of; each group's change comes once, in order.
  virtual arrow::Status Run(const StateGroups& groups, const expression::GroupStateSetting& setting,
                            const ExecutionContext& context, const TakeRows& take_rows,
                            const TakeChanges& take_changes) const = 0;
};

/// Of Python. `input` gets what it takes of the child's columns. Errors: as MakeGroupedInput.
arrow::Result<std::unique_ptr<GroupFunction>> MakeGroupFunctionInPython(const logical::GroupsWithState& node,
                                                                        const Operator& child,
                                                                        std::shared_ptr<arrow::Schema> output,
                                                                        GroupedInput* input);
/// Of C++.
arrow::Result<std::unique_ptr<GroupFunction>> MakeNativeGroupFunction(const logical::GroupsWithState& node,
                                                                      const Operator& child,
                                                                      std::shared_ptr<arrow::Schema> output,
                                                                      GroupedInput* input);
/// What a function of C++ takes of one child.
arrow::Result<GroupedInput> MakeNativeInput(const logical::GroupedColumns& columns, const Operator& child);

}  // namespace millrace::physical
