#include "expression/vector.h"
#include "format/avro/avro_options.h"
#include "format/avro/avro_types.h"
#include "function/scalar/avro/avro_arguments.h"

namespace millrace::function {

namespace {

arrow::Result<ExpressionPtr> Bind(const BindInput& given_input) {
  BindInput input = WithAllArguments(given_input, 2);
  ARROW_ASSIGN_OR_RAISE(std::string text, AvroSchemaArgument(input, 0));
  ARROW_ASSIGN_OR_RAISE(format::OptionMap given, AvroOptionsArgument(input, 1));
  ARROW_ASSIGN_OR_RAISE(format::AvroOptions options, format::AvroOptions::Parse(given));
  ARROW_ASSIGN_OR_RAISE(auto schema, format::AvroDocument::Parse(text));
  ARROW_ASSIGN_OR_RAISE(format::AvroSparkType spark, format::SparkTypeOf(schema->root(), options.types));
  auto info = std::make_shared<CallInfo>();
  info->name = input.def.name;
  info->kernel = [ddl = spark.type->Sql()](const EvalContext&, const std::vector<arrow::Datum>&,
                                           int64_t) -> arrow::Result<arrow::Datum> {
    return arrow::Datum(std::make_shared<arrow::StringScalar>(ddl));
  };
  return std::make_shared<Call>(std::move(info), types::String(), /*nullable=*/false, input.arguments);
}

}  // namespace

extern const FunctionDef kSchemaOfAvro{
    .name = "schema_of_avro",
    .family = "avro",
    .description = "The Spark type, in DDL, of an Avro schema (JSON).",
    .example = R"(schema_of_avro('{"type":"array","items":"long"}'))",
    .example_result = "ARRAY<BIGINT>",
    .min_arguments = 1,
    .max_arguments = 2,
    .bind = Bind,
};

}  // namespace millrace::function
