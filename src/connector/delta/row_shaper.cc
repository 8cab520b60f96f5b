#include "connector/delta/row_shaper.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/compute/api_scalar.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"
#include "base/error.h"
#include "base/json_value.h"
#include "delta/schema/computed_column.h"
#include "delta/transaction/schema_merge.h"
#include "types/arrow_type.h"
#include "types/char_type.h"
#include "types/column_metadata.h"
#include "types/number_text.h"

namespace millrace::connector::delta_table {

using types::DataType;
using types::StructField;
using types::TypeId;

namespace {

// delta-spark's name of the check of a CHAR or VARCHAR column's length, which has an error of its own.
constexpr std::string_view kCharCheck = "__CHAR_VARCHAR_STRING_LENGTH_CHECK__";

int FindField(const std::vector<StructField>& fields, const std::string& name) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (EqualsIgnoreCase(fields[i].name, name)) return static_cast<int>(i);
  }
  return -1;
}

std::string Quoted(const std::string& name) { return QuoteIdentifier(name); }

// Whether rows of `from` lie in memory as rows of `to` do, names of fields aside.
bool SameLayout(const DataType& from, const DataType& to) {
  if (from.id() != to.id()) return false;
  switch (from.id()) {
    case TypeId::kStruct: {
      // Files hold the fields the rows have: fewer are fine.
      for (const StructField& field : from.fields()) {
        int index = FindField(to.fields(), field.name);
        if (index < 0 || !SameLayout(*field.type, *to.fields()[static_cast<size_t>(index)].type)) return false;
      }
      return true;
    }
    case TypeId::kArray:
      return SameLayout(*from.element(), *to.element());
    case TypeId::kMap:
      return SameLayout(*from.key(), *to.key()) && SameLayout(*from.value(), *to.value());
    default:
      return from.Equals(to);
  }
}

// {"expression":{"expression":"…"}}
std::string InvariantSql(const StructField& field) {
  auto parsed = ParseJson(types::MetadataText(field, "delta.invariants").value_or(""));
  if (!parsed.ok()) return "";
  const JsonValue* rule = parsed->Find("expression");
  const JsonValue* sql = rule == nullptr ? nullptr : rule->Find("expression");
  return sql == nullptr ? "" : sql->AsString();
}

// That no text at `value` is longer than CHAR(n) and VARCHAR(n) in its type allow; "" where it has none.
// Source: delta-spark's CharVarcharConstraint.
std::string LengthCheck(const std::string& value, const DataType& declared, int depth) {
  auto both = [](const std::string& a, const std::string& b) {
    return a.empty() || b.empty() ? a + b : "(" + a + " AND " + b + ")";
  };
  auto in_array = [&](const std::string& array, const DataType& element) {
    std::string each = "_e" + std::to_string(depth);
    std::string check = LengthCheck(each, element, depth + 1);
    return check.empty() ? "" : fmt::format("(({0} IS NULL) OR forall({0}, {1} -> {2}))", array, each, check);
  };
  switch (declared.id()) {
    case TypeId::kString: {
      std::optional<types::CharType> type = types::DeclaredCharType(declared);
      return type ? fmt::format("(({0} IS NULL) OR (length({0}) <= {1}))", value, type->length) : "";
    }
    case TypeId::kStruct: {
      std::string all;
      for (const StructField& field : declared.fields()) {
        all = both(all, LengthCheck(value + "." + Quoted(field.name), *field.type, depth));
      }
      return all;
    }
    case TypeId::kArray:
      return in_array(value, *declared.element());
    case TypeId::kMap:
      return both(in_array("map_keys(" + value + ")", *declared.key()),
                  in_array("map_values(" + value + ")", *declared.value()));
    default:
      return "";
  }
}

// The type with the fields' names as the table spells them, at any depth.
types::DataTypePtr Respelled(const types::DataTypePtr& rows, const types::DataTypePtr& table) {
  switch (rows->id()) {
    case TypeId::kStruct: {
      std::vector<StructField> fields = rows->fields();
      for (StructField& field : fields) {
        int index = FindField(table->fields(), field.name);
        if (index < 0) continue;
        const StructField& as = table->fields()[static_cast<size_t>(index)];
        field = {as.name, Respelled(field.type, as.type), as.nullable, as.metadata_json};
      }
      return types::Struct(std::move(fields));
    }
    case TypeId::kArray:
      return types::Array(Respelled(rows->element(), table->element()), table->contains_null());
    case TypeId::kMap:
      return types::Map(Respelled(rows->key(), table->key()), Respelled(rows->value(), table->value()),
                        table->value_contains_null());
    default:
      return table;
  }
}

