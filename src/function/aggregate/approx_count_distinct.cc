#include <algorithm>
#include <bit>
#include <cmath>

#include "base/error.h"
#include "expression/murmur3.h"
#include "expression/type_coercion.h"
#include "expression/vector.h"
#include "function/aggregate/bound_aggregate.h"
#include "function/aggregate/hyper_log_log_bias.h"

/// approx_count_distinct: HyperLogLog++ over xxHash64, in Spark's registers (ten of six bits in a word) and with its
/// estimate, so that state and results are the same.

namespace millrace::function {

namespace {

constexpr int kRegisterBits = 6;
constexpr uint64_t kRegisterMask = (1u << kRegisterBits) - 1;
constexpr size_t kRegistersPerWord = 10;

class HyperLogLog {
 public:
  HyperLogLog(int precision, HyperLogLogBias bias) : precision_(precision), bias_(bias) {}

  size_t num_registers() const { return size_t{1} << precision_; }
  size_t num_words() const { return num_registers() / kRegistersPerWord + 1; }

  void Add(uint64_t hash, uint64_t* words) const {
    auto index = static_cast<size_t>(hash >> (64 - precision_));
    uint64_t padding = uint64_t{1} << (precision_ - 1);
    auto rank = static_cast<uint64_t>(std::countl_zero((hash << precision_) | padding) + 1);
    Raise(index, rank, words);
  }

  void Merge(const uint64_t* other, uint64_t* words) const {
    for (size_t index = 0; index < num_registers(); ++index) Raise(index, Register(index, other), words);
  }

  int64_t Estimate(const uint64_t* words) const {
    auto m = static_cast<double>(num_registers());
    double inverse_sum = 0, num_zero = 0;
    for (size_t index = 0; index < num_registers(); ++index) {
      uint64_t value = Register(index, words);
      inverse_sum += 1.0 / static_cast<double>(uint64_t{1} << value);
      num_zero += value == 0;
    }
    double alpha = 0.7213 / (1.0 + 1.079 / m);  // of 128 registers and more
    double raw = alpha * m * m / inverse_sum;
    double corrected = raw < 5.0 * m ? raw - Bias(raw) : raw;
    double estimate = corrected;
    if (num_zero > 0) {
      double linear = m * std::log(m / num_zero);
      if (linear <= Threshold() || raw <= 2.5 * m) estimate = linear;
    }
    return static_cast<int64_t>(std::floor(estimate + 0.5));
  }

 private:
  static uint64_t Register(size_t index, const uint64_t* words) {
    size_t shift = kRegisterBits * (index % kRegistersPerWord);
    return (words[index / kRegistersPerWord] >> shift) & kRegisterMask;
  }

  static void Raise(size_t index, uint64_t rank, uint64_t* words) {
    size_t shift = kRegisterBits * (index % kRegistersPerWord);
    uint64_t& word = words[index / kRegistersPerWord];
    if (rank > ((word >> shift) & kRegisterMask)) word = (word & ~(kRegisterMask << shift)) | (rank << shift);
  }

  // Below it counting empty registers is the better estimate; by precision from 4 on.
  double Threshold() const {
    constexpr double kThresholds[] = {10,   20,   40,    80,    220,   400,    900,   1800,
                                      3100, 6500, 15500, 20000, 50000, 120000, 350000};
    return kThresholds[precision_ - 4];
  }

  // Mean bias of the six table entries nearest to the estimate.
  double Bias(double estimate) const {
    constexpr size_t kNearest = 6;
    const auto& estimates = bias_.estimates;
    auto at = static_cast<size_t>(std::lower_bound(estimates.begin(), estimates.end(), estimate) - estimates.begin());
    auto distance = [&](size_t i) { return (estimate - estimates[i]) * (estimate - estimates[i]); };
    size_t low = at + 1 > kNearest ? at + 1 - kNearest : 0;
    size_t high = std::min(low + kNearest, estimates.size());
    while (high < estimates.size() && distance(high) < distance(low)) {
      ++low;
      ++high;
    }
    double sum = 0;
    for (size_t i = low; i < high; ++i) sum += bias_.biases[i];
    return sum / static_cast<double>(high - low);
  }

  int precision_;
  HyperLogLogBias bias_;
};

class DistinctState final : public AggregateState {
 public:
  DistinctState(HyperLogLog sketch, DataTypePtr type, arrow::MemoryPool* pool)
      : sketch_(sketch), type_(std::move(type)), pool_(pool) {}

