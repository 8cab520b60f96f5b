#include "base/error.h"
#include "format/protobuf/protobuf_encoder.h"
#include "function/pooled_kernel.h"
#include "function/scalar/json/json_arguments.h"
#include "function/scalar/protobuf/protobuf_arguments.h"

namespace millrace::function {

namespace {

arrow::Result<ExpressionPtr> Bind(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(ProtobufArguments arguments, BindProtobufArguments(input));
  const ExpressionPtr& value = input.arguments[0];
  auto make = [type = value->type(), descriptors = arguments.descriptors, name = arguments.message_name] {
    return format::ProtobufEncoder::Make(type, descriptors, name);
  };
  ARROW_RETURN_NOT_OK(make().status());
  auto info = std::make_shared<CallInfo>();
  info->name = input.def.name;
  info->style = CallStyle::kCustom;
  info->render = RenderFirstArgument(std::string(input.def.name));
  info->can_fail = true;
  info->kernel = EncodingKernel<format::ProtobufEncoder>([make](arrow::MemoryPool*) { return make(); });
  return std::make_shared<Call>(std::move(info), types::Binary(), value->nullable(), std::move(arguments.kept));
}

}  // namespace

extern const FunctionDef kToProtobuf{
    .name = "to_protobuf",
    .family = "protobuf",
    .description = "Writes structs in Protocol Buffers' wire format, by a descriptor set: its bytes, or its file.",
    .example =
        "hex(to_protobuf(named_struct('a', 5), 'P', "
        "X'0A240A07702E70726F746F22110A0150120C0A0161180120012805520161620670726F746F33'))",
    .example_result = "0805",
    .min_arguments = 2,
    .max_arguments = 4,
    .bind = Bind,
};

}  // namespace millrace::function
