#include "base/error.h"
#include "format/xml/xml_encoder.h"
#include "function/pooled_kernel.h"
#include "function/scalar/json/json_arguments.h"

namespace millrace::function {

using types::TypeId;

namespace {

arrow::Result<ExpressionPtr> Bind(const BindInput& input) {
  BindInput shown = WithFirstArgumentOnly(input);
  ARROW_ASSIGN_OR_RAISE(format::OptionMap given, BindOptions(input, 1));
  const ExpressionPtr& value = input.arguments[0];
  if (value->type()->id() == TypeId::kVariant) return arrow::Status::NotImplemented("to_xml of a VARIANT");
  if (value->type()->id() != TypeId::kStruct) return UnexpectedInputType(shown, 0, QuoteSqlType("STRUCT"));
  ARROW_ASSIGN_OR_RAISE(format::XmlOptions options,
                        format::XmlOptions::Parse(given, {.time_zone = input.context.time_zone}));
  ARROW_RETURN_NOT_OK(format::XmlEncoder::Make(value->type(), options));
  auto info = std::make_shared<CallInfo>();
  info->name = input.def.name;
  info->style = CallStyle::kCustom;
  info->render = RenderFirstArgument(info->name);
  info->can_fail = true;
  info->kernel = EncodingKernel<format::XmlEncoder>(
      [type = value->type(), options](arrow::MemoryPool*) { return format::XmlEncoder::Make(type, options); });
  return std::make_shared<Call>(std::move(info), types::String(), /*nullable=*/true,
                                ExpressionVector{value, OptionsLiteral(given)});
}

}  // namespace

extern const FunctionDef kToXml{
    .name = "to_xml",
    .family = "xml",
    .description = "Writes a struct as an XML element.",
    .example = "to_xml(named_struct('a', 1))",
    .example_result = "<ROW>\n    <a>1</a>\n</ROW>",
    .min_arguments = 1,
    .max_arguments = 2,
    .bind = Bind,
};

}  // namespace millrace::function
