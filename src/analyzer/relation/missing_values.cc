#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "analyzer/relation_resolver.h"
#include "base/ascii.h"
#include "base/error.h"
#include "expression/cast.h"
#include "expression/type_coercion.h"
#include "function/function_def.h"
#include "logical/node/expand.h"
#include "logical/node/filter.h"
#include "logical/node/project.h"
#include "spark/connect/relations.pb.h"
#include "sql/expression_tree.h"
#include "sql/plan_conventions.h"

namespace millrace::analyzer {

namespace {

using expression::Alias;
using expression::AttributePtr;
using spark::connect::Relation;

// Whether fillna(value) touches a column: numbers fill numbers, text fills text, booleans booleans.
bool Fillable(const types::DataType& column, const types::DataType& value) {
  if (value.is_numeric()) return column.is_numeric();
  return column.id() == value.id();
}

}  // namespace

arrow::Result<PlanPtr> ResolveFillNa(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.fill_na();
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(message.input()));
  ExpressionVector values;
  for (const auto& literal : message.values()) {
    spark::connect::Expression wrapped;
    *wrapped.mutable_literal() = literal;
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, ResolveLiteral(wrapped));
    values.push_back(std::move(value));
  }
  if (values.empty()) return InternalError("fillna without a value");
  for (const std::string& name : message.cols()) {
    ARROW_RETURN_NOT_OK(resolver.ResolveColumn(name, child->output()).status());
  }
  bool case_sensitive = resolver.context().eval.case_sensitive;
  ExpressionVector items;
  for (const AttributePtr& column : child->output()) {
    ExpressionPtr value;
    if (message.cols_size() == 0) value = values[0];
    for (int i = 0; i < message.cols_size(); ++i) {
      const std::string& name = message.cols(i);
      if (!(case_sensitive ? name == column->name() : EqualsIgnoreCase(name, column->name()))) continue;
      value = values.size() == 1 ? values[0] : values[static_cast<size_t>(i)];
    }
    if (value == nullptr || !Fillable(*column->type(), *value->type())) {
      items.push_back(column);
      continue;
    }
    ExpressionPtr filler =
        value->type()->Equals(*column->type())
            ? value
            : std::make_shared<expression::Cast>(value, column->type(), expression::CastMode::kAnsi, false);
    ExpressionPtr source = column;
    if (column->type()->id() == types::TypeId::kDouble || column->type()->id() == types::TypeId::kFloat) {
      ExpressionPtr null = expression::Literal::Null(column->type());
      ARROW_ASSIGN_OR_RAISE(source, function::BindCall("nanvl", {column, null}, resolver.context().eval));
    }
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr filled,
                          function::BindCall("coalesce", {source, filler}, resolver.context().eval));
    items.push_back(std::make_shared<Alias>(std::move(filled), column->name()));
  }
  return std::make_shared<logical::Project>(std::move(items), std::move(child));
}

arrow::Result<PlanPtr> ResolveDropNa(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.drop_na();
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(message.input()));
  ExpressionVector columns;
  if (message.cols_size() == 0) {
    columns.assign(child->output().begin(), child->output().end());
  }
  for (const std::string& name : message.cols()) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr column, resolver.ResolveColumn(name, child->output()));
    columns.push_back(std::move(column));
  }
  int32_t minimum = message.has_min_non_nulls() ? message.min_non_nulls() : static_cast<int32_t>(columns.size());
  const expression::EvalContext& eval = resolver.context().eval;
  ExpressionPtr count = expression::Literal::Integer(0);
  for (const ExpressionPtr& column : columns) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr present, function::BindCall("isnotnull", {column}, eval));
    if (column->type()->id() == types::TypeId::kDouble || column->type()->id() == types::TypeId::kFloat) {
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr nan, function::BindCall("isnan", {column}, eval));
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr number, function::BindCall("not", {nan}, eval));
      present = std::make_shared<expression::Logical>(true, present, number);
    }
    ExpressionPtr one = std::make_shared<expression::CaseWhen>(
        ExpressionVector{present, expression::Literal::Integer(1), expression::Literal::Integer(0)}, true);
    ARROW_ASSIGN_OR_RAISE(count, function::BindCall("+", {count, one}, eval));
  }
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr enough,
                        function::BindCall(">=", {count, expression::Literal::Integer(minimum)}, eval));
  return std::make_shared<logical::Filter>(std::move(enough), std::move(child));
}

namespace {

// Type by type in the order of their names, with at most three of its columns.
std::string TypesOfValues(const ExpressionVector& values) {
  std::map<std::string, std::set<std::string>> columns;
  for (const ExpressionPtr& value : values) {
    columns[value->type()->Sql()].insert(QuoteIdentifier(expression::ToAttribute(value)->name()));
  }
  std::string text;
  for (const auto& [type, names] : columns) {
    text += (text.empty() ? "" : ", ") + QuoteSqlType(type) + " (";
    size_t shown = 0;
    for (const std::string& name : names) {
      if (++shown > 3) break;
      text += (shown > 1 ? ", " : "") + name;
    }
    text += names.size() > 3 ? ", ...)" : ")";
  }
  return text;
}

}  // namespace

