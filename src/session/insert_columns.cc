#include "session/insert_columns.h"

#include <algorithm>

#include "analyzer/constant.h"
#include "analyzer/name_resolution.h"
#include "analyzer/named_table.h"
#include "base/ascii.h"
#include "base/error.h"
#include "expression/call.h"
#include "expression/cast.h"
#include "function/char_padding.h"
#include "logical/node/project.h"
#include "spark/connect/relations.pb.h"
#include "types/column_metadata.h"

namespace millrace::session {

namespace {

using expression::AttributeVector;
using expression::ExpressionPtr;
using expression::ExpressionVector;
using types::TypeId;

// A cast of a stored number: overflow is told with the column's name.
ExpressionPtr StoredCast(const ExpressionPtr& value, const types::DataTypePtr& type, const std::string& column,
                         bool of_change) {
  auto info = std::make_shared<expression::CallInfo>();
  info->name = "checkoverflowintableinsert";
  info->can_fail = true;
  info->style = expression::CallStyle::kCustom;
  info->render = [](const std::vector<std::string>& arguments) { return arguments[0]; };
  info->kernel = [from = value->type(), type, column, of_change](const expression::EvalContext& context,
                                                                 const std::vector<arrow::Datum>& arguments,
                                                                 int64_t) -> arrow::Result<arrow::Datum> {
    auto stored = expression::CastColumn(context, arguments[0], *from, *type, expression::CastMode::kAnsi);
    bool overflows = IsErrorCondition(stored.status(), "CAST_OVERFLOW") ||
                     IsErrorCondition(stored.status(), "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION");
    if (stored.ok() || !overflows) return stored;
    if (of_change) {
      return UserError("DELTA_CAST_OVERFLOW_IN_TABLE_WRITE",
                       {{"sourceType", QuoteSqlType(from->Sql())},
                        {"targetType", QuoteSqlType(type->Sql())},
                        {"columnName", QuoteIdentifier(column)},
                        {"storeAssignmentPolicyFlag", "spark.sql.storeAssignmentPolicy"},
                        {"updateAndMergeCastingFollowsAnsiEnabledFlag",
                         "spark.databricks.delta.updateAndMergeCastingFollowsAnsiEnabledFlag"},
                        {"ansiEnabledFlag", "spark.sql.ansi.enabled"}});
    }
    return UserError("CAST_OVERFLOW_IN_TABLE_INSERT", {{"sourceType", QuoteSqlType(from->Sql())},
                                                       {"targetType", QuoteSqlType(type->Sql())},
                                                       {"columnName", QuoteIdentifier(column)}});
  };
  return std::make_shared<expression::Call>(std::move(info), type, value->nullable(), ExpressionVector{value});
}

std::string Names(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + QuoteIdentifier(name);
  return text;
}

std::vector<std::string> NamesOf(const AttributeVector& columns) {
  std::vector<std::string> names;
  for (const auto& column : columns) names.push_back(column->name());
  return names;
}

std::vector<std::string> NamesOf(const types::DataType& schema) {
  std::vector<std::string> names;
  for (const auto& field : schema.fields()) names.push_back(field.name);
  return names;
}

arrow::Status ArityMismatch(const InsertTarget& target, const std::vector<std::string>& wanted,
                            const AttributeVector& given) {
  return UserError(
      given.size() > wanted.size() ? "INSERT_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS"
                                   : "INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS",
      {{"tableName", target.table_name}, {"tableColumns", Names(wanted)}, {"dataColumns", Names(NamesOf(given))}});
}

// `by_position`: fields of structs, too, are taken in their order; else by their names.
arrow::Result<ExpressionPtr> StoredAsType(const ExpressionPtr& value, const types::StructField& field,
                                          const InsertTarget& target, bool by_position) {
  if (value->type()->EqualsIgnoreNullability(*field.type)) return value;
  // A VOID column of Delta takes the type of what is written, where the schema may evolve.
  if (target.is_delta && field.type->id() == TypeId::kNull) return value;
  bool both_nested = value->type()->is_nested() && field.type->is_nested();
  bool casts_whole = target.is_delta && both_nested && by_position &&
                     expression::CanCast(*value->type(), *field.type, expression::CastMode::kAnsi);
  if (casts_whole) return std::make_shared<expression::Cast>(value, field.type, expression::CastMode::kAnsi, false);
  if (target.is_delta && both_nested) return value;
  bool casts = target.is_delta && !value->type()->is_nested() && !field.type->is_nested() &&
               expression::CanCast(*value->type(), *field.type, expression::CastMode::kAnsi);
  if (casts && !(value->type()->is_numeric() && field.type->is_numeric())) {
    return std::make_shared<expression::Cast>(value, field.type, expression::CastMode::kAnsi, false);
  }
  if (!CanStore(*value->type(), *field.type)) {
    // Delta casts what Spark would compare with the column's type first.
    bool one_nested = value->type()->is_nested() || field.type->is_nested();
    if (target.is_delta && !target.is_change && one_nested) {
      return UserError("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", {{"sqlExpr", QuoteSqlExpression(value->Sql(true))},
                                                                     {"srcType", QuoteSqlType(value->type()->Sql())},
                                                                     {"targetType", QuoteSqlType(field.type->Sql())}});
    }
    return UserError("INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST",
                     {{"tableName", target.table_name},
                      {"colName", QuoteIdentifier(field.name)},
                      {"srcType", QuoteSqlType(value->type()->Sql())},
                      {"targetType", QuoteSqlType(field.type->Sql())}});
  }
  if (value->type()->is_numeric() && field.type->is_numeric())
    return StoredCast(value, field.type, field.name, target.is_change);
  return std::make_shared<expression::Cast>(value, field.type, expression::CastMode::kAnsi, false);
}

arrow::Result<ExpressionPtr> Stored(const ExpressionPtr& value, const types::StructField& field,
                                    const InsertTarget& target, bool by_position = false) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr stored, StoredAsType(value, field, target, by_position));
  std::optional<types::CharType> declared = types::CharTypeOf(field);
  // Delta checks lengths as it checks the table's constraints.
  return declared && !target.is_delta ? function::StoredAs(*declared, std::move(stored)) : stored;
}

