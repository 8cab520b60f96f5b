#include "session/session_variables.h"

#include <set>

#include "base/ascii.h"
#include "base/error.h"
#include "logical/node/project.h"
#include "sql/parser.h"

namespace millrace::session {

namespace {

using catalog::Variable;
using catalog::Variables;
using expression::ExpressionPtr;
using spark::connect::Relation;
using types::DataTypePtr;

arrow::Status NotAVariable(const std::vector<std::string>& parts, std::string search_path = "[`system`.`session`]") {
  return UserError("UNRESOLVED_VARIABLE",
                   {{"variableName", QuoteNameParts(parts)}, {"searchPath", std::move(search_path)}});
}

// The values of the query's only row as these types; NULLs where it has none.
arrow::Result<std::vector<ExpressionPtr>> OneRow(Session& session, const Relation& query,
                                                 const std::vector<DataTypePtr>& types) {
  Relation row;
  auto* project = row.mutable_project();
  auto* named = project->mutable_input()->mutable_to_df();
  *named->mutable_input() = query;
  for (size_t i = 0; i < types.size(); ++i) {
    std::string name = "c" + std::to_string(i);
    named->add_column_names(name);
    auto* cast = project->add_expressions()->mutable_cast();
    cast->mutable_expr()->mutable_unresolved_attribute()->set_unparsed_identifier(name);
    cast->set_type_str(types[i]->Sql());
  }
  ARROW_ASSIGN_OR_RAISE(QueryResult result, session.Execute(row));
  if (result.num_rows() > 1) return UserError("ROW_SUBQUERY_TOO_MANY_ROWS");
  std::vector<ExpressionPtr> values;
  for (size_t i = 0; i < types.size(); ++i) {
    values.push_back(expression::Literal::Null(types[i]));
    for (const auto& batch : result.batches) {
      if (batch->num_rows() == 0) continue;
      ARROW_ASSIGN_OR_RAISE(auto value, batch->column(static_cast<int>(i))->GetScalar(0));
      values.back() = std::make_shared<expression::Literal>(types[i], std::move(value));
    }
  }
  return values;
}

// The variables of these names, each once.
arrow::Result<std::vector<Variable>> FindTargets(Session& session, const std::vector<sql::NameParts>& names) {
  std::vector<Variable> targets;
  std::set<std::string> seen;
  for (const sql::NameParts& parts : names) {
    auto found = session.catalog().variables().Resolve(parts);
    if (!found || found->second != parts.size()) return NotAVariable(parts, session.SearchPath());
    std::string name = ToLowerAscii(found->first.name);
    if (!seen.insert(found->first.scope + "." + name).second) {
      return UserError("DUPLICATE_ASSIGNMENTS", {{"nameList", QuoteIdentifier(name)}});
    }
    targets.push_back(std::move(found->first));
  }
  return targets;
}

arrow::Status CheckArity(size_t num_values, size_t num_targets) {
  if (num_values == num_targets) return arrow::Status::OK();
  return UserError("ASSIGNMENT_ARITY_MISMATCH",
                   {{"numExpr", std::to_string(num_values)}, {"numTarget", std::to_string(num_targets)}});
}

}  // namespace

arrow::Status DeclareVariables(Session& session, const sql::DeclareVariable& declare) {
  std::vector<std::string> names;
  std::set<std::string> seen;
  const bool local = session.catalog().variables().InScript();
  for (const sql::NameParts& parts : declare.names) {
    std::optional<std::string> name = Variables::NameOf(parts);
    if (local && parts.size() > 1) {
      return UserError("INVALID_VARIABLE_DECLARATION.QUALIFIED_LOCAL_VARIABLE", {{"varName", QuoteNameParts(parts)}});
    }
    if (!name) return NotAVariable(parts);
    std::string key = ToLowerAscii(*name);
    if (!seen.insert(key).second) {
      return UserError("DUPLICATE_VARIABLE_NAME_INSIDE_DECLARE", {{"variableName", catalog::QuotedVariable(key)}});
    }
    names.push_back(*std::move(name));
  }
  DataTypePtr type = declare.type;
  if (type == nullptr) {
    ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, session.Analyze(declare.value));
    type = plan->output()[0]->type();
  }
  ARROW_ASSIGN_OR_RAISE(auto values, OneRow(session, declare.value, {type}));
  auto value = std::make_shared<const Relation>(declare.value);
  for (const std::string& name : names) {
    Variables& variables = session.catalog().variables();
    Variable variable{name, values[0], value};
    ARROW_RETURN_NOT_OK(local ? variables.DeclareLocal(std::move(variable))
                              : variables.Declare(std::move(variable), declare.replace));
  }
  return arrow::Status::OK();
}

