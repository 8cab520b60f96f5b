#include "base/error.h"
#include "format/csv/csv_encoder.h"
#include "function/pooled_kernel.h"
#include "function/scalar/json/json_arguments.h"

namespace millrace::function {

using types::TypeId;

namespace {

arrow::Result<ExpressionPtr> Bind(const BindInput& input) {
  BindInput shown = WithFirstArgumentOnly(input);
  ARROW_ASSIGN_OR_RAISE(format::OptionMap given, BindOptions(input, 1));
  const ExpressionPtr& value = input.arguments[0];
  bool is_record = value->type()->id() == TypeId::kStruct || value->type()->id() == TypeId::kNull;
  if (!is_record || value->type()->Holds(TypeId::kVariant)) {
    return UserError("DATATYPE_MISMATCH.UNSUPPORTED_INPUT_TYPE", {{"sqlExpr", QuoteSqlExpression(CallSql(shown))},
                                                                  {"functionName", QuoteIdentifier("to_csv")},
                                                                  {"dataType", QuoteSqlType(value->type()->Sql())}});
  }
  ARROW_ASSIGN_OR_RAISE(format::CsvOptions options,
                        format::CsvOptions::Parse(given, {.time_zone = input.context.time_zone}));
  auto info = std::make_shared<CallInfo>();
  info->name = input.def.name;
  info->style = CallStyle::kCustom;
  info->render = RenderFirstArgument(info->name);
  if (value->type()->id() == TypeId::kNull) {
    info->kernel = [](const EvalContext&, const std::vector<arrow::Datum>&, int64_t) -> arrow::Result<arrow::Datum> {
      return arrow::Datum(arrow::MakeNullScalar(arrow::utf8()));
    };
    return std::make_shared<Call>(std::move(info), types::String(), /*nullable=*/true,
                                  ExpressionVector{value, OptionsLiteral(given)});
  }
  ARROW_RETURN_NOT_OK(format::CsvEncoder::Make(value->type(), options));
  info->kernel = EncodingKernel<format::CsvEncoder>(
      [type = value->type(), options](arrow::MemoryPool*) { return format::CsvEncoder::Make(type, options); });
  return std::make_shared<Call>(std::move(info), types::String(), /*nullable=*/true,
                                ExpressionVector{value, OptionsLiteral(given)});
}

}  // namespace

extern const FunctionDef kToCsv{
    .name = "to_csv",
    .family = "csv",
    .description = "Writes a struct as a CSV record.",
    .example = "to_csv(named_struct('a', 1, 'b', 2))",
    .example_result = "1,2",
    .min_arguments = 1,
    .max_arguments = 2,
    .bind = Bind,
};

}  // namespace millrace::function
