#pragma once

#include "physical/planner.h"
#include "physical/stateful/stateful_operator.h"

namespace millrace::physical {

/// The first `limit` rows of all micro-batches together, for rows that are only ever added.
///
/// State: partition 0; key = a NULL, value = rows let through so far.
/// Source: Spark, StreamingGlobalLimitExec over StreamingLocalLimitExec.
class StreamingLimit final : public StatefulOperator {
 public:
  StreamingLimit(int64_t limit, OperatorPtr child);

  std::string_view short_name() const override { return "globalLimit"; }
  std::vector<StateStoreSpec> state_stores() const override;
  bool single_partition() const override { return true; }
  bool ShouldRunAnotherBatch(int64_t, int64_t) const override { return false; }

  arrow::Status Prepare(ExecutionContext& context) const override;
  int num_partitions(const ExecutionContext&) const override { return 1; }
  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override { return fmt::format("StreamingGlobalLimit {}", limit_); }
  std::vector<std::string> DescribeStack() const override;
  bool starts_stage() const override { return true; }

 private:
  int64_t limit_;
};

/// A limit whose rows are only ever added: in append mode, or below every aggregation.
arrow::Result<OperatorPtr> PlanStreamingLimit(const logical::PlanPtr& node, const RequiredColumns& required,
                                              Planner& planner);
bool MatchesStreamingLimit(const logical::Plan& node);

}  // namespace millrace::physical
