#include "base/error.h"
#include "expression/murmur3.h"
#include "expression/vector.h"
#include "function/bind.h"

/// hash and xxhash64.

namespace millrace::function {

using arrow::Datum;

namespace {

template <typename Builder, typename Hash>
arrow::Result<ExpressionPtr> BindHash(const BindInput& input, DataTypePtr result, Hash hash) {
  if (input.arguments.empty()) return WrongNumArgs(input.name, "> 0", 0);
  std::vector<DataTypePtr> types;
  for (const ExpressionPtr& argument : input.arguments) {
    types.push_back(argument->type());
    bool has_map = argument->type()->Holds(types::TypeId::kMap);
    if (!has_map && !argument->type()->Holds(types::TypeId::kVariant)) continue;
    return UserError(
        has_map ? "DATATYPE_MISMATCH.HASH_MAP_TYPE" : "DATATYPE_MISMATCH.HASH_VARIANT_TYPE",
        {{"sqlExpr", QuoteSqlExpression(CallSql(input))}, {"functionName", QuoteIdentifier(input.def.name)}});
  }
  return MakeCall(input, input.arguments, std::move(result), false,
                  [types, hash](const EvalContext& context, const std::vector<Datum>& arguments, int64_t num_rows) {
                    return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t rows) -> arrow::Result<Datum> {
                      std::vector<std::shared_ptr<arrow::ArrayData>> columns;
                      for (const Datum& argument : arguments) {
                        ARROW_ASSIGN_OR_RAISE(auto column, expression::ToArray(argument, rows, context.memory_pool));
                        columns.push_back(column->data());
                      }
                      Builder builder(context.memory_pool);
                      ARROW_RETURN_NOT_OK(builder.AppendValues(hash(columns, types, rows, 42)));
                      ARROW_ASSIGN_OR_RAISE(auto array, builder.Finish());
                      return Datum(std::move(array));
                    });
                  });
}

}  // namespace

extern const FunctionDef kHash{.name = "hash",
                               .family = "hash",
                               .description = "Murmur3 hash of the values, as Spark partitions by it.",
                               .example = "hash('Spark', array(123), 2)",
                               .example_result = "-1321691492",
                               .min_arguments = 0,
                               .max_arguments = -1,
                               .bind = [](const BindInput& input) {
                                 return BindHash<arrow::Int32Builder>(input, types::Integer(), expression::Murmur3Hash);
                               }};

extern const FunctionDef kXxHash64{.name = "xxhash64",
                                   .family = "hash",
                                   .description = "64-bit xxHash of the values.",
                                   .example = "xxhash64('a')",
                                   .example_result = "-8582455328737087284",
                                   .min_arguments = 0,
                                   .max_arguments = -1,
                                   .bind = [](const BindInput& input) {
                                     return BindHash<arrow::Int64Builder>(input, types::Long(), expression::XxHash64);
                                   }};

}  // namespace millrace::function
