#include "logical/node/join.h"

#include <algorithm>
#include <set>

#include "analyzer/aggregate_items.h"
#include "analyzer/domain_join.h"
#include "analyzer/operator_input.h"
#include "analyzer/relation_resolver.h"
#include "base/ascii.h"
#include "base/error.h"
#include "expression/generator.h"
#include "expression/type_coercion.h"
#include "function/function_def.h"
#include "logical/node/aggregate.h"
#include "logical/node/generate.h"
#include "logical/node/project.h"
#include "spark/connect/relations.pb.h"
#include "sql/plan_conventions.h"

namespace millrace::analyzer {

namespace {

using expression::Alias;
using expression::AttributePtr;
using logical::JoinType;
using spark::connect::Relation;

arrow::Result<JoinType> ToJoinType(spark::connect::Join::JoinType type) {
  switch (type) {
    case spark::connect::Join::JOIN_TYPE_UNSPECIFIED:
    case spark::connect::Join::JOIN_TYPE_INNER:
      return JoinType::kInner;
    case spark::connect::Join::JOIN_TYPE_FULL_OUTER:
      return JoinType::kFullOuter;
    case spark::connect::Join::JOIN_TYPE_LEFT_OUTER:
      return JoinType::kLeftOuter;
    case spark::connect::Join::JOIN_TYPE_RIGHT_OUTER:
      return JoinType::kRightOuter;
    case spark::connect::Join::JOIN_TYPE_LEFT_ANTI:
      return JoinType::kLeftAnti;
    case spark::connect::Join::JOIN_TYPE_LEFT_SEMI:
      return JoinType::kLeftSemi;
    case spark::connect::Join::JOIN_TYPE_CROSS:
      return JoinType::kCross;
    default:
      return NotSupported("a join of an unknown type");
  }
}

arrow::Result<ExpressionPtr> UsingColumn(const std::string& name, const AttributeVector& side, const char* side_name,
                                         bool case_sensitive) {
  // Of several the first.
  for (const AttributePtr& column : side) {
    if (case_sensitive ? column->name() == name : EqualsIgnoreCase(column->name(), name)) return column;
  }
  std::string columns;
  std::vector<std::string> names;
  for (const AttributePtr& column : side) names.push_back(column->name());
  std::sort(names.begin(), names.end());
  for (const std::string& column : names) columns += (columns.empty() ? "" : ", ") + QuoteIdentifier(column);
  return UserError("UNRESOLVED_USING_COLUMN_FOR_JOIN",
                   {{"colName", QuoteIdentifier(name)}, {"side", side_name}, {"suggestion", columns}});
}

// USING (a, b): the keys once, then the other columns of both sides.
arrow::Result<PlanPtr> JoinUsing(RelationResolver& resolver, JoinType type, const std::vector<std::string>& names,
                                 RelationResolver::Pair pair) {
  // Keys that joins below hide stay hidden columns of this one. They are looked for by qualified names only.
  const AttributeVector left_columns = pair.left->output(), right_columns = pair.right->output();
  AttributeVector hidden_below;
  for (PlanPtr* side : {&pair.left, &pair.right}) {
    OperatorInput below;
    below.hidden = resolver.HiddenOf(*side);
    if (!resolver.HidesKeys(*side)) continue;
    below.reads_hidden = true;
    size_t shown = (*side)->output().size();
    *side = resolver.WithHidden(*side, below);
    hidden_below.insert(hidden_below.end(), (*side)->output().begin() + static_cast<int64_t>(shown),
                        (*side)->output().end());
  }
  bool case_sensitive = resolver.context().eval.case_sensitive;
  const expression::EvalContext& eval = resolver.context().eval;
  ExpressionVector left_keys;
  ExpressionVector right_keys;
  ExpressionPtr condition;
  for (const std::string& name : names) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr left, UsingColumn(name, left_columns, "left", case_sensitive));
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr right, UsingColumn(name, right_columns, "right", case_sensitive));
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr equal, function::BindCall("==", {left, right}, eval));
    condition = condition == nullptr ? equal : std::make_shared<expression::Logical>(true, condition, equal);
    left_keys.push_back(std::move(left));
    right_keys.push_back(std::move(right));
  }
  auto join = std::make_shared<logical::Join>(type, condition, pair.left, pair.right);
  auto is_key = [](const AttributePtr& column, const ExpressionVector& keys) {
    return std::any_of(keys.begin(), keys.end(), [&](const ExpressionPtr& key) {
      return static_cast<const expression::AttributeReference&>(*key).id() == column->id();
    });
  };
  // The join's own view of the columns: nullable where the type makes them so.
  auto shown = [&](const ExpressionPtr& key) -> ExpressionPtr {
    for (const AttributePtr& column : join->output()) {
      if (column->id() == static_cast<const expression::AttributeReference&>(*key).id()) return column;
    }
    return key;
  };
  ExpressionVector items;
  for (size_t i = 0; i < names.size(); ++i) {
    if (type == JoinType::kRightOuter) {
      items.push_back(shown(right_keys[i]));
    } else if (type == JoinType::kFullOuter) {
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr merged,
                            function::BindCall("coalesce", {shown(left_keys[i]), shown(right_keys[i])}, eval));
      items.push_back(std::make_shared<Alias>(
          std::move(merged), static_cast<const expression::AttributeReference&>(*left_keys[i]).name()));
    } else {
      items.push_back(shown(left_keys[i]));
    }
  }
  AttributeVector keys;
  for (const AttributePtr& column : join->output()) {
    bool hidden = std::any_of(hidden_below.begin(), hidden_below.end(),
                              [&](const AttributePtr& other) { return other->id() == column->id(); });
    if (hidden || is_key(column, left_keys) || is_key(column, right_keys)) {
      keys.push_back(column);
    } else {
      items.push_back(column);
    }
  }
  PlanPtr projected = std::make_shared<logical::Project>(std::move(items), std::move(join));
  std::erase_if(keys, [&](const AttributePtr& key) {
    const AttributeVector& columns = projected->output();
    return std::any_of(columns.begin(), columns.end(), [&](const auto& column) { return column->id() == key->id(); });
  });
  resolver.Hide(projected, std::move(keys));
  return projected;
}

}  // namespace

