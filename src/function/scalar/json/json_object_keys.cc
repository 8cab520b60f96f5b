#include "expression/vector.h"
#include "format/json/json_path.h"
#include "function/scalar/json/json_arguments.h"
#include "types/arrow_type.h"

namespace millrace::function {

namespace {

arrow::Result<arrow::Datum> Evaluate(const EvalContext& context, const std::vector<arrow::Datum>& arguments,
                                     int64_t num_rows) {
  return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t rows) -> arrow::Result<arrow::Datum> {
    expression::StringColumn records(arguments[0]);
    auto names = std::make_shared<arrow::StringBuilder>(context.memory_pool);
    arrow::ListBuilder builder(context.memory_pool, names, types::ToArrow(*types::Array(types::String())));
    return expression::MapBuilt(
        builder, rows,
        [&](int64_t i) -> arrow::Status {
          auto found = format::MemberNames(records[i]);
          if (!found) return builder.AppendNull();
          ARROW_RETURN_NOT_OK(builder.Append());
          return names->AppendValues(*found);
        },
        records);
  });
}

}  // namespace

extern const FunctionDef kJsonObjectKeys{
    .name = "json_object_keys",
    .family = "json",
    .description = "Names of the members of the JSON object at the root; NULL for anything else.",
    .example = "json_object_keys('{\"key\": \"value\"}')",
    .example_result = "[key]",
    .min_arguments = 1,
    .max_arguments = 1,
    .bind = [](const BindInput& input) -> arrow::Result<ExpressionPtr> {
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr record, BindText(input, 0));
      return MakeCall(input, {std::move(record)}, types::Array(types::String()), /*nullable=*/true, Evaluate);
    },
};

}  // namespace millrace::function
