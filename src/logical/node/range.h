#pragma once

#include "logical/plan.h"

namespace millrace::logical {

/// The numbers start, start + step, … before end, as one LONG column.
class Range final : public Plan {
 public:
  Range(AttributePtr id, int64_t start, int64_t end, int64_t step, int num_partitions)
      : Plan(NodeKind::kRange, {}, {std::move(id)}),
        start_(start),
        end_(end),
        step_(step),
        num_partitions_(num_partitions) {}
  int64_t start() const { return start_; }
  int64_t end() const { return end_; }
  /// Never 0.
  int64_t step() const { return step_; }
  /// 0: the session's default parallelism.
  int num_partitions() const { return num_partitions_; }
  PlanPtr WithChildren(std::vector<PlanPtr>) const override {
    return std::make_shared<Range>(output()[0], start_, end_, step_, num_partitions_);
  }
  std::string Describe() const override;

 private:
  int64_t start_;
  int64_t end_;
  int64_t step_;
  int num_partitions_;
};

}  // namespace millrace::logical
