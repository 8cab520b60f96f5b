#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "logical/node/window.h"

namespace millrace::analyzer {

using expression::AttributePtr;
using expression::ExpressionPtr;
using expression::ExpressionVector;
using logical::PlanPtr;

/// "2 PRECEDING", "UNBOUNDED FOLLOWING": as Spark shows a bound.
std::string BoundText(const logical::FrameBound& bound);

/// The window functions (f(…) OVER …) that the expressions of one operator call. Each becomes a column of the
/// operator's input. Source: Spark, ExtractWindowExpressions.
class WindowFunctions {
 public:
  /// row_number, lag …: functions that exist only with OVER.
  static bool IsWindowOnly(std::string_view lower_name);
  /// A call of such a function, its arguments resolved; frame and order are checked.
  /// Errors: WINDOW_FUNCTION_FRAME_NOT_ORDERED, WRONG_NUM_ARGS.…, DATATYPE_MISMATCH.….
  static arrow::Result<logical::WindowFunction> Bind(const std::string& lower_name, const ExpressionVector& arguments,
                                                     const logical::WindowSpec& spec, bool has_frame,
                                                     const expression::EvalContext& eval);

  /// A call of such a function as Spark shows it.
  static std::string Text(const std::string& lower_name, ExpressionVector arguments);
  static std::string OverText(const std::string& text, const logical::WindowSpec& spec,
                              const logical::WindowFunction& function);

  /// The column that stands for `function`; equal calls share it. `text` is the call without OVER.
  ExpressionPtr Add(logical::WindowSpec spec, logical::WindowFunction function, const std::string& text);
  bool empty() const { return calls_.empty(); }
  /// How the first call shows. REQUIRES: not empty.
  const std::string& FirstText() const { return calls_[0].function.column->name(); }
  /// Whether arguments, partitions or orders aggregate: rank() OVER (ORDER BY sum(x)).
  bool ContainsAggregates() const;
  /// Whether `expression` reads a column of a window function.
  bool ReadsAny(const expression::Expression& expression) const;
  /// Rewrites what the functions read, when an aggregate comes between them and the input they were resolved over.
  void Rewrite(const std::function<ExpressionPtr(const ExpressionPtr&)>& rewrite);

  /// `input` with the columns. Over a stream the nodes say why it cannot start.
  arrow::Result<PlanPtr> Apply(PlanPtr input) const;

 private:
  struct Call {
    logical::WindowSpec spec;
    logical::WindowFunction function;
    std::string text;
  };
  std::vector<Call> calls_;
};

}  // namespace millrace::analyzer
