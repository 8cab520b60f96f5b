#include <array>
#include <map>
#include <mutex>
#include <random>

#include "expression/type_coercion.h"
#include "expression/vector.h"
#include "function/bind.h"
#include "types/arrow_type.h"

/// uuid(): random identifiers of version 4, drawn as Spark draws them. Source: Spark, RandomUUIDGenerator.

namespace millrace::function {

using arrow::Datum;

namespace {

/// MT19937, seeded with an array of words. Spec: Matsumoto and Nishimura, init_by_array.
class MersenneTwister {
 public:
  explicit MersenneTwister(int64_t seed) {
    const uint32_t key[] = {static_cast<uint32_t>(static_cast<uint64_t>(seed) >> 32), static_cast<uint32_t>(seed)};
    state_[0] = 19650218;
    for (uint32_t i = 1; i < kSize; ++i) state_[i] = 1812433253U * (state_[i - 1] ^ state_[i - 1] >> 30) + i;
    size_t i = 1;
    auto next = [&] {
      if (++i < kSize) return;
      state_[0] = state_[kSize - 1];
      i = 1;
    };
    for (uint32_t k = 0; k < kSize; ++k) {
      state_[i] = (state_[i] ^ (state_[i - 1] ^ state_[i - 1] >> 30) * 1664525U) + key[k % 2] + k % 2;
      next();
    }
    for (uint32_t k = 1; k < kSize; ++k) {
      state_[i] = (state_[i] ^ (state_[i - 1] ^ state_[i - 1] >> 30) * 1566083941U) - static_cast<uint32_t>(i);
      next();
    }
    state_[0] = 0x80000000;
  }

  uint64_t NextLong() {
    uint64_t high = Next();
    return high << 32 | Next();
  }

 private:
  static constexpr size_t kSize = 624;
  static constexpr size_t kShift = 397;

  uint32_t Next() {
    if (index_ == kSize) {
      for (size_t k = 0; k < kSize; ++k) {
        uint32_t y = (state_[k] & 0x80000000U) | (state_[(k + 1) % kSize] & 0x7fffffffU);
        state_[k] = state_[(k + kShift) % kSize] ^ y >> 1 ^ ((y & 1) != 0 ? 0x9908b0dfU : 0);
      }
      index_ = 0;
    }
    uint32_t y = state_[index_++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680U;
    y ^= y << 15 & 0xefc60000U;
    return y ^ y >> 18;
  }

  std::array<uint32_t, kSize> state_;
  size_t index_ = kSize;
};

/// Where each partition's sequence stands, so that the next batch goes on.
class Sequences {
 public:
  explicit Sequences(int64_t seed) : seed_(seed) {}

  arrow::Status Append(int32_t partition, int64_t first_row, int64_t count, arrow::StringBuilder* builder) {
    std::lock_guard lock(mutex_);
    // Those forgotten are drawn again from their first row. A stream has others in each micro-batch.
    if (first_row == 0 && positions_.size() >= kMaxPositions) positions_.clear();
    auto [it, fresh] = positions_.try_emplace(partition, Position{MersenneTwister(seed_ + partition), 0});
    Position& position = it->second;
    if (position.row > first_row) position = {MersenneTwister(seed_ + partition), 0};
    for (; position.row < first_row; ++position.row) (void)Draw(&position.random);
    for (int64_t i = 0; i < count; ++i, ++position.row) ARROW_RETURN_NOT_OK(builder->Append(Draw(&position.random)));
    return arrow::Status::OK();
  }

 private:
  struct Position {
    MersenneTwister random;
    int64_t row;
  };

  static std::string Draw(MersenneTwister* random) {
    uint64_t high = (random->NextLong() & 0xffffffffffff0fffU) | 0x4000U;
    uint64_t low = (random->NextLong() | 0x8000000000000000U) & 0xbfffffffffffffffU;
    char text[37];
    std::snprintf(text, sizeof text, "%08x-%04x-%04x-%04x-%012llx", static_cast<unsigned>(high >> 32),
                  static_cast<unsigned>(high >> 16 & 0xffff), static_cast<unsigned>(high & 0xffff),
                  static_cast<unsigned>(low >> 48), static_cast<unsigned long long>(low & 0xffffffffffffU));
    return text;
  }

  static constexpr size_t kMaxPositions = 1024;

  const int64_t seed_;
  std::mutex mutex_;
  std::map<int32_t, Position> positions_;
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
