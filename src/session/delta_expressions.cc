#include "session/delta_expressions.h"

#include "analyzer/analyzer.h"
#include "analyzer/constant.h"
#include "base/ascii.h"
#include "base/error.h"
#include "base/json_value.h"
#include "delta/feature/table_feature.h"
#include "delta/schema/computed_column.h"
#include "expression/node.h"
#include "session/insert_columns.h"
#include "session/row_expressions.h"
#include "session/session.h"
#include "sql/expression_tree.h"
#include "sql/parser.h"
#include "types/column_metadata.h"

namespace millrace::session {

namespace {

namespace connect = spark::connect;

// Whether one path is the beginning of the other.
bool Overlap(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (!EqualsIgnoreCase(a[i], b[i])) return false;
  }
  return true;
}

bool Uses(const connect::Expression& expression, const delta::ColumnPath& column) {
  if (expression.has_unresolved_attribute() && Overlap(sql::AttributeParts(expression), column)) return true;
  bool found = false;
  sql::ForEachChild(expression, [&](const connect::Expression& child) { found = found || Uses(child, column); });
  return found;
}

arrow::Status Unsupported(const types::StructField& field, const std::string& sql, const std::string& reason) {
  return UserError("UNSUPPORTED_EXPRESSION_GENERATED_COLUMN",
                   {{"fieldName", field.name}, {"expressionStr", sql}, {"reason", reason}});
}

}  // namespace

delta::UsesColumn UsesColumnIn(Session& session) {
  return [&session](const std::string& text, const delta::ColumnPath& column) {
    connect::Expression expression;
    // What we cannot read might use it.
    if (!sql::ParseExpression(text, session.ParserOptions(), &expression).ok()) return true;
    return Uses(expression, column);
  };
}

arrow::Status CheckNewConstraint(Session& session, const delta::Snapshot& table, const std::string& name,
                                 const std::string& sql, const std::string& table_name) {
  ARROW_ASSIGN_OR_RAISE(auto condition, CompileRowExpressions(session, table.schema(), {sql}));
  if (condition->fields()[0].type->id() != types::TypeId::kBoolean) {
    return UserError("DELTA_NON_BOOLEAN_CHECK_CONSTRAINT", {{"name", name}, {"expr", sql}});
  }
  connect::Relation violations;
  auto* filter = violations.mutable_aggregate()->mutable_input()->mutable_filter();
  auto* read = filter->mutable_input()->mutable_read()->mutable_data_source();
  read->set_format("delta");
  read->add_paths(table.table_path());
  (*read->mutable_options())["versionAsOf"] = table.version().ToString();
  filter->mutable_condition()->mutable_expression_string()->set_expression("NOT (" + sql + ") OR (" + sql +
                                                                           ") IS NULL");
  violations.mutable_aggregate()->set_group_type(connect::Aggregate::GROUP_TYPE_GROUPBY);
  violations.mutable_aggregate()->add_aggregate_expressions()->mutable_expression_string()->set_expression("count(1)");
  ARROW_ASSIGN_OR_RAISE(QueryResult result, session.Execute(violations));
  int64_t num_rows = 0;
  for (const auto& batch : result.batches) {
    ARROW_ASSIGN_OR_RAISE(auto count, batch->column(0)->GetScalar(0));
    num_rows = static_cast<const arrow::Int64Scalar&>(*count).value;
  }
  if (num_rows == 0) return arrow::Status::OK();
  return UserError("DELTA_NEW_CHECK_CONSTRAINT_VIOLATION",
                   {{"numRows", std::to_string(num_rows)}, {"tableName", table_name}, {"checkConstraint", sql}});
}

arrow::Result<std::optional<int64_t>> OutermostValue(Session& session, const delta::Snapshot& table,
                                                     const std::string& column, bool least) {
  connect::Relation values;
  auto* read = values.mutable_aggregate()->mutable_input()->mutable_read()->mutable_data_source();
  read->set_format("delta");
  read->add_paths(table.table_path());
  (*read->mutable_options())["versionAsOf"] = table.version().ToString();
  values.mutable_aggregate()->set_group_type(connect::Aggregate::GROUP_TYPE_GROUPBY);
  values.mutable_aggregate()->add_aggregate_expressions()->mutable_expression_string()->set_expression(
      (least ? "min(" : "max(") + QuoteIdentifier(column) + ")");
  ARROW_ASSIGN_OR_RAISE(QueryResult result, session.Execute(values));
  std::optional<int64_t> found;
  for (const auto& batch : result.batches) {
    ARROW_ASSIGN_OR_RAISE(auto value, batch->column(0)->GetScalar(0));
    if (value->is_valid) found = static_cast<const arrow::Int64Scalar&>(*value).value;
  }
  return found;
}

