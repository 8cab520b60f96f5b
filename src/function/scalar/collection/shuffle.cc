#include <mutex>
#include <random>

#include "expression/type_coercion.h"
#include "function/scalar/collection/coerce_collection.h"
#include "function/scalar/collection/list_column.h"
#include "function/scalar/math/mersenne_twister.h"
#include "function/scalar/math/partition_generators.h"

/// shuffle: the elements of each array in random order.

namespace millrace::function {

namespace {

/// Thread-safe.
class Shuffles {
 public:
  explicit Shuffles(int64_t seed) : generators_(seed) {}

  arrow::Status Run(const EvalContext& context, const ListColumn& arrays, int64_t num_rows, ListMaker* maker) {
    std::lock_guard lock(mutex_);
    MersenneTwister& random = generators_.At(context.partition_index, context.row_offset).random;
    std::vector<int64_t> order;
    for (int64_t row = 0; row < num_rows; ++row) {
      if (arrays.IsNull(row)) {
        maker->NullRow();
        continue;
      }
      // Fisher and Yates, from the inside out.
      order.assign(static_cast<size_t>(arrays.Length(row)), 0);
      for (size_t i = 0; i < order.size(); ++i) {
        auto j = static_cast<size_t>(random.NextInt(static_cast<int32_t>(i) + 1));
        order[i] = order[j];
        order[j] = static_cast<int64_t>(i);
      }
      for (int64_t index : order) ARROW_RETURN_NOT_OK(maker->Add(arrays.Begin(row) + index));
      maker->EndRow();
    }
    return arrow::Status::OK();
  }

 private:
  std::mutex mutex_;
  PartitionGenerators<MersenneTwister> generators_;
};

arrow::Result<ExpressionPtr> BindShuffle(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr array, CoerceToArray(input, 0));
  int64_t seed = static_cast<int64_t>(std::random_device{}()) << 16;
  if (input.arguments.size() > 1) {
    if (!input.arguments[1]->foldable()) return NonFoldableInput(input, 1, "seed", input.arguments[1]->type());
    if (!expression::CanImplicitCast(input.arguments[1]->type(), types::Long())) {
      return UnexpectedInputType(input, 1, "\"BIGINT\"");
    }
    ARROW_ASSIGN_OR_RAISE(auto value, expression::EvaluateFoldable(
                                          *expression::ImplicitCast(input.arguments[1], types::Long()), input.context));
    if (value->is_valid) seed = static_cast<const arrow::Int64Scalar&>(*value).value;
  }
  auto shuffles = std::make_shared<Shuffles>(seed);
  DataTypePtr type = array->type();
  bool nullable = array->nullable();
  return MakeCall(input, {std::move(array)}, type, nullable,
                  [shuffles, type](const EvalContext& context, const std::vector<arrow::Datum>& arguments,
                                   int64_t num_rows) -> arrow::Result<arrow::Datum> {
                    ARROW_ASSIGN_OR_RAISE(ListColumn arrays,
                                          ListColumn::Make(arguments[0], num_rows, context.memory_pool));
                    ListMaker maker(num_rows, context.memory_pool);
                    ARROW_RETURN_NOT_OK(shuffles->Run(context, arrays, num_rows, &maker));
                    ARROW_ASSIGN_OR_RAISE(auto result, maker.Finish(*type, arrays.values()));
                    return arrow::Datum(std::move(result));
                  },
                  {.deterministic = false});
}

}  // namespace

extern const FunctionDef kShuffle{.name = "shuffle",
                                  .family = "collection",
                                  .description = "The elements of an array in random order.",
                                  .example = "size(shuffle(array(1, 20, 3)))",
                                  .example_result = "3",
                                  .min_arguments = 1,
                                  .max_arguments = 2,
                                  .bind = BindShuffle};

}  // namespace millrace::function
