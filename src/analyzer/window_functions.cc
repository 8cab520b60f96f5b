#include "analyzer/window_functions.h"

#include <arrow/scalar.h>

#include <algorithm>

#include "base/ascii.h"
#include "base/error.h"
#include "expression/aggregate.h"
#include "expression/cast.h"
#include "expression/type_coercion.h"

namespace millrace::analyzer {

namespace {

using expression::AttributeReference;
using expression::ExpressionKind;
using expression::Literal;
using logical::FrameBound;
using logical::FrameBoundKind;
using logical::WindowFunction;
using logical::WindowFunctionKind;
using logical::WindowSpec;

struct KnownFunction {
  std::string_view name;
  WindowFunctionKind kind;
  size_t min_arguments;
  size_t max_arguments;
};

constexpr KnownFunction kKnown[] = {
    {"row_number", WindowFunctionKind::kRowNumber, 0, 0},
    // These take any arguments, and leave them alone.
    {"rank", WindowFunctionKind::kRank, 0, 1000},
    {"dense_rank", WindowFunctionKind::kDenseRank, 0, 1000},
    {"percent_rank", WindowFunctionKind::kPercentRank, 0, 1000},
    {"cume_dist", WindowFunctionKind::kCumeDist, 0, 0},
    {"ntile", WindowFunctionKind::kNtile, 0, 1},
    {"lag", WindowFunctionKind::kOffset, 1, 3},
    {"lead", WindowFunctionKind::kOffset, 1, 3},
    {"nth_value", WindowFunctionKind::kNthValue, 2, 2},
};

const KnownFunction* FindKnown(std::string_view name) {
  for (const KnownFunction& known : kKnown) {
    if (known.name == name) return &known;
  }
  return nullptr;
}

AttributePtr NewColumn(types::DataTypePtr type, bool nullable) {
  return std::make_shared<AttributeReference>(expression::NextAttributeId(), "", std::move(type), nullable);
}

std::string CallText(const std::string& name, const ExpressionVector& arguments) {
  std::string text = name + "(";
  for (size_t i = 0; i < arguments.size(); ++i) text += (i > 0 ? ", " : "") + arguments[i]->Sql(true);
  return text + ")";
}

arrow::Result<int64_t> ConstantArgument(const std::string& name, const ExpressionVector& arguments, size_t index,
                                        std::string_view parameter, const expression::EvalContext& eval) {
  const ExpressionPtr& argument = arguments[index];
  if (!argument->foldable() || !argument->type()->is_integral()) {
    return UserError("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
                     {{"sqlExpr", QuoteSqlExpression(CallText(name, arguments))},
                      {"inputName", QuoteIdentifier(parameter)},
                      {"inputType", QuoteSqlType("INT")},
                      {"inputExpr", QuoteSqlExpression(argument->Sql(true))}});
  }
  expression::Cast as_long(argument, types::Long(), expression::CastMode::kAnsi, false);
  ARROW_ASSIGN_OR_RAISE(auto scalar, expression::EvaluateFoldable(as_long, eval));
  return scalar->is_valid ? static_cast<const arrow::Int64Scalar&>(*scalar).value : 0;
}

arrow::Status CheckPositive(const std::string& name, const ExpressionVector& arguments, const char* parameter,
                            const char* maximum, int64_t value) {
  if (value > 0) return arrow::Status::OK();
  return UserError("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", {{"sqlExpr", QuoteSqlExpression(CallText(name, arguments))},
                                                            {"exprName", parameter},
                                                            {"valueRange", "(0, " + std::string(maximum) + "]"},
                                                            {"currentValue", std::to_string(value)}});
}

}  // namespace

std::string BoundText(const FrameBound& bound) {
  if (!bound.text.empty()) return bound.text;
  switch (bound.kind) {
    case FrameBoundKind::kUnboundedPreceding:
      return "UNBOUNDED PRECEDING";
    case FrameBoundKind::kUnboundedFollowing:
      return "UNBOUNDED FOLLOWING";
    case FrameBoundKind::kCurrentRow:
      return "CURRENT ROW";
    case FrameBoundKind::kOffset:
      return std::to_string(bound.rows) + " FOLLOWING";
  }
  return {};
}

namespace {

std::string FrameText(const WindowFunction& function) {
  if (function.kind == WindowFunctionKind::kOffset) {
    std::string offset = std::to_string(function.offset) + " FOLLOWING";
    return "ROWS BETWEEN " + offset + " AND " + offset;
  }
  return std::string(function.frame.is_rows ? "ROWS" : "RANGE") + " BETWEEN " + BoundText(function.frame.lower) +
         " AND " + BoundText(function.frame.upper);
}

std::string SpecText(const WindowSpec& spec, const WindowFunction& function, bool pretty) {
  std::string text;
  for (const ExpressionPtr& key : spec.partition) {
    text += (text.empty() ? "PARTITION BY " : ", ") + key->Sql(pretty);
  }
  bool first = true;
  for (const expression::SortOrder& order : spec.order) {
    text += first ? (text.empty() ? "ORDER BY " : " ORDER BY ") : ", ";
    first = false;
    text += order.child->Sql(pretty) + (order.ascending ? " ASC" : " DESC") +
            (order.nulls_first ? " NULLS FIRST" : " NULLS LAST");
  }
  return "(" + text + (text.empty() ? "" : " ") + FrameText(function) + ")";
}

bool SameBound(const FrameBound& a, const FrameBound& b) {
  if (a.kind != b.kind || a.rows != b.rows || (a.key == nullptr) != (b.key == nullptr)) return false;
  return a.key == nullptr || expression::SemanticallyEqual(*a.key, *b.key);
}

bool SameAll(const ExpressionVector& a, const ExpressionVector& b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](const auto& x, const auto& y) {
           return expression::SemanticallyEqual(*x, *y);
         });
}

