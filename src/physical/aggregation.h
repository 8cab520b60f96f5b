#pragma once

#include <memory>
#include <vector>

#include "expression/aggregate.h"
#include "logical/node/aggregate.h"
#include "physical/expression_set.h"
#include "physical/key/group_table.h"

namespace millrace::physical {

/// A logical Aggregate taken apart: what groups, which aggregates, and how the items are made of both.
struct AggregationSpec {
  expression::ExpressionVector grouping;
  /// One column a grouping expression: itself when that is a plain column.
  expression::AttributeVector group_columns;
  /// Each different aggregate once.
  std::vector<std::shared_ptr<const expression::AggregateCall>> calls;
  expression::AttributeVector call_columns;
  /// The node's items over group_columns and call_columns.
  expression::ExpressionVector results;
};
AggregationSpec MakeAggregationSpec(const logical::Aggregate& node);
/// Whether Spark aggregates sorted rows: neither its hash aggregation nor the one for objects will do.
bool AggregatesBySorting(const AggregationSpec& spec);

/// A spec bound to the rows it aggregates. Immutable, thread-safe.
class AggregationPlan {
 public:
  struct Call {
    std::shared_ptr<const expression::AggregateFunction> function;
    /// Positions in the evaluated inputs.
    std::vector<int> arguments;
    /// -1: none.
    int filter = -1;
    bool distinct = false;
  };

  static arrow::Result<AggregationPlan> Bind(const AggregationSpec& spec, const expression::AttributeVector& input);

  size_t num_keys() const { return key_types_.size(); }
  const std::vector<std::shared_ptr<arrow::DataType>>& key_types() const { return key_types_; }
  const std::vector<Call>& calls() const { return calls_; }
  /// Grouping values, then arguments and filters.
  const ExpressionSet& inputs() const { return inputs_; }
  const std::vector<std::shared_ptr<arrow::DataType>>& input_types() const { return input_types_; }
  /// Group columns, then one column a call.
  const std::shared_ptr<arrow::Schema>& result_schema() const { return result_schema_; }

 private:
  std::vector<std::shared_ptr<arrow::DataType>> key_types_;
  std::vector<Call> calls_;
  ExpressionSet inputs_;
  std::vector<std::shared_ptr<arrow::DataType>> input_types_;
  std::shared_ptr<arrow::Schema> result_schema_;
};

/// What one task aggregated, to be merged with what others did: one row a group.
struct PartialAggregation {
  int64_t num_groups = 0;
  arrow::ArrayVector keys;
  /// Equal keys have equal hashes in every partial.
  std::vector<uint64_t> hashes;
  /// By call: its buffer columns. Empty for DISTINCT calls.
  std::vector<arrow::ArrayVector> buffers;
  /// By call: for DISTINCT ones, the group (uint32) and arguments of each distinct row.
  std::vector<arrow::ArrayVector> distinct_rows;
};

/// Groups and their running values. Groups are numbered in order of first appearance. Confined to one task.
class Aggregation {
 public:
  Aggregation(const AggregationPlan* plan, arrow::MemoryPool* pool);

  arrow::Status Update(const expression::EvalContext& context, const std::shared_ptr<arrow::RecordBatch>& batch);
  /// Adds the groups of `partial` whose hash belongs to `part` of `num_parts`.
  arrow::Status Merge(const expression::EvalContext& context, const PartialAggregation& partial, int part,
                      int num_parts);
  arrow::Result<PartialAggregation> TakePartial();
  /// Columns of plan.result_schema(), one row a group. Without grouping there is always one group.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Finish(const expression::EvalContext& context);

  int64_t num_groups() const { return groups_.num_groups(); }

 private:
  arrow::Status MapDistinct(size_t call, arrow::ArrayVector group_and_arguments, int64_t num_rows);

  const AggregationPlan* plan_;
  arrow::MemoryPool* pool_;
  GroupTable groups_;
  std::vector<std::unique_ptr<expression::AggregateState>> states_;
  /// By call: the distinct (group, arguments) rows; null for the others. They reach the state at the end.
  std::vector<std::unique_ptr<GroupTable>> distinct_;
  std::vector<uint32_t> group_ids_;
};

}  // namespace millrace::physical
