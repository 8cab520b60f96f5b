#include "analyzer/time_windows.h"

#include <arrow/scalar.h>

#include <algorithm>

#include "base/error.h"
#include "base/json_value.h"
#include "expression/cast.h"
#include "expression/metadata.h"
#include "expression/type_coercion.h"
#include "function/extract_value.h"
#include "function/function_def.h"
#include "function/scalar/datetime/time_window.h"
#include "logical/node/expand.h"
#include "logical/node/filter.h"
#include "logical/node/project.h"
#include "logical/node/window.h"
#include "types/arrow_type.h"
#include "types/interval_text.h"

namespace millrace::analyzer {

namespace {

using expression::Alias;
using expression::AttributeReference;
using expression::EvalContext;
using expression::ExpressionKind;
using expression::Literal;
using function::BindCall;

std::string WindowMetadata(const ExpressionPtr& time, std::string_view marker) {
  JsonValue metadata = JsonValue::Object();
  metadata.Set(std::string(marker), JsonValue::Bool(true));
  std::string own = expression::MetadataOf(*time);
  if (!own.empty()) {
    JsonValue others = ParseJson(own).ValueOr(JsonValue::Object());
    for (JsonValue::Member& member : others.members()) metadata.Set(member.first, std::move(member.second));
  }
  return metadata.ToString();
}

arrow::Result<ExpressionPtr> FieldOf(const ExpressionPtr& window, const char* name) {
  return function::ExtractValue(window, Literal::String(name), true);
}

// The gap of a session as an interval: a duration's text, or an expression of one.
arrow::Result<ExpressionPtr> SessionGap(const ExpressionPtr& gap, const EvalContext& eval, bool* may_be_empty) {
  *may_be_empty = true;
  if (gap->type()->id() == types::TypeId::kCalendarInterval) return gap;
  if (!gap->foldable() || gap->type()->id() != types::TypeId::kString) {
    if (!expression::CanCast(*gap->type(), *types::CalendarInterval(), expression::CastMode::kAnsi)) {
      return UserError("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
                       {{"sqlExpr", QuoteSqlExpression("session_window(" + gap->Sql(true) + ")")},
                        {"paramIndex", "second"},
                        {"requiredType", QuoteSqlType("INTERVAL")},
                        {"inputSql", QuoteSqlExpression(gap->Sql(true))},
                        {"inputType", QuoteSqlType(gap->type()->Sql())}});
    }
    return std::make_shared<expression::Cast>(gap, types::CalendarInterval(), expression::CastMode::kAnsi, false);
  }
  ARROW_ASSIGN_OR_RAISE(auto scalar, expression::EvaluateFoldable(*gap, eval));
  if (!scalar->is_valid) return Literal::Null(types::CalendarInterval());
  std::string text(static_cast<const arrow::BaseBinaryScalar&>(*scalar).view());
  types::CalendarIntervalValue interval;
  // What CAST does not take is NULL: no session has such a gap, as in Spark.
  if (!types::ParseCalendarInterval(text, &interval)) return Literal::Null(types::CalendarInterval());
  *may_be_empty = int64_t{interval.months} + interval.days + interval.micros <= 0;
  arrow::MonthDayNanoIntervalType::MonthDayNanos value{static_cast<int32_t>(interval.months),
                                                       static_cast<int32_t>(interval.days), interval.micros * 1000};
  types::DataTypePtr type = types::CalendarInterval();
  auto made = std::make_shared<arrow::MonthDayNanoIntervalScalar>(value, types::ToArrow(*type));
  return std::make_shared<Literal>(type, std::move(made));
}

}  // namespace

bool TimeWindows::IsWindowFunction(std::string_view lower_name) {
  return lower_name == "window" || lower_name == "session_window" || lower_name == "window_time";
}

arrow::Result<ExpressionPtr> TimeWindows::Add(const std::string& lower_name, ExpressionVector arguments,
                                              const EvalContext& eval) {
  if (lower_name == "window_time") return AddWindowTime(std::move(arguments), eval);
  return lower_name == "window" ? AddTimeWindow(std::move(arguments), eval) : AddSession(std::move(arguments), eval);
}

arrow::Result<ExpressionPtr> TimeWindows::AddWindowTime(ExpressionVector arguments, const EvalContext& eval) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr time, BindCall("window_time", arguments, eval));
  const ExpressionPtr& window = arguments[0];
  std::string metadata = expression::MetadataOf(*window);
  if (metadata.find("\"spark.timeWindow\"") == std::string::npos &&
      metadata.find("\"spark.sessionWindow\"") == std::string::npos) {
    return UserError("_LEGACY_ERROR_TEMP_3101", {{"windowTime", time->Sql(true)}});
  }
  for (const auto& known : times_) {
    if (expression::SemanticallyEqual(*known->child(), *time)) return known->ToAttribute();
  }
  times_.push_back(std::make_shared<Alias>(time, time->Sql(true)));
  return times_.back()->ToAttribute();
}

