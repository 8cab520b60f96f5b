#include "expression/vector.h"
#include "format/json/json_path.h"
#include "function/scalar/json/json_arguments.h"

namespace millrace::function {

namespace {

using expression::StringColumn;

arrow::Result<arrow::Datum> Evaluate(const EvalContext& context, const std::vector<arrow::Datum>& arguments,
                                     int64_t num_rows) {
  return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t rows) -> arrow::Result<arrow::Datum> {
    StringColumn records(arguments[0]), paths(arguments[1]);
    arrow::StringBuilder builder(context.memory_pool);
    std::string parsed_text;
    std::optional<format::JsonPath> path;
    bool parsed = false;
    std::string found;
    return expression::MapBuilt(
        builder, rows,
        [&](int64_t i) {
          if (!parsed || paths[i] != parsed_text) {
            parsed_text = paths[i];
            path = format::JsonPath::Parse(parsed_text);
            parsed = true;
          }
          found.clear();
          return path && path->Extract(records[i], &found) ? builder.Append(found) : builder.AppendNull();
        },
        records, paths);
  });
}

}  // namespace

extern const FunctionDef kGetJsonObject{
    .name = "get_json_object",
    .family = "json",
    .description = "What a path ($.a[0].b) finds in a JSON text: strings bare, other values as JSON.",
    .example = "get_json_object('{\"a\":\"b\"}', '$.a')",
    .example_result = "b",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) -> arrow::Result<ExpressionPtr> {
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr record, BindText(input, 0));
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr path, BindText(input, 1));
      return MakeCall(input, {std::move(record), std::move(path)}, types::String(), /*nullable=*/true, Evaluate);
    },
};

}  // namespace millrace::function
