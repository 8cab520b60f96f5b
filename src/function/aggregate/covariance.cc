#include <cmath>
#include <optional>
#include <span>

#include "expression/vector.h"
#include "function/aggregate/bound_aggregate.h"

/// Covariance and correlation of two columns; rows where either is NULL do not count.

namespace millrace::function {

namespace {

/// What is made of the pairs. In regr_… the first argument is the dependent variable, y.
enum class Pairs : uint8_t {
  kCovarPop,
  kCovarSamp,
  kCorr,
  kRegrR2,
  kRegrSlope,
  kRegrIntercept,
  kRegrSxx,
  kRegrSyy,
  kRegrSxy,
};

struct Comoments {
  double n = 0, x_mean = 0, y_mean = 0, ck = 0, x_m2 = 0, y_m2 = 0;

  /// `central`: the squares are added up as var_pop does it, which differs in the last digit.
  void Add(double x, double y, bool central) {
    n += 1;
    double dx = x - x_mean, dy = y - y_mean;
    x_mean += dx / n;
    y_mean += dy / n;
    ck += dx * (y - y_mean);
    x_m2 += dx * (central ? dx - dx / n : x - x_mean);
    y_m2 += dy * (central ? dy - dy / n : y - y_mean);
  }

  void Merge(const Comoments& other) {
    double n1 = n, n2 = other.n, total = n1 + n2;
    double dx = other.x_mean - x_mean, dx_n = total == 0 ? 0.0 : dx / total;
    double dy = other.y_mean - y_mean, dy_n = total == 0 ? 0.0 : dy / total;
    ck = ck + other.ck + dx * dy_n * n1 * n2;
    x_m2 = x_m2 + other.x_m2 + dx * dx_n * n1 * n2;
    y_m2 = y_m2 + other.y_m2 + dy * dy_n * n1 * n2;
    n = total;
    x_mean += dx_n * n2;
    y_mean += dy_n * n2;
  }

  std::optional<double> Result(Pairs kind) const {
    if (n == 0) return std::nullopt;
    switch (kind) {
      case Pairs::kCovarPop:
        return ck / n;
      case Pairs::kCovarSamp:
        return n == 1 ? std::nullopt : std::optional(ck / (n - 1.0));
      case Pairs::kCorr:
        return n == 1 ? std::nullopt : std::optional(ck / std::sqrt(x_m2 * y_m2));
      // The columns are (y, x) here: x_m2 is of the dependent variable.
      case Pairs::kRegrR2: {
        if (y_m2 == 0) return std::nullopt;
        double corr = ck / std::sqrt(x_m2 * y_m2);
        return x_m2 == 0 ? 1.0 : corr * corr;
      }
      case Pairs::kRegrSyy:
        return x_m2;
      case Pairs::kRegrSxx:
        return y_m2;
      case Pairs::kRegrSxy:
        return ck;
      // And (x, y) here.
      case Pairs::kRegrSlope:
        return x_m2 == 0 ? std::nullopt : std::optional(ck / x_m2);
      case Pairs::kRegrIntercept:
        return x_m2 == 0 ? std::nullopt : std::optional(y_mean - ck / x_m2 * x_mean);
    }
    return std::nullopt;
  }
};

struct BufferField {
  const char* name;
  double Comoments::* value;
};
constexpr BufferField kCorrelation[] = {{"n", &Comoments::n},         {"xAvg", &Comoments::x_mean},
                                        {"yAvg", &Comoments::y_mean}, {"ck", &Comoments::ck},
                                        {"xMk", &Comoments::x_m2},    {"yMk", &Comoments::y_m2}};
// The covariance, and the variance of x.
constexpr BufferField kLine[] = {{"n", &Comoments::n},    {"xAvg", &Comoments::x_mean}, {"yAvg", &Comoments::y_mean},
                                 {"ck", &Comoments::ck},  {"n", &Comoments::n},         {"avg", &Comoments::x_mean},
                                 {"m2", &Comoments::x_m2}};
constexpr BufferField kFirst[] = {{"n", &Comoments::n}, {"avg", &Comoments::x_mean}, {"m2", &Comoments::x_m2}};
constexpr BufferField kSecond[] = {{"n", &Comoments::n}, {"avg", &Comoments::y_mean}, {"m2", &Comoments::y_m2}};

/// As Spark lays them out.
constexpr std::span<const BufferField> FieldsOf(Pairs kind) {
  constexpr size_t kCovarianceFields = 4;
  switch (kind) {
    case Pairs::kCovarPop:
    case Pairs::kCovarSamp:
    case Pairs::kRegrSxy:
      return std::span(kCorrelation).first(kCovarianceFields);
    case Pairs::kRegrSlope:
    case Pairs::kRegrIntercept:
      return kLine;
    case Pairs::kRegrSyy:
      return kFirst;
    case Pairs::kRegrSxx:
      return kSecond;
    default:
      return kCorrelation;
  }
}

class ComomentsState final : public AggregateState {
 public:
  ComomentsState(Pairs kind, arrow::MemoryPool* pool) : kind_(kind), pool_(pool) {}

