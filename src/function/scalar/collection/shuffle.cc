#include <array>
#include <map>
#include <mutex>
#include <random>

#include "expression/type_coercion.h"
#include "function/scalar/collection/coerce_collection.h"
#include "function/scalar/collection/list_column.h"

/// shuffle: the elements of each array in random order.

namespace millrace::function {

namespace {

/// MT19937 seeded from the two halves of a long, as Apache Commons Math seeds it. Confined.
class MersenneTwister {
 public:
  explicit MersenneTwister(int64_t seed) {
    auto bits = static_cast<uint64_t>(seed);
    std::array<uint32_t, 2> key = {static_cast<uint32_t>(bits >> 32), static_cast<uint32_t>(bits)};
    state_[0] = 19650218U;
    for (uint32_t i = 1; i < kSize; ++i) state_[i] = 1812433253U * (state_[i - 1] ^ (state_[i - 1] >> 30)) + i;
    size_t i = 1;
    uint32_t j = 0;
    auto next = [&] {
      if (++i == kSize) {
        state_[0] = state_[kSize - 1];
        i = 1;
      }
    };
    for (size_t k = 0; k < kSize; ++k) {
      state_[i] = (state_[i] ^ ((state_[i - 1] ^ (state_[i - 1] >> 30)) * 1664525U)) + key[j] + j;
      next();
      j = (j + 1) % 2;
    }
    for (size_t k = 1; k < kSize; ++k) {
      state_[i] = (state_[i] ^ ((state_[i - 1] ^ (state_[i - 1] >> 30)) * 1566083941U)) - static_cast<uint32_t>(i);
      next();
    }
    state_[0] = 0x80000000U;
  }

  int32_t NextInt(int32_t bound) {
    if ((bound & -bound) == bound) return static_cast<int32_t>((int64_t{bound} * Next31()) >> 31);
    int32_t bits = Next31();
    while (bits - bits % bound > INT32_MAX - (bound - 1)) bits = Next31();
    return bits % bound;
  }

 private:
  static constexpr size_t kSize = 624;
  static constexpr size_t kShift = 397;

  int32_t Next31() {
    if (index_ == kSize) Twist();
    uint32_t y = state_[index_++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9D2C5680U;
    y ^= (y << 15) & 0xEFC60000U;
    y ^= y >> 18;
    return static_cast<int32_t>(y >> 1);
  }

  void Twist() {
    for (size_t k = 0; k < kSize; ++k) {
      uint32_t y = (state_[k] & 0x80000000U) | (state_[(k + 1) % kSize] & 0x7FFFFFFFU);
      state_[k] = state_[(k + kShift) % kSize] ^ (y >> 1) ^ ((y & 1) != 0 ? 0x9908B0DFU : 0U);
    }
    index_ = 0;
  }

  std::array<uint32_t, kSize> state_{};
  size_t index_ = kSize;
};

/// A generator a partition, which begins anew when the partition is read from its first row. Thread-safe.
class Shuffles {
 public:
  explicit Shuffles(int64_t seed) : seed_(seed) {}

  arrow::Status Run(const EvalContext& context, const ListColumn& arrays, int64_t num_rows, ListMaker* maker) {
    std::lock_guard lock(mutex_);
    int32_t partition = context.partition_index;
    // A stream has others in each micro-batch.
    if (context.row_offset == 0 && generators_.size() >= kMaxPartitions) generators_.clear();
    auto [it, fresh] = generators_.try_emplace(partition, seed_ + partition);
    if (!fresh && context.row_offset == 0) it->second = MersenneTwister(seed_ + partition);
    std::vector<int64_t> order;
    for (int64_t row = 0; row < num_rows; ++row) {
      if (arrays.IsNull(row)) {
        maker->NullRow();
        continue;
      }
      // Fisher and Yates, from the inside out.
      order.assign(static_cast<size_t>(arrays.Length(row)), 0);
      for (size_t i = 0; i < order.size(); ++i) {
        auto j = static_cast<size_t>(it->second.NextInt(static_cast<int32_t>(i) + 1));
        order[i] = order[j];
        order[j] = static_cast<int64_t>(i);
      }
      for (int64_t index : order) ARROW_RETURN_NOT_OK(maker->Add(arrays.Begin(row) + index));
      maker->EndRow();
    }
    return arrow::Status::OK();
  }

 private:
  static constexpr size_t kMaxPartitions = 1024;

  int64_t seed_;
  std::mutex mutex_;
  std::map<int32_t, MersenneTwister> generators_;
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
