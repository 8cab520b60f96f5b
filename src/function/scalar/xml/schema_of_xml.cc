#include "base/error.h"
#include "format/xml/xml_infer_schema.h"
#include "function/scalar/json/json_arguments.h"

namespace millrace::function {

using types::TypeId;

namespace {

arrow::Result<ExpressionPtr> Bind(const BindInput& input) {
  BindInput shown = WithFirstArgumentOnly(input);
  const ExpressionPtr& text = input.arguments[0];
  if (!text->foldable()) {
    return UserError("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", {{"sqlExpr", QuoteSqlExpression(CallSql(shown))},
                                                              {"inputName", QuoteIdentifier("xml")},
                                                              {"inputType", QuoteSqlType("STRING")},
                                                              {"inputExpr", QuoteSqlExpression(text->Sql(true))}});
  }
  ARROW_ASSIGN_OR_RAISE(auto scalar, expression::EvaluateFoldable(*text, input.context));
  if (!scalar->is_valid) {
    return UserError("DATATYPE_MISMATCH.UNEXPECTED_NULL",
                     {{"sqlExpr", QuoteSqlExpression(CallSql(shown))}, {"exprName", "xml"}});
  }
  if (text->type()->id() != TypeId::kString) return UnexpectedInputType(shown, 0, QuoteSqlType("STRING"));
  ARROW_ASSIGN_OR_RAISE(format::OptionMap given, BindOptions(input, 1));
  ARROW_ASSIGN_OR_RAISE(format::XmlOptions options,
                        format::XmlOptions::Parse(given, {.time_zone = input.context.time_zone}));
  ARROW_ASSIGN_OR_RAISE(DataTypePtr type,
                        format::InferXmlType(static_cast<const arrow::BaseBinaryScalar&>(*scalar).view(), options,
                                             input.context.case_sensitive));
  if (type == nullptr) type = types::Struct({{options.corrupt_record_column, types::String()}});
  type = format::CanonicalXmlType(type);
  auto schema = std::make_shared<arrow::StringScalar>(type == nullptr ? "STRUCT<>" : type->Sql());
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

extern const FunctionDef kSchemaOfXml{
    .name = "schema_of_xml",
    .family = "xml",
    .description = "The schema of an XML element, in DDL.",
    .example = "schema_of_xml('<p><a>1</a><b>x</b></p>')",
    .example_result = "STRUCT<a: BIGINT, b: STRING>",
    .min_arguments = 1,
    .max_arguments = 2,
    .bind = Bind,
};

}  // namespace millrace::function
