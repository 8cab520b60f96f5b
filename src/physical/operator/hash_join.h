#pragma once

#include "logical/node/join.h"
#include "physical/expression_set.h"
#include "physical/planner.h"

namespace millrace::physical {

/// Joins by hashing one side (the build side) once and streaming the other (the probe side) past it; without equality
/// keys, every build row is a candidate (nested loop). All join types; a residual condition decides among candidates.
///
/// Memory: the build side, and for full outer joins the result. A NULL in a key matches nothing unless the key is
/// null-safe. Order: probe order, matches of a row in build order; unmatched build rows of a full outer join last.
class HashJoin final : public Operator {
 public:
  /// What becomes of probe rows and build rows.
  enum class Kind : uint8_t { kInner, kProbeOuter, kFullOuter, kSemi, kAnti };

  /// A column of the output or of the residual condition: a side and a position there.
  struct Column {
    bool probe = true;
    int index = 0;
  };

  struct Spec {
    Kind kind = Kind::kInner;
    bool probe_is_left = true;
    ExpressionSet probe_keys;
    ExpressionSet build_keys;
    std::vector<std::shared_ptr<arrow::DataType>> key_types;
    /// By key: NULL equals NULL (<=>).
    std::vector<bool> null_safe;
    /// Empty, or one condition over `residual_columns`.
    ExpressionSet residual;
    std::vector<Column> residual_columns;
    std::shared_ptr<arrow::Schema> residual_schema;
    std::vector<Column> output_columns;
    std::string text;
  };

  /// Children are left and right, as the query has them.
  HashJoin(Spec spec, AttributeVector output, OperatorPtr left, OperatorPtr right);

  arrow::Status Prepare(ExecutionContext& context) const override;
  int num_partitions(const ExecutionContext& context) const override;
  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override { return spec_.text; }
  /// A full outer join's rows are complete before any is given.
  bool starts_stage() const override { return spec_.kind == Kind::kFullOuter; }

 private:
  const Operator& probe() const { return *children()[spec_.probe_is_left ? 0 : 1]; }
  const Operator& build() const { return *children()[spec_.probe_is_left ? 1 : 0]; }

  Spec spec_;
};

bool MatchesHashJoin(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanHashJoin(const logical::PlanPtr& node, const RequiredColumns& required,
                                        Planner& planner);

}  // namespace millrace::physical
