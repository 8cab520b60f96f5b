#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "logical/node/transform_with_state.h"
#include "physical/operator/groups_in_python.h"
#include "physical/planner.h"
#include "physical/stateful/processor_state.h"
#include "physical/stateful/sorted_groups.h"

namespace millrace::physical {

/// Some state partitions of one micro-batch, on their way to a processor: first the groups, then the timers that are
/// due.
struct ProcessorRun {
  int first = 0;
  int last = 0;
  const SortedGroups* sorted = nullptr;
  /// Empty but in the first micro-batch.
  const SortedGroups* initial = nullptr;
  /// Open for the partitions.
  ProcessorState* state = nullptr;
  const StatefulBatch* batch = nullptr;
  const ExecutionContext* context = nullptr;
  /// Timers up to this are due, in ms.
  int64_t threshold_ms = 0;
  std::function<arrow::Status(int partition, std::shared_ptr<arrow::RecordBatch>)> take_rows;
};

/// A user's processor of groups. Immutable, thread-safe.
class GroupProcessor {
 public:
  virtual ~GroupProcessor() = default;
  /// The variables that init() declares. Errors: what is wrong with them, or with init().
  virtual arrow::Result<std::vector<StateVariable>> DeclaredVariables() const = 0;
  virtual arrow::Status Run(const ProcessorRun& run) const = 0;
};

/// What both kinds know of the operator.
struct ProcessorPlan {
  std::shared_ptr<arrow::Schema> output;
  /// What state is kept for: a struct of the key as the processor has it.
  types::DataTypePtr key_type;
  TimeMode time_mode = TimeMode::kNone;
  /// Of the first input.
  GroupingKeys keys;
  std::vector<GroupedInput> inputs;
};

/// Of Python. Fills in `plan.inputs` of each child; what else is in `plan` must be known when it runs.
arrow::Result<std::unique_ptr<GroupProcessor>> MakeProcessorInPython(const logical::TransformWithState& node,
                                                                     const std::vector<OperatorPtr>& children,
                                                                     const StreamingPlan& query,
                                                                     std::shared_ptr<const ProcessorPlan> plan,
                                                                     std::vector<GroupedInput>* inputs);
/// Of C++.
arrow::Result<std::unique_ptr<GroupProcessor>> MakeNativeProcessor(const logical::TransformWithState& node,
                                                                   const std::vector<OperatorPtr>& children,
                                                                   const StreamingPlan& query,
                                                                   std::shared_ptr<const ProcessorPlan> plan,
                                                                   std::vector<GroupedInput>* inputs);

}  // namespace millrace::physical