// The same buffers under a type that differs in names and nullability only.
std::shared_ptr<arrow::ArrayData> Retype(const arrow::ArrayData& data, const std::shared_ptr<arrow::DataType>& type) {
  auto copy = std::make_shared<arrow::ArrayData>(data);
  copy->type = type;
  for (int i = 0; i < type->num_fields(); ++i) {
    copy->child_data[static_cast<size_t>(i)] = Retype(*data.child_data[static_cast<size_t>(i)], type->field(i)->type());
  }
  return copy;
}

std::shared_ptr<arrow::Array> WithType(const std::shared_ptr<arrow::Array>& array,
                                       const std::shared_ptr<arrow::DataType>& type) {
  return array->type()->Equals(*type, true) ? array : arrow::MakeArray(Retype(*array->data(), type));
}

// A value as delta-spark's message shows it: Spark's internal form.
std::string InternalText(const arrow::Array& column, int64_t row) {
  if (column.IsNull(row)) return "null";
  switch (column.type_id()) {
    case arrow::Type::STRING:
      return std::string(static_cast<const arrow::StringArray&>(column).GetView(row));
    case arrow::Type::DATE32:
      return std::to_string(static_cast<const arrow::Date32Array&>(column).Value(row));
    case arrow::Type::TIMESTAMP:
      return std::to_string(static_cast<const arrow::TimestampArray&>(column).Value(row));
    case arrow::Type::FLOAT:
      return types::FloatText(static_cast<const arrow::FloatArray&>(column).Value(row));
    case arrow::Type::DOUBLE:
      return types::DoubleText(static_cast<const arrow::DoubleArray&>(column).Value(row));
    default: {
      auto scalar = column.GetScalar(row);
      return scalar.ok() ? (*scalar)->ToString() : "";
    }
  }
}

}  // namespace

std::string CastSql(const std::string& sql, const DataType& from, const DataType& to) {
  if (from.id() == TypeId::kStruct && to.id() == TypeId::kStruct) {
    std::string fields;
    for (const StructField& field : to.fields()) {
      if (!fields.empty()) fields += ", ";
      fields += QuoteStringLiteral(field.name) + ", ";
      int index = FindField(from.fields(), field.name);
      if (index < 0) {
        fields += "CAST(NULL AS " + field.type->Sql() + ")";
      } else {
        const StructField& source = from.fields()[static_cast<size_t>(index)];
        fields += CastSql("(" + sql + ")." + Quoted(source.name), *source.type, *field.type);
      }
    }
    return "IF((" + sql + ") IS NULL, NULL, named_struct(" + fields + "))";
  }
  if (from.id() == TypeId::kArray && to.id() == TypeId::kArray && from.element()->is_nested()) {
    return "transform(" + sql + ", _e -> " + CastSql("_e", *from.element(), *to.element()) + ")";
  }
  return "CAST(" + sql + " AS " + to.Sql() + ")";
}

arrow::Result<std::shared_ptr<const RowShaper>> RowShaper::Make(const RowShaperRequest& request,
                                                                const ConnectorContext& context) {
  std::shared_ptr<RowShaper> shaper(new RowShaper);
  shaper->table_schema_ = request.table_schema;
  shaper->table_arrow_ = types::ToArrowSchema(*request.table_schema);
  shaper->holds_values_ = delta::CheckHoldsValues(*request.table_schema);
  ARROW_RETURN_NOT_OK(shaper->PlanColumns(request, context));
  ARROW_RETURN_NOT_OK(shaper->PlanChecks(request, context));
  return std::shared_ptr<const RowShaper>(std::move(shaper));
}

