#include "base/error.h"
#include "format/xml/xml_decoder.h"
#include "function/pooled_kernel.h"
#include "function/scalar/json/json_arguments.h"

namespace millrace::function {

using types::TypeId;

namespace {

arrow::Result<ExpressionPtr> Bind(const BindInput& input) {
  BindInput shown = WithFirstArgumentOnly(input);
  ARROW_ASSIGN_OR_RAISE(DataTypePtr schema, BindSchema(input, 1));
  if (schema->id() != TypeId::kStruct) {
    return UserError("DATATYPE_MISMATCH.INVALID_XML_SCHEMA",
                     {{"sqlExpr", QuoteSqlExpression(CallSql(shown))}, {"schema", QuoteSqlType(schema->Sql())}});
  }
  ARROW_ASSIGN_OR_RAISE(format::OptionMap given, BindOptions(input, 2));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr text, BindText(shown, 0));
  ARROW_ASSIGN_OR_RAISE(format::XmlOptions options,
                        format::XmlOptions::Parse(given, {.time_zone = input.context.time_zone}));
  if (options.mode == format::ParseMode::kDropMalformed) {
    return UserError("PARSE_MODE_UNSUPPORTED", {{"funcName", QuoteIdentifier("from_xml")}, {"mode", "DROPMALFORMED"}});
  }
  schema = types::AsNullable(schema);
  format::XmlDecoderConfig config{
      .schema = schema, .options = std::move(options), .case_sensitive = input.context.case_sensitive};
  ARROW_RETURN_NOT_OK(format::XmlDecoder::Make(config, arrow::default_memory_pool()));
  auto info = std::make_shared<CallInfo>();
  info->name = input.def.name;
  info->style = CallStyle::kCustom;
  info->render = RenderFirstArgument(info->name);
  info->can_fail = config.options.mode == format::ParseMode::kFailFast;
  info->kernel = PooledKernel<format::XmlDecoder>(
      [config](arrow::MemoryPool* memory) { return format::XmlDecoder::Make(config, memory); },
      [](format::XmlDecoder& decoder, const arrow::Array& records, arrow::MemoryPool*) {
        return decoder.Decode(records);
      });
  ExpressionVector arguments{std::move(text), expression::Literal::String(schema->ToJson()), OptionsLiteral(given)};
  return std::make_shared<Call>(std::move(info), std::move(schema), /*nullable=*/true, std::move(arguments));
}

}  // namespace

extern const FunctionDef kFromXml{
    .name = "from_xml",
    .family = "xml",
    .description = "Reads XML elements into structs of the given schema.",
    .example = "from_xml('<p><a>1</a><b>0.8</b></p>', 'a INT, b DOUBLE')",
    .example_result = "{1, 0.8}",
    .min_arguments = 2,
    .max_arguments = 3,
    .bind = Bind,
};

}  // namespace millrace::function