arrow::Result<ExpressionPtr> DefaultOf(const analyzer::AnalyzerContext& context, const InsertTarget& target,
                                       size_t index) {
  const types::StructField& field = target.schema->fields()[index];
  std::optional<std::string> text = types::DefaultOf(field);
  if (!text) return expression::Literal::Null(field.type);
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, analyzer::ResolveConstant(*text, context));
  return Stored(value, field, target);
}

}  // namespace

arrow::Result<ExpressionPtr> StoredInDelta(const ExpressionPtr& value, const types::StructField& field) {
  InsertTarget target;
  target.is_delta = true;
  target.is_change = true;
  return Stored(value, field, target);
}

bool CanStore(const types::DataType& from, const types::DataType& to) {
  if (from.EqualsIgnoreNullability(to) || from.id() == TypeId::kNull) return true;
  if (from.is_numeric() && to.is_numeric()) return true;
  if (to.id() == TypeId::kString) return !from.is_nested();
  if (from.is_datetime() && to.is_datetime()) return true;
  if (from.id() != to.id()) return false;
  switch (from.id()) {
    case TypeId::kYearMonthInterval:
    case TypeId::kDayTimeInterval:
      return true;
    case TypeId::kArray:
      return CanStore(*from.element(), *to.element());
    case TypeId::kMap:
      return CanStore(*from.key(), *to.key()) && CanStore(*from.value(), *to.value());
    case TypeId::kStruct: {
      const auto& a = from.fields();
      const auto& b = to.fields();
      if (a.size() != b.size()) return false;
      for (size_t i = 0; i < a.size(); ++i) {
        if (!CanStore(*a[i].type, *b[i].type)) return false;
      }
      return true;
    }
    default:
      return false;
  }
}