arrow::Status RowShaper::PlanColumns(const RowShaperRequest& request, const ConnectorContext& context) {
  const auto& table_fields = table_schema_->fields();
  const auto& query_fields = request.query_schema->fields();
  std::vector<StructField> written;
  std::vector<std::string> casts, generated, computed;
  std::vector<bool> given(table_fields.size());
  for (size_t i = 0; i < query_fields.size(); ++i) {
    if (query_fields[i].type->id() == TypeId::kNull) continue;  // files have no such columns
    int index = FindField(table_fields, query_fields[i].name);
    if (index < 0) return InternalError("Column " + query_fields[i].name + " is not in the schema to be written");
    const StructField& field = table_fields[static_cast<size_t>(index)];
    given[static_cast<size_t>(index)] = true;
    std::shared_ptr<IdentityColumn> identity = IdentityColumn::Make(field);
    if (identity != nullptr && !identity->allows_values() && !request.copies) {
      return UserError("DELTA_IDENTITY_COLUMNS_EXPLICIT_INSERT_NOT_SUPPORTED", {{"colName", field.name}});
    }
    Column column{index, Column::From::kQuery, static_cast<int>(i)};
    types::DataTypePtr type = field.type;
    if (SameLayout(*query_fields[i].type, *field.type)) {
      type = Respelled(query_fields[i].type, field.type);
    } else {
      column = {index, Column::From::kCast, static_cast<int>(casts.size())};
      casts.push_back(CastSql(Quoted(query_fields[i].name), *query_fields[i].type, *field.type));
    }
    columns_.push_back(column);
    written.push_back({field.name, type, field.nullable, field.metadata_json});
  }
  for (size_t i = 0; i < table_fields.size(); ++i) {
    const StructField& field = table_fields[i];
    std::shared_ptr<IdentityColumn> identity = given[i] ? nullptr : IdentityColumn::Make(field);
    if (identity != nullptr) {
      columns_.push_back({static_cast<int>(i), Column::From::kIdentity, static_cast<int>(identities_.size())});
      identities_.push_back(std::move(identity));
      written.push_back(field);
      continue;
    }
    std::string sql;
    if (request.has_generated_columns) sql = delta::GenerationExpression(field);
    if (!sql.empty() && given[i]) {
      checks_.push_back({"Generated Column", Quoted(field.name) + " <=> (" + sql + ")"});
      continue;
    }
    if (!sql.empty() && !given[i]) computed.push_back(sql);
    if (sql.empty() && request.has_column_defaults) sql = types::DefaultOf(field).value_or("");
    if (sql.empty() || given[i]) continue;
    columns_.push_back({static_cast<int>(i), Column::From::kGenerated, static_cast<int>(generated.size())});
    generated.push_back("CAST((" + sql + ") AS " + field.type->Sql() + ")");
    written.push_back(field);
  }
  schema_ = types::Struct(std::move(written));
  arrow_schema_ = types::ToArrowSchema(*schema_);
  if (casts.empty() && generated.empty()) return arrow::Status::OK();
  if (!context.compile) return InternalError("No session compiles the expressions of the table");
  if (!casts.empty()) {
    ARROW_ASSIGN_OR_RAISE(casts_, context.compile(request.query_schema, casts));
  }
  if (!computed.empty()) {
    // What a column is computed from must be given; this says so, as the query's columns are what it is resolved over.
    std::vector<StructField> known;
    for (size_t i = 0; i < table_fields.size(); ++i) {
      if (given[i]) known.push_back(table_fields[i]);
    }
    ARROW_RETURN_NOT_OK(context.compile(types::Struct(std::move(known)), computed).status());
  }
  if (!generated.empty()) {
    ARROW_ASSIGN_OR_RAISE(generated_, context.compile(table_schema_, generated));
  }
  return arrow::Status::OK();
}

void RowShaper::PlanNotNull(const DataType& type, int table_index, std::vector<int> path, const std::string& prefix) {
  for (size_t i = 0; i < type.fields().size(); ++i) {
    const StructField& field = type.fields()[i];
    std::string name = prefix + types::QuoteIfNeeded(field.name);
    int index = path.empty() && prefix.empty() ? static_cast<int>(i) : table_index;
    std::vector<int> below = path;
    if (!prefix.empty()) below.push_back(static_cast<int>(i));
    if (!field.nullable) not_null_.push_back({index, below, name});
    if (field.type->id() == TypeId::kStruct) PlanNotNull(*field.type, index, below, name + ".");
  }
}

bool RowShaper::IsWritten(const NotNull& rule) const {
  const StructField* field = &table_schema_->fields()[static_cast<size_t>(rule.table_index)];
  const DataType* rows = schema_.get();
  const DataType* table = table_schema_.get();
  for (size_t depth = 0;; ++depth) {
    int index = rows->FieldIndex(field->name, /*case_sensitive=*/true);
    if (index < 0) return false;
    if (depth == rule.path.size()) return true;
    table = field->type.get();
    rows = rows->fields()[static_cast<size_t>(index)].type.get();
    field = &table->fields()[static_cast<size_t>(rule.path[depth])];
  }
}

