#include "logical/node/project.h"

#include <algorithm>
#include <optional>
#include <set>

#include "analyzer/aggregate_items.h"
#include "analyzer/generators.h"
#include "analyzer/relation_resolver.h"
#include "base/ascii.h"
#include "base/error.h"
#include "expression/cast.h"
#include "expression/type_coercion.h"
#include "function/function_def.h"
#include "logical/node/aggregate.h"
#include "logical/node/generate.h"
#include "spark/connect/relations.pb.h"
#include "sql/plan_conventions.h"

// Clients before 4.2 still send the fields that later ones mark as deprecated.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace millrace::analyzer {

namespace {

namespace connect = spark::connect;
using connect::Relation;
using expression::Alias;
using expression::AttributePtr;
using expression::ExpressionKind;
using expression::GeneratorCall;

bool SameName(std::string_view a, std::string_view b, bool case_sensitive) {
  return case_sensitive ? a == b : EqualsIgnoreCase(a, b);
}

}  // namespace

arrow::Result<PlanPtr> ExtractGenerators(ExpressionVector* items,
                                         const std::vector<ExpressionResolver::GeneratorNames>& names, PlanPtr child) {
  ExpressionVector shown;
  for (const ExpressionPtr& item : *items) {
    if (item->kind() != ExpressionKind::kGeneratorCall) {
      if (expression::Contains(*item, ExpressionKind::kGeneratorCall)) {
        return UserError("UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS",
                         {{"expression", QuoteSqlExpression(item->Sql(true))}});
      }
      shown.push_back(item);
      continue;
    }
    const auto& fields = static_cast<const GeneratorCall&>(*item).output();
    auto named = std::find_if(names.begin(), names.end(), [&](const auto& one) { return one.generator == item; });
    if (named != names.end() && named->names.size() != fields.size()) {
      return UserError("UDTF_ALIAS_NUMBER_MISMATCH", {{"aliasesSize", std::to_string(fields.size())},
                                                      {"aliasesNames", std::to_string(named->names.size())}});
    }
    AttributeVector generated;
    for (size_t i = 0; i < fields.size(); ++i) {
      generated.push_back(std::make_shared<expression::AttributeReference>(
          expression::NextAttributeId(), named == names.end() ? fields[i].name : named->names[i], fields[i].type,
          fields[i].nullable));
    }
    shown.insert(shown.end(), generated.begin(), generated.end());
    child = std::make_shared<logical::Generate>(item, false, std::move(generated), std::move(child));
  }
  *items = std::move(shown);
  return child;
}

arrow::Result<ExpressionVector> ResolveOverGenerators(
    RelationResolver& resolver, const google::protobuf::RepeatedPtrField<connect::Expression>& messages,
    OperatorInput* below, PlanPtr* child) {
  AttributeVector columns = (*child)->output();
  std::vector<std::optional<ExpressionVector>> resolved(static_cast<size_t>(messages.size()));
  while (true) {
    ExpressionResolver expressions = resolver.Expressions(columns, below);
    expressions.AllowLateralAliases();
    AttributeVector generated;
    arrow::Status missing;
    bool any = false;
    for (int i = 0; i < messages.size(); ++i) {
      std::optional<ExpressionVector>& items = resolved[static_cast<size_t>(i)];
      if (items.has_value()) {
        bool named = messages[i].has_alias() || messages[i].has_unresolved_attribute();
        bool alias = named && items->size() == 1 && (*items)[0]->kind() == ExpressionKind::kAlias;
        if (alias) expressions.AddLateralAlias((*items)[0]);
        continue;
      }
      google::protobuf::RepeatedPtrField<connect::Expression> one;
      *one.Add() = messages[i];
      arrow::Result<ExpressionVector> made = expressions.ResolveItems(one);
      if (!made.ok() && !IsErrorCondition(made.status(), "UNRESOLVED_COLUMN")) return made.status();
      if (!made.ok()) {
        if (missing.ok()) missing = made.status();
        continue;
      }
      any = true;
      bool generates = made->size() == 1 && (*made)[0]->kind() == ExpressionKind::kGeneratorCall;
      if (generates) {
        ARROW_ASSIGN_OR_RAISE(*child, ExtractGenerators(&*made, expressions.generator_names(), *child));
        for (const ExpressionPtr& column : *made) generated.push_back(expression::ToAttribute(column));
      }
      items = *std::move(made);
    }
    if (missing.ok()) break;
    if (!any) return missing;
    const AttributeVector known = columns;
    for (const AttributePtr& column : generated) {
      bool taken = std::any_of(known.begin(), known.end(), [&](const AttributePtr& other) {
        return SameName(other->name(), column->name(), resolver.context().eval.case_sensitive);
      });
      if (!taken) columns.push_back(column);
    }
  }
  ExpressionVector all;
  for (const auto& items : resolved) all.insert(all.end(), items->begin(), items->end());
  return all;
}