  arrow::Status Resize(int64_t num_groups) override {
    num_groups_ = static_cast<size_t>(num_groups);
    words_.resize(num_groups_ * sketch_.num_words(), 0);
    return arrow::Status::OK();
  }
  arrow::Status Update(const EvalContext&, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    const arrow::Array& values = *arguments[0];
    if (values.type_id() == arrow::Type::NA) return arrow::Status::OK();
    std::vector<int64_t> hashes = expression::XxHash64({values.data()}, {type_}, values.length());
    for (size_t i = 0; i < group_ids.size(); ++i) {
      if (values.IsNull(static_cast<int64_t>(i))) continue;
      sketch_.Add(static_cast<uint64_t>(hashes[i]), WordsOf(group_ids[i]));
    }
    return arrow::Status::OK();
  }
  arrow::Status Merge(const EvalContext&, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override {
    std::vector<uint64_t> other(sketch_.num_words());
    for (size_t i = 0; i < group_ids.size(); ++i) {
      for (size_t w = 0; w < other.size(); ++w) {
        other[w] = static_cast<uint64_t>(buffers[w]->data()->GetValues<int64_t>(1)[i]);
      }
      sketch_.Merge(other.data(), WordsOf(group_ids[i]));
    }
    return arrow::Status::OK();
  }
  arrow::Result<arrow::ArrayVector> Buffers() override {
    arrow::ArrayVector buffers;
    for (size_t w = 0; w < sketch_.num_words(); ++w) {
      arrow::Int64Builder builder(pool_);
      ARROW_RETURN_NOT_OK(builder.Reserve(static_cast<int64_t>(num_groups_)));
      for (size_t group = 0; group < num_groups_; ++group)
        builder.UnsafeAppend(static_cast<int64_t>(WordsOf(group)[w]));
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> buffer, builder.Finish());
      buffers.push_back(std::move(buffer));
    }
    return buffers;
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext&) override {
    arrow::Int64Builder builder(pool_);
    for (size_t group = 0; group < num_groups_; ++group) {
      ARROW_RETURN_NOT_OK(builder.Append(sketch_.Estimate(WordsOf(group))));
    }
    return builder.Finish();
  }

 private:
  uint64_t* WordsOf(size_t group) { return words_.data() + group * sketch_.num_words(); }

  HyperLogLog sketch_;
  DataTypePtr type_;
  arrow::MemoryPool* pool_;
  size_t num_groups_ = 0;
  std::vector<uint64_t> words_;
};

arrow::Result<ExpressionPtr> BindApproxCountDistinct(const BindInput& input) {
  double relative_error = 0.05;
  if (input.arguments.size() == 2) {
    if (!input.arguments[1]->foldable()) return NonFoldableInput(input, 1, "relativeSD", types::Double());
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr error, CoerceArgument(input, 1, types::Double()));
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Scalar> scalar, expression::EvaluateFoldable(*error, input.context));
    if (scalar->is_valid) relative_error = static_cast<const arrow::DoubleScalar&>(*scalar).value;
  }
  auto precision = static_cast<int>(std::ceil(2.0 * std::log(1.106 / relative_error) / std::log(2.0)));
  std::optional<HyperLogLogBias> bias = FindHyperLogLogBias(precision);
  if (!bias) {
    return UserError("UNSUPPORTED_CALL.WITHOUT_SUGGESTION",
                     {{"methodName", "approx_count_distinct with a relative error other than 0.1, 0.05, 0.02 and 0.01"},
                      {"className", "Millrace"}});
  }
  HyperLogLog sketch(precision, *bias);
  DataTypePtr type = input.arguments[0]->type();
  AggregateSpec spec{.type = types::Long(), .nullable = false, .distinct_matters = false};
  for (size_t w = 0; w < sketch.num_words(); ++w) {
    spec.buffer.push_back({"MS[" + std::to_string(w) + "]", types::Long(), true, {}});
  }
  spec.new_state = [sketch, type](arrow::MemoryPool* pool) -> std::unique_ptr<AggregateState> {
    return std::make_unique<DistinctState>(sketch, type, pool);
  };
  return MakeAggregate(input, std::move(spec), input.arguments);
}

}  // namespace

extern const FunctionDef kApproxCountDistinct{.name = "approx_count_distinct",
                                              .kind = FunctionKind::kAggregate,
                                              .family = "aggregate",
                                              .description = "Estimated number of distinct values (HyperLogLog++).",
                                              .example = "approx_count_distinct(col)",
                                              .example_result = "",
                                              .min_arguments = 1,
                                              .max_arguments = 2,
                                              .bind = BindApproxCountDistinct};

}  // namespace millrace::function
