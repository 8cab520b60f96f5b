#include "function/scalar/variant/variant_get.h"

#include "base/error.h"
#include "expression/type_coercion.h"
#include "expression/variant_column.h"
#include "function/scalar/json/json_arguments.h"
#include "types/arrow_type.h"
#include "variant/path.h"

namespace millrace::function {

using expression::VariantColumn;
using types::TypeId;

namespace {

arrow::Result<variant::Path> PathOf(std::string_view text, const std::string& function) {
  std::optional<variant::Path> path = variant::ParsePath(text);
  if (path) return std::move(*path);
  return UserError("INVALID_VARIANT_GET_PATH",
                   {{"path", std::string(text)}, {"functionName", QuoteIdentifier(function)}});
}

arrow::Result<arrow::Datum> Extract(const EvalContext& context, const std::vector<arrow::Datum>& arguments,
                                    int64_t num_rows, const types::DataType& type, const std::string& function,
                                    bool raises) {
  ARROW_ASSIGN_OR_RAISE(VariantColumn column, VariantColumn::Make(arguments[0], context.memory_pool));
  expression::StringColumn paths(arguments[1]);
  bool one_path = arguments[1].is_scalar() && !paths.IsNull(0);
  variant::Path path;
  if (one_path) {
    ARROW_ASSIGN_OR_RAISE(path, PathOf(paths[0], function));
  }
  expression::VariantItems items(static_cast<size_t>(num_rows));
  for (int64_t i = 0; i < num_rows; ++i) {
    if (column.IsNull(i) || paths.IsNull(i)) continue;
    if (!one_path) {
      ARROW_ASSIGN_OR_RAISE(path, PathOf(paths[i], function));
    }
    ARROW_ASSIGN_OR_RAISE(variant::Variant root, column[i]);
    ARROW_ASSIGN_OR_RAISE(items[static_cast<size_t>(i)], variant::Follow(root, path));
  }
  ARROW_ASSIGN_OR_RAISE(auto values, expression::VariantsAs(context, items, type, raises));
  return arrow::Datum(std::move(values));
}

arrow::Result<ExpressionPtr> BindGet(const BindInput& input, bool raises) {
  BindInput shown = input;
  shown.arguments.resize(2);
  ExpressionVector arguments(2);
  ARROW_ASSIGN_OR_RAISE(arguments[0], ExactArgument(shown, 0, types::Variant()));
  ARROW_ASSIGN_OR_RAISE(arguments[1], ExactArgument(shown, 1, types::String()));
  DataTypePtr type = types::Variant();
  if (input.arguments.size() == 3) {
    ARROW_ASSIGN_OR_RAISE(type, BindSchema(input, 2));
    type = types::AsNullable(type);
    if (!expression::CanBeVariant(*type, /*structs_and_maps=*/true)) {
      return UserError("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", {{"sqlExpr", QuoteSqlExpression(CallSql(shown))},
                                                                     {"srcType", QuoteSqlType(types::Variant()->Sql())},
                                                                     {"targetType", QuoteSqlType(type->Sql())}});
    }
  }
  return MakeVariantGet(std::move(arguments), std::move(type), std::string(input.def.name), raises);
}

}  // namespace

arrow::Result<ExpressionPtr> ExactArgument(const BindInput& input, size_t index, const DataTypePtr& type) {
  TypeId given = input.arguments[index]->type()->id();
  if (given != type->id() && given != TypeId::kNull) {
    return UnexpectedInputType(input, index, QuoteSqlType(type->Sql()));
  }
  return expression::ImplicitCast(input.arguments[index], type);
}

arrow::Result<ExpressionPtr> BindExact(const BindInput& input, const DataTypePtr& parameter, DataTypePtr result,
                                       ScalarKernel kernel, CallOptions options) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr argument, ExactArgument(input, 0, parameter));
  bool nullable = (options.may_null || argument->nullable()) && !options.never_null;
  return MakeCall(input, {std::move(argument)}, std::move(result), nullable, std::move(kernel), std::move(options));
}

ExpressionPtr MakeVariantGet(ExpressionVector arguments, DataTypePtr type, const std::string& function, bool raises) {
  auto info = std::make_shared<CallInfo>();
  info->name = function;
  info->style = CallStyle::kCustom;
  info->can_fail = true;
  info->render = [function](const std::vector<std::string>& texts) {
    return function + "(" + texts[0] + ", " + texts[1] + ")";
  };
  info->kernel = [type, function, raises](const EvalContext& context, const std::vector<arrow::Datum>& values,
                                          int64_t num_rows) {
    return expression::OneRowIfScalars({values[0], values[1]}, num_rows, [&](int64_t rows) {
      return Extract(context, values, rows, *type, function, raises);
    });
  };
  // The type is part of the expression, so that calls which differ in it are not taken for the same.
  arguments.push_back(expression::Literal::String(type->ToJson()));
  return std::make_shared<Call>(std::move(info), std::move(type), /*nullable=*/true, std::move(arguments));
}

extern const FunctionDef kVariantGet{
    .name = "variant_get",
    .family = "variant",
    .description =
        "The value at a path of a variant, cast to a type; NULL when there is none, an error when it is not "
        "of the type.",
    .example = "variant_get(parse_json('{\"a\": 1}'), '$.a', 'int')",
    .example_result = "1",
    .min_arguments = 2,
    .max_arguments = 3,
    .bind = [](const BindInput& input) { return BindGet(input, true); },
};

extern const FunctionDef kTryVariantGet{
    .name = "try_variant_get",
    .family = "variant",
    .description = "As variant_get, but NULL when the value is not of the type.",
    .example = "try_variant_get(parse_json('[1, \"hello\"]'), '$[1]', 'int')",
    .example_result = "NULL",
    .min_arguments = 2,
    .max_arguments = 3,
    .bind = [](const BindInput& input) { return BindGet(input, false); },
};

}  // namespace millrace::function
