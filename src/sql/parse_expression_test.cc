#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <string>

#include "base/error.h"
#include "sql/parser.h"
#include "sql/test_rendering.h"

namespace millrace::sql {
namespace {

// Differences between how two writers show one tree: quotes before unresolved names, numbers of expressions.
std::string Normalize(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c != '\'' && c != '`') out += c;
  }
  out = std::regex_replace(out, std::regex("#[0-9]+"), "");
  return std::regex_replace(out, std::regex("\\blambda "), "");
}

std::string ParseAndRender(std::string_view text, const ParserOptions& options = {}) {
  Expression expression;
  std::vector<spark::connect::Relation> subqueries;
  arrow::Status status = ParseExpression(text, options, &expression, &subqueries);
  if (status.ok()) return Render(expression);
  const ErrorDetail* detail = GetErrorDetail(status);
  return "error " + (detail == nullptr ? status.ToString() : detail->condition());
}

// tests/sql/parse/expression.txt: a text, and under it what Spark 4.2 makes of it.
TEST(ParseExpression, AsSpark) {
  std::ifstream file("tests/sql/parse/expression.txt");
  ASSERT_TRUE(file.is_open()) << "run in the root of the checkout";
  std::string text;
  std::string line;
  int checks = 0;
  while (std::getline(file, line)) {
    if (line.empty() || line[0] == '#') continue;
    if (!line.starts_with("=> ")) {
      text = line;
      continue;
    }
    EXPECT_EQ(Normalize(ParseAndRender(text)), Normalize(line.substr(3))) << text;
    ++checks;
  }
  EXPECT_GT(checks, 250);
}

struct Case {
  std::string_view text;
  std::string_view rendered;
};

// Values and types as Spark 4.2 gives them; the notation is ours.
TEST(ParseExpression, Literals) {
  constexpr Case kCases[] = {
      {"INTERVAL 2 minutes", "120000000 us of interval minute"},
      {"INTERVAL '1-2' YEAR TO MONTH", "14 months of interval year to month"},
      {"INTERVAL -'1-2' YEAR TO MONTH", "-14 months of interval year to month"},
      {"INTERVAL 1 week", "604800000000 us of interval day"},
      {"INTERVAL -1.5 seconds", "-1500000 us of interval second"},
      {"INTERVAL '1.5' seconds", "1500000 us of interval second"},
      {"INTERVAL '1 day 2 hours'", "93600000000 us of interval day to hour"},
      {"INTERVAL '1 year'", "12 months of interval year"},
      {"INTERVAL 3 days 4 hours", "273600000000 us of interval day to hour"},
      {"INTERVAL 1 day 1 day", "172800000000 us of interval day"},
      {"INTERVAL - '5' days", "-432000000000 us of interval day"},
      {"INTERVAL '1 02:03:04.5' DAY TO SECOND", "93784500000 us of interval day to second"},
      {"INTERVAL '-1 10' DAY TO HOUR", "-122400000000 us of interval day to hour"},
      {"INTERVAL '10:20' HOUR TO MINUTE", "37200000000 us of interval hour to minute"},
      {"INTERVAL '10:20:30.123456789' HOUR TO SECOND", "37230123456 us of interval hour to second"},
      {"INTERVAL 2 days from", "172800000000 us of interval day AS from"},
      {"INTERVAL '25:00' HOUR TO MINUTE", "90000000000 us of interval hour to minute"},
      {"INTERVAL '1 25' DAY TO HOUR", "error INVALID_INTERVAL_FORMAT.DAY_TIME_PARSING"},
      {"DATE '2020-01-01'", "date 18262"},
      {"DATE '2020-1'", "date 18262"},
      {"DATE '1969-12-31'", "date -1"},
      {"DATE '2021-02-29'", "error INVALID_TYPED_LITERAL"},
      {"DATE 'epoch'", "date 0"},
      {"TIMESTAMP '2020-01-01 00:00:00'", "timestamp 1577836800000000"},
      {"TIMESTAMP '2020-01-01T00:00:00.123456Z'", "timestamp 1577836800123456"},
      {"TIMESTAMP '2020-01-01 00:00:00+01:00'", "timestamp 1577833200000000"},
      {"TIMESTAMP '2020-01-01 00:00:00 Europe/Paris'", "timestamp 1577833200000000"},
      {"TIMESTAMP_NTZ '2020-01-01 00:00:00+01'", "timestamp_ntz 1577836800000000"},
      {"TIMESTAMP '2020-01-01 25:00:00'", "error INVALID_TYPED_LITERAL"},
      {"TIME '12:00:00.123'", "time 43200123000000"},
      {"TIME '25:00'", "error INVALID_TYPED_LITERAL"},
      {"1e5", "100000"},
      {"0.001BD", "0.001"},
      {"a LIKE ANY ('x', 'y')", "(a LIKE x OR a LIKE y)"},
      {"a NOT ILIKE ALL ('x', 'y')", "(NOT ilike(a, x) AND NOT ilike(a, y))"},
      {"trim(BOTH 'x' FROM b)", "trim(x, b)"},
      {"trim(LEADING FROM b)", "ltrim(b)"},
      {"first(a) IGNORE NULLS", "first(a, true)"},
      {"timestampadd(HOUR, 1, ts)", "timestampadd(HOUR, 1, ts)"},
      {"datediff(day, a, b)", "timestampdiff(day, a, b)"},
      {"struct(a, b AS c)", "struct(a, b AS c)"},
      {"(a, b AS c)", "named_struct(a, a, c, b)"},
      {"aggregate(a, 0, (acc, x) -> acc + x.f)", "aggregate(a, 0, lambdafunction((acc + x[f]), acc, x, false))"},
      {"IDENTIFIER('a.b')", "a.b"},
      {"json:a.b", "variant_path!(json, $.a.b)"},
      {"rank() OVER w", "error MISSING_WINDOW_SPECIFICATION"},
      {":p", "error UNBOUND_SQL_PARAMETER"},
  };
  for (const Case& check : kCases) EXPECT_EQ(ParseAndRender(check.text), check.rendered) << check.text;
}