bool SameSpec(const WindowSpec& a, const WindowSpec& b) {
  if (!SameAll(a.partition, b.partition) || a.order.size() != b.order.size()) return false;
  for (size_t i = 0; i < a.order.size(); ++i) {
    if (a.order[i].ascending != b.order[i].ascending || a.order[i].nulls_first != b.order[i].nulls_first ||
        !expression::SemanticallyEqual(*a.order[i].child, *b.order[i].child)) {
      return false;
    }
  }
  return true;
}

bool SameFunction(const WindowFunction& a, const WindowFunction& b) {
  return a.kind == b.kind && a.offset == b.offset && a.ignore_nulls == b.ignore_nulls &&
         a.frame.is_rows == b.frame.is_rows && SameBound(a.frame.lower, b.frame.lower) &&
         SameBound(a.frame.upper, b.frame.upper) && SameAll(a.arguments, b.arguments);
}

}  // namespace

std::string WindowFunctions::Text(const std::string& lower_name, ExpressionVector arguments) {
  bool rank = lower_name.ends_with("rank");
  if (rank) {
    std::string upper = lower_name;
    std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return std::toupper(c); });
    return upper + "()";
  }
  if (lower_name == "lag" || lower_name == "lead") {
    if (arguments.size() == 1) arguments.push_back(Literal::Integer(1));
    if (arguments.size() == 2) arguments.push_back(Literal::Null(types::Null()));
  }
  return CallText(lower_name, arguments);
}

std::string WindowFunctions::OverText(const std::string& text, const WindowSpec& spec, const WindowFunction& function) {
  return text + " OVER " + SpecText(spec, function, true);
}

bool WindowFunctions::IsWindowOnly(std::string_view lower_name) { return FindKnown(lower_name) != nullptr; }

