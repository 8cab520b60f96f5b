#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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
/// window_time() of such a column is a column of the input too, without the mark, so that who groups by it groups by a
/// time with a watermark.
/// Source: Spark, TimeWindowing, SessionWindowing and ResolveWindowTime.
class TimeWindows {
 public:
  /// Whether calls of `lower_name` belong here.
  static bool IsWindowFunction(std::string_view lower_name);

  /// The column that stands for the call; equal calls share it.
  /// Errors: what is wrong with the arguments; _LEGACY_ERROR_TEMP_1039 for a second, different window,
  /// _LEGACY_ERROR_TEMP_3101 for the time of what is no window's column.
  arrow::Result<ExpressionPtr> Add(const std::string& lower_name, ExpressionVector arguments,
                                   const expression::EvalContext& eval);
  /// Nothing called a window or its time.
  bool empty() const { return column_ == nullptr && times_.empty(); }
  /// Null when nothing called a window.
  const AttributePtr& column() const { return column_; }
  bool is_session() const { return is_session_; }

  /// `input` with the window's column in front, and the times of windows before it.
  arrow::Result<PlanPtr> Apply(PlanPtr input, const expression::EvalContext& eval) const;
  /// For a batch query that groups by a session window: rows whose sessions overlap, and that agree in the
  /// `other_keys`, get one session. REQUIRES: `input` comes from Apply.
  PlanPtr MergeSessions(PlanPtr input, const ExpressionVector& other_keys) const;

 private:
  arrow::Result<ExpressionPtr> AddTimeWindow(ExpressionVector arguments, const expression::EvalContext& eval);
  arrow::Result<ExpressionPtr> AddSession(ExpressionVector arguments, const expression::EvalContext& eval);
  arrow::Result<ExpressionPtr> AddWindowTime(ExpressionVector arguments, const expression::EvalContext& eval);
  arrow::Result<PlanPtr> ApplyWindow(PlanPtr input, const expression::EvalContext& eval) const;
  arrow::Result<ExpressionPtr> Remember(ExpressionVector windows, ExpressionPtr time, ExpressionPtr filter,
                                        std::string_view name, std::string_view marker, bool nullable);

  AttributePtr column_;
  bool is_session_ = false;
  /// The value of the column; several for sliding windows.
  ExpressionVector windows_;
  ExpressionPtr time_;
  /// Over the column, where one decides beyond "the time is not NULL"; may be null.
  ExpressionPtr filter_;
  /// window_time() calls, each with the column's name, id and metadata.
  std::vector<std::shared_ptr<const expression::Alias>> times_;
};

}  // namespace millrace::analyzer
