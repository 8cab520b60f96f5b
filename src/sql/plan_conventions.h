#pragma once

#include <string_view>

namespace millrace::sql {

// What this parser says with Spark Connect's messages where they leave room, or have no word. The analyzer is the
// reader.
//
// Functions. Operators are UnresolvedFunction by PySpark's names: + - * / % div & | ^ ~ << >> >>> == <=> < <= > >= and
// or not
//   in like ilike rlike isnull isnotnull between concat (||) when (CASE) struct; `<>` is not(==). One-argument "-" and
//   "+" are the sign operators (they print as "(- a)", where the function negative prints as "negative(a)").
//   Unqualified names are lower-cased UnresolvedFunction; qualified ones (a.f(x)) are CallFunction.
//   A multi-word form becomes the plain function: EXTRACT extract('year', x) · POSITION locate(a, b, 1) ·
//   SUBSTRING … FROM substring(x, n, m) · TRIM trim/ltrim/rtrim(characters, x) · OVERLAY overlay ·
//   DATEADD(unit, …) timestampadd('UNIT', …) · DATEDIFF(unit, …) timestampdiff('UNIT', …) · (a, b) named_struct('a', a,
//   …) · count(*) count(1) · x NOT … not(…) · LIKE ANY / ALL or / and of like · first(x IGNORE NULLS) first(x, true).
// Words without parentheses (current_date, user …) are UnresolvedAttribute: a column of that name wins, as in Spark.
// Lambda parameters are UnresolvedNamedLambdaVariable with one name part; a field of one is UnresolvedExtractValue.
// Literals. Interval literals set Literal.data_type (which fields they have); so do decimals with value "12.50".
//
// SELECT without FROM reads a LocalRelation whose data is an Arrow stream of one row and no columns.
// VALUES is UnresolvedTableValuedFunction kInlineTable with one function struct(value, …) a row, whose types are to be
//   brought together column by column; the columns are col1, col2 …
// A GROUP BY query is Aggregate with GROUP_TYPE_UNSPECIFIED: its output is exactly aggregate_expressions (the SELECT
// list),
//   where the DataFrame forms put the grouping columns first. grouping_expressions may hold ordinals, aliases of the
//   SELECT list, the attribute ALL (GROUP BY ALL) and the kRollup, kCube, kGroupingSets functions.
// HAVING is Filter over that Aggregate. Aggregates and grouping expressions that only HAVING or ORDER BY use are
// appended to
//   aggregate_expressions under names that start with kHiddenPrefix, and a Drop on top removes them again. QUALIFY
//   does the same with window expressions over a Project.
// ORDER BY is Sort over the SELECT; it may name columns of the SELECT's input.
// WITH is WithRelations whose references are SubqueryAlias; a later one may read an earlier one.
// WITH RECURSIVE marks each of its queries by a Hint kRecursive around it, whose parameter is MAX RECURSION LEVEL.
// Subqueries in expressions are SubqueryExpression by plan_id (from kFirstSubqueryPlanId); their plans are the
// references,
//   not aliased, of a WithRelations around the query that contains them.
// UNPIVOT is Unpivot whose ids are one star: the columns that are no values.
// LATERAL VIEW is LateralJoin (INNER, or LEFT_OUTER for OUTER) with the UnresolvedTableValuedFunction of the generator.
// NATURAL JOIN is Join with the condition kNaturalJoin(). Tables read AS OF carry the option versionAsOf or
// timestampAsOf.

/// Names of UnresolvedFunction with is_internal set, for what has no message of its own.
/// aggregate_filter(f(…), condition): f(…) FILTER (WHERE condition).
inline constexpr std::string_view kAggregateFilter = "aggregate_filter";
/// ignore_nulls(f(…)): f(…) IGNORE NULLS, for functions without an argument for it.
inline constexpr std::string_view kIgnoreNulls = "ignore_nulls";
/// unbounded_bound() as a frame's bound: UNBOUNDED FOLLOWING as the lower, UNBOUNDED PRECEDING as the upper one.
inline constexpr std::string_view kUnboundedBound = "unbounded_bound";
/// within_group(f(…), sort_order…): f(…) WITHIN GROUP (ORDER BY …).
inline constexpr std::string_view kWithinGroup = "within_group";
/// star_except(star, attribute…): * EXCEPT (…).
inline constexpr std::string_view kStarExcept = "star_except";
/// replace_existing(attribute, value): the value, when there is such a column (|> SET).
inline constexpr std::string_view kReplaceExisting = "replace_existing";
/// rollup(x…), cube(x…), grouping_sets(x…) in GROUP BY; an argument of several columns is grouping_set(x…). Sets may be
/// rollups, cubes and sets themselves. The first argument of sets may be grouping_keys(x…): which keys there are.
inline constexpr std::string_view kRollup = "rollup";
inline constexpr std::string_view kCube = "cube";
inline constexpr std::string_view kGroupingSets = "grouping_sets";
inline constexpr std::string_view kGroupingSet = "grouping_set";
inline constexpr std::string_view kGroupingKeys = "grouping_keys";
/// variant_path(v, '$.path'): v:path.
inline constexpr std::string_view kVariantPath = "variant_path";
/// The condition of NATURAL JOIN: all columns of the same name are equal and appear once.
inline constexpr std::string_view kNaturalJoin = "natural_join";

/// input_ordinal(n): the n-th column of the input (|> AGGREGATE … GROUP BY n).
inline constexpr std::string_view kInputOrdinal = "input_ordinal";
/// having(condition), the condition of a Filter over an Aggregate: names mean columns below the aggregate first.
inline constexpr std::string_view kHaving = "having";

/// pivot_values(value…), the only grouping expression of PIVOT in SQL: groups by the columns nothing else reads. A
/// value may be an alias.
inline constexpr std::string_view kPivotValues = "pivot_values";

/// UNPIVOT into several columns: unpivot_columns('v', …) is an id beside the star and names them, and each value is
/// unpivot_values(a, …), an alias or not.
inline constexpr std::string_view kUnpivotColumns = "unpivot_columns";
inline constexpr std::string_view kUnpivotValues = "unpivot_values";

/// Hints that say into how many partitions, or by which columns, rows go: they stand around the SELECT, the others
/// around what it reads. `name` in upper case.
inline bool IsPartitioningHint(std::string_view name) {
  return name == "COALESCE" || name == "REPARTITION" || name == "REPARTITION_BY_RANGE" || name == "REBALANCE";
}

/// Name of the hint around the queries of WITH RECURSIVE.
inline constexpr std::string_view kRecursive = "with_recursive";

/// Name of the table function that stands for VALUES.
inline constexpr std::string_view kInlineTable = "inline_table";

inline constexpr std::string_view kHiddenPrefix = "__hidden_";
/// Far above what clients count to.
inline constexpr long kFirstSubqueryPlanId = 1L << 40;

}  // namespace millrace::sql