namespace {

bool AnyGenerator(const google::protobuf::RepeatedPtrField<connect::Expression>& messages) {
  return std::any_of(messages.begin(), messages.end(), [](const connect::Expression& message) {
    const connect::Expression& call = message.has_alias() ? message.alias().expr() : message;
    if (!call.has_unresolved_function()) return false;
    const function::FunctionDef* def = function::FindFunction(call.unresolved_function().function_name());
    return def != nullptr && def->kind == function::FunctionKind::kGenerator;
  });
}

}  // namespace

arrow::Result<PlanPtr> ResolveProject(RelationResolver& resolver, const Relation& relation) {
  const auto& project = relation.project();
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(project.input()));
  OperatorInput below;
  below.hidden = resolver.HiddenOf(child);
  below.rows = child;
  const AttributeVector columns = child->output();
  ExpressionResolver expressions = resolver.Expressions(columns, &below);
  expressions.AllowLateralAliases();
  arrow::Result<ExpressionVector> resolved = expressions.ResolveItems(project.expressions());
  if (IsErrorCondition(resolved.status(), "UNRESOLVED_COLUMN") && AnyGenerator(project.expressions())) {
    OperatorInput over;
    over.rows = child;
    PlanPtr generating = child;
    arrow::Result<ExpressionVector> items = ResolveOverGenerators(resolver, project.expressions(), &over, &generating);
    bool plain = items.ok() && std::none_of(items->begin(), items->end(), [](const ExpressionPtr& item) {
                   return expression::Contains(*item, ExpressionKind::kAggregateCall);
                 });
    if (plain && !over.window_functions.ContainsAggregates()) {
      ARROW_ASSIGN_OR_RAISE(generating, over.Apply(std::move(generating), resolver.context().eval));
      return std::make_shared<logical::Project>(*std::move(items), std::move(generating));
    }
  }
  ARROW_ASSIGN_OR_RAISE(ExpressionVector items, std::move(resolved));
  child = resolver.WithHidden(child, below);
  const expression::EvalContext& eval = resolver.context().eval;
  bool aggregates = below.window_functions.ContainsAggregates() ||
                    std::any_of(items.begin(), items.end(), [](const ExpressionPtr& item) {
                      return expression::Contains(*item, ExpressionKind::kAggregateCall);
                    });
  // select(count(…)) without groupBy is one group over everything.
  if (aggregates) {
    for (const ExpressionPtr& item : items) ARROW_RETURN_NOT_OK(CheckGrouped(*item, {}, below));
    return MakeAggregate({}, std::move(items), std::move(child), std::move(below), eval);
  }
  // Window functions see the rows that a generator beside them makes.
  ARROW_ASSIGN_OR_RAISE(child, below.ApplyBelowWindows(std::move(child), eval));
  ARROW_ASSIGN_OR_RAISE(child, ExtractGenerators(&items, expressions.generator_names(), std::move(child)));
  ARROW_ASSIGN_OR_RAISE(child, below.window_functions.Apply(std::move(child)));
  return std::make_shared<logical::Project>(std::move(items), std::move(child));
}

