#pragma once

#include "expression/aggregate.h"
#include "logical/node/window.h"
#include "physical/expression_set.h"
#include "physical/key/sort_keys.h"
#include "physical/planner.h"

namespace millrace::physical {

/// Adds the columns of window functions to the rows. REQUIRES: rows of one window partition come in one partition below
/// (the planner puts an exchange there). A partition's rows are held in memory and come out sorted by partition and
/// order keys.
class Window final : public Operator {
 public:
  /// One side of a frame, bound. `key`: position among the evaluated inputs, -1 for none.
  struct Bound {
    logical::FrameBoundKind kind = logical::FrameBoundKind::kCurrentRow;
    int64_t rows = 0;
    int key = -1;
  };

  struct Function {
    logical::WindowFunctionKind kind = logical::WindowFunctionKind::kRowNumber;
    /// kAggregate only.
    std::shared_ptr<const expression::AggregateFunction> aggregate;
    /// Positions among the evaluated inputs.
    std::vector<int> arguments;
    /// kAggregate: the position of the condition that rows must meet; -1 for none.
    int filter = -1;
    bool is_rows = false;
    Bound lower;
    Bound upper;
    int64_t offset = 0;
    bool ignore_nulls = false;
    std::shared_ptr<arrow::DataType> type;
  };

  struct Spec {
    /// Partition keys, order keys, then what the functions read.
    ExpressionSet inputs;
    size_t num_partition_keys = 0;
    std::vector<KeyOrder> order;
    std::vector<Function> functions;
    std::string text;
  };

  Window(Spec spec, AttributeVector output, OperatorPtr child);

  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override { return spec_.text; }

 private:
  Spec spec_;
};

bool MatchesWindow(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanWindow(const logical::PlanPtr& node, const RequiredColumns& required, Planner& planner);

}  // namespace millrace::physical
