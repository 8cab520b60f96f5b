#include "base/error.h"
#include "format/json/json_encoder.h"
#include "function/pooled_kernel.h"
#include "function/scalar/json/json_arguments.h"

namespace millrace::function {

using types::TypeId;

namespace {

arrow::Result<ExpressionPtr> Bind(const BindInput& input) {
  BindInput shown = WithFirstArgumentOnly(input);
  ARROW_ASSIGN_OR_RAISE(format::OptionMap given, BindOptions(input, 1));
  const ExpressionPtr& value = input.arguments[0];
  TypeId id = value->type()->id();
  bool has_json = id == TypeId::kStruct || id == TypeId::kArray || id == TypeId::kMap || id == TypeId::kVariant;
  if (!has_json && id != TypeId::kNull) {
    return UserError("DATATYPE_MISMATCH.INVALID_JSON_SCHEMA",
                     {{"sqlExpr", QuoteSqlExpression(CallSql(shown))}, {"schema", QuoteSqlType(value->type()->Sql())}});
  }
  ARROW_ASSIGN_OR_RAISE(format::JsonOptions options,
                        format::JsonOptions::Parse(given, {.time_zone = input.context.time_zone}));
  auto info = std::make_shared<CallInfo>();
  info->name = input.def.name;
  info->style = CallStyle::kCustom;
  info->render = RenderFirstArgument(info->name);
  if (id == TypeId::kNull) {
    info->kernel = [](const EvalContext&, const std::vector<arrow::Datum>&, int64_t) -> arrow::Result<arrow::Datum> {
      return arrow::Datum(arrow::MakeNullScalar(arrow::utf8()));
    };
  } else {
    // Bad patterns are told here, not at the first row.
    ARROW_RETURN_NOT_OK(format::JsonEncoder::Make(value->type(), options));
    info->kernel = EncodingKernel<format::JsonEncoder>(
        [type = value->type(), options](arrow::MemoryPool*) { return format::JsonEncoder::Make(type, options); });
  }
  return std::make_shared<Call>(std::move(info), types::String(), /*nullable=*/true,
                                ExpressionVector{value, OptionsLiteral(given)});
}

}  // namespace

extern const FunctionDef kToJson{
    .name = "to_json",
    .family = "json",
    .description = "Writes a struct, array, map or variant as JSON text.",
    .example = "to_json(named_struct('a', 1, 'b', 2))",
    .example_result = "{\"a\":1,\"b\":2}",
    .min_arguments = 1,
    .max_arguments = 2,
    .bind = Bind,
};

}  // namespace millrace::function
