#include "session/row_assignment.h"

#include "analyzer/constant.h"
#include "base/ascii.h"
#include "base/error.h"
#include "delta/schema/computed_column.h"
#include "expression/cast.h"
#include "function/extract_value.h"
#include "function/function_def.h"
#include "session/insert_columns.h"
#include "sql/expression_tree.h"
#include "types/column_metadata.h"

namespace millrace::session {

using expression::AttributePtr;
using expression::AttributeVector;
using expression::ExpressionPtr;
using expression::ExpressionVector;
using expression::Literal;

bool HasSubquery(const spark::connect::Expression& expression) {
  if (expression.has_subquery_expression()) return true;
  bool found = false;
  sql::ForEachChild(expression, [&](const spark::connect::Expression& child) { found = found || HasSubquery(child); });
  return found;
}

// An assignment of one column or of a field somewhere below it.
struct RowAssignments::PathValue {
  std::vector<std::string> path;
  spark::connect::Expression value;
};

// Where an assignment's column stands: its index among the new values, and the fields below it.
struct RowAssignments::Place {
  size_t index = 0;
  std::vector<std::string> path;
};
namespace {

bool IsDefaultWord(const spark::connect::Expression& value) {
  return value.has_unresolved_attribute() &&
         EqualsIgnoreCase(value.unresolved_attribute().unparsed_identifier(), "default");
}

arrow::Status Conflict(const std::vector<std::string>& columns) {
  std::string list;
  for (const std::string& column : columns) list += (list.empty() ? "" : ", ") + QuoteIdentifier(column);
  return UserError("DELTA_CONFLICT_SET_COLUMN", {{"columnList", "[" + list + "]"}});
}

arrow::Status Mismatch(const types::DataType& from, const types::DataType& to) {
  return UserError("DELTA_UPDATE_SCHEMA_MISMATCH_EXPRESSION",
                   {{"fromCatalog", from.CatalogString()}, {"toCatalog", to.CatalogString()}});
}

bool HoldsStruct(const types::DataType& type) {
  switch (type.id()) {
    case types::TypeId::kStruct:
      return true;
    case types::TypeId::kArray:
      return HoldsStruct(*type.element());
    case types::TypeId::kMap:
      return HoldsStruct(*type.key()) || HoldsStruct(*type.value());
    default:
      return false;
  }
}

AttributePtr Parameter(const char* name, const types::DataTypePtr& type, bool nullable) {
  return std::make_shared<expression::AttributeReference>(expression::NextAttributeId(), name, type, nullable);
}

}  // namespace

arrow::Result<ExpressionPtr> RowAssignments::Value(const spark::connect::Expression& message,
                                                   const AttributeVector& scope) {
  if (!HasSubquery(message)) return resolver_.Expressions(scope).Resolve(message);
  if (subqueries_ == nullptr) return analyzer::NotSupported("subqueries in assignments of MERGE");
  return resolver_.Expressions(scope, subqueries_).Resolve(message);
}

arrow::Result<ExpressionPtr> RowAssignments::Conformed(const ExpressionPtr& value, const types::StructField& field,
                                                       const ExpressionPtr& original) const {
  const types::DataTypePtr& type = field.type;
  const types::DataTypePtr& from = value->type();
  if (from->Equals(*type)) return value;
  if (from->id() == types::TypeId::kNull) {
    // raise_error has no type either, and is to be evaluated.
    if (value->kind() == expression::ExpressionKind::kLiteral) return Literal::Null(type);
    return std::make_shared<expression::Cast>(value, type, expression::CastMode::kAnsi, false);
  }
  if (from->id() == types::TypeId::kStruct && type->id() == types::TypeId::kStruct) {
    return StructByNames(value, field, original);
  }
  if (!from->is_nested() && !type->is_nested()) return StoredInDelta(value, field);
  if (from->EqualsIgnoreNullability(*type)) return value;
  bool arrays_of_structs = from->id() == types::TypeId::kArray && type->id() == types::TypeId::kArray &&
                           from->element()->id() == types::TypeId::kStruct &&
                           type->element()->id() == types::TypeId::kStruct;
  if (arrays_of_structs) return ArrayByNames(value, field);
  bool maps = from->id() == types::TypeId::kMap && type->id() == types::TypeId::kMap;
  if (maps && HoldsStruct(*from) && HoldsStruct(*type)) return MapByNames(value, field);
  if (!expression::CanCast(*from, *type, expression::CastMode::kAnsi)) return Mismatch(*from, *type);
  return std::make_shared<expression::Cast>(value, type, expression::CastMode::kAnsi, false);
}

arrow::Result<ExpressionPtr> RowAssignments::StructByNames(const ExpressionPtr& value, const types::StructField& field,
                                                           const ExpressionPtr& original) const {
  const types::DataTypePtr& type = field.type;
  const types::DataTypePtr& from = value->type();
  bool case_sensitive = context_.eval.case_sensitive;
  for (const types::StructField& given : from->fields()) {
    if (type->FieldIndex(given.name, /*case_sensitive=*/false) < 0) return Mismatch(*from, *type);
  }
  if (from->fields().size() != type->fields().size() && !evolves_) return Mismatch(*from, *type);
  ExpressionVector arguments;
  bool keeps = false;
  for (const types::StructField& inner : type->fields()) {
    arguments.push_back(Literal::String(inner.name));
    int before = original == nullptr ? -1 : original->type()->FieldIndex(inner.name, case_sensitive);
    ExpressionPtr was = before < 0 ? nullptr : function::GetStructField(original, before, inner.name);
    int at = from->FieldIndex(inner.name, case_sensitive);
    if (at < 0 && was == nullptr) {
      arguments.push_back(Literal::Null(inner.type));
      continue;
    }
    keeps = keeps || at < 0;
    bool nested = was != nullptr && was->type()->id() == types::TypeId::kStruct;
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr of_field,
                          Conformed(at < 0 ? was : function::GetStructField(value, at, inner.name), inner,
                                    nested && at >= 0 ? was : nullptr));
    arguments.push_back(std::move(of_field));
  }
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr made, function::BindCall("named_struct", std::move(arguments), context_.eval));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr is_null, function::BindCall("isnull", {value}, context_.eval));
  if (keeps) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr was_null, function::BindCall("isnull", {original}, context_.eval));
    is_null = std::make_shared<expression::Logical>(/*is_and=*/true, std::move(is_null), std::move(was_null));
  }
  return std::make_shared<expression::CaseWhen>(ExpressionVector{std::move(is_null), Literal::Null(made->type()), made},
                                                /*as_if=*/true);
}

