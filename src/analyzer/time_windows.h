#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "expression/eval_context.h"
#include "logical/plan.h"

namespace millrace::analyzer {

using expression::AttributePtr;
using expression::AttributeVector;
using expression::ExpressionPtr;
using expression::ExpressionVector;
using logical::PlanPtr;

/// The window() or session_window() that the expressions of one operator call. It becomes a column of the operator's
/// input, so that a row in several sliding windows is several rows, and a row without a time is none.
/// The column's metadata marks it (`spark.timeWindow`, `spark.sessionWindow`) and keeps the time column's watermark.
/// Source: Spark, TimeWindowing and SessionWindowing.
class TimeWindows {
 public:
  /// Whether calls of `lower_name` belong here.
  static bool IsWindowFunction(std::string_view lower_name);

  /// The column that stands for the call; equal calls share it.
  /// Errors: what is wrong with the arguments; _LEGACY_ERROR_TEMP_1039 for a second, different window.
  arrow::Result<ExpressionPtr> Add(const std::string& lower_name, ExpressionVector arguments,
                                   const expression::EvalContext& eval);
  /// Null when nothing called a window.
  const AttributePtr& column() const { return column_; }
  bool is_session() const { return is_session_; }

  /// `input` with the window's column in front.
  arrow::Result<PlanPtr> Apply(PlanPtr input, const expression::EvalContext& eval) const;
  /// For a batch query that groups by a session window: rows whose sessions overlap, and that agree in the
  /// `other_keys`, get one session. REQUIRES: `input` comes from Apply.
  PlanPtr MergeSessions(PlanPtr input, const ExpressionVector& other_keys) const;

 private:
  arrow::Result<ExpressionPtr> AddTimeWindow(ExpressionVector arguments, const expression::EvalContext& eval);
  arrow::Result<ExpressionPtr> AddSession(ExpressionVector arguments, const expression::EvalContext& eval);
  arrow::Result<ExpressionPtr> Remember(ExpressionVector windows, ExpressionPtr time, ExpressionPtr filter,
                                        std::string_view name, std::string_view marker, bool nullable);

  AttributePtr column_;
  bool is_session_ = false;
  /// The value of the column; several for sliding windows.
  ExpressionVector windows_;
  ExpressionPtr time_;
  /// Over the column, where one decides beyond "the time is not NULL"; may be null.
  ExpressionPtr filter_;
};

}  // namespace millrace::analyzer
