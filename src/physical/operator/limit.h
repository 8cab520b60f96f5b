#pragma once

#include <optional>

#include "physical/planner.h"

namespace millrace::physical {

/// At most `limit` rows after `offset` rows, taken from the partitions in order; later partitions are not opened.
/// With `tail`, the last `limit` rows: partitions are read from the last backwards, as far as needed.
/// One partition.
class Limit final : public Operator {
 public:
  Limit(std::optional<int64_t> limit, int64_t offset, bool tail, OperatorPtr child);

  arrow::Status Prepare(ExecutionContext& context) const override;
  int num_partitions(const ExecutionContext&) const override { return 1; }
  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override;
  bool starts_stage() const override { return true; }

 private:
  std::optional<int64_t> limit_;
  int64_t offset_;
  bool tail_;
};

bool MatchesLimit(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanLimit(const logical::PlanPtr& node, const RequiredColumns& required, Planner& planner);

}  // namespace millrace::physical
