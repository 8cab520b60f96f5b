#include <mutex>
#include <random>

#include "expression/type_coercion.h"
#include "expression/vector.h"
#include "function/bind.h"
#include "function/scalar/math/mersenne_twister.h"
#include "function/scalar/math/partition_generators.h"
#include "types/arrow_type.h"

/// uuid(): random identifiers of version 4, drawn as Spark draws them. Source: Spark, RandomUUIDGenerator.

namespace millrace::function {

using arrow::Datum;

namespace {

/// Where each partition's sequence stands, so that the next batch goes on.
class Sequences {
 public:
  explicit Sequences(int64_t seed) : generators_(seed) {}

  arrow::Status Append(int32_t partition, int64_t first_row, int64_t count, arrow::StringBuilder* builder) {
    std::lock_guard lock(mutex_);
    auto& position = generators_.At(partition, first_row);
    if (position.row > first_row) position = generators_.Begin(partition);
    for (; position.row < first_row; ++position.row) (void)Draw(&position.random);
    for (int64_t i = 0; i < count; ++i, ++position.row) ARROW_RETURN_NOT_OK(builder->Append(Draw(&position.random)));
    return arrow::Status::OK();
  }

 private:
  static std::string Draw(MersenneTwister* random) {
    uint64_t high = (random->NextLong() & 0xffffffffffff0fffU) | 0x4000U;
    uint64_t low = (random->NextLong() | 0x8000000000000000U) & 0xbfffffffffffffffU;
    char text[37];
    std::snprintf(text, sizeof text, "%08x-%04x-%04x-%04x-%012llx", static_cast<unsigned>(high >> 32),
                  static_cast<unsigned>(high >> 16 & 0xffff), static_cast<unsigned>(high & 0xffff),
                  static_cast<unsigned>(low >> 48), static_cast<unsigned long long>(low & 0xffffffffffffU));
    return text;
  }

  std::mutex mutex_;
  PartitionGenerators<MersenneTwister> generators_;
};

arrow::Result<ExpressionPtr> BindUuid(const BindInput& input) {
  std::random_device device;
  auto seed = static_cast<int64_t>(static_cast<uint64_t>(device()) << 32 | device());
  if (!input.arguments.empty()) {
    const ExpressionPtr& argument = input.arguments[0];
    if (!argument->foldable() || !argument->type()->is_integral()) {
      return UnexpectedInputType(input, 0, R"(("INT" or "BIGINT"))");
    }
    ARROW_ASSIGN_OR_RAISE(
        auto value, expression::EvaluateFoldable(*expression::ImplicitCast(argument, types::Long()), input.context));
    if (value->is_valid) seed = static_cast<const arrow::Int64Scalar&>(*value).value;
  }
  auto sequences = std::make_shared<Sequences>(seed);
  return MakeCall(
      input, {}, types::String(), false,
      [sequences](const EvalContext& context, const std::vector<Datum>&, int64_t num_rows) -> arrow::Result<Datum> {
        arrow::StringBuilder builder(context.memory_pool);
        ARROW_RETURN_NOT_OK(sequences->Append(context.partition_index, context.row_offset, num_rows, &builder));
        ARROW_ASSIGN_OR_RAISE(auto array, builder.Finish());
        return Datum(std::move(array));
      },
      {.deterministic = false});
}

}  // namespace

extern const FunctionDef kUuid{
    .name = "uuid",
    .family = "misc",
    .description = "A random universally unique identifier for each row; the same ones for the same seed.",
    .example = "length(uuid())",
    .example_result = "36",
    .max_arguments = 1,
    .bind = BindUuid};

}  // namespace millrace::function
