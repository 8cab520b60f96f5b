#include "expression/cast/cast_kernels.h"

namespace millrace::expression {

arrow::Result<std::shared_ptr<arrow::Array>> ToPrettyStrings(const EvalContext& context, const arrow::Array& column,
                                                             const types::DataType& type) {
  ARROW_ASSIGN_OR_RAISE(auto texts, TextOf(context, column.data(), type, TextStyle::kPretty));
  if (texts->GetNullCount() == 0) return arrow::MakeArray(texts);
  StringColumn values{arrow::Datum(texts)};
  arrow::StringBuilder builder(context.memory_pool);
  for (int64_t i = 0; i < texts->length; ++i) {
    ARROW_RETURN_NOT_OK(builder.Append(values.IsNull(i) ? std::string_view("NULL") : values[i]));
  }
  return builder.Finish();
}

}  // namespace millrace::expression
