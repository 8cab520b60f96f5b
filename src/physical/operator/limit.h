#pragma once

#include <optional>

#include "physical/planner.h"

namespace millrace::physical {

/// At most `limit` rows after `offset` rows, taken from the partitions in order; later partitions are not opened.
/// With `tail`, the last `limit` rows: partitions are read from the last backwards, as far as needed.
/// One partition.
///
/// `is_collected`: nothing is above, so Spark asks one partition after the other too. Where something is, it takes as
/// many rows of each partition first, which counts where rows of a micro-batch are read.
class Limit final : public Operator {
 public:
  Limit(std::optional<int64_t> limit, int64_t offset, bool tail, bool is_collected, OperatorPtr child);

  arrow::Status Prepare(ExecutionContext& context) const override;
  int num_partitions(const ExecutionContext&) const override { return 1; }
  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override;
  bool starts_stage() const override { return true; }

 private:
  std::optional<int64_t> limit_;
  int64_t offset_;
  bool tail_;
  bool is_collected_;
};

bool MatchesLimit(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanLimit(const logical::PlanPtr& node, const RequiredColumns& required, Planner& planner);

}  // namespace millrace::physical
