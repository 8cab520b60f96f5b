#include "base/error.h"
#include "function/scalar/collection/list_column.h"

namespace millrace::function {

namespace {

// The length; of NULL `kOfNull`, or NULL when that is 0.
template <int32_t kOfNull>
arrow::Result<arrow::Datum> Size(const EvalContext& context, const std::vector<arrow::Datum>& arguments,
                                 int64_t num_rows) {
  return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t n) -> arrow::Result<arrow::Datum> {
    arrow::Int32Builder builder(context.memory_pool);
    ARROW_RETURN_NOT_OK(builder.Reserve(n));
    if (arguments[0].type()->id() == arrow::Type::NA) {
      for (int64_t row = 0; row < n; ++row) kOfNull == 0 ? builder.UnsafeAppendNull() : builder.UnsafeAppend(kOfNull);
    } else {
      ARROW_ASSIGN_OR_RAISE(ListColumn lists, ListColumn::Make(arguments[0], n, context.memory_pool));
      for (int64_t row = 0; row < n; ++row) {
        if (lists.IsNull(row)) {
          kOfNull == 0 ? builder.UnsafeAppendNull() : builder.UnsafeAppend(kOfNull);
        } else {
          builder.UnsafeAppend(static_cast<int32_t>(lists.Length(row)));
        }
      }
    }
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> sizes, builder.Finish());
    return arrow::Datum(std::move(sizes));
  });
}

template <bool kMaps>
arrow::Result<ExpressionPtr> BindSize(const BindInput& input) {
  const ExpressionPtr& argument = input.arguments[0];
  types::TypeId id = argument->type()->id();
  bool accepted = id == types::TypeId::kArray || id == types::TypeId::kNull || (kMaps && id == types::TypeId::kMap);
  if (!accepted) return UnexpectedInputType(input, 0, kMaps ? "(\"ARRAY\" or \"MAP\")" : QuoteSqlType("ARRAY"));
  // Without ANSI the size of NULL is -1 (spark.sql.legacy.sizeOfNull).
  bool counts_null = kMaps && !input.context.ansi;
  return MakeCall(input, {argument}, types::Integer(), !counts_null && argument->nullable(),
                  counts_null ? Size<-1> : Size<0>, {.shown_name = std::string(input.name)});
}

}  // namespace

extern const FunctionDef kSize{.name = "size",
                               .aliases = "cardinality",
                               .family = "collection",
                               .description = "Number of elements of an array or entries of a map.",
                               .example = "size(array('b', 'd', 'c', 'a'))",
                               .example_result = "4",
                               .min_arguments = 1,
                               .max_arguments = 1,
                               .bind = BindSize<true>};

extern const FunctionDef kArraySize{.name = "array_size",
                                    .family = "collection",
                                    .description = "Number of elements of an array.",
                                    .example = "array_size(array('b', 'd', 'c', 'a'))",
                                    .example_result = "4",
                                    .min_arguments = 1,
                                    .max_arguments = 1,
                                    .bind = BindSize<false>};

}  // namespace millrace::function