namespace {

// Text is no common type here: it does not widen to others, nor others to it.
std::optional<types::DataTypePtr> CommonOfUnpivoted(const std::vector<types::DataTypePtr>& value_types) {
  auto is_text = [](const types::DataTypePtr& type) { return type->id() == types::TypeId::kString; };
  auto is_null = [](const types::DataTypePtr& type) { return type->id() == types::TypeId::kNull; };
  bool mixed = std::any_of(value_types.begin(), value_types.end(), is_text) &&
               !std::all_of(value_types.begin(), value_types.end(),
                            [&](const types::DataTypePtr& type) { return is_text(type) || is_null(type); });
  return mixed ? std::nullopt : expression::WiderType(value_types);
}

// One row of several values.
struct UnpivotedRow {
  std::string name;
  ExpressionVector values;
};

arrow::Result<std::vector<UnpivotedRow>> UnpivotedRows(ExpressionResolver* expressions,
                                                       const spark::connect::Unpivot& message) {
  std::vector<UnpivotedRow> rows;
  for (const spark::connect::Expression& value : message.values().values()) {
    const spark::connect::Expression& call = value.has_alias() ? value.alias().expr() : value;
    UnpivotedRow row;
    if (sql::IsInternalFunction(call, sql::kUnpivotValues)) {
      ARROW_ASSIGN_OR_RAISE(row.values, expressions->ResolveItems(call.unresolved_function().arguments()));
    } else {
      google::protobuf::RepeatedPtrField<spark::connect::Expression> one;
      *one.Add() = call;
      ARROW_ASSIGN_OR_RAISE(row.values, expressions->ResolveItems(one));
    }
    for (const ExpressionPtr& column : row.values) {
      row.name += (row.name.empty() ? "" : "_") + expression::ToAttribute(column)->name();
    }
    if (value.has_alias()) row.name = value.alias().name(0);
    rows.push_back(std::move(row));
  }
  return rows;
}

// UNPIVOT ((v, w) FOR name IN ((a, b) AS x, …)).
arrow::Result<PlanPtr> UnpivotSeveral(RelationResolver& resolver, const spark::connect::Unpivot& message,
                                      PlanPtr child) {
  ExpressionResolver expressions = resolver.Expressions(child->output());
  const auto& names = message.ids(1).unresolved_function().arguments();
  auto width = static_cast<size_t>(names.size());
  ARROW_ASSIGN_OR_RAISE(std::vector<UnpivotedRow> rows, UnpivotedRows(&expressions, message));
  std::set<expression::AttributeId> read;
  for (const UnpivotedRow& row : rows) {
    if (row.values.size() != width) {
      return UserError("UNPIVOT_VALUE_SIZE_MISMATCH", {{"names", std::to_string(width)}});
    }
    for (const ExpressionPtr& value : row.values) {
      for (expression::AttributeId id : expression::References(*value)) read.insert(id);
    }
  }
  ExpressionVector ids;
  AttributeVector output;
  for (const AttributePtr& column : child->output()) {
    if (read.count(column->id()) > 0) continue;
    ids.push_back(column);
    output.push_back(column->NewInstance());
  }
  output.push_back(std::make_shared<expression::AttributeReference>(
      expression::NextAttributeId(), message.variable_column_name(), types::String(), false));
  std::vector<types::DataTypePtr> common;
  for (size_t i = 0; i < width; ++i) {
    std::vector<types::DataTypePtr> value_types;
    ExpressionVector values;
    bool nullable = false;
    for (const UnpivotedRow& row : rows) {
      values.push_back(row.values[i]);
      value_types.push_back(row.values[i]->type());
      nullable = nullable || row.values[i]->nullable();
    }
    auto type = CommonOfUnpivoted(value_types);
    if (!type) return UserError("UNPIVOT_VALUE_DATA_TYPE_MISMATCH", {{"types", TypesOfValues(values)}});
    common.push_back(*type);
    output.push_back(std::make_shared<expression::AttributeReference>(
        expression::NextAttributeId(), names[static_cast<int>(i)].literal().string(), *type, nullable));
  }
  std::vector<ExpressionVector> projections;
  for (const UnpivotedRow& row : rows) {
    ExpressionVector projection = ids;
    projection.push_back(expression::Literal::String(row.name));
    for (size_t i = 0; i < width; ++i) projection.push_back(expression::ImplicitCast(row.values[i], common[i]));
    projections.push_back(std::move(projection));
  }
  return std::make_shared<logical::Expand>(std::move(projections), output, std::move(child));
}

}  // namespace