namespace {

arrow::Status CheckDefaultValue(Session& session, const types::DataType& type, const std::string& column,
                                const std::string& sql, const char* statement) {
  auto value = analyzer::ResolveConstant(sql, session.MakeAnalyzerContext());
  if (!value.ok()) {
    bool subquery = IsErrorCondition(value.status(), "INVALID_SQL_SYNTAX.UNSUPPORTED_SQL_STATEMENT");
    return UserError(subquery ? "INVALID_DEFAULT_VALUE.SUBQUERY_EXPRESSION" : "INVALID_DEFAULT_VALUE.NOT_CONSTANT",
                     {{"statement", statement}, {"colName", column}, {"defaultValue", sql}});
  }
  if (CanStore(*(*value)->type(), type)) return arrow::Status::OK();
  return UserError("INVALID_DEFAULT_VALUE.DATA_TYPE", {{"statement", statement},
                                                       {"colName", column},
                                                       {"expectedType", QuoteSqlType(type.Sql())},
                                                       {"defaultValue", sql},
                                                       {"actualType", QuoteSqlType((*value)->type()->Sql())}});
}

}  // namespace

arrow::Status CheckColumnDefault(Session& session, const delta::Snapshot& table, const std::vector<std::string>& column,
                                 const std::string& sql) {
  ARROW_ASSIGN_OR_RAISE(std::vector<int> position, delta::FindColumn(*table.schema(), column));
  types::StructField field = delta::FieldAt(*table.schema(), position);
  ARROW_RETURN_NOT_OK(CheckDefaultValue(session, *field.type, QuoteNameParts(column), sql, "ALTER TABLE ALTER COLUMN"));
  if (delta::Supports(table.protocol(), "allowColumnDefaults")) return arrow::Status::OK();
  return UserError("WRONG_COLUMN_DEFAULTS_FOR_DELTA_FEATURE_NOT_ENABLED", {{"commandType", "ALTER TABLE"}});
}

arrow::Status CheckColumnDefaults(Session& session, const types::DataType& schema) {
  for (const types::StructField& field : schema.fields()) {
    std::optional<std::string> sql = types::DefaultOf(field);
    if (!sql) continue;
    ARROW_RETURN_NOT_OK(CheckDefaultValue(session, *field.type, QuoteIdentifier(field.name), *sql, "CREATE TABLE"));
  }
  return arrow::Status::OK();
}

arrow::Status CheckGeneratedColumns(Session& session, const types::DataType& schema) {
  for (const types::StructField& field : schema.fields()) {
    std::string sql = delta::GenerationExpression(field);
    if (sql.empty()) continue;
    connect::Expression parsed;
    ARROW_RETURN_NOT_OK(sql::ParseExpression(sql, session.ParserOptions(), &parsed));
    for (const types::StructField& other : schema.fields()) {
      bool generated = !delta::GenerationExpression(other).empty();
      if (!generated || !Uses(parsed, {other.name})) continue;
      return Unsupported(field, sql,
                         other.name == field.name ? "generation expression cannot reference itself"
                                                  : "generation expression cannot reference another generated column");
    }
    std::vector<types::StructField> others;
    for (const types::StructField& other : schema.fields()) {
      if (other.name != field.name) others.push_back(other);
    }
    ARROW_ASSIGN_OR_RAISE(auto compiled, CompileRowExpressions(session, types::Struct(std::move(others)), {sql}));
    if (!compiled->deterministic(0)) return Unsupported(field, sql, "generation expression is not deterministic");
    const types::DataType& type = *compiled->fields()[0].type;
    if (!type.EqualsIgnoreNullability(*field.type)) {
      return Unsupported(field, sql,
                         "generation expression data type " + type.SimpleString() +
                             " is incompatible with column data type " + field.type->SimpleString());
    }
  }
  return arrow::Status::OK();
}

}  // namespace millrace::session