  arrow::Status Resize(int64_t num_groups) override {
    groups_.resize(static_cast<size_t>(num_groups));
    return arrow::Status::OK();
  }
  arrow::Status Update(const EvalContext&, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    expression::FixedColumn<double> x{arrow::Datum(arguments[0])}, y{arrow::Datum(arguments[1])};
    bool swapped = kind_ == Pairs::kRegrSlope || kind_ == Pairs::kRegrIntercept;
    bool central = swapped || kind_ == Pairs::kRegrSxx || kind_ == Pairs::kRegrSyy;
    for (size_t i = 0; i < group_ids.size(); ++i) {
      auto row = static_cast<int64_t>(i);
      if (!x.IsNull(row) && !y.IsNull(row)) {
        swapped ? groups_[group_ids[i]].Add(y[row], x[row], central)
                : groups_[group_ids[i]].Add(x[row], y[row], central);
      }
    }
    return arrow::Status::OK();
  }
  arrow::Status Merge(const EvalContext&, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override {
    for (size_t i = 0; i < group_ids.size(); ++i) {
      Comoments other;
      for (size_t f = 0; f < buffers.size(); ++f) {
        other.*FieldsOf(kind_)[f].value = buffers[f]->data()->GetValues<double>(1)[i];
      }
      groups_[group_ids[i]].Merge(other);
    }
    return arrow::Status::OK();
  }
  arrow::Result<arrow::ArrayVector> Buffers() override {
    arrow::ArrayVector buffers;
    for (const BufferField& field : FieldsOf(kind_)) {
      arrow::DoubleBuilder builder(pool_);
      for (const Comoments& group : groups_) ARROW_RETURN_NOT_OK(builder.Append(group.*field.value));
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> buffer, builder.Finish());
      buffers.push_back(std::move(buffer));
    }
    return buffers;
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext&) override {
    arrow::DoubleBuilder builder(pool_);
    for (const Comoments& group : groups_) {
      std::optional<double> value = group.Result(kind_);
      ARROW_RETURN_NOT_OK(value ? builder.Append(*value) : builder.AppendNull());
    }
    return builder.Finish();
  }

 private:
  Pairs kind_;
  arrow::MemoryPool* pool_;
  std::vector<Comoments> groups_;
};

template <Pairs kKind>
arrow::Result<ExpressionPtr> BindPairs(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr x, CoerceArgument(input, 0, types::Double()));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr y, CoerceArgument(input, 1, types::Double()));
  AggregateSpec spec{.type = types::Double()};
  for (const BufferField& field : FieldsOf(kKind)) spec.buffer.push_back({field.name, types::Double(), false, {}});
  spec.new_state = [](arrow::MemoryPool* pool) { return std::make_unique<ComomentsState>(kKind, pool); };
  return MakeAggregate(input, std::move(spec), {std::move(x), std::move(y)});
}

}  // namespace

