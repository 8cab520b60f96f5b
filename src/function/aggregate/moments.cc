#include <cmath>

#include "expression/vector.h"
#include "function/aggregate/bound_aggregate.h"
#include "function/aggregate/group_values.h"

/// Variance, standard deviation, skewness and kurtosis: central moments kept running, as Spark's buffers hold them.

namespace millrace::function {

namespace {

enum class Statistic : uint8_t { kVariancePop, kVarianceSamp, kStddevPop, kStddevSamp, kSkewness, kKurtosis };

constexpr int MomentsOf(Statistic statistic) {
  return statistic == Statistic::kSkewness ? 3 : statistic == Statistic::kKurtosis ? 4 : 2;
}

struct Moments {
  double n = 0, mean = 0, m2 = 0, m3 = 0, m4 = 0;

  void Add(double x) {
    n += 1;
    double delta = x - mean, delta_n = delta / n;
    mean += delta_n;
    m2 += delta * (delta - delta_n);
    double delta2 = delta * delta, delta_n2 = delta_n * delta_n;
    m3 = m3 - 3.0 * delta_n * m2 + delta * (delta2 - delta_n2);
    m4 = m4 - 4.0 * delta_n * m3 - 6.0 * delta_n2 * m2 + delta * (delta * delta2 - delta_n * delta_n2);
  }

  void Merge(const Moments& other) {
    double n1 = n, n2 = other.n, total = n1 + n2;
    double delta = other.mean - mean, delta_n = total == 0 ? 0.0 : delta / total;
    double new_m2 = m2 + other.m2 + delta * delta_n * n1 * n2;
    double new_m3 =
        m3 + other.m3 + delta_n * delta_n * delta * n1 * n2 * (n1 - n2) + 3.0 * delta_n * (n1 * other.m2 - n2 * m2);
    double new_m4 = m4 + other.m4 + delta_n * delta_n * delta_n * delta * n1 * n2 * (n1 * n1 - n1 * n2 + n2 * n2) +
                    6.0 * delta_n * delta_n * (n1 * n1 * other.m2 + n2 * n2 * m2) +
                    4.0 * delta_n * (n1 * other.m3 - n2 * m3);
    n = total;
    mean += delta_n * n2;
    m2 = new_m2;
    m3 = new_m3;
    m4 = new_m4;
  }

  // nullopt for NULL.
  std::optional<double> Result(Statistic statistic) const {
    if (n == 0) return std::nullopt;
    switch (statistic) {
      case Statistic::kVariancePop:
        return m2 / n;
      case Statistic::kStddevPop:
        return std::sqrt(m2 / n);
      case Statistic::kVarianceSamp:
        return n == 1 ? std::nullopt : std::optional(m2 / (n - 1.0));
      case Statistic::kStddevSamp:
        return n == 1 ? std::nullopt : std::optional(std::sqrt(m2 / (n - 1.0)));
      case Statistic::kSkewness:
        return m2 == 0 ? std::nullopt : std::optional(std::sqrt(n) * m3 / std::sqrt(m2 * m2 * m2));
      case Statistic::kKurtosis:
        return m2 == 0 ? std::nullopt : std::optional(n * m4 / (m2 * m2) - 3.0);
    }
    return std::nullopt;
  }
};

class MomentsState final : public AggregateState {
 public:
  MomentsState(Statistic statistic, arrow::MemoryPool* pool) : statistic_(statistic), pool_(pool) {}

