#include "function/sketch/sketch_arguments.h"

#include <algorithm>

#include "base/error.h"
#include "expression/type_coercion.h"

namespace millrace::function {

namespace {

constexpr int kMinLog2Size = 4, kMaxLog2Size = 26;

// An error of a value while the call is bound: what Spark's check of argument types makes of it.
arrow::Status TypeCheckFailure(const BindInput& input, const arrow::Status& error) {
  std::string message = error.message();
  return UserError("DATATYPE_MISMATCH.TYPE_CHECK_FAILURE_WITH_HINT",
                   {{"sqlExpr", QuoteSqlExpression(CallSql(input))}, {"msg", message}, {"hint", ""}});
}

// Errors: UserError DATATYPE_MISMATCH.NON_FOLDABLE_INPUT, DATATYPE_MISMATCH.UNEXPECTED_NULL.
arrow::Result<std::shared_ptr<arrow::Scalar>> Constant(const BindInput& input, size_t index, const char* name,
                                                       const DataTypePtr& type) {
  const ExpressionPtr& argument = input.arguments[index];
  if (!expression::CanImplicitCast(argument->type(), type)) {
    return UnexpectedInputType(input, index, QuoteSqlType(type->Sql()));
  }
  ExpressionPtr value = expression::ImplicitCast(argument, type);
  if (!value->foldable()) {
    return UserError("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                                                              {"inputName", name},
                                                              {"inputType", type->SimpleString()},
                                                              {"inputExpr", argument->Sql(false)}});
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Scalar> scalar, expression::EvaluateFoldable(*value, input.context));
  if (!scalar->is_valid) {
    return UserError("DATATYPE_MISMATCH.UNEXPECTED_NULL",
                     {{"sqlExpr", QuoteSqlExpression(CallSql(input))}, {"exprName", name}});
  }
  return scalar;
}

}  // namespace

SummaryKind SummaryKindOf(std::string_view function) {
  return function.ends_with("_double")    ? SummaryKind::kDouble
         : function.ends_with("_integer") ? SummaryKind::kInteger
                                          : SummaryKind::kNone;
}

BindInput WithDefaults(const BindInput& input, size_t num_parameters, const ExpressionVector& defaults) {
  BindInput full = input;
  size_t first_default = num_parameters - defaults.size();
  for (size_t i = full.arguments.size(); i < num_parameters && i >= first_default; ++i) {
    full.arguments.push_back(defaults[i - first_default]);
  }
  return full;
}

bool SomeNullable(const BindInput& input) {
  return std::any_of(input.arguments.begin(), input.arguments.end(),
                     [](const ExpressionPtr& argument) { return argument->nullable(); });
}

arrow::Status CheckExactType(const BindInput& input, size_t index, const DataTypePtr& type) {
  types::TypeId id = input.arguments[index]->type()->id();
  if (id == type->id() || id == types::TypeId::kNull) return arrow::Status::OK();
  return UnexpectedInputType(input, index, QuoteSqlType(type->Sql()));
}

arrow::Status CheckLog2Size(std::string_view function, int64_t log2_size) {
  if (log2_size >= kMinLog2Size && log2_size <= kMaxLog2Size) return arrow::Status::OK();
  return UserError("SKETCH_INVALID_LG_NOM_ENTRIES", {{"function", QuoteIdentifier(function)},
                                                     {"min", std::to_string(kMinLog2Size)},
                                                     {"max", std::to_string(kMaxLog2Size)},
                                                     {"value", std::to_string(log2_size)}});
}

arrow::Result<int> TupleLog2Size(const BindInput& input, size_t index) {
  ARROW_ASSIGN_OR_RAISE(auto scalar, Constant(input, index, "lgNomEntries", types::Integer()));
  int log2_size = static_cast<const arrow::Int32Scalar&>(*scalar).value;
  arrow::Status valid = CheckLog2Size(input.name, log2_size);
  if (!valid.ok()) return TypeCheckFailure(input, valid);
  return log2_size;
}

arrow::Result<SummaryMode> TupleMode(const BindInput& input, size_t index) {
  ARROW_ASSIGN_OR_RAISE(auto scalar, Constant(input, index, "mode", types::String()));
  std::string text(static_cast<const arrow::BaseBinaryScalar&>(*scalar).view());
  std::optional<SummaryMode> mode = ParseSummaryMode(text);
  if (mode) return *mode;
  return TypeCheckFailure(input, UserError("TUPLE_INVALID_SKETCH_MODE", {{"function", QuoteIdentifier(input.name)},
                                                                         {"mode", text},
                                                                         {"validModes", "sum, min, max, alwaysone"}}));
}

arrow::Result<HashSketch> ParseSketch(std::string_view function, std::string_view bytes, SummaryKind kind) {
  arrow::Result<HashSketch> sketch = HashSketch::Parse(bytes, kind);
  if (sketch.ok()) return sketch;
  bool tuple = kind != SummaryKind::kNone;
  std::string condition = tuple ? "TUPLE_INVALID_INPUT_SKETCH_BUFFER" : "THETA_INVALID_INPUT_SKETCH_BUFFER";
  std::string_view expected = tuple ? "TUPLE" : "COMPACT", actual = HashSketch::FamilyOf(bytes);
  if (!actual.empty() && actual != expected) {
    return UserError(condition + "_FAMILY", {{"function", QuoteIdentifier(function)},
                                             {"expectedFamily", std::string(expected)},
                                             {"actualFamily", std::string(actual)}});
  }
  return UserError(condition, {{"function", QuoteIdentifier(function)}});
}

}  // namespace millrace::function
