#include <cmath>
#include <map>
#include <mutex>
#include <random>

#include "base/error.h"
#include "expression/murmur3.h"
#include "expression/type_coercion.h"
#include "expression/vector.h"
#include "function/bind.h"

/// rand and randn: Spark's XORShiftRandom, seeded with seed + partition, a value a row.

namespace millrace::function {

using arrow::Datum;

namespace {

class XorShiftRandom {
 public:
  explicit XorShiftRandom(int64_t seed) {
    char bytes[8];
    for (int k = 0; k < 8; ++k) bytes[k] = static_cast<char>(static_cast<uint64_t>(seed) >> (56 - 8 * k));
    std::string_view view(bytes, sizeof(bytes));
    int32_t low = expression::Murmur3Bytes(view, 0x3c074a61);
    int32_t high = expression::Murmur3Bytes(view, low);
    state_ = (static_cast<uint64_t>(static_cast<uint32_t>(high)) << 32) | static_cast<uint32_t>(low);
  }

  double NextDouble() {
    uint64_t high = Next(26);
    uint64_t low = Next(27);
    return static_cast<double>((high << 27) + low) * 0x1.0p-53;
  }

  // The polar method of java.util.Random, which makes two values at a time.
  double NextGaussian() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    double x = 0;
    double y = 0;
    double square = 0;
    do {
      x = 2 * NextDouble() - 1;
      y = 2 * NextDouble() - 1;
      square = x * x + y * y;
    } while (square >= 1 || square == 0);
    double factor = std::sqrt(-2 * std::log(square) / square);
    spare_ = y * factor;
    has_spare_ = true;
    return x * factor;
  }

 private:
  uint64_t Next(int bits) {
    state_ ^= state_ << 21;
    state_ ^= state_ >> 35;
    state_ ^= state_ << 4;
    return state_ & ((uint64_t{1} << bits) - 1);
  }

  uint64_t state_;
  double spare_ = 0;
  bool has_spare_ = false;
};

/// Where each partition's sequence stands, so that the next batch goes on without drawing the rows before it again.
class Sequences {
 public:
  Sequences(int64_t seed, bool gaussian) : seed_(seed), gaussian_(gaussian) {}

  void Fill(int32_t partition, int64_t first_row, double* out, int64_t count) {
    std::lock_guard lock(mutex_);
    auto [it, fresh] = positions_.try_emplace(partition, Position{XorShiftRandom(seed_ + partition), 0});
    if (it->second.row > first_row) it->second = {XorShiftRandom(seed_ + partition), 0};
    Position& position = it->second;
    for (; position.row < first_row; ++position.row) Draw(&position.random);
    for (int64_t i = 0; i < count; ++i, ++position.row) out[i] = Draw(&position.random);
  }

 private:
  struct Position {
    XorShiftRandom random;
    int64_t row;
  };
  double Draw(XorShiftRandom* random) const { return gaussian_ ? random->NextGaussian() : random->NextDouble(); }

  const int64_t seed_;
  const bool gaussian_;
  std::mutex mutex_;
  std::map<int32_t, Position> positions_;
};

arrow::Result<ExpressionPtr> BindRandom(const BindInput& input, bool gaussian) {
  int64_t seed = 0;
  if (input.arguments.empty()) {
    seed = static_cast<int64_t>(std::random_device{}()) << 16;
  } else {
    const ExpressionPtr& argument = input.arguments[0];
    if (!argument->foldable()) return NonFoldableInput(input, 0, "seed", types::Long());
    if (!expression::CanImplicitCast(argument->type(), types::Long())) {
      return UnexpectedInputType(input, 0, R"(("INT" or "BIGINT"))");
    }
    ARROW_ASSIGN_OR_RAISE(
        auto value, expression::EvaluateFoldable(*expression::ImplicitCast(argument, types::Long()), input.context));
    if (value->is_valid) seed = static_cast<const arrow::Int64Scalar&>(*value).value;
  }
  auto sequences = std::make_shared<Sequences>(seed, gaussian);
  return MakeCall(
      input, input.arguments, types::Double(), false,
      [sequences](const EvalContext& context, const std::vector<Datum>&, int64_t num_rows) -> arrow::Result<Datum> {
        ARROW_ASSIGN_OR_RAISE(
            std::shared_ptr<arrow::Buffer> values,
            arrow::AllocateBuffer(num_rows * static_cast<int64_t>(sizeof(double)), context.memory_pool));
        sequences->Fill(context.partition_index, context.row_offset, reinterpret_cast<double*>(values->mutable_data()),
                        num_rows);
        return Datum(arrow::ArrayData::Make(arrow::float64(), num_rows, {nullptr, std::move(values)}, 0));
      },
      {.deterministic = false});
}

}  // namespace

extern const FunctionDef kRand{.name = "rand",
                               .aliases = "random",
                               .family = "math",
                               .description = "A random number in [0, 1) for each row.",
                               .example = "rand(0) < 1",
                               .example_result = "true",
                               .min_arguments = 0,
                               .max_arguments = 1,
                               .bind = [](const BindInput& input) { return BindRandom(input, false); }};

extern const FunctionDef kRandn{.name = "randn",
                                .family = "math",
                                .description = "A random number of the standard normal distribution for each row.",
                                .example = "randn(0) < 100",
                                .example_result = "true",
                                .min_arguments = 0,
                                .max_arguments = 1,
                                .bind = [](const BindInput& input) { return BindRandom(input, true); }};

}  // namespace millrace::function