arrow::Result<PlanPtr> ResolveWithColumns(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.with_columns();
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(message.input()));
  bool case_sensitive = resolver.context().eval.case_sensitive;
  OperatorInput below;
  below.hidden = resolver.HiddenOf(child);
  below.rows = child;
  const AttributeVector columns = child->output();
  ExpressionResolver expressions = resolver.Expressions(columns, &below);
  expressions.AllowLateralAliases();
  google::protobuf::RepeatedPtrField<connect::Expression> wrapped;
  std::vector<std::string> seen;
  for (const auto& alias : message.aliases()) {
    if (alias.name_size() != 1) return NotSupported("withColumns with several names for one column");
    for (const std::string& other : seen) {
      if (SameName(other, alias.name(0), case_sensitive)) {
        return UserError("COLUMN_ALREADY_EXISTS", {{"columnName", QuoteIdentifier(ToLowerAscii(alias.name(0)))}});
      }
    }
    seen.push_back(alias.name(0));
    *wrapped.Add()->mutable_alias() = alias;
  }
  ARROW_ASSIGN_OR_RAISE(ExpressionVector added, expressions.ResolveItems(wrapped));
  child = resolver.WithHidden(child, below);
  ARROW_ASSIGN_OR_RAISE(child, below.Apply(std::move(child), resolver.context().eval));
  ExpressionVector items;
  std::vector<bool> used(added.size(), false);
  for (const AttributePtr& column : columns) {
    ExpressionPtr item = column;
    for (size_t i = 0; i < added.size(); ++i) {
      if (!SameName(seen[i], column->name(), case_sensitive)) continue;
      item = added[i];
      used[i] = true;
    }
    items.push_back(std::move(item));
  }
  for (size_t i = 0; i < added.size(); ++i) {
    if (!used[i]) items.push_back(added[i]);
  }
  ARROW_ASSIGN_OR_RAISE(child, ExtractGenerators(&items, expressions.generator_names(), std::move(child)));
  return std::make_shared<logical::Project>(std::move(items), std::move(child));
}

arrow::Result<PlanPtr> ResolveWithColumnsRenamed(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.with_columns_renamed();
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(message.input()));
  std::vector<std::pair<std::string, std::string>> renames;
  for (const auto& rename : message.renames()) renames.emplace_back(rename.col_name(), rename.new_col_name());
  for (const auto& [from, to] : message.rename_columns_map()) renames.emplace_back(from, to);
  bool case_sensitive = resolver.context().eval.case_sensitive;
  ExpressionVector items;
  for (const AttributePtr& column : child->output()) {
    // Several renames apply one after another: a → b, then b → c.
    std::string name = column->name();
    bool renamed = false;
    for (const auto& [from, to] : renames) {
      if (!SameName(name, from, case_sensitive)) continue;
      name = to;
      renamed = true;
    }
    items.push_back(renamed ? ExpressionPtr(std::make_shared<Alias>(column, name)) : ExpressionPtr(column));
  }
  return std::make_shared<logical::Project>(std::move(items), std::move(child));
}

arrow::Result<PlanPtr> ResolveDrop(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.drop();
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(message.input()));
  bool case_sensitive = resolver.context().eval.case_sensitive;
  std::set<expression::AttributeId> dropped;
  for (const std::string& name : message.column_names()) {
    for (const AttributePtr& column : child->output()) {
      if (SameName(column->name(), name, case_sensitive)) dropped.insert(column->id());
    }
  }
  ExpressionResolver expressions = resolver.Expressions(child->output());
  for (const auto& column : message.columns()) {
    if (column.has_subquery_expression()) continue;  // a value, not a column
    arrow::Result<ExpressionPtr> value = expressions.Resolve(column);
    if (!value.ok()) {
      // Dropping what is not there, or not there any more, does nothing.
      bool replaced = column.has_unresolved_attribute() && column.unresolved_attribute().has_plan_id() &&
                      resolver.KnowsFrame(column.unresolved_attribute().plan_id()) &&
                      IsErrorCondition(value.status(), "CANNOT_RESOLVE_DATAFRAME_COLUMN");
      if (replaced || IsErrorCondition(value.status(), "UNRESOLVED_COLUMN")) continue;
      return value.status();
    }
    if ((*value)->kind() == ExpressionKind::kAttribute) {
      dropped.insert(static_cast<const expression::AttributeReference&>(**value).id());
    }
  }
  ExpressionVector items;
  for (const AttributePtr& column : child->output()) {
    if (dropped.count(column->id()) == 0) items.push_back(column);
  }
  return std::make_shared<logical::Project>(std::move(items), std::move(child));
}

