#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "millrace/column.h"

/// Aggregate functions: of the rows of a group, or of a window with Column::Over.
/// Arguments that are `Column` take a column's name too. NULL in gives NULL out unless said otherwise. Source: Spark's
/// functions.
namespace millrace::functions {

/// Some value; with true, one that is not NULL.
Column AnyValue(const Column& value, bool ignore_nulls = false);
/// Estimated number of distinct values (HyperLogLog++).
Column ApproxCountDistinct(const Column& value, std::optional<double> relative_standard_deviation = {});
/// As CollectList.
Column ArrayAgg(const Column& value);
/// Mean of the values that are not NULL.
Column Avg(const Column& value);
/// Bitwise AND of the values that are not NULL.
Column BitAnd(const Column& value);
/// What bitmaps have in common.
Column BitmapAndAgg(const Column& value);
/// A bitmap with the bits at all positions set.
Column BitmapConstructAgg(const Column& value);
/// The union of bitmaps.
Column BitmapOrAgg(const Column& value);
/// Bitwise OR of the values that are not NULL.
Column BitOr(const Column& value);
/// Bitwise XOR of the values that are not NULL.
Column BitXor(const Column& value);
/// True when no value is false.
Column BoolAnd(const Column& value);
/// True when a value is true.
Column BoolOr(const Column& value);
/// Array of the values that are not NULL.
Column CollectList(const Column& value);
/// Array of the distinct values that are not NULL.
Column CollectSet(const Column& value);
/// Pearson's correlation.
Column Corr(const Column& first, const Column& second);
/// Number of rows where every argument is not NULL; count(*) counts all rows.
Column Count(const Column& value);
/// Number of distinct combinations without a NULL.
Column CountDistinct(const Column& value, const std::vector<Column>& others = {});
/// Number of rows where the condition is true.
Column CountIf(const Column& value);
/// Covariance of a population.
Column CovarPop(const Column& first, const Column& second);
/// Covariance of a sample.
Column CovarSamp(const Column& first, const Column& second);
/// As BoolAnd.
Column Every(const Column& value);
/// The first value; with true, the first that is not NULL.
Column First(const Column& value, bool ignore_nulls = false);
/// As First.
Column FirstValue(const Column& value, bool ignore_nulls = false);
/// 1 where a column is left out of the row's grouping set, else 0.
Column Grouping(const Column& value);
/// Which grouping columns a row of Rollup or Cube sums over, a bit each.
Column GroupingId(const std::vector<Column>& values = {});
/// A histogram of the numbers in a number of bins.
Column HistogramNumeric(const Column& value, const Column& num_bins);
/// Excess kurtosis of the values.
Column Kurtosis(const Column& value);
/// The last value; with true, the last that is not NULL.
Column Last(const Column& value, bool ignore_nulls = false);
/// As Last.
Column LastValue(const Column& value, bool ignore_nulls = false);
/// As ListAgg, of the distinct values.
Column ListAggDistinct(const Column& value, const std::optional<ColumnOrLiteral>& delimiter = {});
/// The texts of a group as one, with a delimiter between them.
Column ListAgg(const Column& value, const std::optional<ColumnOrLiteral>& delimiter = {});
/// The value of the row where the second argument is largest; with a third argument, of so many rows.
Column MaxBy(const Column& value, const Column& order, std::optional<int64_t> k = {});
/// Largest value.
Column Max(const Column& value);
/// As Avg.
Column Mean(const Column& value);
/// The middle value, between the two middle ones where there are two.
Column Median(const Column& value);
/// The value of the row where the second argument is smallest; with a third argument, of so many rows.
Column MinBy(const Column& value, const Column& order, std::optional<int64_t> k = {});
/// Smallest value.
Column Min(const Column& value);
/// The most frequent value; with true, the least of several.
Column Mode(const Column& value, bool deterministic = false);
/// A value near a fraction of the sorted rows; its error is a fraction 1 / accuracy of the rows.
Column PercentileApprox(const Column& value, const ColumnOrNumber& percentage, const ColumnOrNumber& accuracy = 10000);
/// An array of the values near several fractions.
Column PercentileApprox(const Column& value, const std::vector<double>& percentages,
                        const ColumnOrNumber& accuracy = 10000);
/// The value at a fraction of the sorted rows, interpolated.
Column Percentile(const Column& value, const ColumnOrNumber& percentage, const ColumnOrNumber& frequency = 1);
/// An array of the values at several fractions.
Column Percentile(const Column& value, const std::vector<double>& percentages, const ColumnOrNumber& frequency = 1);
/// Product of all numbers.
Column Product(const Column& value);
/// Average of x over the pairs (y, x) without a NULL.
Column RegrAvgx(const Column& y, const Column& x);
/// Average of y over the pairs (y, x) without a NULL.
Column RegrAvgy(const Column& y, const Column& x);
/// Number of pairs (y, x) without a NULL.
Column RegrCount(const Column& y, const Column& x);
/// Intercept of the regression line of pairs (y, x).
Column RegrIntercept(const Column& y, const Column& x);
/// Coefficient of determination of pairs (y, x).
Column RegrR2(const Column& y, const Column& x);
/// Slope of the regression line of pairs (y, x).
Column RegrSlope(const Column& y, const Column& x);
/// Sum of the squared deviations of x.
Column RegrSxx(const Column& y, const Column& x);
/// Sum of the products of the deviations of x and y.
Column RegrSxy(const Column& y, const Column& x);
/// Sum of the squared deviations of y.
Column RegrSyy(const Column& y, const Column& x);
/// The type that holds all variants of a column, as SQL.
Column SchemaOfVariantAgg(const Column& value);
/// Skewness of the values.
Column Skewness(const Column& value);
/// As BoolOr.
Column Some(const Column& value);
/// Standard deviation of a population.
Column StddevPop(const Column& value);
/// Standard deviation of a sample.
Column StddevSamp(const Column& value);
/// As StddevSamp.
Column Stddev(const Column& value);
/// As ListAgg.
Column StringAgg(const Column& value, const std::optional<ColumnOrLiteral>& delimiter = {});
/// Sum of the distinct values.
Column SumDistinct(const Column& value);
/// Sum of the values that are not NULL.
Column Sum(const Column& value);
/// As avg, but NULL on overflow.
Column TryAvg(const Column& value);
/// As sum, but NULL on overflow.
Column TrySum(const Column& value);
/// As VarSamp.
Column Variance(const Column& value);
/// Variance of a population.
Column VarPop(const Column& value);
/// Variance of a sample.
Column VarSamp(const Column& value);

}  // namespace millrace::functions
