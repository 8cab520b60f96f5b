#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "types/time_zone.h"

namespace spark::connect {
class DataType;
class Expression;
class Relation;
}  // namespace spark::connect

namespace millrace::sql {

struct Script;
struct Statement;
struct TextRange;

/// What a piece of a script is.
enum class ScriptPart : uint8_t { kStatement, kExpression, kSetVariable };

/// The value of a constant expression where a text is asked for.
struct ConstantValue {
  /// "INT": the type as SQL, and "int".
  std::string type;
  std::string catalog_type;
  bool is_string = false;
  /// The text of a string; nullopt: NULL.
  std::optional<std::string> text;
  /// The value of an INT; nullopt: NULL.
  std::optional<int32_t> integer = {};
};

/// The value of a setting for a reference to it in a text; empty when it is not set. Errors: where Spark has none
/// either.
using SettingReader = std::function<arrow::Result<std::string>(const std::string& key)>;

/// What the text's meaning depends on beside the text. The pointers are borrowed for the call.
struct ParserOptions {
  /// Whether an unqualified function name (lower case) aggregates: SELECT max(a) FROM t is an aggregate without
  /// a GROUP BY. Empty: none does.
  std::function<bool(std::string_view)> is_aggregate;
  /// spark.sql.timeType.enabled: without it, the type TIME is refused.
  bool time_type = false;
  /// spark.sql.ansi.doubleQuotedIdentifiers: "a" is a name, not a string.
  bool double_quoted_identifiers = false;
  /// spark.sql.timestampType = TIMESTAMP_NTZ: what the word TIMESTAMP means.
  bool timestamp_ntz = false;
  /// spark.sql.legacy.viewSchemaBindingMode: views may be made WITH SCHEMA.
  bool view_schema_modes = true;
  /// spark.sql.scripting.cursorEnabled and .continueHandlerEnabled: without them a script may not declare these.
  bool script_cursors = false;
  bool continue_handlers = false;
  /// Where TIMESTAMP literals without a zone are read.
  const types::TimeZone* time_zone = types::TimeZone::Utc();
  /// What TIMESTAMP 'now' and DATE 'today' mean, µs since 1970 UTC.
  int64_t now_us = 0;
  /// What `${key}` in the text stands for (sql/variable_substitution.h). Empty: nothing is replaced.
  SettingReader setting;
  /// Values of `:name` and `?`; null where the caller has none.
  const std::map<std::string, spark::connect::Expression>* named_parameters = nullptr;
  const std::vector<spark::connect::Expression>* positional_parameters = nullptr;
  /// The text that a session variable holds (for IDENTIFIER and EXECUTE IMMEDIATE); nullopt where there is no such
  /// variable, or no text in it. Empty: there are none.
  std::function<std::optional<std::string>(const std::vector<std::string>&)> variable_text;
  /// The value of any other constant expression there; nullopt when it is no constant. Empty: none is known.
  std::function<arrow::Result<std::optional<ConstantValue>>(const spark::connect::Expression&)> constant;
};

// Text of Spark SQL 4.2 to Spark Connect messages. sql/plan_conventions.h says how each construct looks there.
// Errors of all: UserError PARSE_SYNTAX_ERROR, PARSE_EMPTY_STATEMENT, FAILED_TO_PARSE_TOO_COMPLEX,
// INVALID_TYPED_LITERAL and
//   Spark's other parse conditions, with the place marked in the text; INVALID_SQL_SYNTAX.UNSUPPORTED_SQL_STATEMENT
//   names what Spark takes and this parser does not.
// Thread: free functions. Source: Spark SQL reference; the grammar of Spark 4.2.

/// An expression as expr() and selectExpr() take it, with an optional alias: "a + 1 AS b", "explode(m) AS (k, v)",
/// "t.*". Plans of subqueries inside are appended to `subqueries`; where it is null they are refused.
arrow::Status ParseExpression(std::string_view text, const ParserOptions& options, spark::connect::Expression* out,
                              std::vector<spark::connect::Relation>* subqueries = nullptr);

/// "a DESC NULLS LAST" as Expression.sort_order.
arrow::Status ParseSortOrder(std::string_view text, const ParserOptions& options, spark::connect::Expression* out);

/// A query: SELECT, VALUES, TABLE, FROM … SELECT, WITH, set operations.
arrow::Status ParseQuery(std::string_view text, const ParserOptions& options, spark::connect::Relation* out);

/// A query or a command (sql/statement.h).
arrow::Status ParseStatement(std::string_view text, const ParserOptions& options, Statement* out);

/// A piece of a script: a statement, an expression as the query of it, or SET without VARIABLE.
arrow::Status ParseScriptPart(const Script& script, const TextRange& range, ScriptPart part,
                              const ParserOptions& options, Statement* out);

/// One data type: "decimal(10, 2)", "array<struct<a: int>>".
arrow::Status ParseDataType(std::string_view text, spark::connect::DataType* out);

/// The parts of a name in SQL: "a.`b c`" is {"a", "b c"}.
arrow::Result<std::vector<std::string>> ParseMultipartIdentifier(std::string_view text);

}  // namespace millrace::sql