arrow::Result<ExpressionPtr> RowAssignments::ArrayByNames(const ExpressionPtr& value,
                                                          const types::StructField& field) const {
  AttributePtr element = Parameter("element", value->type()->element(), value->type()->contains_null());
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr made, Conformed(element, {field.name, field.type->element(), true, ""}));
  ExpressionPtr each = std::make_shared<expression::LambdaFunction>(AttributeVector{element}, std::move(made));
  return function::BindCall("transform", {value, std::move(each)}, context_.eval);
}

arrow::Result<ExpressionPtr> RowAssignments::MapByNames(const ExpressionPtr& value,
                                                        const types::StructField& field) const {
  ExpressionPtr made = value;
  for (bool of_keys : {true, false}) {
    const types::DataType& from = *made->type();
    const types::DataTypePtr& wanted = of_keys ? field.type->key() : field.type->value();
    if ((of_keys ? from.key() : from.value())->EqualsIgnoreNullability(*wanted)) continue;
    AttributePtr key = Parameter("key", from.key(), /*nullable=*/false);
    AttributePtr entry = Parameter("value", from.value(), from.value_contains_null());
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr part, Conformed(of_keys ? key : entry, {field.name, wanted, !of_keys, ""}));
    ExpressionPtr each = std::make_shared<expression::LambdaFunction>(AttributeVector{key, entry}, std::move(part));
    ARROW_ASSIGN_OR_RAISE(made, function::BindCall(of_keys ? "transform_keys" : "transform_values",
                                                   {made, std::move(each)}, context_.eval));
  }
  return made;
}

arrow::Result<ExpressionPtr> RowAssignments::DefaultOf(const types::StructField& field) const {
  std::optional<std::string> text = types::DefaultOf(field);
  if (!text) return Literal::Null(field.type);
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, analyzer::ResolveConstant(*text, context_));
  return Conformed(value, field);
}