arrow::Result<ExpressionPtr> TimeWindows::Remember(ExpressionVector windows, ExpressionPtr time, ExpressionPtr filter,
                                                   std::string_view name, std::string_view marker, bool nullable) {
  if (column_ != nullptr) {
    bool same = windows.size() == windows_.size();
    for (size_t i = 0; same && i < windows.size(); ++i) {
      same = expression::SemanticallyEqual(*windows[i], *windows_[i]);
    }
    if (!same) return UserError("_LEGACY_ERROR_TEMP_1039");
    return column_;
  }
  column_ = std::make_shared<AttributeReference>(expression::NextAttributeId(), std::string(name), windows[0]->type(),
                                                 nullable, std::vector<std::string>{}, WindowMetadata(time, marker));
  windows_ = std::move(windows);
  time_ = std::move(time);
  filter_ = std::move(filter);
  return column_;
}

arrow::Result<ExpressionPtr> TimeWindows::AddTimeWindow(ExpressionVector arguments, const EvalContext& eval) {
  const function::FunctionDef* def = function::FindFunction("window");
  auto count = static_cast<int>(arguments.size());
  if (count < def->min_arguments || count > def->max_arguments) return BindCall("window", arguments, eval).status();
  function::BindInput input{*def, "window", std::move(arguments), eval};
  ARROW_ASSIGN_OR_RAISE(function::TimeWindowSpec spec, function::ParseTimeWindow(input));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr time, function::TimeWindowColumn(input));
  ExpressionVector windows;
  for (int64_t i = 0; i < spec.num_overlapping(); ++i) windows.push_back(function::TimeWindowAt(time, spec, i));
  bool sliding = windows.size() > 1;
  bool first = column_ == nullptr;
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr column,
                        Remember(std::move(windows), time, nullptr, "window", "spark.timeWindow", sliding));
  if (first && spec.needs_range_filter()) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr start, FieldOf(column, "start"));
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr end, FieldOf(column, "end"));
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr begun, BindCall(">=", {time, start}, eval));
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr open, BindCall("<", {time, end}, eval));
    filter_ = std::make_shared<expression::Logical>(true, begun, open);
  }
  return column;
}

arrow::Result<ExpressionPtr> TimeWindows::AddSession(ExpressionVector arguments, const EvalContext& eval) {
  if (arguments.size() != 2) {
    return UserError("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", {{"functionName", "`session_window`"},
                                                           {"expectedNum", "2"},
                                                           {"actualNum", std::to_string(arguments.size())},
                                                           {"docroot", "https://spark.apache.org/docs/latest"}});
  }
  ExpressionPtr time = arguments[0];
  if (time->type()->id() == types::TypeId::kStruct) {
    ARROW_ASSIGN_OR_RAISE(time, BindCall("window_time", {time}, eval));
  } else if (time->type()->id() != types::TypeId::kTimestampNtz) {
    if (!expression::CanImplicitCast(time->type(), types::Timestamp())) {
      return UserError(
          "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
          {{"sqlExpr", QuoteSqlExpression("session_window(" + time->Sql(true) + ", " + arguments[1]->Sql(true) + ")")},
           {"paramIndex", "first"},
           {"requiredType", "\"(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)\""},
           {"inputSql", QuoteSqlExpression(time->Sql(true))},
           {"inputType", QuoteSqlType(time->type()->Sql())}});
    }
    time = expression::ImplicitCast(time, types::Timestamp());
  }
  bool may_be_empty = false;
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr gap, SessionGap(arguments[1], eval, &may_be_empty));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr end, BindCall("+", {time, gap}, eval));
  // A window's fields are nullable, whatever the time column says.
  types::DataTypePtr type = types::Struct({{"start", time->type(), true, {}}, {"end", time->type(), true, {}}});
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr made,
                        BindCall("named_struct", {Literal::String("start"), time, Literal::String("end"), end}, eval));
  ExpressionPtr session = expression::ImplicitCast(made, type);
  bool first = column_ == nullptr;
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr column,
                        Remember({session}, time, nullptr, "session_window", "spark.sessionWindow", false));
  is_session_ = true;
  if (first && may_be_empty) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr from, FieldOf(column, "start"));
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr to, FieldOf(column, "end"));
    ARROW_ASSIGN_OR_RAISE(filter_, BindCall(">", {to, from}, eval));
  }
  return column;
}