arrow::Result<logical::PlanPtr> AlignInsertColumns(const analyzer::AnalyzerContext& context, logical::PlanPtr query,
                                                   const InsertTarget& target, const sql::PartitionSpec& partition,
                                                   const std::vector<std::string>& columns, bool by_name) {
  const auto& fields = target.schema->fields();
  bool case_sensitive = context.eval.case_sensitive;
  auto index_of = [&](const std::string& name) { return target.schema->FieldIndex(name, case_sensitive); };
  std::vector<ExpressionPtr> values(fields.size());
  for (const auto& [name, text] : partition) {
    if (!text) continue;
    auto at = static_cast<size_t>(index_of(name));
    ExpressionPtr literal =
        *text == sql::kNullPartition ? expression::Literal::Null(types::String()) : expression::Literal::String(*text);
    values[at] =
        std::make_shared<expression::Cast>(std::move(literal), fields[at].type, expression::CastMode::kAnsi, false);
    std::optional<types::CharType> declared = types::CharTypeOf(fields[at]);
    if (declared && !target.is_delta) values[at] = function::StoredAs(*declared, values[at]);
  }
  const AttributeVector& given = query->output();
  std::vector<std::string> wanted;
  if (by_name) {
    for (const auto& column : given) {
      int at = index_of(column->name());
      if (target.is_delta && at < 0) {
        wanted.push_back(column->name());
        continue;
      }
      if (at < 0 || values[static_cast<size_t>(at)] != nullptr) {
        return UserError("INCOMPATIBLE_DATA_FOR_TABLE.EXTRA_COLUMNS",
                         {{"tableName", target.table_name}, {"extraColumns", QuoteIdentifier(column->name())}});
      }
      wanted.push_back(column->name());
    }
  } else if (!columns.empty()) {
    wanted = columns;
    for (size_t i = 0; i < wanted.size(); ++i) {
      for (size_t j = 0; j < i; ++j) {
        if (case_sensitive ? wanted[i] == wanted[j] : EqualsIgnoreCase(wanted[i], wanted[j])) {
          return UserError("COLUMN_ALREADY_EXISTS", {{"columnName", QuoteIdentifier(wanted[i])}});
        }
      }
      if (index_of(wanted[i]) < 0) {
        return analyzer::UnresolvedColumn({wanted[i]}, analyzer::NewColumns(*target.schema));
      }
    }
  } else {
    for (size_t i = 0; i < fields.size(); ++i) {
      if (values[i] == nullptr) wanted.push_back(fields[i].name);
    }
  }
  bool enforces = target.is_delta && columns.empty();
  if (enforces && given.size() < wanted.size()) {
    return UserError("DELTA_INSERT_COLUMN_ARITY_MISMATCH", {{"tableName", target.table_name},
                                                            {"columnName", "not enough data columns"},
                                                            {"numColumns", std::to_string(wanted.size())},
                                                            {"insertColumns", std::to_string(given.size())}});
  }
  if (wanted.size() != given.size() && !enforces) {
    // PARTITION values count as columns of the query in Spark's message.
    return ArityMismatch(target, partition.empty() && columns.empty() ? NamesOf(*target.schema) : wanted, given);
  }
  for (size_t i = 0; i < wanted.size(); ++i) {
    int at = index_of(wanted[i]);
    if (at < 0) continue;
    ARROW_ASSIGN_OR_RAISE(values[static_cast<size_t>(at)],
                          Stored(given[i], fields[static_cast<size_t>(at)], target, !by_name));
  }
  ExpressionVector items;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (values[i] == nullptr && i < target.computed.size() && target.computed[i]) continue;
    if (values[i] == nullptr) {
      ARROW_ASSIGN_OR_RAISE(values[i], DefaultOf(context, target, i));
    }
    items.push_back(std::make_shared<expression::Alias>(values[i], fields[i].name, expression::NextAttributeId(),
                                                        target.is_delta ? "" : fields[i].metadata_json));
  }
  // What the table does not know.
  for (size_t i = 0; i < given.size(); ++i) {
    if (i < wanted.size() && index_of(wanted[i]) >= 0) continue;
    items.push_back(given[i]);
  }
  return std::make_shared<logical::Project>(std::move(items), std::move(query));
}

}  // namespace millrace::session