arrow::Status RowShaper::PlanChecks(const RowShaperRequest& request, const ConnectorContext& context) {
  PlanNotNull(*table_schema_, 0, {}, "");
  for (const NotNull& rule : not_null_) {
    if (!IsWritten(rule)) return UserError("DELTA_MISSING_NOT_NULL_COLUMN_VALUE", {{"columnName", rule.name}});
  }
  if (request.no_rows) return arrow::Status::OK();
  for (const auto& [key, sql] : request.metadata->configuration) {
    static constexpr std::string_view kPrefix = "delta.constraints.";
    if (ToLowerAscii(key).starts_with(kPrefix)) checks_.push_back({key.substr(kPrefix.size()), sql});
  }
  for (const StructField& field : table_schema_->fields()) {
    std::string sql = InvariantSql(field);
    if (!sql.empty()) checks_.push_back({"EXPRESSION(" + sql + ")", sql});
    if (types::DataTypePtr declared = types::DeclaredTypeOf(field)) {
      std::string lengths = LengthCheck(QuoteIdentifier(field.name), *declared, 0);
      if (!lengths.empty()) checks_.push_back({std::string(kCharCheck), lengths});
    }
  }
  checks_.insert(checks_.end(), request.more_checks.begin(), request.more_checks.end());
  if (checks_.empty()) return arrow::Status::OK();
  if (!context.compile) return InternalError("No session compiles the constraints of the table");
  std::vector<std::string> sql;
  for (const RowCheck& check : checks_) sql.push_back(check.sql);
  ARROW_ASSIGN_OR_RAISE(check_values_, context.compile(table_schema_, sql));
  for (size_t i = 0; i < checks_.size(); ++i) {
    if (check_values_->fields()[i].type->id() == TypeId::kBoolean) continue;
    return UserError("DELTA_NON_BOOLEAN_CHECK_CONSTRAINT", {{"name", checks_[i].name}, {"expr", checks_[i].sql}});
  }
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> RowShaper::WholeRows(const arrow::ArrayVector& columns,
                                                                        int64_t num_rows) const {
  arrow::ArrayVector whole(table_schema_->fields().size());
  for (size_t i = 0; i < columns_.size(); ++i) {
    const auto& type = table_arrow_->field(columns_[i].table_index)->type();
    if (columns[i] == nullptr) continue;
    if (columns[i]->type()->Equals(*type)) {
      whole[static_cast<size_t>(columns_[i].table_index)] = columns[i];
    } else if (type->id() != arrow::Type::STRUCT) {
      return InternalError("A column of nested type is not complete where constraints look at it");
    } else {
      // A struct with fewer fields than the table's: the others are NULL.
      const auto& rows = static_cast<const arrow::StructArray&>(*columns[i]);
      arrow::ArrayVector fields;
      for (const auto& field : type->fields()) {
        auto found = rows.GetFieldByName(field->name());
        if (found == nullptr || !found->type()->Equals(*field->type())) {
          ARROW_ASSIGN_OR_RAISE(found, arrow::MakeArrayOfNull(field->type(), num_rows));
        }
        fields.push_back(std::move(found));
      }
      whole[static_cast<size_t>(columns_[i].table_index)] = std::make_shared<arrow::StructArray>(
          type, num_rows, std::move(fields), rows.null_bitmap(), rows.null_count(), rows.offset());
    }
  }
  for (size_t i = 0; i < whole.size(); ++i) {
    if (whole[i] != nullptr) continue;
    ARROW_ASSIGN_OR_RAISE(whole[i], arrow::MakeArrayOfNull(table_arrow_->field(static_cast<int>(i))->type(), num_rows));
  }
  return arrow::RecordBatch::Make(table_arrow_, num_rows, std::move(whole));
}

arrow::Status RowShaper::CheckNotNull(const arrow::ArrayVector& columns, int64_t num_rows) const {
  for (const NotNull& rule : not_null_) {
    std::shared_ptr<arrow::Array> array;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].table_index == rule.table_index) array = columns[i];
    }
    const DataType* type = table_schema_->fields()[static_cast<size_t>(rule.table_index)].type.get();
    for (size_t depth = 0; array != nullptr && depth < rule.path.size(); ++depth) {
      const StructField& field = type->fields()[static_cast<size_t>(rule.path[depth])];
      const auto& rows = static_cast<const arrow::StructArray&>(*array);
      int index = static_cast<const arrow::StructType&>(*rows.type()).GetFieldIndex(field.name);
      if (index < 0) {
        array = nullptr;
        break;
      }
      ARROW_ASSIGN_OR_RAISE(array, rows.GetFlattenedField(index));
      type = field.type.get();
    }
    if (array != nullptr && array->null_count() == 0) continue;
    if (num_rows == 0) continue;
    return UserError("DELTA_NOT_NULL_CONSTRAINT_VIOLATED", {{"columnName", rule.name}});
  }
  return arrow::Status::OK();
}