arrow::Result<PlanPtr> ResolveUnpivot(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.unpivot();
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(message.input()));
  if (message.ids_size() == 2 && sql::IsInternalFunction(message.ids(1), sql::kUnpivotColumns)) {
    return UnpivotSeveral(resolver, message, std::move(child));
  }
  ExpressionResolver expressions = resolver.Expressions(child->output());
  ExpressionVector ids;
  ExpressionVector values;
  bool ids_are_the_rest = message.ids_size() == 1 && message.ids(0).has_unresolved_star() && message.has_values();
  if (!ids_are_the_rest) {
    ARROW_ASSIGN_OR_RAISE(ids, expressions.ResolveItems(message.ids()));
  }
  if (message.has_values()) {
    ARROW_ASSIGN_OR_RAISE(values, expressions.ResolveItems(message.values().values()));
  } else {
    for (const AttributePtr& column : child->output()) {
      bool is_id = std::any_of(ids.begin(), ids.end(), [&](const ExpressionPtr& id) {
        return expression::ToAttribute(id)->id() == column->id();
      });
      if (!is_id) values.push_back(column);
    }
  }
  if (ids_are_the_rest) {
    for (const AttributePtr& column : child->output()) {
      bool is_value = std::any_of(values.begin(), values.end(), [&](const ExpressionPtr& value) {
        std::vector<expression::AttributeId> read = expression::References(*value);
        return std::find(read.begin(), read.end(), column->id()) != read.end();
      });
      if (!is_value) ids.push_back(column);
    }
  }
  if (values.empty()) return UserError("UNPIVOT_REQUIRES_VALUE_COLUMNS");
  std::vector<types::DataTypePtr> value_types;
  for (const ExpressionPtr& value : values) value_types.push_back(value->type());
  auto common = CommonOfUnpivoted(value_types);
  if (!common) return UserError("UNPIVOT_VALUE_DATA_TYPE_MISMATCH", {{"types", TypesOfValues(values)}});
  AttributeVector output;
  for (const ExpressionPtr& id : ids) output.push_back(expression::ToAttribute(id)->NewInstance());
  output.push_back(std::make_shared<expression::AttributeReference>(
      expression::NextAttributeId(), message.variable_column_name(), types::String(), false));
  output.push_back(std::make_shared<expression::AttributeReference>(
      expression::NextAttributeId(), message.value_column_name(), *common,
      std::any_of(values.begin(), values.end(), [](const ExpressionPtr& value) { return value->nullable(); })));
  std::vector<ExpressionVector> projections;
  for (const ExpressionPtr& value : values) {
    ExpressionVector projection = ids;
    projection.push_back(expression::Literal::String(expression::ToAttribute(value)->name()));
    projection.push_back(expression::ImplicitCast(value, *common));
    projections.push_back(std::move(projection));
  }
  return std::make_shared<logical::Expand>(std::move(projections), output, std::move(child));
}

// df.replace: the first pair whose old value a column equals; numbers replace in numbers, text in text.
arrow::Result<PlanPtr> ResolveReplace(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.replace();
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(message.input()));
  const expression::EvalContext& eval = resolver.context().eval;
  std::vector<std::pair<ExpressionPtr, ExpressionPtr>> pairs;
  for (const auto& replacement : message.replacements()) {
    spark::connect::Expression from;
    spark::connect::Expression to;
    *from.mutable_literal() = replacement.old_value();
    *to.mutable_literal() = replacement.new_value();
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr old_value, ResolveLiteral(from));
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr new_value, ResolveLiteral(to));
    pairs.emplace_back(std::move(old_value), std::move(new_value));
  }
  ExpressionVector wanted;
  for (const std::string& name : message.cols()) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr column, resolver.ResolveColumn(name, child->output()));
    wanted.push_back(std::move(column));
  }
  ExpressionVector items;
  for (const AttributePtr& column : child->output()) {
    bool chosen = wanted.empty() || std::any_of(wanted.begin(), wanted.end(), [&](const ExpressionPtr& one) {
                    return expression::SemanticallyEqual(*one, *column);
                  });
    ExpressionVector branches;
    for (const auto& [old_value, new_value] : pairs) {
      const ExpressionPtr& kind = old_value->type()->id() == types::TypeId::kNull ? new_value : old_value;
      if (!chosen || !Fillable(*column->type(), *kind->type())) continue;
      auto as_column = [&](const ExpressionPtr& value) -> ExpressionPtr {
        return std::make_shared<expression::Cast>(value, column->type(), expression::CastMode::kAnsi, false);
      };
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr same, function::BindCall("==", {column, as_column(old_value)}, eval));
      branches.push_back(std::move(same));
      branches.push_back(as_column(new_value));
    }
    if (branches.empty()) {
      items.push_back(column);
      continue;
    }
    branches.push_back(column);
    ExpressionPtr replaced = std::make_shared<expression::CaseWhen>(std::move(branches), false);
    items.push_back(std::make_shared<Alias>(std::move(replaced), column->name()));
  }
  return std::make_shared<logical::Project>(std::move(items), std::move(child));
}

}  // namespace millrace::analyzer
