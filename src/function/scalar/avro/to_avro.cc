#include "base/error.h"
#include "format/avro/avro_encoder.h"
#include "format/avro/avro_types.h"
#include "function/pooled_kernel.h"
#include "function/scalar/avro/avro_arguments.h"

namespace millrace::function {

namespace {

arrow::Result<ExpressionPtr> Bind(const BindInput& given_input) {
  BindInput input = WithAllArguments(given_input, 2);
  const ExpressionPtr& value = input.arguments[0];
  std::string text;
  if (input.arguments.size() > 1 && input.arguments[1]->type()->id() != types::TypeId::kNull) {
    ARROW_ASSIGN_OR_RAISE(text, AvroSchemaArgument(input, 1));
  } else {
    ARROW_ASSIGN_OR_RAISE(JsonValue json, format::AvroSchemaOf(*value->type(), value->nullable()));
    text = json.ToString();
  }
  ARROW_ASSIGN_OR_RAISE(auto schema, format::AvroDocument::Parse(text));
  ARROW_RETURN_NOT_OK(format::AvroEncoder::Make(value->type(), schema).status());
  auto info = std::make_shared<CallInfo>();
  info->name = input.def.name;
  info->can_fail = true;
  info->kernel = EncodingKernel<format::AvroEncoder>(
      [type = value->type(), schema](arrow::MemoryPool*) { return format::AvroEncoder::Make(type, schema); });
  return std::make_shared<Call>(std::move(info), types::Binary(), value->nullable(), input.arguments);
}

}  // namespace

extern const FunctionDef kToAvro{
    .name = "to_avro",
    .family = "avro",
    .description = "Writes a value in Avro's binary encoding, with the schema given (JSON) or the one of its type.",
    .example = "hex(to_avro(5))",
    .example_result = "0A",
    .min_arguments = 1,
    .max_arguments = 2,
    .bind = Bind,
};

}  // namespace millrace::function
