#include "base/error.h"
#include "format/json/json_infer_schema.h"
#include "function/scalar/json/json_arguments.h"

namespace millrace::function {

using types::TypeId;

namespace {

arrow::Result<ExpressionPtr> Bind(const BindInput& input) {
  BindInput shown = WithFirstArgumentOnly(input);
  const ExpressionPtr& text = input.arguments[0];
  if (!text->foldable()) {
    return UserError("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", {{"sqlExpr", QuoteSqlExpression(CallSql(shown))},
                                                              {"inputName", QuoteIdentifier("json")},
                                                              {"inputType", QuoteSqlType("STRING")},
                                                              {"inputExpr", QuoteSqlExpression(text->Sql(true))}});
  }
  ARROW_ASSIGN_OR_RAISE(auto scalar, expression::EvaluateFoldable(*text, input.context));
  if (!scalar->is_valid) {
    return UserError("DATATYPE_MISMATCH.UNEXPECTED_NULL",
                     {{"sqlExpr", QuoteSqlExpression(CallSql(shown))}, {"exprName", "json"}});
  }
  if (text->type()->id() != TypeId::kString) return UnexpectedInputType(shown, 0, QuoteSqlType("STRING"));
  ARROW_ASSIGN_OR_RAISE(format::OptionMap given, BindOptions(input, 1));
  ARROW_ASSIGN_OR_RAISE(format::JsonOptions options,
                        format::JsonOptions::Parse(given, {.time_zone = input.context.time_zone}));
  ARROW_ASSIGN_OR_RAISE(format::JsonSchemaInference inference, format::JsonSchemaInference::Make(options));
  std::string_view record = static_cast<const arrow::BaseBinaryScalar&>(*scalar).view();
  DataTypePtr type = inference.TypeOf(record);
  if (type == nullptr) return arrow::Status::Invalid("schema_of_json: the text is no well-formed JSON: ", record);
  // As the data source: a struct whose fields are all dropped is still a struct.
  DataTypePtr result;
  if (type->id() == TypeId::kStruct) {
    result = inference.Canonical(type);
    if (result == nullptr) result = types::Struct({});
  } else if (type->id() == TypeId::kArray && type->element()->id() == TypeId::kStruct) {
    result = inference.Canonical(type->element());
    result = types::Array(result == nullptr ? types::Struct({}) : result, type->contains_null());
  } else {
    result = inference.Canonical(type);
    if (result == nullptr) result = types::String();
  }
  auto schema = std::make_shared<arrow::StringScalar>(result->Sql());
  auto info = std::make_shared<CallInfo>();
  info->name = input.def.name;
  info->style = CallStyle::kCustom;
  info->render = RenderFirstArgument(info->name);
  info->kernel = [schema](const EvalContext&, const std::vector<arrow::Datum>&,
                          int64_t) -> arrow::Result<arrow::Datum> {
    return arrow::Datum(std::static_pointer_cast<arrow::Scalar>(schema));
  };
  return std::make_shared<Call>(std::move(info), types::String(), /*nullable=*/false,
                                ExpressionVector{text, OptionsLiteral(given)});
}

}  // namespace

extern const FunctionDef kSchemaOfJson{
    .name = "schema_of_json",
    .family = "json",
    .description = "The schema of a JSON text, in DDL.",
    .example = "schema_of_json('[{\"col\":0}]')",
    .example_result = "ARRAY<STRUCT<col: BIGINT>>",
    .min_arguments = 1,
    .max_arguments = 2,
    .bind = Bind,
};

}  // namespace millrace::function