arrow::Result<RowAssignments::Place> RowAssignments::PlaceOf(const spark::connect::Expression& message) const {
  std::string text = message.has_unresolved_attribute() ? message.unresolved_attribute().unparsed_identifier()
                                                        : message.expression_string().expression();
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> parts, analyzer::ParseNameParts(text));
  bool case_sensitive = context_.eval.case_sensitive;
  auto same = [&](const std::string& a, const std::string& b) {
    return case_sensitive ? a == b : EqualsIgnoreCase(a, b);
  };
  for (size_t num_qualifiers = parts.size(); num_qualifiers-- > 0;) {
    for (size_t i = 0; i < fields_.size(); ++i) {
      if (!same(fields_[i].name, parts[num_qualifiers])) continue;
      const std::vector<std::string>& qualifier = columns_[0]->qualifier();
      bool matches = qualifier.size() >= num_qualifiers;
      for (size_t q = 0; matches && q < num_qualifiers; ++q) {
        matches = same(qualifier[qualifier.size() - num_qualifiers + q], parts[q]);
      }
      if (!matches) continue;
      return Place{i, {parts.begin() + static_cast<int64_t>(num_qualifiers) + 1, parts.end()}};
    }
  }
  return analyzer::UnresolvedColumn(parts, columns_);
}

// `current` with some of its fields set. A struct that is NULL becomes one.
arrow::Result<ExpressionPtr> RowAssignments::Updated(const ExpressionPtr& current, const types::StructField& field,
                                                     std::vector<PathValue> values, const AttributeVector& scope,
                                                     const std::string& above, bool keeps_fields) {
  const std::string here = above.empty() ? field.name : above + "." + field.name;
  for (const PathValue& value : values) {
    if (!value.path.empty()) continue;
    if (values.size() > 1) {
      std::vector<std::string> columns;
      for (const PathValue& one : values) {
        columns.push_back(here);
        for (const std::string& part : one.path) columns.back() += "." + part;
      }
      return Conflict(columns);
    }
    if (IsDefaultWord(value.value)) return DefaultOf(field);
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr set, Value(value.value, scope));
    bool of_struct = current->type()->id() == types::TypeId::kStruct;
    return Conformed(set, field, keeps_fields && of_struct ? current : nullptr);
  }
  if (field.type->id() != types::TypeId::kStruct) {
    if (!field.type->is_nested()) {
      return UserError("INVALID_EXTRACT_BASE_FIELD_TYPE",
                       {{"base", QuoteSqlExpression(here)}, {"other", QuoteSqlType(field.type->Sql())}});
    }
    std::string prefix;
    if (scope.size() != columns_.size()) {  // MERGE
      std::string given;
      for (const AttributePtr& column : columns_) given += (given.empty() ? "" : ", ") + column->Sql(false);
      prefix = "Cannot resolve " + current->Sql(false) + "." + QuoteIdentifier(values[0].path[0]) +
               " in target columns in UPDATE clause given columns " + given + " - ";
    }
    return UserError("DELTA_UNSUPPORTED_NESTED_FIELD_IN_UPDATE", {{"optionalPrefixMessage", prefix}});
  }
  ExpressionVector arguments;
  size_t num_used = 0;
  for (size_t i = 0; i < field.type->fields().size(); ++i) {
    const types::StructField& inner = field.type->fields()[i];
    std::vector<PathValue> below;
    for (const PathValue& value : values) {
      bool same =
          context_.eval.case_sensitive ? value.path[0] == inner.name : EqualsIgnoreCase(value.path[0], inner.name);
      if (same) below.push_back({{value.path.begin() + 1, value.path.end()}, value.value});
    }
    num_used += below.size();
    arguments.push_back(Literal::String(inner.name));
    ExpressionPtr was = function::GetStructField(current, static_cast<int>(i), inner.name);
    if (below.empty()) {
      arguments.push_back(std::move(was));
    } else {
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr set, Updated(was, inner, std::move(below), scope, here, keeps_fields));
      arguments.push_back(std::move(set));
    }
  }
  if (num_used < values.size()) {
    std::vector<std::string> names;
    for (const types::StructField& inner : field.type->fields()) names.push_back(inner.name);
    std::string fields;
    for (const std::string& name : names) fields += (fields.empty() ? "" : ", ") + QuoteIdentifier(name);
    return UserError("FIELD_NOT_FOUND", {{"fieldName", QuoteIdentifier(values[0].path[0])}, {"fields", fields}});
  }
  return function::BindCall("named_struct", std::move(arguments), context_.eval);
}

