#include "base/error.h"
#include "expression/type_coercion.h"
#include "format/protobuf/protobuf_decoder.h"
#include "function/pooled_kernel.h"
#include "function/scalar/json/json_arguments.h"
#include "function/scalar/protobuf/protobuf_arguments.h"

namespace millrace::function {

using types::TypeId;

namespace {

/// Messages that are malformed are NULL, or an error.
arrow::Result<std::shared_ptr<arrow::Array>> Decode(const arrow::Array& values, bool fail_fast,
                                                    format::ProtobufDecoder& decoder) {
  const auto& messages = static_cast<const arrow::BinaryArray&>(values);
  for (int64_t i = 0; i < messages.length(); ++i) {
    if (messages.IsNull(i)) {
      decoder.AppendNull();
      continue;
    }
    if (decoder.Append(messages.GetView(i))) continue;
    if (fail_fast) {
      ARROW_RETURN_NOT_OK(decoder.Finish().status());
      return UserError("MALFORMED_PROTOBUF_MESSAGE", {{"failFastMode", "FAILFAST"}});
    }
    decoder.AppendNull();
  }
  return decoder.Finish();
}

arrow::Result<ExpressionPtr> Bind(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(ProtobufArguments arguments, BindProtobufArguments(input));
  if (input.arguments[0]->type()->id() != TypeId::kBinary && input.arguments[0]->type()->id() != TypeId::kNull) {
    return UnexpectedInputType(WithFirstArgumentOnly(input), 0, QuoteSqlType("BINARY"));
  }
  ARROW_ASSIGN_OR_RAISE(auto options, format::ProtobufOptions::Parse(arguments.options));
  if (options.mode == format::ParseMode::kDropMalformed) {
    return UserError("PARSE_MODE_UNSUPPORTED",
                     {{"funcName", QuoteIdentifier("from_protobuf")}, {"mode", "DROPMALFORMED"}});
  }
  ARROW_ASSIGN_OR_RAISE(auto schema, format::BindProtobuf(arguments.descriptors, arguments.message_name, options));
  bool fail_fast = options.mode == format::ParseMode::kFailFast;
  DataTypePtr type = fail_fast ? schema.type : types::AsNullable(schema.type);

  auto info = std::make_shared<CallInfo>();
  info->name = input.def.name;
  info->style = CallStyle::kCustom;
  info->render = RenderFirstArgument(std::string(input.def.name));
  info->can_fail = fail_fast;
  info->kernel = PooledKernel<format::ProtobufDecoder>(
      [schema, options, type](arrow::MemoryPool* memory) -> arrow::Result<std::unique_ptr<format::ProtobufDecoder>> {
        return std::make_unique<format::ProtobufDecoder>(schema, options, type, memory);
      },
      [fail_fast](format::ProtobufDecoder& decoder, const arrow::Array& records, arrow::MemoryPool*) {
        return Decode(records, fail_fast, decoder);
      });
  arguments.kept[0] = expression::ImplicitCast(input.arguments[0], types::Binary());
  return std::make_shared<Call>(std::move(info), std::move(type), /*nullable=*/true, std::move(arguments.kept));
}

}  // namespace

extern const FunctionDef kFromProtobuf{
    .name = "from_protobuf",
    .family = "protobuf",
    .description = "Reads messages in Protocol Buffers' wire format, by a descriptor set: its bytes, or its file.",
    .example =
        "from_protobuf(X'0805', 'P', X'0A240A07702E70726F746F22110A0150120C0A0161180120012805520161620670726F746F33')",
    .example_result = "{5}",
    .min_arguments = 2,
    .max_arguments = 4,
    .bind = Bind,
};

}  // namespace millrace::function