arrow::Result<PlanPtr> TimeWindows::Apply(PlanPtr input, const EvalContext& eval) const {
  // The window may be made of a time of the input's window, and a time may be that of the window just made.
  ExpressionVector below, above;
  for (const auto& time : times_) {
    std::vector<expression::AttributeId> read = expression::References(*time);
    bool of_this_window = column_ != nullptr && std::find(read.begin(), read.end(), column_->id()) != read.end();
    (of_this_window ? above : below).push_back(time);
  }
  auto with = [](ExpressionVector items, PlanPtr plan) -> PlanPtr {
    if (items.empty()) return plan;
    items.insert(items.end(), plan->output().begin(), plan->output().end());
    return std::make_shared<logical::Project>(std::move(items), std::move(plan));
  };
  ARROW_ASSIGN_OR_RAISE(PlanPtr plan, ApplyWindow(with(std::move(below), std::move(input)), eval));
  return with(std::move(above), std::move(plan));
}

arrow::Result<PlanPtr> TimeWindows::ApplyWindow(PlanPtr input, const EvalContext& eval) const {
  if (column_ == nullptr) return input;
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr has_time, BindCall("isnotnull", {time_}, eval));
  PlanPtr timed = std::make_shared<logical::Filter>(std::move(has_time), std::move(input));
  AttributeVector columns = timed->output();
  PlanPtr plan;
  if (windows_.size() == 1) {
    ExpressionVector items{
        std::make_shared<Alias>(windows_[0], column_->name(), column_->id(), column_->metadata_json())};
    items.insert(items.end(), columns.begin(), columns.end());
    plan = std::make_shared<logical::Project>(std::move(items), std::move(timed));
  } else {
    std::vector<ExpressionVector> projections;
    for (const ExpressionPtr& window : windows_) {
      ExpressionVector& projection = projections.emplace_back(ExpressionVector{window});
      projection.insert(projection.end(), columns.begin(), columns.end());
    }
    columns.insert(columns.begin(), column_);
    plan = std::make_shared<logical::Expand>(std::move(projections), std::move(columns), std::move(timed));
  }
  if (filter_ != nullptr) plan = std::make_shared<logical::Filter>(filter_, std::move(plan));
  return plan;
}

PlanPtr TimeWindows::MergeSessions(PlanPtr input, const ExpressionVector& other_keys) const {
  AttributeVector columns = input->output();
  auto merged = std::make_shared<AttributeReference>(expression::NextAttributeId(), column_->name(), column_->type(),
                                                     false, std::vector<std::string>{}, column_->metadata_json());
  logical::WindowFunction function;
  function.kind = logical::WindowFunctionKind::kMergeSessions;
  function.arguments = {column_};
  function.column = merged;
  logical::WindowSpec spec;
  spec.partition = other_keys;
  spec.order = {{column_, true, true}};
  PlanPtr windowed =
      std::make_shared<logical::Window>(std::move(spec), std::vector{std::move(function)}, std::move(input));
  // The merged session takes the place, and the id, of each row's own.
  ExpressionVector items;
  for (const AttributePtr& column : columns) {
    if (column->id() != column_->id()) {
      items.push_back(column);
      continue;
    }
    items.push_back(std::make_shared<Alias>(merged, column_->name(), column_->id(), column_->metadata_json()));
  }
  return std::make_shared<logical::Project>(std::move(items), std::move(windowed));
}

}  // namespace millrace::analyzer