arrow::Result<PlanPtr> ResolveJoin(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.join();
  ARROW_ASSIGN_OR_RAISE(RelationResolver::Pair pair, resolver.ResolvePair(message.left(), message.right()));
  ARROW_ASSIGN_OR_RAISE(JoinType type, ToJoinType(message.join_type()));
  if (message.using_columns_size() > 0) {
    return JoinUsing(resolver, type, {message.using_columns().begin(), message.using_columns().end()}, std::move(pair));
  }
  if (message.has_join_condition() && message.join_condition().has_unresolved_function() &&
      message.join_condition().unresolved_function().is_internal() &&
      message.join_condition().unresolved_function().function_name() == sql::kNaturalJoin) {
    // A name that both sides have several times is as often a key as the side with fewer has it.
    std::vector<std::string> names;
    AttributeVector unmatched = pair.right->output();
    for (const AttributePtr& column : pair.left->output()) {
      auto match = std::find_if(unmatched.begin(), unmatched.end(), [&](const AttributePtr& other) {
        return resolver.context().eval.case_sensitive ? other->name() == column->name()
                                                      : EqualsIgnoreCase(other->name(), column->name());
      });
      if (match == unmatched.end()) continue;
      names.push_back(column->name());
      unmatched.erase(match);
    }
    if (!names.empty()) return JoinUsing(resolver, type, names, std::move(pair));
    return std::make_shared<logical::Join>(type, nullptr, std::move(pair.left), std::move(pair.right));
  }
  if (!message.has_join_condition()) {
    return std::make_shared<logical::Join>(type, nullptr, std::move(pair.left), std::move(pair.right));
  }
  AttributeVector both = pair.left->output();
  both.insert(both.end(), pair.right->output().begin(), pair.right->output().end());
  // The condition may name a key that a join below hides.
  AttributeVector hidden_keys;
  for (const PlanPtr& side : {pair.left, pair.right}) {
    const AttributeVector* keys = resolver.HiddenOf(side);
    if (keys != nullptr && resolver.HidesKeys(side)) hidden_keys.insert(hidden_keys.end(), keys->begin(), keys->end());
  }
  OperatorInput below;
  if (!hidden_keys.empty()) below.hidden = &hidden_keys;
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr condition, resolver.Expressions(both, &below).Resolve(message.join_condition()));
  ARROW_RETURN_NOT_OK(CheckWithoutAggregates({condition}));
  if (below.time_windows.column() != nullptr) return NotSupported("a time window in the condition of a join");
  ARROW_RETURN_NOT_OK(CheckWithoutWindowFunctions(below));
  if (condition->type()->id() != types::TypeId::kBoolean) {
    if (condition->type()->id() != types::TypeId::kNull) {
      return UserError("JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE",
                       {{"joinCondition", QuoteSqlExpression(condition->Sql(true))},
                        {"conditionType", QuoteSqlType(condition->type()->Sql())}});
    }
    condition = expression::ImplicitCast(condition, types::Boolean());
  }
  // CROSS JOIN … ON is an inner join; only the word says that it was meant.
  if (type == JoinType::kCross) type = JoinType::kInner;
  if (below.reads_hidden) {
    OperatorInput of_side;
    of_side.reads_hidden = true;
    for (PlanPtr* side : {&pair.left, &pair.right}) {
      of_side.hidden = resolver.HiddenOf(*side);
      if (resolver.HidesKeys(*side)) *side = resolver.WithHidden(*side, of_side);
    }
  }
  if (below.subqueries.empty() && !below.reads_hidden) {
    return std::make_shared<logical::Join>(type, std::move(condition), std::move(pair.left), std::move(pair.right));
  }
  // The condition reads a column for each subquery, which either input gets.
  Subqueries of_left, of_right;
  ARROW_RETURN_NOT_OK(below.subqueries.Split(pair.left->output(), pair.right->output(), &of_left, &of_right));
  ARROW_ASSIGN_OR_RAISE(PlanPtr left, of_left.Apply(std::move(pair.left), resolver.context().eval));
  ARROW_ASSIGN_OR_RAISE(PlanPtr right, of_right.Apply(std::move(pair.right), resolver.context().eval));
  auto join = std::make_shared<logical::Join>(type, std::move(condition), std::move(left), std::move(right));
  ExpressionVector items;
  for (const AttributePtr& column : join->output()) {
    bool wanted =
        std::any_of(both.begin(), both.end(), [&](const AttributePtr& one) { return one->id() == column->id(); });
    if (wanted) items.push_back(column);
  }
  PlanPtr projected = std::make_shared<logical::Project>(std::move(items), std::move(join));
  if (below.reads_hidden) resolver.Hide(projected, std::move(hidden_keys));
  return projected;
}

