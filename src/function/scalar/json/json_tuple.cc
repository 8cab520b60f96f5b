#include "base/error.h"
#include "expression/generator.h"
#include "expression/type_coercion.h"
#include "expression/vector.h"
#include "format/json/json_path.h"
#include "function/scalar/json/json_arguments.h"

namespace millrace::function {

using types::TypeId;

namespace {

arrow::Result<expression::Generated> Generate(const EvalContext& context, const std::vector<arrow::Datum>& arguments,
                                              int64_t num_rows) {
  expression::StringColumn records(arguments[0]);
  std::vector<std::unique_ptr<expression::StringColumn>> name_columns;
  std::vector<std::unique_ptr<arrow::StringBuilder>> builders;
  for (size_t k = 1; k < arguments.size(); ++k) {
    name_columns.push_back(std::make_unique<expression::StringColumn>(arguments[k]));
    builders.push_back(std::make_unique<arrow::StringBuilder>(context.memory_pool));
  }
  arrow::Int32Builder rows(context.memory_pool);
  ARROW_RETURN_NOT_OK(rows.Reserve(num_rows));
  std::vector<std::optional<std::string>> names(builders.size());
  std::vector<std::optional<std::string>> values(builders.size());
  for (int64_t i = 0; i < num_rows; ++i) {
    rows.UnsafeAppend(static_cast<int32_t>(i));
    if (records.IsNull(i)) {
      values.assign(builders.size(), std::nullopt);
    } else {
      for (size_t k = 0; k < names.size(); ++k) {
        names[k] = name_columns[k]->IsNull(i) ? std::nullopt : std::optional<std::string>((*name_columns[k])[i]);
      }
      format::ExtractMembers(records[i], names, &values);
    }
    for (size_t k = 0; k < builders.size(); ++k) {
      ARROW_RETURN_NOT_OK(values[k] ? builders[k]->Append(*values[k]) : builders[k]->AppendNull());
    }
  }
  expression::Generated generated;
  ARROW_ASSIGN_OR_RAISE(generated.input_rows, rows.Finish());
  for (auto& builder : builders) {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> column, builder->Finish());
    generated.columns.push_back(std::move(column));
  }
  return generated;
}

arrow::Result<ExpressionPtr> Bind(const BindInput& input) {
  ExpressionVector arguments;
  std::vector<types::StructField> output;
  for (size_t i = 0; i < input.arguments.size(); ++i) {
    TypeId id = input.arguments[i]->type()->id();
    if (id != TypeId::kString && !(id == TypeId::kNull && i == 0)) {
      return UserError("DATATYPE_MISMATCH.NON_STRING_TYPE", {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                                                             {"funcName", QuoteIdentifier(input.def.name)}});
    }
    arguments.push_back(expression::ImplicitCast(input.arguments[i], types::String()));
    if (i > 0) output.push_back({"c" + std::to_string(i - 1), types::String()});
  }
  return std::make_shared<expression::GeneratorCall>(std::string(input.def.name), std::move(output), Generate,
                                                     std::move(arguments));
}

}  // namespace

extern const FunctionDef kJsonTuple{
    .name = "json_tuple",
    .kind = FunctionKind::kGenerator,
    .family = "json",
    .description = "The named members of a JSON object, one column each.",
    .example = "json_tuple('{\"a\":1, \"b\":2}', 'a', 'b')",
    .example_result = "1	2",
    .min_arguments = 2,
    .max_arguments = -1,
    .bind = Bind,
};

}  // namespace millrace::function