arrow::Result<PlanPtr> ResolveToDf(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.to_df();
  const Relation& input = message.input();
  if (input.has_unresolved_table_valued_function() &&
      input.unresolved_table_valued_function().function_name() == sql::kInlineTable) {
    return ResolveInlineTable(resolver, input, {message.column_names().begin(), message.column_names().end()});
  }
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(message.input()));
  bool fits = static_cast<size_t>(message.column_names_size()) == child->output().size();
  const Relation& named = input.has_subquery_alias() ? input.subquery_alias().input() : input;
  if (!fits && named.has_unresolved_table_valued_function()) {
    return UserError("NUM_TABLE_VALUE_ALIASES_MISMATCH",
                     {{"funcName", QuoteIdentifier(named.unresolved_table_valued_function().function_name())},
                      {"aliasesNum", std::to_string(message.column_names_size())},
                      {"outColsNum", std::to_string(child->output().size())}});
  }
  if (!fits) {
    return UserError("ASSIGNMENT_ARITY_MISMATCH", {{"numExpr", std::to_string(message.column_names_size())},
                                                   {"numTarget", std::to_string(child->output().size())}});
  }
  ExpressionVector items;
  for (size_t i = 0; i < child->output().size(); ++i) {
    items.push_back(std::make_shared<Alias>(child->output()[i], message.column_names(static_cast<int>(i))));
  }
  return std::make_shared<logical::Project>(std::move(items), std::move(child));
}

arrow::Result<PlanPtr> ResolveToSchema(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.to_schema();
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(message.input()));
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, ResolveDataType(message.schema()));
  ExpressionVector items;
  for (const types::StructField& field : schema->fields()) {
    ARROW_ASSIGN_OR_RAISE(auto value,
                          ResolveName({field.name}, child->output(), resolver.context().eval.case_sensitive));
    if (!value) {
      if (!field.nullable) return UnresolvedColumn({field.name}, child->output());
      items.push_back(std::make_shared<Alias>(expression::Literal::Null(field.type), field.name));
      continue;
    }
    if ((*value)->nullable() && !field.nullable) {
      return UserError("NULLABLE_COLUMN_OR_FIELD", {{"name", QuoteIdentifier(field.name)}});
    }
    expression::CastMode mode = expression::CastMode::kAnsi;
    // A text is taken for nothing else, as where it is stored.
    bool from_text = (*value)->type()->id() == types::TypeId::kString && field.type->id() != types::TypeId::kString;
    if (from_text || !expression::CanCast(*(*value)->type(), *field.type, mode)) {
      return UserError("INVALID_COLUMN_OR_FIELD_DATA_TYPE", {{"name", QuoteIdentifier(field.name)},
                                                             {"type", QuoteSqlType((*value)->type()->Sql())},
                                                             {"expectedType", QuoteSqlType(field.type->Sql())}});
    }
    ExpressionPtr cast = (*value)->type()->Equals(*field.type)
                             ? *value
                             : std::make_shared<expression::Cast>(*value, field.type, mode, false);
    items.push_back(std::make_shared<Alias>(std::move(cast), field.name));
  }
  return std::make_shared<logical::Project>(std::move(items), std::move(child));
}

}  // namespace millrace::analyzer