extern const FunctionDef kCovarPop{.name = "covar_pop",
                                   .kind = FunctionKind::kAggregate,
                                   .family = "aggregate",
                                   .description = "Covariance of a population.",
                                   .example = "covar_pop(x, y)",
                                   .example_result = "",
                                   .min_arguments = 2,
                                   .max_arguments = 2,
                                   .bind = BindPairs<Pairs::kCovarPop>};

extern const FunctionDef kCovarSamp{.name = "covar_samp",
                                    .kind = FunctionKind::kAggregate,
                                    .family = "aggregate",
                                    .description = "Covariance of a sample.",
                                    .example = "covar_samp(x, y)",
                                    .example_result = "",
                                    .min_arguments = 2,
                                    .max_arguments = 2,
                                    .bind = BindPairs<Pairs::kCovarSamp>};

extern const FunctionDef kCorr{.name = "corr",
                               .kind = FunctionKind::kAggregate,
                               .family = "aggregate",
                               .description = "Pearson's correlation.",
                               .example = "corr(x, y)",
                               .example_result = "",
                               .min_arguments = 2,
                               .max_arguments = 2,
                               .bind = BindPairs<Pairs::kCorr>};

extern const FunctionDef kRegrR2{.name = "regr_r2",
                                 .kind = FunctionKind::kAggregate,
                                 .family = "aggregate",
                                 .description = "Coefficient of determination of pairs (y, x).",
                                 .example = "regr_r2(y, x)",
                                 .example_result = "",
                                 .min_arguments = 2,
                                 .max_arguments = 2,
                                 .bind = BindPairs<Pairs::kRegrR2>};

extern const FunctionDef kRegrSlope{.name = "regr_slope",
                                    .kind = FunctionKind::kAggregate,
                                    .family = "aggregate",
                                    .description = "Slope of the regression line of pairs (y, x).",
                                    .example = "regr_slope(y, x)",
                                    .example_result = "",
                                    .min_arguments = 2,
                                    .max_arguments = 2,
                                    .bind = BindPairs<Pairs::kRegrSlope>};

extern const FunctionDef kRegrIntercept{.name = "regr_intercept",
                                        .kind = FunctionKind::kAggregate,
                                        .family = "aggregate",
                                        .description = "Intercept of the regression line of pairs (y, x).",
                                        .example = "regr_intercept(y, x)",
                                        .example_result = "",
                                        .min_arguments = 2,
                                        .max_arguments = 2,
                                        .bind = BindPairs<Pairs::kRegrIntercept>};

extern const FunctionDef kRegrSxx{.name = "regr_sxx",
                                  .kind = FunctionKind::kAggregate,
                                  .family = "aggregate",
                                  .description = "Sum of the squared deviations of x.",
                                  .example = "regr_sxx(y, x)",
                                  .example_result = "",
                                  .min_arguments = 2,
                                  .max_arguments = 2,
                                  .bind = BindPairs<Pairs::kRegrSxx>};

extern const FunctionDef kRegrSyy{.name = "regr_syy",
                                  .kind = FunctionKind::kAggregate,
                                  .family = "aggregate",
                                  .description = "Sum of the squared deviations of y.",
                                  .example = "regr_syy(y, x)",
                                  .example_result = "",
                                  .min_arguments = 2,
                                  .max_arguments = 2,
                                  .bind = BindPairs<Pairs::kRegrSyy>};

extern const FunctionDef kRegrSxy{.name = "regr_sxy",
                                  .kind = FunctionKind::kAggregate,
                                  .family = "aggregate",
                                  .description = "Sum of the products of the deviations of x and y.",
                                  .example = "regr_sxy(y, x)",
                                  .example_result = "",
                                  .min_arguments = 2,
                                  .max_arguments = 2,
                                  .bind = BindPairs<Pairs::kRegrSxy>};

}  // namespace millrace::function