arrow::Result<std::vector<ExpressionPtr>> RowAssignments::Update(const std::vector<sql::Assignment>& assignments,
                                                                 const AttributeVector& scope, bool keeps_fields) {
  std::vector<std::vector<PathValue>> by_column(fields_.size());
  for (const sql::Assignment& assignment : assignments) {
    ARROW_ASSIGN_OR_RAISE(Place place, PlaceOf(assignment.column));
    by_column[place.index].push_back({std::move(place.path), assignment.value});
  }
  std::vector<ExpressionPtr> values;
  for (size_t i = 0; i < fields_.size(); ++i) {
    const types::StructField& field = fields_[i];
    ExpressionPtr current = i < columns_.size() ? ExpressionPtr(columns_[i]) : Literal::Null(field.type);
    bool generated = !delta::GenerationExpression(field).empty();
    if (!by_column[i].empty() && delta::IsIdentityColumn(field)) {
      return UserError("DELTA_IDENTITY_COLUMNS_UPDATE_NOT_SUPPORTED", {{"colName", field.name}});
    }
    if (by_column[i].empty() && generated) {
      values.push_back(nullptr);
    } else if (by_column[i].empty()) {
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr same, Conformed(current, field));
      values.push_back(std::move(same));
    } else {
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr set,
                            Updated(current, field, std::move(by_column[i]), scope, "", keeps_fields));
      if (!set->type()->Equals(*field.type)) {
        ARROW_ASSIGN_OR_RAISE(set, Conformed(set, field));
      }
      values.push_back(std::move(set));
    }
  }
  return values;
}

arrow::Result<std::vector<ExpressionPtr>> RowAssignments::Insert(const std::vector<sql::Assignment>& assignments,
                                                                 const AttributeVector& scope) {
  std::vector<const spark::connect::Expression*> given(fields_.size(), nullptr);
  for (const sql::Assignment& assignment : assignments) {
    ARROW_ASSIGN_OR_RAISE(Place place, PlaceOf(assignment.column));
    if (!place.path.empty()) {
      std::vector<std::string> parts = {fields_[place.index].name};
      parts.insert(parts.end(), place.path.begin(), place.path.end());
      return UserError("DELTA_UNSUPPORTED_NESTED_FIELD_IN_OPERATION",
                       {{"operation", "INSERT clause of MERGE operation"}, {"fieldName", QuoteNameParts(parts)}});
    }
    if (given[place.index] != nullptr) {
      return UserError("DELTA_DUPLICATE_COLUMNS_ON_INSERT", {{"duplicateColumns", fields_[place.index].name}});
    }
    given[place.index] = &assignment.value;
  }
  std::vector<ExpressionPtr> values;
  for (size_t i = 0; i < fields_.size(); ++i) {
    const types::StructField& field = fields_[i];
    if (given[i] != nullptr && !IsDefaultWord(*given[i])) {
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, Value(*given[i], scope));
      ARROW_ASSIGN_OR_RAISE(value, Conformed(value, field));
      values.push_back(std::move(value));
      continue;
    }
    bool computed = !delta::GenerationExpression(field).empty() || delta::IsIdentityColumn(field);
    if (computed && given[i] == nullptr) {
      values.push_back(nullptr);
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, DefaultOf(field));
    values.push_back(std::move(value));
  }
  return values;
}

arrow::Result<std::vector<sql::Assignment>> RowAssignments::Star(const AttributeVector& source, bool may_lack,
                                                                 const char* clause) const {
  std::vector<sql::Assignment> assignments;
  for (size_t i = 0; i < fields_.size(); ++i) {
    const types::StructField& field = fields_[i];
    const AttributePtr* found = nullptr;
    for (const AttributePtr& column : source) {
      bool same =
          context_.eval.case_sensitive ? column->name() == field.name : EqualsIgnoreCase(column->name(), field.name);
      if (same) found = &column;
    }
    if (found == nullptr && may_lack) continue;
    if (found == nullptr) {
      std::string columns;
      for (const AttributePtr& column : source) {
        columns += (columns.empty() ? "" : ", ") + column->Sql(false);
      }
      return UserError("DELTA_MERGE_UNRESOLVED_EXPRESSION",
                       {{"sqlExpr", field.name}, {"clause", clause}, {"cols", columns}});
    }
    sql::Assignment assignment;
    assignment.column.mutable_unresolved_attribute()->set_unparsed_identifier(QuoteIdentifier(field.name));
    std::vector<std::string> name = (*found)->qualifier();
    name.push_back((*found)->name());
    if (name.size() > 1) name.erase(name.begin(), name.end() - 2);
    assignment.value.mutable_unresolved_attribute()->set_unparsed_identifier(QuoteNameParts(name));
    assignments.push_back(std::move(assignment));
  }
  return assignments;
}

}  // namespace millrace::session