arrow::Status RowShaper::Violation(size_t check, const arrow::RecordBatch& whole, int64_t row) const {
  std::vector<std::pair<std::string, std::string>> values;
  for (int column : check_values_->InputColumns(check)) {
    values.emplace_back(table_schema_->fields()[static_cast<size_t>(column)].name,
                        InternalText(*whole.column(column), row));
  }
  std::sort(values.begin(), values.end());
  if (checks_[check].name == kCharCheck) {
    return UserError("DELTA_EXCEED_CHAR_VARCHAR_LIMIT",
                     {{"value", values.empty() ? "" : values[0].second}, {"expr", check_values_->Sql(check)}});
  }
  std::string lines;
  for (const auto& [column, value] : values) lines += (lines.empty() ? " - " : "\n - ") + column + " : " + value;
  arrow::Status violation = UserError(
      "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES",
      {{"constraintName", checks_[check].name}, {"expression", check_values_->Sql(check)}, {"values", lines}});
  if (!checks_[check].is_replace_where) return violation;
  return UserError("DELTA_REPLACE_WHERE_MISMATCH",
                   {{"replaceWhere", checks_[check].sql}, {"message", violation.message()}});
}

arrow::Status RowShaper::CheckRows(const std::shared_ptr<arrow::RecordBatch>& whole) const {
  ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector results, check_values_->Evaluate(whole));
  for (size_t i = 0; i < results.size(); ++i) {
    const auto& met = static_cast<const arrow::BooleanArray&>(*results[i]);
    if (met.null_count() == 0 && met.true_count() == met.length()) continue;
    for (int64_t row = 0; row < met.length(); ++row) {
      if (met.IsNull(row) || !met.Value(row)) return Violation(i, *whole, row);
    }
  }
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> RowShaper::Shape(
    const std::shared_ptr<arrow::RecordBatch>& rows) const {
  if (rows->num_rows() > 0) ARROW_RETURN_NOT_OK(holds_values_);
  arrow::ArrayVector casts;
  if (casts_ != nullptr) {
    ARROW_ASSIGN_OR_RAISE(casts, casts_->Evaluate(rows));
  }
  arrow::ArrayVector columns(columns_.size());
  for (size_t i = 0; i < columns_.size(); ++i) {
    const Column& column = columns_[i];
    if (column.from == Column::From::kGenerated) continue;
    if (column.from == Column::From::kIdentity) {
      ARROW_ASSIGN_OR_RAISE(columns[i], identities_[static_cast<size_t>(column.index)]->Next(rows->num_rows()));
      continue;
    }
    const auto& array =
        column.from == Column::From::kQuery ? rows->column(column.index) : casts[static_cast<size_t>(column.index)];
    columns[i] = WithType(array, arrow_schema_->field(static_cast<int>(i))->type());
  }
  if (generated_ != nullptr) {
    ARROW_ASSIGN_OR_RAISE(auto whole, WholeRows(columns, rows->num_rows()));
    ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector generated, generated_->Evaluate(whole));
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].from == Column::From::kGenerated) columns[i] = generated[static_cast<size_t>(columns_[i].index)];
    }
  }
  if (!not_null_.empty()) ARROW_RETURN_NOT_OK(CheckNotNull(columns, rows->num_rows()));
  if (check_values_ != nullptr) {
    ARROW_ASSIGN_OR_RAISE(auto whole, WholeRows(columns, rows->num_rows()));
    ARROW_RETURN_NOT_OK(CheckRows(whole));
  }
  return arrow::RecordBatch::Make(arrow_schema_, rows->num_rows(), std::move(columns));
}

}  // namespace millrace::connector::delta_table