arrow::Result<WindowFunction> WindowFunctions::Bind(const std::string& lower_name, const ExpressionVector& arguments,
                                                    const WindowSpec& spec, bool has_frame,
                                                    const expression::EvalContext& eval) {
  const KnownFunction& known = *FindKnown(lower_name);
  if (arguments.size() < known.min_arguments || arguments.size() > known.max_arguments) {
    std::string expected = std::to_string(known.min_arguments);
    if (known.max_arguments != known.min_arguments) {
      expected = "[";
      for (size_t i = known.min_arguments; i <= known.max_arguments; ++i) {
        expected += (i > known.min_arguments ? ", " : "") + std::to_string(i);
      }
      expected += "]";
    }
    return UserError("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", {{"functionName", QuoteIdentifier(lower_name)},
                                                           {"expectedNum", expected},
                                                           {"actualNum", std::to_string(arguments.size())},
                                                           {"docroot", "https://spark.apache.org/docs/latest"}});
  }
  WindowFunction function;
  function.kind = known.kind;
  // Rows with equal keys have one cumulative distribution.
  function.frame.is_rows = known.kind != WindowFunctionKind::kCumeDist;
  function.frame.upper.kind = FrameBoundKind::kCurrentRow;
  bool needs_order = known.kind != WindowFunctionKind::kNthValue;
  if (needs_order && spec.order.empty()) {
    return UserError("WINDOW_FUNCTION_FRAME_NOT_ORDERED",
                     {{"wf_name", lower_name}, {"wf_expr", CallText(lower_name, arguments)}});
  }
  if (needs_order && has_frame) {
    return UserError("WINDOW_FUNCTION_AND_FRAME_MISMATCH",
                     {{"funcName", QuoteSqlExpression(CallText(lower_name, arguments))},
                      {"windowExpr", QuoteSqlExpression(CallText(lower_name, arguments) + " OVER " +
                                                        SpecText(spec, function, true))}});
  }
  switch (known.kind) {
    case WindowFunctionKind::kPercentRank:
    case WindowFunctionKind::kCumeDist:
      function.column = NewColumn(types::Double(), false);
      break;
    case WindowFunctionKind::kNtile:
      function.offset = 1;
      if (!arguments.empty()) {
        ARROW_ASSIGN_OR_RAISE(function.offset, ConstantArgument(lower_name, arguments, 0, "buckets", eval));
        ARROW_RETURN_NOT_OK(CheckPositive(lower_name, arguments, "buckets", "2147483647", function.offset));
      }
      function.column = NewColumn(types::Integer(), false);
      break;
    case WindowFunctionKind::kOffset: {
      function.offset = 1;
      if (arguments.size() > 1) {
        ARROW_ASSIGN_OR_RAISE(function.offset, ConstantArgument(lower_name, arguments, 1, "offset", eval));
      }
      if (lower_name == "lag") function.offset = -function.offset;
      const types::DataTypePtr& type = arguments[0]->type();
      ExpressionPtr fallback = arguments.size() > 2 ? arguments[2] : Literal::Null(type);
      if (!expression::CanImplicitCast(fallback->type(), type)) {
        return UserError("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
                         {{"sqlExpr", QuoteSqlExpression(CallText(lower_name, arguments))},
                          {"paramIndex", "third"},
                          {"requiredType", QuoteSqlType(type->Sql())},
                          {"inputSql", QuoteSqlExpression(fallback->Sql(true))},
                          {"inputType", QuoteSqlType(fallback->type()->Sql())}});
      }
      fallback = expression::ImplicitCast(fallback, type);
      function.arguments = {arguments[0], fallback};
      function.column = NewColumn(type, arguments[0]->nullable() || fallback->nullable());
      break;
    }
    case WindowFunctionKind::kNthValue: {
      ARROW_ASSIGN_OR_RAISE(function.offset, ConstantArgument(lower_name, arguments, 1, "offset", eval));
      ARROW_RETURN_NOT_OK(CheckPositive(lower_name, arguments, "`offset`", "9223372036854775807", function.offset));
      function.arguments = {arguments[0]};
      function.column = NewColumn(arguments[0]->type(), true);
      break;
    }
    default:
      function.column = NewColumn(types::Integer(), false);
      break;
  }
  return function;
}

