#include "analyzer/expression_resolver.h"
#include "analyzer/window_functions.h"
#include "base/error.h"
#include "expression/cast.h"
#include "expression/type_coercion.h"
#include "function/function_def.h"
#include "spark/connect/expressions.pb.h"
#include "sql/expression_tree.h"
#include "sql/plan_conventions.h"

namespace millrace::analyzer {

namespace {

using logical::FrameBound;
using logical::FrameBoundKind;
using logical::WindowFrame;
using logical::WindowSpec;
using Message = spark::connect::Expression::Window::WindowFrame;

// A negated offset precedes, unless a cast hides that it is one.
std::string OffsetText(const ExpressionPtr& offset, bool is_cast) {
  std::string text = offset->Sql(true);
  constexpr std::string_view kMinus = "(- ";
  if (is_cast || !text.starts_with(kMinus) || offset->children().size() != 1) return text + " FOLLOWING";
  return offset->children()[0]->Sql(true) + " PRECEDING";
}

// A bound as the checks see it; `value` is null for CURRENT ROW and UNBOUNDED.
struct Bound {
  ExpressionPtr value;
  FrameBound bound;
};

std::string FrameText(const Bound& lower, const Bound& upper, bool is_rows) {
  return std::string(is_rows ? "ROWS" : "RANGE") + " BETWEEN " + BoundText(lower.bound) + " AND " +
         BoundText(upper.bound);
}

std::string OrderText(const WindowSpec& spec, std::string_view separator) {
  std::string text;
  for (const expression::SortOrder& order : spec.order) {
    text += (text.empty() ? "" : std::string(separator)) + order.child->Sql(true) +
            (order.ascending ? " ASC" : " DESC") + (order.nulls_first ? " NULLS FIRST" : " NULLS LAST");
  }
  return text;
}

bool IsTimestamp(types::TypeId id) { return id == types::TypeId::kTimestamp || id == types::TypeId::kTimestampNtz; }

bool IsInterval(types::TypeId id) {
  return id == types::TypeId::kCalendarInterval || id == types::TypeId::kYearMonthInterval ||
         id == types::TypeId::kDayTimeInterval;
}

// Source: Spark, SpecifiedWindowFrame.checkBoundary.
arrow::Status CheckBound(const Bound& bound, const char* location, bool is_rows, const std::string& frame) {
  if (bound.value == nullptr) return arrow::Status::OK();
  const types::DataType& type = *bound.value->type();
  if (!bound.value->foldable()) {
    return UserError("DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_WITHOUT_FOLDABLE",
                     {{"sqlExpr", QuoteSqlExpression(frame)},
                      {"location", location},
                      {"expression", QuoteSqlExpression(bound.value->Sql(true))}});
  }
  bool accepted = is_rows ? type.id() == types::TypeId::kInteger : type.is_numeric() || IsInterval(type.id());
  if (accepted) return arrow::Status::OK();
  return UserError(
      "DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE",
      {{"sqlExpr", QuoteSqlExpression(frame)},
       {"location", location},
       {"exprType", QuoteSqlType(type.Sql())},
       {"expectedType",
        is_rows ? "\"INT\""
                : "(\"NUMERIC\" or \"INTERVAL DAY TO SECOND\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL\")"}});
}

// Source: Spark, SpecifiedWindowFrame.checkInputDataTypes.
arrow::Status CheckBounds(const Bound& lower, const Bound& upper, bool is_rows, const expression::EvalContext& eval) {
  std::string frame = FrameText(lower, upper, is_rows);
  ARROW_RETURN_NOT_OK(CheckBound(lower, "lower", is_rows, frame));
  ARROW_RETURN_NOT_OK(CheckBound(upper, "upper", is_rows, frame));
  if (lower.bound.kind == FrameBoundKind::kUnboundedFollowing ||
      upper.bound.kind == FrameBoundKind::kUnboundedPreceding) {
    auto text = [](const Bound& bound) {
      return bound.value != nullptr ? bound.value->Sql(true) : BoundText(bound.bound);
    };
    return UserError("DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_INVALID_BOUND",
                     {{"sqlExpr", QuoteSqlExpression(frame)},
                      {"lower", QuoteSqlExpression(text(lower))},
                      {"upper", QuoteSqlExpression(text(upper))}});
  }
  if (lower.value == nullptr || upper.value == nullptr) return arrow::Status::OK();
  if (!lower.value->type()->EqualsIgnoreNullability(*upper.value->type())) {
    return UserError("DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_DIFF_TYPES",
                     {{"sqlExpr", QuoteSqlExpression(frame)},
                      {"lower", QuoteSqlExpression(lower.value->Sql(true))},
                      {"upper", QuoteSqlExpression(upper.value->Sql(true))},
                      {"lowerType", QuoteSqlType(lower.value->type()->Sql())},
                      {"upperType", QuoteSqlType(upper.value->type()->Sql())}});
  }
  if (lower.value->type()->id() == types::TypeId::kCalendarInterval) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr greater, function::BindCall(">", {lower.value, upper.value}, eval));
  ARROW_ASSIGN_OR_RAISE(auto wrong, expression::EvaluateFoldable(*greater, eval));
  if (!wrong->is_valid || !static_cast<const arrow::BooleanScalar&>(*wrong).value) return arrow::Status::OK();
  return UserError("DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON",
                   {{"sqlExpr", QuoteSqlExpression(frame)}, {"comparison", "less than or equal"}});
}

// Source: Spark, WindowSpecDefinition.checkInputDataTypes.
arrow::Status CheckRange(const Bound& lower, const Bound& upper, const WindowSpec& spec) {
  std::string text;
  for (const ExpressionPtr& key : spec.partition) text += (text.empty() ? "PARTITION BY " : ", ") + key->Sql(true);
  if (!spec.order.empty()) text += (text.empty() ? "ORDER BY " : " ORDER BY ") + OrderText(spec, ", ");
  text = "(" + text + (text.empty() ? "" : " ") + FrameText(lower, upper, /*is_rows=*/false) + ")";
  bool unbounded = lower.bound.kind == FrameBoundKind::kUnboundedPreceding &&
                   upper.bound.kind == FrameBoundKind::kUnboundedFollowing;
  if (spec.order.empty()) {
    if (unbounded) return arrow::Status::OK();
    return UserError("DATATYPE_MISMATCH.RANGE_FRAME_WITHOUT_ORDER", {{"sqlExpr", QuoteSqlExpression(text)}});
  }
  const Bound& bound = lower.value != nullptr ? lower : upper;
  if (bound.value == nullptr) return arrow::Status::OK();
  if (spec.order.size() > 1) {
    std::string orders;
    for (const expression::SortOrder& order : spec.order) {
      orders += (orders.empty() ? "" : ",") + QuoteSqlExpression(OrderText({{}, {order}}, ","));
    }
    return UserError("DATATYPE_MISMATCH.RANGE_FRAME_MULTI_ORDER",
                     {{"sqlExpr", QuoteSqlExpression(text)}, {"orderSpec", orders}});
  }
  const types::DataType& key = *spec.order[0].child->type();
  const types::DataType& offset = *bound.value->type();
  bool fits = key.EqualsIgnoreNullability(offset);
  if (key.id() == types::TypeId::kDate) {
    fits = offset.id() == types::TypeId::kInteger || offset.id() == types::TypeId::kYearMonthInterval ||
           (offset.id() == types::TypeId::kDayTimeInterval &&
            offset.end_field() == static_cast<int>(types::DayTimeField::kDay));
  } else if (IsTimestamp(key.id())) {
    fits = IsInterval(offset.id());
  }
  if (fits) return arrow::Status::OK();
  return UserError("DATATYPE_MISMATCH.RANGE_FRAME_INVALID_TYPE", {{"sqlExpr", QuoteSqlExpression(text)},
                                                                  {"orderSpecType", QuoteSqlType(key.Sql())},
                                                                  {"valueBoundaryType", QuoteSqlType(offset.Sql())}});
}

}  // namespace

