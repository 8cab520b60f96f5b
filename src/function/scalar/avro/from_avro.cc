#include "base/error.h"
#include "expression/type_coercion.h"
#include "format/avro/avro_decoder.h"
#include "format/avro/avro_options.h"
#include "function/pooled_kernel.h"
#include "function/scalar/avro/avro_arguments.h"

namespace millrace::function {

using types::TypeId;

namespace {

/// Values that are malformed are NULL, or a struct of NULLs, or an error.
arrow::Result<std::shared_ptr<arrow::Array>> Decode(const arrow::Array& values, bool fail_fast,
                                                    format::AvroDecoder& decoder) {
  const auto& records = static_cast<const arrow::BinaryArray&>(values);
  for (int64_t i = 0; i < records.length(); ++i) {
    if (records.IsNull(i)) {
      decoder.AppendNull();
      continue;
    }
    format::AvroCursor cursor(records.GetView(i));
    if (decoder.Append(&cursor)) continue;
    if (fail_fast) {
      std::string cause = decoder.error();
      ARROW_RETURN_NOT_OK(decoder.Finish().status());
      return arrow::Status::Invalid(
          "Malformed records are detected in record parsing. Current parse Mode: FAILFAST. To process malformed "
          "records as "
          "null result, try setting the option 'mode' as 'PERMISSIVE'. (",
          cause, ")");
    }
    decoder.AppendMalformed();
  }
  return decoder.Finish();
}

arrow::Result<ExpressionPtr> Bind(const BindInput& given_input) {
  BindInput input = WithAllArguments(given_input, 3);
  ARROW_ASSIGN_OR_RAISE(std::string text, AvroSchemaArgument(input, 1));
  ARROW_ASSIGN_OR_RAISE(format::OptionMap given, AvroOptionsArgument(input, 2));
  if (input.arguments[0]->type()->id() != TypeId::kBinary && input.arguments[0]->type()->id() != TypeId::kNull) {
    return UnexpectedInputType(input, 0, QuoteSqlType("BINARY"));
  }
  ExpressionPtr bytes = expression::ImplicitCast(input.arguments[0], types::Binary());
  ARROW_ASSIGN_OR_RAISE(format::AvroOptions options, format::AvroOptions::Parse(given));
  if (options.mode == format::ParseMode::kDropMalformed) {
    return UserError("PARSE_MODE_UNSUPPORTED", {{"funcName", QuoteIdentifier("from_avro")}, {"mode", "DROPMALFORMED"}});
  }
  ARROW_ASSIGN_OR_RAISE(auto writer, format::AvroDocument::Parse(text));
  auto reader = options.schema == nullptr ? writer : options.schema;
  ARROW_ASSIGN_OR_RAISE(format::AvroSparkType spark, format::SparkTypeOf(reader->root(), options.types));
  bool fail_fast = options.mode == format::ParseMode::kFailFast;
  DataTypePtr type = fail_fast ? spark.type : types::AsNullable(spark.type);
  format::AvroDecoderConfig config{.writer = writer, .reader = reader, .type = type, .case_sensitive = true};
  if (arrow::Status made = format::AvroDecoder::Make(config, arrow::default_memory_pool()).status(); !made.ok())
    return made;

  auto info = std::make_shared<CallInfo>();
  info->name = input.def.name;
  info->can_fail = fail_fast;
  info->kernel = PooledKernel<format::AvroDecoder>(
      [config](arrow::MemoryPool* memory) { return format::AvroDecoder::Make(config, memory); },
      [fail_fast](format::AvroDecoder& decoder, const arrow::Array& records, arrow::MemoryPool*) {
        return Decode(records, fail_fast, decoder);
      });
  ExpressionVector arguments = input.arguments;
  arguments[0] = std::move(bytes);
  return std::make_shared<Call>(std::move(info), std::move(type), /*nullable=*/true, std::move(arguments));
}

}  // namespace

extern const FunctionDef kFromAvro{
    .name = "from_avro",
    .family = "avro",
    .description = "Reads Avro's binary encoding of the given schema (JSON).",
    .example = R"(from_avro(X'0a', '{"type":"int"}'))",
    .example_result = "5",
    .min_arguments = 2,
    .max_arguments = 3,
    .bind = Bind,
};

}  // namespace millrace::function
