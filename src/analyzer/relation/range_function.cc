#include "analyzer/relation/range_function.h"

#include "base/error.h"
#include "expression/cast.h"
#include "function/bind.h"
#include "spark/connect/relations.pb.h"

namespace millrace::analyzer {

namespace {

struct Parameter {
  const char* name;
  /// In messages.
  const char* place;
};
constexpr Parameter kParameters[] = {{"start", "first"}, {"end", "second"}, {"step", "third"}, {"numSlices", "fourth"}};

// The value of one argument. The number of slices is an INT, the others are BIGINTs.
arrow::Result<int64_t> ArgumentValue(RelationResolver& resolver, const spark::connect::Expression& argument,
                                     size_t parameter) {
  const AttributeVector none;
  types::DataTypePtr type = parameter == 3 ? types::Integer() : types::Long();
  auto not_foldable = [&] {
    return UserError("NON_FOLDABLE_ARGUMENT", {{"funcName", "`range`"},
                                               {"paramName", QuoteIdentifier(kParameters[parameter].name)},
                                               {"paramType", QuoteSqlType(type->Sql())}});
  };
  if (argument.has_subquery_expression()) return not_foldable();
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, resolver.Expressions(none).Resolve(argument));
  if (!value->foldable()) return not_foldable();
  auto unexpected = [&] {
    return UserError("UNEXPECTED_INPUT_TYPE", {{"functionName", "`range`"},
                                               {"paramIndex", kParameters[parameter].place},
                                               {"requiredType", QuoteSqlType(type->Sql())},
                                               {"inputSql", QuoteSqlExpression(value->Sql(true))},
                                               {"inputType", QuoteSqlType(value->type()->Sql())}});
  };
  if (!expression::CanCast(*value->type(), *type, expression::CastMode::kAnsi)) return unexpected();
  expression::Cast cast(value, type, expression::CastMode::kAnsi, /*user_specified=*/false);
  ARROW_ASSIGN_OR_RAISE(auto scalar, expression::EvaluateFoldable(cast, resolver.context().eval));
  if (!scalar->is_valid) return unexpected();
  return parameter == 3 ? static_cast<const arrow::Int32Scalar&>(*scalar).value
                        : static_cast<const arrow::Int64Scalar&>(*scalar).value;
}

}  // namespace

arrow::Result<PlanPtr> ResolveRangeFunction(RelationResolver& resolver, const spark::connect::Relation& relation) {
  const auto& arguments = relation.unresolved_table_valued_function().arguments();
  if (arguments.empty() || arguments.size() > 4) {
    return function::WrongNumArgs("range", "[1, 2, 3, 4]", static_cast<size_t>(arguments.size()));
  }
  // One argument is the end.
  const size_t first = arguments.size() == 1 ? 1 : 0;
  int64_t values[] = {0, 0, 1, 0};
  for (int i = 0; i < arguments.size(); ++i) {
    size_t parameter = first + static_cast<size_t>(i);
    ARROW_ASSIGN_OR_RAISE(values[parameter], ArgumentValue(resolver, arguments[i], parameter));
  }
  if (values[2] == 0) return UserError("FAILED_FUNCTION_CALL", {{"funcName", "`range`"}});
  spark::connect::Relation range;
  range.mutable_range()->set_start(values[0]);
  range.mutable_range()->set_end(values[1]);
  range.mutable_range()->set_step(values[2]);
  if (arguments.size() > 3) range.mutable_range()->set_num_partitions(static_cast<int32_t>(values[3]));
  return ResolveRange(resolver, range);
}

}  // namespace millrace::analyzer
