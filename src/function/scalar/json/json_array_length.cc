#include "expression/vector.h"
#include "format/json/json_path.h"
#include "function/scalar/json/json_arguments.h"

namespace millrace::function {

namespace {

arrow::Result<arrow::Datum> Evaluate(const EvalContext& context, const std::vector<arrow::Datum>& arguments,
                                     int64_t num_rows) {
  return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t rows) -> arrow::Result<arrow::Datum> {
    expression::StringColumn records(arguments[0]);
    arrow::Int32Builder builder(context.memory_pool);
    return expression::MapBuilt(
        builder, rows,
        [&](int64_t i) {
          std::optional<int32_t> count = format::CountElements(records[i]);
          return count ? builder.Append(*count) : builder.AppendNull();
        },
        records);
  });
}

}  // namespace

extern const FunctionDef kJsonArrayLength{
    .name = "json_array_length",
    .family = "json",
    .description = "Number of elements of the JSON array at the root; NULL for anything else.",
    .example = "json_array_length('[1,2,3,{\"f1\":1,\"f2\":[5,6]},4]')",
    .example_result = "5",
    .min_arguments = 1,
    .max_arguments = 1,
    .bind = [](const BindInput& input) -> arrow::Result<ExpressionPtr> {
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr record, BindText(input, 0));
      return MakeCall(input, {std::move(record)}, types::Integer(), /*nullable=*/true, Evaluate);
    },
};

}  // namespace millrace::function
