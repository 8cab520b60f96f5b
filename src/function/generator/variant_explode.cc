#include "expression/generator.h"
#include "expression/variant_column.h"
#include "function/scalar/variant/variant_get.h"

/// variant_explode: a row for each member of a variant's object or array.

namespace millrace::function {

namespace {

using expression::Generated;
using expression::GeneratorCall;
using expression::VariantColumn;
using expression::VariantColumnBuilder;

// What the rows are made in.
struct Output {
  explicit Output(arrow::MemoryPool* pool) : rows(pool), positions(pool), keys(pool), values(pool) {}

  arrow::Int32Builder rows;
  arrow::Int32Builder positions;
  arrow::StringBuilder keys;
  VariantColumnBuilder values;
};

arrow::Status AppendMembers(const variant::Variant& variant, int64_t row, Output* out) {
  ARROW_ASSIGN_OR_RAISE(variant::Kind kind, variant.kind());
  if (kind != variant::Kind::kObject && kind != variant::Kind::kArray) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(variant::Variant::Members members, variant.members());
  for (int64_t i = 0; i < members.size(); ++i) {
    ARROW_RETURN_NOT_OK(out->rows.Append(static_cast<int32_t>(row)));
    ARROW_RETURN_NOT_OK(out->positions.Append(static_cast<int32_t>(i)));
    if (members.is_object()) {
      ARROW_ASSIGN_OR_RAISE(std::string_view name, members.Name(i));
      ARROW_RETURN_NOT_OK(out->keys.Append(name));
    } else {
      ARROW_RETURN_NOT_OK(out->keys.AppendNull());
    }
    ARROW_ASSIGN_OR_RAISE(variant::Variant member, members.Value(i));
    ARROW_ASSIGN_OR_RAISE(std::string_view value, member.value());
    ARROW_RETURN_NOT_OK(out->values.Append(value, member.metadata()));
  }
  return arrow::Status::OK();
}

template <bool kOuter>
arrow::Result<ExpressionPtr> BindVariantExplode(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr argument, ExactArgument(input, 0, types::Variant()));
  std::vector<types::StructField> output{{"pos", types::Integer(), kOuter, {}},
                                         {"key", types::String(), true, {}},
                                         {"value", types::Variant(), kOuter, {}}};
  auto kernel = [](const EvalContext& context, const std::vector<arrow::Datum>& arguments,
                   int64_t num_rows) -> arrow::Result<Generated> {
    ARROW_ASSIGN_OR_RAISE(VariantColumn column, VariantColumn::Make(arguments[0], context.memory_pool));
    Output out(context.memory_pool);
    for (int64_t i = 0; i < num_rows; ++i) {
      int64_t before = out.values.length();
      if (!column.IsNull(i)) {
        ARROW_ASSIGN_OR_RAISE(variant::Variant variant, column[i]);
        ARROW_RETURN_NOT_OK(AppendMembers(variant, i, &out));
      }
      if (!kOuter || out.values.length() > before) continue;
      ARROW_RETURN_NOT_OK(out.rows.Append(static_cast<int32_t>(i)));
      ARROW_RETURN_NOT_OK(out.positions.AppendNull());
      ARROW_RETURN_NOT_OK(out.keys.AppendNull());
      ARROW_RETURN_NOT_OK(out.values.AppendNull());
    }
    Generated generated;
    ARROW_ASSIGN_OR_RAISE(generated.input_rows, out.rows.Finish());
    generated.columns.resize(3);
    ARROW_ASSIGN_OR_RAISE(generated.columns[0], out.positions.Finish());
    ARROW_ASSIGN_OR_RAISE(generated.columns[1], out.keys.Finish());
    ARROW_ASSIGN_OR_RAISE(generated.columns[2], out.values.Finish());
    return generated;
  };
  return std::make_shared<GeneratorCall>(std::string(input.name), std::move(output), kernel,
                                         ExpressionVector{std::move(argument)});
}

}  // namespace

extern const FunctionDef kVariantExplode{.name = "variant_explode",
                                         .kind = FunctionKind::kGenerator,
                                         .family = "generator",
                                         .description = "A row for each member of a variant's object or array.",
                                         .example = "variant_explode(parse_json('[1]'))",
                                         .example_result = "",
                                         .min_arguments = 1,
                                         .max_arguments = 1,
                                         .bind = BindVariantExplode<false>};

extern const FunctionDef kVariantExplodeOuter{.name = "variant_explode_outer",
                                              .kind = FunctionKind::kGenerator,
                                              .family = "generator",
                                              .description =
                                                  "As variant_explode, but a row of NULLs where there is "
                                                  "nothing to explode.",
                                              .example = "variant_explode_outer(parse_json('[1]'))",
                                              .example_result = "",
                                              .min_arguments = 1,
                                              .max_arguments = 1,
                                              .bind = BindVariantExplode<true>};

}  // namespace millrace::function