arrow::Result<WindowFrame> ExpressionResolver::ResolveFrame(const Message& message, const WindowSpec& spec) {
  WindowFrame frame;
  frame.is_rows = message.frame_type() == Message::FRAME_TYPE_ROW;
  expression::CastMode mode = context_.eval.ansi ? expression::CastMode::kAnsi : expression::CastMode::kLegacy;
  auto resolve = [&](const Message::FrameBoundary& boundary, FrameBoundKind unbounded) -> arrow::Result<Bound> {
    Bound made;
    if (sql::IsInternalFunction(boundary.value(), sql::kUnboundedBound)) {
      made.bound.kind = unbounded == FrameBoundKind::kUnboundedPreceding ? FrameBoundKind::kUnboundedFollowing
                                                                         : FrameBoundKind::kUnboundedPreceding;
      return made;
    }
    made.bound.kind = boundary.unbounded() ? unbounded : FrameBoundKind::kCurrentRow;
    if (boundary.unbounded() || !boundary.has_value()) return made;
    ARROW_ASSIGN_OR_RAISE(made.value, Resolve(boundary.value()));
    made.bound.kind = FrameBoundKind::kOffset;
    // Beside one order the offset counts as the type of the key: 1.1 is 1 for an INT.
    bool as_key = false;
    if (!frame.is_rows && spec.order.size() == 1) {
      const types::DataTypePtr& type = spec.order[0].child->type();
      as_key = type->id() != types::TypeId::kDate && !IsTimestamp(type->id()) &&
               !made.value->type()->EqualsIgnoreNullability(*type) &&
               expression::CanCast(*made.value->type(), *type, mode);
    }
    made.bound.text = OffsetText(made.value, as_key);
    if (as_key) {
      const types::DataTypePtr& type = spec.order[0].child->type();
      made.value = std::make_shared<expression::Cast>(made.value, type, mode, /*user_specified=*/false);
    }
    return made;
  };
  ARROW_ASSIGN_OR_RAISE(Bound lower, resolve(message.lower(), FrameBoundKind::kUnboundedPreceding));
  ARROW_ASSIGN_OR_RAISE(Bound upper, resolve(message.upper(), FrameBoundKind::kUnboundedFollowing));
  ARROW_RETURN_NOT_OK(CheckBounds(lower, upper, frame.is_rows, context_.eval));
  if (!frame.is_rows) ARROW_RETURN_NOT_OK(CheckRange(lower, upper, spec));
  for (Bound* bound : {&lower, &upper}) {
    if (bound->value == nullptr) continue;
    if (frame.is_rows) {
      ARROW_ASSIGN_OR_RAISE(auto scalar, expression::EvaluateFoldable(*bound->value, context_.eval));
      bound->bound.rows = scalar->is_valid ? static_cast<const arrow::Int32Scalar&>(*scalar).value : 0;
      if (bound->bound.rows == 0) bound->bound.kind = FrameBoundKind::kCurrentRow;
      continue;
    }
    const expression::SortOrder& order = spec.order[0];
    ARROW_ASSIGN_OR_RAISE(bound->bound.key,
                          function::BindCall(order.ascending ? "+" : "-", {order.child, bound->value}, context_.eval));
    bound->bound.key = expression::ImplicitCast(bound->bound.key, order.child->type());
  }
  frame.lower = std::move(lower.bound);
  frame.upper = std::move(upper.bound);
  return frame;
}

}  // namespace millrace::analyzer
