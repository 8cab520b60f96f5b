#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "expression/aggregate.h"
#include "function/bind.h"

/// How aggregate functions are made: a record of what the plan sees, and a factory of running states.

namespace millrace::function {

using expression::AggregateState;

struct AggregateSpec {
  /// Empty: the name the user wrote.
  std::string name = {};
  DataTypePtr type;
  bool nullable = true;
  /// Spark's buffer, column by column. Opaque: an object in Spark, in state as bytes (typed_buffers.h).
  std::vector<types::StructField> buffer = {};
  bool opaque = false;
  bool distinct_matters = true;
  std::function<std::unique_ptr<AggregateState>(arrow::MemoryPool*)> new_state;
};

/// The call of an aggregate over arguments that are coerced already.
ExpressionPtr MakeAggregate(const BindInput& input, AggregateSpec spec, ExpressionVector arguments);

/// Argument `index` implicitly cast to `type`. Errors: UserError DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE.
arrow::Result<ExpressionPtr> CoerceArgument(const BindInput& input, size_t index, const DataTypePtr& type);

/// Argument `index` for sums and averages: a number (strings become double) or an ANSI interval.
arrow::Result<ExpressionPtr> CoerceSummable(const BindInput& input, size_t index);

}  // namespace millrace::function
