#pragma once

#include "logical/plan.h"

namespace millrace::logical {

/// Spreads rows over `num_partitions`: by hash of `keys`, or round robin (`shuffle`), or by merging (coalesce).
/// `direct`: the one key is the partition's number itself (repartitionById).
class Repartition final : public Plan {
 public:
  Repartition(int num_partitions, bool shuffle, ExpressionVector keys, PlanPtr child, bool direct = false)
      : Plan(NodeKind::kRepartition, {child}, child->output()),
        num_partitions_(num_partitions),
        shuffle_(shuffle),
        keys_(std::move(keys)),
        direct_(direct) {}
  /// 0: spark.sql.shuffle.partitions.
  int num_partitions() const { return num_partitions_; }
  bool shuffle() const { return shuffle_; }
  const ExpressionVector& keys() const { return keys_; }
  bool direct() const { return direct_; }
  ExpressionVector expressions() const override { return keys_; }
  PlanPtr WithExpressions(ExpressionVector keys) const override {
    return std::make_shared<Repartition>(num_partitions_, shuffle_, std::move(keys), child(), direct_);
  }
  PlanPtr WithChildren(std::vector<PlanPtr> children) const override {
    return std::make_shared<Repartition>(num_partitions_, shuffle_, keys_, std::move(children[0]), direct_);
  }
  std::string Describe() const override;

 private:
  int num_partitions_;
  bool shuffle_;
  ExpressionVector keys_;
  bool direct_;
};

}  // namespace millrace::logical
