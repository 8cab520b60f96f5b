#include "function/scalar/string/reverse.h"

#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>

#include "expression/vector.h"

namespace millrace::function {

using arrow::Datum;

namespace {

arrow::Result<Datum> ReverseLists(const EvalContext& context, const std::vector<Datum>& arguments, int64_t num_rows) {
  return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t rows) -> arrow::Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(auto array, expression::ToArray(arguments[0], rows, context.memory_pool));
    const auto& lists = static_cast<const arrow::ListArray&>(*array);
    arrow::Int32Builder choice(context.memory_pool);
    for (int64_t i = 0; i < rows; ++i) {
      for (int32_t e = lists.value_offset(i + 1); e-- > lists.value_offset(i);) ARROW_RETURN_NOT_OK(choice.Append(e));
    }
    ARROW_ASSIGN_OR_RAISE(auto indices, choice.Finish());
    arrow::compute::ExecContext exec(context.memory_pool);
    ARROW_ASSIGN_OR_RAISE(Datum taken, arrow::compute::Take(Datum(lists.values()), Datum(indices),
                                                            arrow::compute::TakeOptions::NoBoundsCheck(), &exec));
    arrow::TypedBufferBuilder<int32_t> offsets(context.memory_pool);
    for (int64_t i = 0; i <= rows; ++i) {
      ARROW_RETURN_NOT_OK(offsets.Append(rows == 0 ? 0 : lists.value_offset(i) - lists.value_offset(0)));
    }
    ARROW_ASSIGN_OR_RAISE(auto offset_buffer, offsets.Finish());
    ARROW_ASSIGN_OR_RAISE(auto validity, expression::CombinedValidity({Datum(array)}, rows, context.memory_pool));
    return Datum(
        arrow::ArrayData::Make(array->type(), rows, {std::move(validity), std::move(offset_buffer)}, {taken.array()}));
  });
}

arrow::Result<ExpressionPtr> BindReverse(const BindInput& input) {
  const ExpressionPtr& argument = input.arguments[0];
  if (argument->type()->id() == types::TypeId::kMap || argument->type()->id() == types::TypeId::kStruct) {
    return UnexpectedInputType(input, 0, R"(("STRING" or "BINARY" or "ARRAY"))");
  }
  if (argument->type()->id() != types::TypeId::kArray) return BindReverseText(input);
  return MakeCall(input, input.arguments, argument->type(), argument->nullable(), ReverseLists);
}

}  // namespace

extern const FunctionDef kReverse{.name = "reverse",
                                  .family = "string",
                                  .description = "The text or array from its end to its start.",
                                  .example = "reverse('Spark SQL')",
                                  .example_result = "LQS krapS",
                                  .min_arguments = 1,
                                  .max_arguments = 1,
                                  .bind = BindReverse};

}  // namespace millrace::function
