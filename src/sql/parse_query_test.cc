#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "base/error.h"
#include "spark/connect/base.pb.h"
#include "sql/parser.h"
#include "sql/statement.h"
#include "sql/test_rendering.h"
#include "types/column_metadata.h"

namespace millrace::sql {
namespace {

using spark::connect::Join;
using spark::connect::Relation;

std::string RenderPlan(const Relation& relation);

std::string Items(const google::protobuf::RepeatedPtrField<Expression>& expressions) {
  return "[" + RenderList(expressions) + "]";
}

std::string Orders(const google::protobuf::RepeatedPtrField<Expression::SortOrder>& orders) {
  return "[" + RenderList(orders) + "]";
}

std::string RenderJoin(const Join& join) {
  std::string type = Join::JoinType_Name(join.join_type()).substr(10);
  std::string out = type + "(" + RenderPlan(join.left()) + ", " + RenderPlan(join.right());
  if (join.has_join_condition()) out += ", " + Render(join.join_condition());
  for (const std::string& column : join.using_columns()) out += ", using " + column;
  return out + ")";
}

// name(inputs, arguments), innermost relation first.
std::string RenderPlan(const Relation& relation) {
  auto unary = [](std::string_view name, const Relation& input, const std::string& rest) {
    return fmt::format("{}({}{}{})", name, RenderPlan(input), rest.empty() ? "" : ", ", rest);
  };
  switch (relation.rel_type_case()) {
    case Relation::kProject:
      return unary("project", relation.project().input(), Items(relation.project().expressions()));
    case Relation::kFilter:
      return unary("filter", relation.filter().input(), Render(relation.filter().condition()));
    case Relation::kAggregate:
      return unary("aggregate", relation.aggregate().input(),
                   Items(relation.aggregate().grouping_expressions()) + ", " +
                       Items(relation.aggregate().aggregate_expressions()));
    case Relation::kSort:
      return unary(relation.sort().is_global() ? "sort" : "sort_partitions", relation.sort().input(),
                   Orders(relation.sort().order()));
    case Relation::kLimit:
      return unary("limit", relation.limit().input(), std::to_string(relation.limit().limit()));
    case Relation::kOffset:
      return unary("offset", relation.offset().input(), std::to_string(relation.offset().offset()));
    case Relation::kDeduplicate:
      return unary("distinct", relation.deduplicate().input(), "");
    case Relation::kDrop: {
      std::string names;
      for (const std::string& name : relation.drop().column_names()) names += (names.empty() ? "" : ", ") + name;
      return unary("drop", relation.drop().input(), names);
    }
    case Relation::kSubqueryAlias:
      return unary("alias", relation.subquery_alias().input(), relation.subquery_alias().alias());
    case Relation::kToDf: {
      std::string names;
      for (const std::string& name : relation.to_df().column_names()) names += (names.empty() ? "" : ", ") + name;
      return unary("columns", relation.to_df().input(), names);
    }
    case Relation::kRead: {
      const auto& table = relation.read().named_table();
      std::string out = (relation.read().is_streaming() ? "stream " : "") + table.unparsed_identifier();
      for (const auto& [key, value] : table.options()) out += " " + key + "=" + value;
      return out;
    }
    case Relation::kLocalRelation:
      return "one_row";
    case Relation::kUnresolvedTableValuedFunction:
      return relation.unresolved_table_valued_function().function_name() + "(" +
             RenderList(relation.unresolved_table_valued_function().arguments()) + ")";
    case Relation::kJoin:
      return RenderJoin(relation.join());
    case Relation::kLateralJoin: {
      const auto& join = relation.lateral_join();
      return "LATERAL_" + Join::JoinType_Name(join.join_type()).substr(10) + "(" + RenderPlan(join.left()) + ", " +
             RenderPlan(join.right()) + (join.has_join_condition() ? ", " + Render(join.join_condition()) : "") + ")";
    }
    case Relation::kSetOp: {
      using spark::connect::SetOperation;
      std::string type = SetOperation::SetOpType_Name(relation.set_op().set_op_type()).substr(12);
      return type + (relation.set_op().is_all() ? "_ALL" : "") + "(" + RenderPlan(relation.set_op().left_input()) +
             ", " + RenderPlan(relation.set_op().right_input()) + ")";
    }
    case Relation::kWithRelations: {
      std::string out = "with(" + RenderPlan(relation.with_relations().root());
      for (const Relation& reference : relation.with_relations().references()) out += "; " + RenderPlan(reference);
      return out + ")";
    }
    case Relation::kSample:
      return unary("sample", relation.sample().input(), fmt::format("{}", relation.sample().upper_bound()));
    case Relation::kHint:
      return unary("hint", relation.hint().input(), relation.hint().name());
    case Relation::kRepartitionByExpression:
      return unary("repartition", relation.repartition_by_expression().input(),
                   Items(relation.repartition_by_expression().partition_exprs()));
    case Relation::kWithWatermark:
      return unary("watermark", relation.with_watermark().input(),
                   relation.with_watermark().event_time() + " " + relation.with_watermark().delay_threshold());
    default:
      return relation.ShortDebugString();
  }
}

std::string ParseAndRender(std::string_view text) {
  ParserOptions options;
  options.is_aggregate = [](std::string_view name) {
    return name == "count" || name == "sum" || name == "max" || name == "min" || name == "first";
  };
  Relation relation;
  arrow::Status status = ParseQuery(text, options, &relation);
  if (status.ok()) return RenderPlan(relation);
  const ErrorDetail* detail = GetErrorDetail(status);
  if (detail == nullptr) return "error " + status.ToString();
  auto statement = detail->parameters().find("sqlText");
  return "error " + detail->condition() + (statement == detail->parameters().end() ? "" : " " + statement->second);
}

TEST(ParseQuery, Plans) {
  constexpr struct {
    std::string_view text;
    std::string_view plan;
  } kCases[] = {
      {"SELECT 1", "project(one_row, [1])"},
      {"SELECT a, t.*, b c FROM t;", "project(t, [a, t.*, b AS c])"},
      {"SELECT * FROM db.`t 1` AS x WHERE a > 1", "project(filter(alias(db.`t 1`, x), (a > 1)), [*])"},
      {"SELECT DISTINCT a FROM t ORDER BY b DESC LIMIT 3 OFFSET 1 + 1",
       "limit(offset(sort(distinct(project(t, [a])), [b DESC NULLS LAST]), 2), 3)"},
      {"SELECT a FROM t LIMIT ALL", "project(t, [a])"},
      {"SELECT a FROM t LIMIT -1", "error INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE"},
      {"SELECT a FROM t LIMIT b", "error INVALID_LIMIT_LIKE_EXPRESSION.IS_UNFOLDABLE"},
      {"SELECT FROM", "project(one_row, [FROM])"},
      {"SELECT 1 FROM", "project(one_row, [1 AS FROM])"},
      {"SELECT * FROM t WHERE", "project(alias(t, WHERE), [*])"},
      {"SELECT a date, b end FROM t", "project(t, [a AS date, b AS end])"},
      // aggregates
      {"SELECT count(*) FROM t", "aggregate(t, [], [count(1)])"},
      {"SELECT a, sum(b) + 1 s FROM t GROUP BY a", "aggregate(t, [a], [a, (sum(b) + 1) AS s])"},
      {"SELECT a FROM t GROUP BY ALL", "aggregate(t, [ALL], [a])"},
      {"SELECT sum(a) OVER () FROM t", "project(t, [sum(a) windowspecdefinition(unspecifiedframe$())])"},
      {"SELECT sum(sum(a)) OVER () FROM t",
       "aggregate(t, [], [sum(sum(a)) windowspecdefinition(unspecifiedframe$())])"},
      {"SELECT a FROM t GROUP BY 1, ROLLUP(b, (c, d))", "aggregate(t, [1, rollup!(b, grouping_set!(c, d))], [a])"},
      {"SELECT a FROM t GROUP BY a, b WITH CUBE", "aggregate(t, [cube!(a, b)], [a])"},
      {"SELECT a FROM t GROUP BY GROUPING SETS ((a, b), a, ())",
       "aggregate(t, [grouping_sets!(grouping_set!(a, b), a, grouping_set!())], [a])"},
      {"SELECT a, count(*) AS n FROM t GROUP BY a HAVING n > 1 AND sum(b) > 2 ORDER BY max(b), a, n",
       "drop(sort(filter(aggregate(t, [a], [a, count(1) AS n, sum(b) AS __hidden_0, max(b) AS __hidden_1]), "
       "having!(((n > 1) AND (__hidden_0 > 2)))), [__hidden_1 ASC NULLS FIRST, a ASC NULLS FIRST, n ASC NULLS FIRST]), "
       "__hidden_0, __hidden_1)"},
      {"SELECT count(*) FROM t GROUP BY upper(t.a), b HAVING upper(t.a) = 'X' ORDER BY b",
       "drop(sort(filter(aggregate(t, [upper(t.a), b], [count(1), upper(t.a) AS __hidden_0, b AS __hidden_1]), "
       "having!((__hidden_0 = X))), [__hidden_1 ASC NULLS FIRST]), __hidden_0, __hidden_1)"},
      {"SELECT count(*) FROM t HAVING max(a) > 1 UNION ALL SELECT 2",
       "UNION_ALL(drop(filter(aggregate(t, [], [count(1), max(a) AS __hidden_0]), having!((__hidden_0 > 1))), "
       "__hidden_0), "
       "project(one_row, [2]))"},
      {"SELECT a FROM t QUALIFY rank() OVER (ORDER BY b) = 1",
       "drop(filter(project(t, [a, rank() windowspecdefinition(b ASC NULLS FIRST, unspecifiedframe$()) AS "
       "__hidden_0]), "
       "(__hidden_0 = 1)), __hidden_0)"},
      {"SELECT sum(a) OVER w FROM t WINDOW v AS (ORDER BY c), w AS (PARTITION BY b)",
       "project(t, [sum(a) windowspecdefinition(b, unspecifiedframe$())])"},
      {"SELECT sum(a) OVER w FROM t WINDOW w AS v, v AS w", "error FAILED_TO_PARSE_TOO_COMPLEX"},
      // relations
      {"SELECT * FROM a, b JOIN c ON a.x = c.x", "project(INNER(INNER(a, b), c, (a.x = c.x)), [*])"},
      {"SELECT * FROM a LEFT JOIN b USING (x, y) CROSS JOIN c",
       "project(CROSS(LEFT_OUTER(a, b, using x, using y), c), [*])"},
      {"SELECT * FROM a LEFT SEMI JOIN b ON x ANTI JOIN c ON y FULL OUTER JOIN d ON z RIGHT JOIN e ON w",
       "project(RIGHT_OUTER(FULL_OUTER(LEFT_ANTI(LEFT_SEMI(a, b, x), c, y), d, z), e, w), [*])"},
      {"SELECT * FROM a NATURAL JOIN b", "project(INNER(a, b, natural_join!()), [*])"},
      {"SELECT * FROM (SELECT 1 AS x) AS q(y)", "project(alias(columns(project(one_row, [1 AS x]), y), q), [*])"},
      {"SELECT * FROM (a JOIN b ON c) x", "project(alias(INNER(a, b, c), x), [*])"},
      {"SELECT * FROM a, LATERAL (SELECT a.x + 1) l",
       "project(LATERAL_INNER(a, alias(project(one_row, [(a.x + 1)]), l)), [*])"},
      {"SELECT * FROM LATERAL t", "error INVALID_SQL_SYNTAX.LATERAL_WITHOUT_SUBQUERY_OR_TABLE_VALUED_FUNC"},
      {"SELECT * FROM a LEFT JOIN LATERAL explode(a.x) e(c) ON true",
       "project(LATERAL_LEFT_OUTER(a, alias(columns(explode(a.x), c), e), true), [*])"},
      {"SELECT * FROM a LATERAL VIEW OUTER explode(m) v AS k, x WHERE k = 1",
       "project(filter(LATERAL_LEFT_OUTER(a, alias(columns(explode(m), k, x), v)), (k = 1)), [*])"},
      {"SELECT * FROM range(1, 10 + 1)", "project(range(1, (10 + 1)), [*])"},
      {"SELECT * FROM STREAM range(3) AS r", "project(alias(range(3), r), [*])"},
      {"SELECT * FROM VALUES (1, 'a'), (2, null) AS t(x, y)",
       "project(alias(columns(inline_table(struct(1, a), struct(2, null)), x, y), t), [*])"},
      {"VALUES 1, (2), struct(3)", "inline_table(struct(1), struct(2), struct(3))"},
      {"TABLE db.t", "db.t"},
      {"FROM t SELECT a WHERE b", "project(filter(t, b), [a])"},
      {"SELECT * FROM STREAM t WATERMARK ts DELAY OF INTERVAL 10 SECONDS AS s",
       "project(watermark(alias(stream t, s), ts 10 SECONDS), [*])"},
      {"SELECT * FROM STREAM(db.t) WITH (a = 1) IDENTIFIED BY visits", "project(stream db.t a=1, [*])"},
      {"SELECT * FROM STREAM t WATERMARK ts + INTERVAL 1 SECOND AS e DELAY OF INTERVAL 10 SECONDS",
       "project(watermark(project(stream t, [*, (ts + 1000000 us of interval second) AS e]), e 10 SECONDS), [*])"},
      {"SELECT * FROM STREAM t WATERMARK ts + 1 DELAY OF INTERVAL 10 SECONDS",
       "error REQUIRES_EXPLICIT_NAME_IN_WATERMARK_CLAUSE"},
      {"SELECT * FROM t VERSION AS OF 3", "project(t versionAsOf=3, [*])"},
      {"SELECT * FROM t TABLESAMPLE (10 PERCENT) REPEATABLE (7) s", "project(alias(sample(t, 0.1), s), [*])"},
      {"SELECT * FROM t TABLESAMPLE (5 ROWS)", "project(limit(t, 5), [*])"},
      {"SELECT /*+ BROADCAST(t), REPARTITION(3) */ a FROM t", "hint(project(hint(t, BROADCAST), [a]), REPARTITION)"},
      {"SELECT a FROM t DISTRIBUTE BY a SORT BY b",
       "sort_partitions(repartition(project(t, [a]), [a]), [b ASC NULLS FIRST])"},
      // set operations
      {"SELECT 1 UNION SELECT 2 INTERSECT SELECT 3",
       "UNION(project(one_row, [1]), INTERSECT(project(one_row, [2]), project(one_row, [3])))"},
      {"SELECT 1 UNION ALL SELECT 2 EXCEPT SELECT 3 ORDER BY 1",
       "sort(EXCEPT(UNION_ALL(project(one_row, [1]), project(one_row, [2])), project(one_row, [3])), "
       "[1 ASC NULLS FIRST])"},
      {"(SELECT 1 LIMIT 1) MINUS (SELECT 2)", "EXCEPT(limit(project(one_row, [1]), 1), project(one_row, [2]))"},
      {"SELECT * FROM ((SELECT 1) UNION (SELECT 2)) u",
       "project(alias(UNION(project(one_row, [1]), project(one_row, [2])), u), [*])"},
      // WITH and subqueries
      {"WITH a(x) AS (SELECT 1), b AS (SELECT * FROM a) SELECT * FROM b",
       "with(project(b, [*]); alias(columns(project(one_row, [1]), x), a); alias(project(a, [*]), b))"},
      {"SELECT (SELECT max(x) FROM u) FROM t WHERE EXISTS (SELECT 1) AND (a, b) IN (SELECT c, d FROM v)",
       "with(project(filter(t, (exists [] AND a, b IN (list []))), [scalar-subquery []]); "
       "aggregate(u, [], [max(x)]); project(one_row, [1]); project(v, [c, d]))"},
      // refused by name
      {"SELECT * FROM t PIVOT (sum(a) FOR b IN (1))", "project(aggregate(t, [pivot_values!(1)], [sum(a)]), [*])"},
      {"WITH RECURSIVE a AS (SELECT 1) SELECT 1",
       "with(project(one_row, [1]); alias(hint(project(one_row, [1]), with_recursive), a))"},
      {"INSERT INTO t VALUES (1)", "error INVALID_SQL_SYNTAX.UNSUPPORTED_SQL_STATEMENT INSERT INTO"},
      {"SELECT 1 |> WHERE true", "filter(project(one_row, [1]), true)"},
      // syntax errors
      {"SELEC 1", "error PARSE_SYNTAX_ERROR"},
      {"SELECT a,\n  b c d\nFROM t", "error PARSE_SYNTAX_ERROR"},
      {"SELECT (1", "error PARSE_SYNTAX_ERROR"},
      {"SELECT * FROM t1 JOIN", "error PARSE_SYNTAX_ERROR"},
      {"SELECT * FROM a-b", "error INVALID_IDENTIFIER"},
      {"SELECT * FROM t ORDER BY a ORDER BY b", "error PARSE_SYNTAX_ERROR"},
      {"-- nothing", "error PARSE_SYNTAX_ERROR"},
  };
  for (const auto& check : kCases) EXPECT_EQ(ParseAndRender(check.text), check.plan) << check.text;
}

TEST(ParseQuery, OneRowHasNoColumns) {
  Relation relation;
  ASSERT_TRUE(ParseQuery("SELECT 1", {}, &relation).ok());
  EXPECT_FALSE(relation.project().input().local_relation().data().empty());
  EXPECT_FALSE(relation.project().input().local_relation().has_schema());
}

template <typename Kind>
Kind ParsedAs(std::string_view text) {
  Statement statement;
  arrow::Status status = ParseStatement(text, {}, &statement);
  EXPECT_TRUE(status.ok()) << status.ToString();
  if (!statement.command || !std::holds_alternative<Kind>(*statement.command)) {
    ADD_FAILURE() << "another statement: " << text;
    return Kind{};
  }
  return std::get<Kind>(*statement.command);
}

TEST(ParseStatement, Commands) {
  auto view = ParsedAs<CreateView>("CREATE OR REPLACE TEMP VIEW v (x) AS SELECT 1");
  EXPECT_EQ(view.name, NameParts{"v"});
  EXPECT_TRUE(view.replace && view.temporary);
  EXPECT_EQ(RenderPlan(view.query), "project(one_row, [1])");
  EXPECT_EQ(view.query_text, "SELECT 1");

  Statement statement;
  ASSERT_TRUE(ParseStatement("SELECT 1;", {}, &statement).ok());
  EXPECT_EQ(RenderPlan(*statement.query), "project(one_row, [1])");

  EXPECT_EQ(ParsedAs<Show>("SHOW TABLES IN db LIKE 'a*'").pattern, "a*");
  auto table =
      ParsedAs<CreateTable>("CREATE TABLE d.t (a INT NOT NULL, b STRING DEFAULT 'x') USING json PARTITIONED BY (a)");
  EXPECT_EQ(table.columns.size(), 2U);
  EXPECT_FALSE(table.columns[0].field.nullable);
  EXPECT_EQ(types::DefaultOf(table.columns[1].field), "'x'");
  EXPECT_EQ(table.partition_columns, std::vector<std::string>{"a"});
  auto insert = ParsedAs<Insert>("INSERT OVERWRITE t PARTITION (p = 1, q) (SELECT 1)");
  EXPECT_TRUE(insert.overwrite && insert.columns.empty());
  EXPECT_EQ(insert.partition.size(), 2U);
  EXPECT_EQ(ParsedAs<Insert>("INSERT INTO t (a, b) VALUES (1, 2)").columns.size(), 2U);

  EXPECT_TRUE(IsErrorCondition(ParseStatement("CREATE ROLE x", {}, &statement), "INVALID_STATEMENT_OR_CLAUSE"));
  EXPECT_TRUE(IsErrorCondition(ParseStatement("FOO", {}, &statement), "PARSE_SYNTAX_ERROR"));
}

TEST(ParseStatement, Conf) {
  auto parse = [](std::string_view text) {
    Statement statement;
    arrow::Status status = ParseStatement(text, {}, &statement);
    if (!status.ok()) return GetErrorDetail(status)->condition();
    const auto& conf = std::get<ConfStatement>(*statement.command);
    return fmt::format("{} {}|{}", static_cast<int>(conf.kind), conf.key, conf.value);
  };
  EXPECT_EQ(parse("SET spark.sql.shuffle.partitions = 3"), "0 spark.sql.shuffle.partitions|3");
  EXPECT_EQ(parse("set a.b=`x;y`;"), "0 a.b|x;y");
  EXPECT_EQ(parse("SET a.b=c=d"), "0 a.b|c=d");
  EXPECT_EQ(parse("SET TIME ZONE 'Europe/Paris'"), "0 spark.sql.session.timeZone|Europe/Paris");
  EXPECT_EQ(parse("SET a.b"), "1 a.b|");
  EXPECT_EQ(parse("SET"), "2 |");
  EXPECT_EQ(parse("RESET a"), "3 a|");
  EXPECT_EQ(parse("RESET"), "4 |");
  EXPECT_EQ(parse("SET a b"), "INVALID_SET_SYNTAX");
}

}  // namespace
}  // namespace millrace::sql