namespace {

// The rows that a chain of projections and filters over generators makes of nothing, made of each left row instead: the
// left columns run through. Null for other plans.
PlanPtr OverLeft(const PlanPtr& node, const PlanPtr& left) {
  switch (node->kind()) {
    case logical::NodeKind::kLocalRelation:
      return node->output().empty() ? left : nullptr;
    case logical::NodeKind::kSubqueryAlias:
      return OverLeft(node->child(), left);
    case logical::NodeKind::kGenerate:
    case logical::NodeKind::kFilter: {
      PlanPtr child = OverLeft(node->child(), left);
      return child == nullptr ? nullptr : node->WithChildren({std::move(child)});
    }
    case logical::NodeKind::kProject: {
      PlanPtr child = OverLeft(node->child(), left);
      if (child == nullptr) return nullptr;
      ExpressionVector items(left->output().begin(), left->output().end());
      const ExpressionVector& own = static_cast<const logical::Project&>(*node).items();
      items.insert(items.end(), own.begin(), own.end());
      return std::make_shared<logical::Project>(std::move(items), std::move(child));
    }
    default:
      return nullptr;
  }
}

// JOIN LATERAL (SELECT … WHERE outer = …): a join on the conditions that read the left side.
arrow::Result<PlanPtr> JoinLateralSubquery(RelationResolver& resolver, const spark::connect::LateralJoin& message,
                                           PlanPtr left) {
  ARROW_ASSIGN_OR_RAISE(JoinType type, ToJoinType(message.join_type()));
  if (type == JoinType::kCross) type = JoinType::kInner;
  if (type != JoinType::kInner && type != JoinType::kLeftOuter) return NotSupported("this type of a LATERAL join");
  ARROW_ASSIGN_OR_RAISE(PlanPtr right, resolver.ResolveBeside(message.right(), left->output()));
  AttributeVector shown = right->output();
  PlanPtr generated = type == JoinType::kInner && !message.has_join_condition() ? OverLeft(right, left) : nullptr;
  if (generated != nullptr && generated != left) {
    ExpressionVector items(left->output().begin(), left->output().end());
    items.insert(items.end(), shown.begin(), shown.end());
    return std::make_shared<logical::Project>(std::move(items), std::move(generated));
  }
  ExpressionVector conditions;
  if (message.has_join_condition()) {
    AttributeVector both = left->output();
    both.insert(both.end(), shown.begin(), shown.end());
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr condition,
                          resolver.Expressions(both).ResolveCondition(message.join_condition()));
    conditions.push_back(std::move(condition));
  }
  return JoinBeside(type, std::move(left), std::move(right), std::move(conditions), resolver.context().eval);
}

}  // namespace

