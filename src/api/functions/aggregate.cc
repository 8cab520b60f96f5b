#include "millrace/functions/aggregate.h"

#include "api/functions/arguments.h"

namespace millrace::functions {

using api::Arguments;
using api::Optional;
namespace {

Column Distinct(const Column& call) {
  auto message = std::make_shared<spark::connect::Expression>(call.message());
  message->mutable_unresolved_function()->set_is_distinct(true);
  return Column(std::move(message));
}

Column ArrayOf(const std::vector<double>& numbers) {
  std::vector<Column> elements;
  for (double number : numbers) elements.push_back(Lit(number));
  return Call("array", elements);
}

}  // namespace

Column AnyValue(const Column& value, bool ignore_nulls) { return Call("any_value", {value, Lit(ignore_nulls)}); }
Column ApproxCountDistinct(const Column& value, std::optional<double> relative_standard_deviation) {
  return Call("approx_count_distinct", Arguments({value}, Optional(relative_standard_deviation)));
}
Column ArrayAgg(const Column& value) { return Call("array_agg", {value}); }
Column Avg(const Column& value) { return Call("avg", {value}); }
Column BitAnd(const Column& value) { return Call("bit_and", {value}); }
Column BitmapAndAgg(const Column& value) { return Call("bitmap_and_agg", {value}); }
Column BitmapConstructAgg(const Column& value) { return Call("bitmap_construct_agg", {value}); }
Column BitmapOrAgg(const Column& value) { return Call("bitmap_or_agg", {value}); }
Column BitOr(const Column& value) { return Call("bit_or", {value}); }
Column BitXor(const Column& value) { return Call("bit_xor", {value}); }
Column BoolAnd(const Column& value) { return Call("bool_and", {value}); }
Column BoolOr(const Column& value) { return Call("bool_or", {value}); }
Column CollectList(const Column& value) { return Call("collect_list", {value}); }
Column CollectSet(const Column& value) { return Call("collect_set", {value}); }
Column Corr(const Column& first, const Column& second) { return Call("corr", {first, second}); }
Column Count(const Column& value) { return Call("count", {value}); }
Column CountDistinct(const Column& value, const std::vector<Column>& others) {
  return Distinct(Call("count", api::Prepend(value, others)));
}
Column CountIf(const Column& value) { return Call("count_if", {value}); }
Column CovarPop(const Column& first, const Column& second) { return Call("covar_pop", {first, second}); }
Column CovarSamp(const Column& first, const Column& second) { return Call("covar_samp", {first, second}); }
Column Every(const Column& value) { return Call("every", {value}); }
Column First(const Column& value, bool ignore_nulls) { return Call("first", {value, Lit(ignore_nulls)}); }
Column FirstValue(const Column& value, bool ignore_nulls) { return Call("first_value", {value, Lit(ignore_nulls)}); }
Column Grouping(const Column& value) { return Call("grouping", {value}); }
Column GroupingId(const std::vector<Column>& values) { return Call("grouping_id", values); }
Column HistogramNumeric(const Column& value, const Column& num_bins) {
  return Call("histogram_numeric", {value, num_bins});
}
Column Kurtosis(const Column& value) { return Call("kurtosis", {value}); }
Column Last(const Column& value, bool ignore_nulls) { return Call("last", {value, Lit(ignore_nulls)}); }
Column LastValue(const Column& value, bool ignore_nulls) { return Call("last_value", {value, Lit(ignore_nulls)}); }
Column ListAggDistinct(const Column& value, const std::optional<ColumnOrLiteral>& delimiter) {
  return Distinct(ListAgg(value, delimiter));
}
Column ListAgg(const Column& value, const std::optional<ColumnOrLiteral>& delimiter) {
  return Call("listagg", Arguments({value}, Optional(delimiter)));
}
Column MaxBy(const Column& value, const Column& order, std::optional<int64_t> k) {
  return Call("max_by", Arguments({value, order}, Optional(k)));
}
Column Max(const Column& value) { return Call("max", {value}); }
Column Mean(const Column& value) { return Call("mean", {value}); }
Column Median(const Column& value) { return Call("median", {value}); }
Column MinBy(const Column& value, const Column& order, std::optional<int64_t> k) {
  return Call("min_by", Arguments({value, order}, Optional(k)));
}
Column Min(const Column& value) { return Call("min", {value}); }
Column Mode(const Column& value, bool deterministic) { return Call("mode", {value, Lit(deterministic)}); }
Column PercentileApprox(const Column& value, const ColumnOrNumber& percentage, const ColumnOrNumber& accuracy) {
  return Call("percentile_approx", {value, percentage.column(), accuracy.column()});
}
Column PercentileApprox(const Column& value, const std::vector<double>& percentages, const ColumnOrNumber& accuracy) {
  return Call("percentile_approx", {value, ArrayOf(percentages), accuracy.column()});
}
Column Percentile(const Column& value, const ColumnOrNumber& percentage, const ColumnOrNumber& frequency) {
  return Call("percentile", {value, percentage.column(), frequency.column()});
}
Column Percentile(const Column& value, const std::vector<double>& percentages, const ColumnOrNumber& frequency) {
  return Call("percentile", {value, ArrayOf(percentages), frequency.column()});
}
Column Product(const Column& value) { return Call("product", {value}); }
Column RegrAvgx(const Column& y, const Column& x) { return Call("regr_avgx", {y, x}); }
Column RegrAvgy(const Column& y, const Column& x) { return Call("regr_avgy", {y, x}); }
Column RegrCount(const Column& y, const Column& x) { return Call("regr_count", {y, x}); }
Column RegrIntercept(const Column& y, const Column& x) { return Call("regr_intercept", {y, x}); }
Column RegrR2(const Column& y, const Column& x) { return Call("regr_r2", {y, x}); }
Column RegrSlope(const Column& y, const Column& x) { return Call("regr_slope", {y, x}); }
Column RegrSxx(const Column& y, const Column& x) { return Call("regr_sxx", {y, x}); }
Column RegrSxy(const Column& y, const Column& x) { return Call("regr_sxy", {y, x}); }
Column RegrSyy(const Column& y, const Column& x) { return Call("regr_syy", {y, x}); }
Column SchemaOfVariantAgg(const Column& value) { return Call("schema_of_variant_agg", {value}); }
Column Skewness(const Column& value) { return Call("skewness", {value}); }
Column Some(const Column& value) { return Call("some", {value}); }
Column StddevPop(const Column& value) { return Call("stddev_pop", {value}); }
Column StddevSamp(const Column& value) { return Call("stddev_samp", {value}); }
Column Stddev(const Column& value) { return Call("stddev", {value}); }
Column StringAgg(const Column& value, const std::optional<ColumnOrLiteral>& delimiter) {
  return Call("string_agg", Arguments({value}, Optional(delimiter)));
}
Column SumDistinct(const Column& value) { return Distinct(Call("sum", {value})); }
Column Sum(const Column& value) { return Call("sum", {value}); }
Column TryAvg(const Column& value) { return Call("try_avg", {value}); }
Column TrySum(const Column& value) { return Call("try_sum", {value}); }
Column Variance(const Column& value) { return Call("variance", {value}); }
Column VarPop(const Column& value) { return Call("var_pop", {value}); }
Column VarSamp(const Column& value) { return Call("var_samp", {value}); }

}  // namespace millrace::functions