arrow::Status SetVariables(Session& session, const sql::SetVariable& set) {
  Variables& variables = session.catalog().variables();
  ARROW_ASSIGN_OR_RAISE(std::vector<Variable> targets, FindTargets(session, set.names));
  std::vector<DataTypePtr> types;
  for (size_t i = 0; i < targets.size(); ++i) {
    if (!set.to_default[i]) types.push_back(targets[i].value->type());
  }
  std::vector<ExpressionPtr> values;
  if (set.query) {
    ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, session.Analyze(*set.query));
    ARROW_RETURN_NOT_OK(CheckArity(plan->output().size(), types.size()));
    ARROW_ASSIGN_OR_RAISE(values, OneRow(session, *set.query, types));
  }
  // All values are known before the first variable changes.
  std::vector<ExpressionPtr> all;
  size_t next = 0;
  for (size_t i = 0; i < targets.size(); ++i) {
    if (!set.to_default[i]) {
      all.push_back(values[next++]);
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(auto value, OneRow(session, *targets[i].default_value, {targets[i].value->type()}));
    all.push_back(value[0]);
  }
  for (size_t i = 0; i < targets.size(); ++i) variables.Set(targets[i], all[i]);
  return arrow::Status::OK();
}

arrow::Status AssignVariables(Session& session, const std::vector<sql::NameParts>& names,
                              const std::vector<ExpressionPtr>& values) {
  ARROW_ASSIGN_OR_RAISE(std::vector<Variable> targets, FindTargets(session, names));
  ARROW_RETURN_NOT_OK(CheckArity(values.size(), targets.size()));
  std::vector<ExpressionPtr> cast;
  for (size_t i = 0; i < targets.size(); ++i) {
    const DataTypePtr& type = targets[i].value->type();
    expression::Cast value(values[i], type, expression::CastMode::kAnsi, /*user_specified=*/false);
    ARROW_ASSIGN_OR_RAISE(auto scalar, expression::EvaluateFoldable(value, session.MakeEvalContext()));
    cast.push_back(std::make_shared<expression::Literal>(type, std::move(scalar)));
  }
  for (size_t i = 0; i < targets.size(); ++i) session.catalog().variables().Set(targets[i], cast[i]);
  return arrow::Status::OK();
}

arrow::Status DropVariable(Session& session, const sql::DropVariable& drop) {
  std::optional<std::string> name = Variables::NameOf(drop.name);
  if (!name) return NotAVariable(drop.name);
  if (session.catalog().variables().Drop(*name) || drop.if_exists) return arrow::Status::OK();
  return UserError("VARIABLE_NOT_FOUND", {{"variableName", catalog::QuotedVariable(ToLowerAscii(*name))}});
}

arrow::Status CheckNoVariable(Session& session, const std::string& conf_key) {
  auto parts = sql::ParseMultipartIdentifier(conf_key);
  std::optional<std::string> name = parts.ok() ? Variables::NameOf(*parts) : std::nullopt;
  if (!name || !session.catalog().variables().Find(*name)) return arrow::Status::OK();
  return UserError("UNSUPPORTED_FEATURE.SET_VARIABLE_USING_SET", {{"variableName", QuoteNameParts(*parts)}});
}

arrow::Result<std::optional<sql::ConstantValue>> ConstantOf(Session& session,
                                                            const spark::connect::Expression& expression) {
  Relation select;
  ARROW_RETURN_NOT_OK(sql::ParseQuery("SELECT 1", {}, &select));
  *select.mutable_project()->mutable_expressions(0) = expression;
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, session.Analyze(select));
  if (plan->kind() != logical::NodeKind::kProject) return std::nullopt;
  ExpressionPtr value = static_cast<const logical::Project&>(*plan).items()[0];
  if (value->kind() == expression::ExpressionKind::kAlias) value = value->children()[0];
  if (!value->foldable()) return std::nullopt;
  sql::ConstantValue constant;
  constant.type = value->type()->Sql();
  constant.catalog_type = value->type()->CatalogString();
  constant.is_string = value->type()->id() == types::TypeId::kString;
  ARROW_ASSIGN_OR_RAISE(auto scalar, expression::EvaluateFoldable(*value, session.MakeEvalContext()));
  if (constant.is_string && scalar->is_valid) {
    constant.text = std::string(static_cast<const arrow::BaseBinaryScalar&>(*scalar).view());
  }
  if (value->type()->id() == types::TypeId::kInteger && scalar->is_valid) {
    constant.integer = static_cast<const arrow::Int32Scalar&>(*scalar).value;
  }
  return constant;
}

}  // namespace millrace::session
