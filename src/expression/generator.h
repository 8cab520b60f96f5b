#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "expression/expression.h"

namespace millrace::expression {

/// What a generator made of a batch: output row i comes from input row `input_rows[i]` (ascending, int32).
struct Generated {
  std::shared_ptr<arrow::Array> input_rows;
  arrow::ArrayVector columns;
};

using GeneratorKernel =
    std::function<arrow::Result<Generated>(const EvalContext&, const std::vector<arrow::Datum>&, int64_t num_rows)>;

/// A function with zero to many rows for each input row: explode, posexplode, inline, stack, json_tuple.
/// Evaluated by the generate operator only. Its type is a struct of the output columns.
/// The kernel already appends the NULL row of OUTER variants.
class GeneratorCall final : public Expression {
 public:
  GeneratorCall(std::string name, std::vector<types::StructField> output, GeneratorKernel kernel,
                ExpressionVector arguments);
  const std::string& name() const { return name_; }
  const std::vector<types::StructField>& output() const { return type()->fields(); }
  const GeneratorKernel& kernel() const { return kernel_; }

  ExpressionPtr WithChildren(ExpressionVector children) const override;
  std::string Sql(bool pretty) const override;
  bool foldable() const override { return false; }

 private:
  std::string name_;
  GeneratorKernel kernel_;
};

}  // namespace millrace::expression
