#pragma once

#include "physical/partitioning.h"
#include "physical/planner.h"

namespace millrace::physical {

/// Spreads rows over partitions: the stage below runs to its end, its rows wait in memory. Rows of a partition come in
/// the order of the partitions and rows below.
class Exchange final : public Operator {
 public:
  enum class Kind : uint8_t {
    kHash,        ///< Spark's hash of the keys
    kRoundRobin,  ///< evenly, in the order of the hashes of whole rows, as Spark deals them out
    kSingle,      ///< one partition
  };

  struct Spec {
    Kind kind = Kind::kSingle;
    HashPartitioning keys;
    /// 0: as many as the rows are worth, each of a run of the spark.sql.shuffle.partitions that Spark would make.
    int num_partitions = 0;
    /// Where one partition is made, the rows of each task below come by those partitions. REQUIRES: kHash,
    /// num_partitions 0.
    bool ordered = false;
    std::string text;
  };

  Exchange(Spec spec, OperatorPtr child);

  /// Makes as many partitions as `other`, which must be prepared before this one. REQUIRES: nothing runs it yet.
  void FollowPartitionsOf(const Exchange* other) { followed_ = other; }

  arrow::Status Prepare(ExecutionContext& context) const override;
  int num_partitions(const ExecutionContext& context) const override;
  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override { return spec_.text; }
  bool starts_stage() const override { return true; }

 private:
  arrow::Status OrderByPartition(const ExecutionContext& context, Batches* rows) const;
  arrow::Status OrderByHash(const ExecutionContext& context, Batches* rows) const;

  Spec spec_;
  const Exchange* followed_ = nullptr;
};

/// Merges partitions without moving rows between tasks more than that: partition i of n is a run of the child's.
class Coalesce final : public Operator {
 public:
  Coalesce(int num_partitions, OperatorPtr child);

  int num_partitions(const ExecutionContext& context) const override;
  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override;

 private:
  int num_partitions_;
};

bool MatchesExchange(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanExchange(const logical::PlanPtr& node, const RequiredColumns& required,
                                        Planner& planner);

}  // namespace millrace::physical