// LATERAL VIEW [OUTER] generator(…) t AS a, b, and JOIN LATERAL (SELECT …).
arrow::Result<PlanPtr> ResolveLateralJoin(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.lateral_join();
  ARROW_ASSIGN_OR_RAISE(PlanPtr left, resolver.Resolve(message.left()));
  std::vector<std::string> names;
  std::vector<std::string> qualifier;
  const Relation* right = &message.right();
  while (true) {
    if (right->has_to_df() && names.empty()) {
      names.assign(right->to_df().column_names().begin(), right->to_df().column_names().end());
      right = &right->to_df().input();
    } else if (right->has_subquery_alias() && qualifier.empty()) {
      qualifier = {right->subquery_alias().alias()};
      right = &right->subquery_alias().input();
    } else {
      break;
    }
  }
  bool is_function = right->has_unresolved_table_valued_function();
  bool own =
      is_function && function::FindFunction(right->unresolved_table_valued_function().function_name()) == nullptr;
  if (!is_function || own || message.has_join_condition()) {
    return JoinLateralSubquery(resolver, message, std::move(left));
  }
  const auto& function = right->unresolved_table_valued_function();
  spark::connect::Expression message_of_call;
  auto* unresolved = message_of_call.mutable_unresolved_function();
  unresolved->set_function_name(function.function_name());
  *unresolved->mutable_arguments() = function.arguments();
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr call, resolver.Expressions(left->output()).Resolve(message_of_call));
  if (call->kind() != expression::ExpressionKind::kGeneratorCall) {
    return UserError("UNSUPPORTED_GENERATOR.NOT_GENERATOR",
                     {{"functionName", QuoteIdentifier(ToLowerAscii(function.function_name()))},
                      {"classCanonicalName", SparkClassName(ToLowerAscii(function.function_name()))}});
  }
  const auto& fields = static_cast<const expression::GeneratorCall&>(*call).output();
  if (!names.empty() && names.size() != fields.size()) {
    return UserError("UDTF_ALIAS_NUMBER_MISMATCH",
                     {{"aliasesSize", std::to_string(fields.size())}, {"aliasesNames", std::to_string(names.size())}});
  }
  bool outer = message.join_type() == spark::connect::Join::JOIN_TYPE_LEFT_OUTER;
  AttributeVector generated;
  for (size_t i = 0; i < fields.size(); ++i) {
    generated.push_back(std::make_shared<expression::AttributeReference>(
        expression::NextAttributeId(), names.empty() ? fields[i].name : names[i], fields[i].type,
        outer || fields[i].nullable, qualifier));
  }
  return std::make_shared<logical::Generate>(std::move(call), outer, std::move(generated), std::move(left));
}

}  // namespace millrace::analyzer
