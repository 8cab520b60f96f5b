#include "base/error.h"
#include "format/csv/csv_infer_schema.h"
#include "format/csv/csv_tokenizer.h"
#include "function/scalar/json/json_arguments.h"

namespace millrace::function {

using types::TypeId;

namespace {

arrow::Result<ExpressionPtr> Bind(const BindInput& input) {
  BindInput shown = WithFirstArgumentOnly(input);
  const ExpressionPtr& text = input.arguments[0];
  if (!text->foldable()) {
    return UserError("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", {{"sqlExpr", QuoteSqlExpression(CallSql(shown))},
                                                              {"inputName", QuoteIdentifier("csv")},
                                                              {"inputType", QuoteSqlType("STRING")},
                                                              {"inputExpr", QuoteSqlExpression(text->Sql(true))}});
  }
  ARROW_ASSIGN_OR_RAISE(auto scalar, expression::EvaluateFoldable(*text, input.context));
  if (!scalar->is_valid) {
    return UserError("DATATYPE_MISMATCH.UNEXPECTED_NULL",
                     {{"sqlExpr", QuoteSqlExpression(CallSql(shown))}, {"exprName", "csv"}});
  }
  if (text->type()->id() != TypeId::kString) return UnexpectedInputType(shown, 0, QuoteSqlType("STRING"));
  ARROW_ASSIGN_OR_RAISE(format::OptionMap given, BindOptions(input, 1));
  ARROW_ASSIGN_OR_RAISE(format::CsvOptions options,
                        format::CsvOptions::Parse(given, {.time_zone = input.context.time_zone}));
  options.header = false;
  format::CsvTokenizer tokenizer(options);
  tokenizer.Start(static_cast<const arrow::BaseBinaryScalar&>(*scalar).view(), /*one_record=*/true);
  if (!tokenizer.Next()) return arrow::Status::Invalid("requirement failed: Parsed CSV record should not be null.");
  std::vector<std::string> names = format::CsvSchemaInference::ColumnNames(tokenizer.values(), options);
  ARROW_ASSIGN_OR_RAISE(auto inference, format::CsvSchemaInference::Make(options, names.size()));
  inference.Add(tokenizer.values());
  auto schema = std::make_shared<arrow::StringScalar>(inference.Finish(names)->Sql());
  auto info = std::make_shared<CallInfo>();
  info->name = input.def.name;
  info->style = CallStyle::kCustom;
  info->render = RenderFirstArgument(info->name);
  info->kernel = [schema](const EvalContext&, const std::vector<arrow::Datum>&,
                          int64_t) -> arrow::Result<arrow::Datum> {
    return arrow::Datum(std::static_pointer_cast<arrow::Scalar>(schema));
  };
  return std::make_shared<Call>(std::move(info), types::String(), /*nullable=*/false,
                                ExpressionVector{text, OptionsLiteral(given)});
}

}  // namespace

extern const FunctionDef kSchemaOfCsv{
    .name = "schema_of_csv",
    .family = "csv",
    .description = "The schema of a CSV record, in DDL.",
    .example = "schema_of_csv('1,abc')",
    .example_result = "STRUCT<_c0: INT, _c1: STRING>",
    .min_arguments = 1,
    .max_arguments = 2,
    .bind = Bind,
};

}  // namespace millrace::function