  arrow::Status Resize(int64_t num_groups) override {
    groups_.resize(static_cast<size_t>(num_groups));
    return arrow::Status::OK();
  }
  arrow::Status Update(const EvalContext&, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    expression::FixedColumn<double> column{arrow::Datum(arguments[0])};
    for (size_t i = 0; i < group_ids.size(); ++i) {
      auto row = static_cast<int64_t>(i);
      if (!column.IsNull(row)) groups_[group_ids[i]].Add(column[row]);
    }
    return arrow::Status::OK();
  }
  arrow::Status Merge(const EvalContext&, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override {
    std::vector<const double*> columns;
    for (const auto& buffer : buffers) columns.push_back(buffer->data()->GetValues<double>(1));
    for (size_t i = 0; i < group_ids.size(); ++i) {
      Moments other{columns[0][i], columns[1][i], columns[2][i]};
      if (columns.size() > 3) other.m3 = columns[3][i];
      if (columns.size() > 4) other.m4 = columns[4][i];
      groups_[group_ids[i]].Merge(other);
    }
    return arrow::Status::OK();
  }
  arrow::Result<arrow::ArrayVector> Buffers() override {
    arrow::ArrayVector buffers;
    constexpr double Moments::* kFields[] = {&Moments::n, &Moments::mean, &Moments::m2, &Moments::m3, &Moments::m4};
    for (int field = 0; field <= MomentsOf(statistic_); ++field) {
      arrow::DoubleBuilder builder(pool_);
      for (const Moments& group : groups_) ARROW_RETURN_NOT_OK(builder.Append(group.*kFields[field]));
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> buffer, builder.Finish());
      buffers.push_back(std::move(buffer));
    }
    return buffers;
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext&) override {
    arrow::DoubleBuilder builder(pool_);
    for (const Moments& group : groups_) {
      std::optional<double> value = group.Result(statistic_);
      ARROW_RETURN_NOT_OK(value ? builder.Append(*value) : builder.AppendNull());
    }
    return builder.Finish();
  }

 private:
  Statistic statistic_;
  arrow::MemoryPool* pool_;
  std::vector<Moments> groups_;
};

template <Statistic kStatistic>
arrow::Result<ExpressionPtr> BindMoments(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr argument, CoerceArgument(input, 0, types::Double()));
  AggregateSpec spec{.type = types::Double()};
  constexpr const char* kNames[] = {"n", "avg", "m2", "m3", "m4"};
  for (int i = 0; i <= MomentsOf(kStatistic); ++i) spec.buffer.push_back({kNames[i], types::Double(), false, {}});
  spec.new_state = [](arrow::MemoryPool* pool) { return std::make_unique<MomentsState>(kStatistic, pool); };
  return MakeAggregate(input, std::move(spec), {std::move(argument)});
}

}  // namespace

extern const FunctionDef kStddevSamp{.name = "stddev_samp",
                                     .aliases = "stddev std",
                                     .kind = FunctionKind::kAggregate,
                                     .family = "aggregate",
                                     .description = "Standard deviation of a sample.",
                                     .example = "stddev_samp(col)",
                                     .example_result = "",
                                     .min_arguments = 1,
                                     .max_arguments = 1,
                                     .bind = BindMoments<Statistic::kStddevSamp>};

extern const FunctionDef kStddevPop{.name = "stddev_pop",
                                    .kind = FunctionKind::kAggregate,
                                    .family = "aggregate",
                                    .description = "Standard deviation of a population.",
                                    .example = "stddev_pop(col)",
                                    .example_result = "",
                                    .min_arguments = 1,
                                    .max_arguments = 1,
                                    .bind = BindMoments<Statistic::kStddevPop>};

extern const FunctionDef kVarSamp{.name = "var_samp",
                                  .aliases = "variance",
                                  .kind = FunctionKind::kAggregate,
                                  .family = "aggregate",
                                  .description = "Variance of a sample.",
                                  .example = "var_samp(col)",
                                  .example_result = "",
                                  .min_arguments = 1,
                                  .max_arguments = 1,
                                  .bind = BindMoments<Statistic::kVarianceSamp>};

extern const FunctionDef kVarPop{.name = "var_pop",
                                 .kind = FunctionKind::kAggregate,
                                 .family = "aggregate",
                                 .description = "Variance of a population.",
                                 .example = "var_pop(col)",
                                 .example_result = "",
                                 .min_arguments = 1,
                                 .max_arguments = 1,
                                 .bind = BindMoments<Statistic::kVariancePop>};

extern const FunctionDef kSkewness{.name = "skewness",
                                   .kind = FunctionKind::kAggregate,
                                   .family = "aggregate",
                                   .description = "Skewness of the values.",
                                   .example = "skewness(col)",
                                   .example_result = "",
                                   .min_arguments = 1,
                                   .max_arguments = 1,
                                   .bind = BindMoments<Statistic::kSkewness>};

extern const FunctionDef kKurtosis{.name = "kurtosis",
                                   .kind = FunctionKind::kAggregate,
                                   .family = "aggregate",
                                   .description = "Excess kurtosis of the values.",
                                   .example = "kurtosis(col)",
                                   .example_result = "",
                                   .min_arguments = 1,
                                   .max_arguments = 1,
                                   .bind = BindMoments<Statistic::kKurtosis>};

}  // namespace millrace::function