ExpressionPtr WindowFunctions::Add(WindowSpec spec, WindowFunction function, const std::string& text) {
  for (const Call& call : calls_) {
    if (SameSpec(call.spec, spec) && SameFunction(call.function, function)) return call.function.column;
  }
  const AttributePtr& unnamed = function.column;
  function.column = std::make_shared<AttributeReference>(unnamed->id(), OverText(text, spec, function), unnamed->type(),
                                                         unnamed->nullable());
  calls_.push_back({std::move(spec), std::move(function), text});
  return calls_.back().function.column;
}

bool WindowFunctions::ContainsAggregates() const {
  auto aggregates = [](const ExpressionPtr& value) {
    return expression::Contains(*value, ExpressionKind::kAggregateCall);
  };
  for (const Call& call : calls_) {
    for (const ExpressionPtr& key : call.spec.partition) {
      if (aggregates(key)) return true;
    }
    for (const expression::SortOrder& order : call.spec.order) {
      if (aggregates(order.child)) return true;
    }
    for (const ExpressionPtr& argument : call.function.arguments) {
      bool inner = std::any_of(argument->children().begin(), argument->children().end(), aggregates);
      if (inner || (call.function.kind != WindowFunctionKind::kAggregate && aggregates(argument))) return true;
    }
  }
  return false;
}

bool WindowFunctions::ReadsAny(const expression::Expression& expression) const {
  std::vector<expression::AttributeId> ids = expression::References(expression);
  return std::any_of(calls_.begin(), calls_.end(), [&](const Call& call) {
    return std::find(ids.begin(), ids.end(), call.function.column->id()) != ids.end();
  });
}

void WindowFunctions::Rewrite(const std::function<ExpressionPtr(const ExpressionPtr&)>& rewrite) {
  for (Call& call : calls_) {
    for (ExpressionPtr& key : call.spec.partition) key = rewrite(key);
    for (expression::SortOrder& order : call.spec.order) order.child = rewrite(order.child);
    for (FrameBound* bound : {&call.function.frame.lower, &call.function.frame.upper}) {
      if (bound->key != nullptr) bound->key = rewrite(bound->key);
    }
    for (ExpressionPtr& argument : call.function.arguments) {
      if (call.function.kind != WindowFunctionKind::kAggregate) {
        argument = rewrite(argument);
        continue;
      }
      ExpressionVector children;
      for (const ExpressionPtr& child : argument->children()) children.push_back(rewrite(child));
      argument = argument->WithChildren(std::move(children));
    }
  }
}

arrow::Result<PlanPtr> WindowFunctions::Apply(PlanPtr input) const {
  std::shared_ptr<const arrow::Status> refused;
  if (!calls_.empty() && input->is_streaming()) {
    const Call& call = calls_[0];
    auto upper = [](std::string text) {
      std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
      return text;
    };
    // Told when the query starts: other operations of it may be refused before.
    refused =
        std::make_shared<arrow::Status>(UserError("NON_TIME_WINDOW_NOT_SUPPORTED_IN_STREAMING",
                                                  {{"windowFunc", upper(call.text)},
                                                   {"columnName", QuoteIdentifier(call.function.column->name())},
                                                   {"windowSpec", upper(SpecText(call.spec, call.function, false))}}));
  }
  std::vector<bool> done(calls_.size(), false);
  for (size_t i = 0; i < calls_.size(); ++i) {
    if (done[i]) continue;
    std::vector<WindowFunction> functions;
    for (size_t j = i; j < calls_.size(); ++j) {
      if (done[j] || !SameSpec(calls_[i].spec, calls_[j].spec)) continue;
      functions.push_back(calls_[j].function);
      done[j] = true;
    }
    logical::WindowSpec spec = calls_[i].spec;
    spec.refused_in_streams = refused;
    input = std::make_shared<logical::Window>(std::move(spec), std::move(functions), std::move(input));
  }
  return input;
}

}  // namespace millrace::analyzer
