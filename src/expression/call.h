#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "expression/expression.h"
#include "expression/node.h"

namespace millrace::expression {

/// Computes a scalar function for whole columns. Each argument is an array of `num_rows` values or a scalar; the
/// result likewise (a scalar when every argument is one, if that is natural). Must not keep references to inputs.
using ScalarKernel =
    std::function<arrow::Result<arrow::Datum>(const EvalContext&, const std::vector<arrow::Datum>&, int64_t num_rows)>;

/// How a call is written in SQL.
enum class CallStyle : uint8_t {
  kFunction,  ///< name(a, b)
  kInfix,     ///< (a name b)
  kPrefix,    ///< (name a)
  kCustom,    ///< `render`
};

/// What all calls of one bound function share. Immutable.
struct CallInfo {
  std::string name;  ///< Spark's prettyName, or the operator's symbol
  ScalarKernel kernel;
  CallStyle style = CallStyle::kFunction;
  bool deterministic = true;
  /// False when the value depends on the running query or partition (current_timestamp, spark_partition_id), so that it
  /// must not be computed when the plan is made, even without arguments that vary.
  bool foldable = true;
  /// Raises for some values of its arguments.
  bool can_fail = false;
  /// kCustom: the text, from the arguments' texts.
  std::function<std::string(const std::vector<std::string>&)> render;
};

/// A scalar function or operator applied to its (already coerced) arguments.
class Call final : public Expression {
 public:
  Call(std::shared_ptr<const CallInfo> info, DataTypePtr type, bool nullable, ExpressionVector arguments);
  const std::string& name() const { return info_->name; }
  const CallInfo& info() const { return *info_; }

  ExpressionPtr WithChildren(ExpressionVector children) const override;
  std::string Sql(bool pretty) const override;
  bool deterministic() const override;
  bool foldable() const override;
  bool can_fail() const override;
  arrow::Result<arrow::Datum> Evaluate(const EvalContext& context, const arrow::RecordBatch& input) const override;

 private:
  std::shared_ptr<const CallInfo> info_;
};

/// Kernel of a function that takes lambdas: sees the input rows beside its evaluated plain arguments, so that the
/// lambdas can read outer columns. `arguments[i]` is meaningless where child i is a lambda;
/// `lambdas` are those children in order.
using HigherOrderKernel = std::function<arrow::Result<arrow::Datum>(const EvalContext&, const arrow::RecordBatch& input,
                                                                    const std::vector<arrow::Datum>& arguments,
                                                                    const std::vector<const LambdaFunction*>& lambdas)>;

class HigherOrderCall final : public Expression {
 public:
  HigherOrderCall(std::string name, HigherOrderKernel kernel, DataTypePtr type, bool nullable,
                  ExpressionVector arguments);
  ExpressionPtr WithChildren(ExpressionVector children) const override;
  std::string Sql(bool pretty) const override;
  bool can_fail() const override { return true; }
  arrow::Result<arrow::Datum> Evaluate(const EvalContext& context, const arrow::RecordBatch& input) const override;

 private:
  std::string name_;
  HigherOrderKernel kernel_;
};

}  // namespace millrace::expression