TEST(ParseExpression, ReadsTimestampsInTheSessionZone) {
  ParserOptions options;
  options.time_zone = types::TimeZone::Load("Europe/Paris").ValueOrDie();
  options.now_us = 1577836800000000;
  EXPECT_EQ(ParseAndRender("TIMESTAMP '2020-07-01 02:00:00'", options), "timestamp 1593561600000000");
  EXPECT_EQ(ParseAndRender("TIMESTAMP 'now'", options), "timestamp 1577836800000000");
  EXPECT_EQ(ParseAndRender("TIMESTAMP 'today'", options), "timestamp 1577833200000000");
  EXPECT_EQ(ParseAndRender("DATE 'tomorrow'", options), "date 18263");
}

TEST(ParseExpression, Parameters) {
  std::map<std::string, Expression> named;
  SetInteger(7, &named["p"]);
  std::vector<Expression> positional(2);
  SetInteger(8, &positional[0]);
  SetString("x", &positional[1]);
  ParserOptions options;
  options.named_parameters = &named;
  options.positional_parameters = &positional;
  EXPECT_EQ(ParseAndRender("a + :p", options), "(a + 7)");
  EXPECT_EQ(ParseAndRender("a = ? AND b LIKE ?", options), "((a = 8) AND b LIKE x)");
  EXPECT_EQ(ParseAndRender("? + ? + ?", options), "error UNBOUND_SQL_PARAMETER");
}

// Messages and the marked line, as Spark 4.2 prints them.
TEST(ParseExpression, ErrorText) {
  auto message = [](std::string_view text) {
    Expression expression;
    return ParseExpression(text, {}, &expression).message();
  };
  EXPECT_EQ(message("a +"),
            "[PARSE_SYNTAX_ERROR] Syntax error at or near end of input. SQLSTATE: 42601 (line 1, pos 3)\n\n"
            "== SQL ==\na +\n---^^^\n");
  EXPECT_EQ(message("a,\n  b"),
            "[PARSE_SYNTAX_ERROR] Syntax error at or near ','. SQLSTATE: 42601 (line 1, pos 1)\n\n"
            "== SQL ==\na,\n-^^^\n  b\n");
  EXPECT_EQ(message("a b c"),
            "[PARSE_SYNTAX_ERROR] Syntax error at or near 'c': extra input 'c'. SQLSTATE: 42601 (line 1, pos 4)\n\n"
            "== SQL ==\na b c\n----^^^\n");
  EXPECT_EQ(message("1 + 200Y"),
            "[INVALID_NUMERIC_LITERAL_RANGE] Numeric literal 200 is outside the valid range for tinyint with minimum "
            "value of -128 and maximum value of 127. Please adjust the value accordingly. SQLSTATE: 22003\n"
            "== SQL (line 1, position 5) ==\n1 + 200Y\n    ^^^^\n");
  EXPECT_EQ(message(""),
            "[PARSE_EMPTY_STATEMENT] Syntax error, unexpected empty statement. SQLSTATE: 42617 (line 1, pos 0)\n\n"
            "== SQL ==\n\n^^^\n");
  EXPECT_EQ(message("a /* b"),
            "[UNCLOSED_BRACKETED_COMMENT] Found an unclosed bracketed comment. Please, append */ at the end of the "
            "comment. SQLSTATE: 42601\n== SQL ==\na /* b");
}

// Texts that would take the stack or the memory of a parser that trusts them.
TEST(ParseExpression, HostileTexts) {
  auto repeat = [](std::string_view part, int count) {
    std::string out;
    for (int i = 0; i < count; ++i) out += part;
    return out;
  };
  const std::string too_complex = "error FAILED_TO_PARSE_TOO_COMPLEX";
  EXPECT_EQ(ParseAndRender(repeat("(", 100000) + "1" + repeat(")", 100000)), too_complex);
  EXPECT_EQ(ParseAndRender(repeat("f(", 100000)), too_complex);
  EXPECT_EQ(ParseAndRender(repeat("-", 1) + repeat(" - ", 100000) + "a"), too_complex);
  EXPECT_EQ(ParseAndRender(repeat("NOT ", 100000) + "a"), too_complex);
  EXPECT_EQ(ParseAndRender(repeat("CASE ", 100000) + "END"), too_complex);
  EXPECT_EQ(ParseAndRender("a" + repeat("[0]", 100000)), too_complex);
  EXPECT_EQ(ParseAndRender("a" + repeat(" + 1", 100000)), too_complex);
  EXPECT_EQ(ParseAndRender("CAST(a AS " + repeat("array<", 100000)), too_complex);
  EXPECT_EQ(ParseAndRender(repeat("(SELECT ", 100000)), too_complex);
  // Each CASE writes its operand once a WHEN.
  EXPECT_EQ(ParseAndRender(repeat("CASE ", 60) + "1" + repeat(" WHEN 1 THEN 1 WHEN 2 THEN 2 END", 60)), too_complex);
  // Chains of AND and OR are balanced and may be long.
  EXPECT_FALSE(ParseAndRender("a" + repeat(" AND a", 20000)).starts_with("error"));
}

}  // namespace
}  // namespace millrace::sql
