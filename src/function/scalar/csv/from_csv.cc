#include "base/error.h"
#include "format/csv/csv_decoder.h"
#include "function/pooled_kernel.h"
#include "function/scalar/json/json_arguments.h"

namespace millrace::function {

using types::TypeId;

namespace {

arrow::Result<ExpressionPtr> Bind(const BindInput& input) {
  BindInput shown = WithFirstArgumentOnly(input);
  ARROW_ASSIGN_OR_RAISE(DataTypePtr schema, BindSchema(input, 1));
  if (schema->id() != TypeId::kStruct) {
    return UserError("INVALID_SCHEMA.NON_STRUCT_TYPE",
                     {{"inputSchema", QuoteSqlExpression(input.arguments[1]->Sql(true))},
                      {"dataType", QuoteSqlType(schema->Sql())}});
  }
  ARROW_ASSIGN_OR_RAISE(format::OptionMap given, BindOptions(input, 2));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr text, BindText(shown, 0));
  ARROW_ASSIGN_OR_RAISE(format::CsvOptions options,
                        format::CsvOptions::Parse(given, {.time_zone = input.context.time_zone}));
  if (options.mode == format::ParseMode::kDropMalformed) {
    return UserError("PARSE_MODE_UNSUPPORTED", {{"funcName", QuoteIdentifier("from_csv")}, {"mode", "DROPMALFORMED"}});
  }
  schema = types::AsNullable(schema);
  format::CsvDecoderConfig config{.schema = schema, .options = std::move(options)};
  ARROW_RETURN_NOT_OK(format::CsvDecoder::Make(config, arrow::default_memory_pool()));
  auto info = std::make_shared<CallInfo>();
  info->name = input.def.name;
  info->style = CallStyle::kCustom;
  info->render = RenderFirstArgument(info->name);
  info->can_fail = config.options.mode == format::ParseMode::kFailFast;
  info->kernel = PooledKernel<format::CsvDecoder>(
      [config](arrow::MemoryPool* memory) { return format::CsvDecoder::Make(config, memory); },
      [](format::CsvDecoder& decoder, const arrow::Array& records, arrow::MemoryPool*) {
        return decoder.Decode(records);
      });
  bool nullable = text->nullable();
  ExpressionVector arguments{std::move(text), expression::Literal::String(schema->ToJson()), OptionsLiteral(given)};
  return std::make_shared<Call>(std::move(info), std::move(schema), nullable, std::move(arguments));
}

}  // namespace

extern const FunctionDef kFromCsv{
    .name = "from_csv",
    .family = "csv",
    .description = "Reads CSV records into structs of the given schema.",
    .example = "from_csv('1, 0.8', 'a INT, b DOUBLE')",
    .example_result = "{1, 0.8}",
    .min_arguments = 2,
    .max_arguments = 3,
    .bind = Bind,
};

}  // namespace millrace::function
