#include <algorithm>

#include "analyzer/relation_resolver.h"
#include "base/error.h"
#include "logical/node/aggregate.h"
#include "logical/node/expand.h"
#include "logical/node/project.h"
#include "spark/connect/relations.pb.h"

namespace millrace::analyzer {

namespace {

using expression::Alias;
using expression::AttributePtr;
using expression::ExpressionKind;
using expression::Literal;
using spark::connect::Relation;

ExpressionPtr WithoutName(const ExpressionPtr& value) {
  return value->kind() == ExpressionKind::kAlias ? static_cast<const Alias&>(*value).child() : value;
}

// Every column of an item must be grouped or inside an aggregate.
arrow::Status CheckGrouped(const expression::Expression& value, const ExpressionVector& grouping) {
  for (const ExpressionPtr& group : grouping) {
    if (expression::SemanticallyEqual(*group, value)) return arrow::Status::OK();
  }
  if (value.kind() == ExpressionKind::kAggregateCall) {
    for (const ExpressionPtr& child : value.children()) {
      if (expression::Contains(*child, ExpressionKind::kAggregateCall)) {
        return UserError("NESTED_AGGREGATE_FUNCTION");
      }
    }
    return arrow::Status::OK();
  }
  if (value.kind() == ExpressionKind::kAttribute) {
    const auto& attribute = static_cast<const expression::AttributeReference&>(value);
    if (grouping.empty()) {
      return UserError("MISSING_GROUP_BY");
    }
    return UserError("MISSING_AGGREGATION", {{"expression", QuoteSqlExpression(attribute.Sql(false))},
                                             {"expressionAnyValue",
                                              QuoteSqlExpression("any_value(" + attribute.Sql(false) + ")")}});
  }
  if (value.kind() == ExpressionKind::kLambdaFunction) return arrow::Status::OK();
  for (const ExpressionPtr& child : value.children()) ARROW_RETURN_NOT_OK(CheckGrouped(*child, grouping));
  return arrow::Status::OK();
}


std::vector<std::vector<size_t>> GroupingSets(spark::connect::Aggregate::GroupType type, size_t count) {
  std::vector<std::vector<size_t>> sets;
  if (type == spark::connect::Aggregate::GROUP_TYPE_ROLLUP) {
    for (size_t length = count + 1; length-- > 0;) {
      std::vector<size_t> set;
      for (size_t i = 0; i < length; ++i) set.push_back(i);
      sets.push_back(std::move(set));
    }
  } else {
    for (size_t mask = 0; mask < (size_t{1} << count); ++mask) {
      std::vector<size_t> set;
      for (size_t i = 0; i < count; ++i) {
        if ((mask & (size_t{1} << (count - 1 - i))) == 0) set.push_back(i);
      }
      sets.push_back(std::move(set));
    }
  }
  return sets;
}

// ROLLUP, CUBE, GROUPING SETS: each row once for every set, with the keys outside of the set NULL; a number tells the
// sets apart, so that a NULL key and a left-out key are two groups.
arrow::Result<PlanPtr> AggregateSets(ExpressionVector grouping, const ExpressionVector& items,
                                     const std::vector<std::vector<size_t>>& sets, PlanPtr child) {
  AttributeVector keys;
  for (const ExpressionPtr& key : grouping) {
    AttributePtr named = expression::ToAttribute(ExpressionResolver::Name(key));
    keys.push_back(std::make_shared<expression::AttributeReference>(expression::NextAttributeId(), named->name(),
                                                                    key->type(), true, named->qualifier()));
  }
  auto set_id = std::make_shared<expression::AttributeReference>(expression::NextAttributeId(), "spark_grouping_id",
                                                                 types::Long(), false);
  AttributeVector output = child->output();
  output.insert(output.end(), keys.begin(), keys.end());
  output.push_back(set_id);
  std::vector<ExpressionVector> projections;
  for (const std::vector<size_t>& set : sets) {
    ExpressionVector projection(child->output().begin(), child->output().end());
    int64_t id = 0;
    for (size_t i = 0; i < grouping.size(); ++i) {
      bool present = std::find(set.begin(), set.end(), i) != set.end();
      id = id * 2 + (present ? 0 : 1);
      projection.push_back(present ? grouping[i] : Literal::Null(grouping[i]->type()));
    }
    projection.push_back(Literal::Long(id));
    projections.push_back(std::move(projection));
  }
  PlanPtr expanded = std::make_shared<logical::Expand>(std::move(projections), std::move(output), std::move(child));
  // Outside of aggregates, a key means its expanded column.
  std::function<ExpressionPtr(const ExpressionPtr&)> replace = [&](const ExpressionPtr& value) -> ExpressionPtr {
    if (value->kind() == ExpressionKind::kAggregateCall) return value;
    for (size_t i = 0; i < grouping.size(); ++i) {
      if (expression::SemanticallyEqual(*grouping[i], *value)) return keys[i];
    }
    ExpressionVector children;
    for (const ExpressionPtr& one : value->children()) children.push_back(replace(one));
    return children.empty() ? value : value->WithChildren(std::move(children));
  };
  ExpressionVector replaced;
  for (const ExpressionPtr& item : items) {
    ExpressionPtr made = replace(item);
    if (made->kind() == ExpressionKind::kAttribute && made != item) {
      made = std::make_shared<Alias>(made, expression::ToAttribute(item)->name());
    }
    replaced.push_back(std::move(made));
  }
  ExpressionVector by(keys.begin(), keys.end());
  by.push_back(set_id);
  return std::make_shared<logical::Aggregate>(std::move(by), std::move(replaced), std::move(expanded));
}

}  // namespace

arrow::Result<PlanPtr> ResolveAggregate(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.aggregate();
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(message.input()));
  ExpressionResolver expressions = resolver.Expressions(child->output());
  ARROW_ASSIGN_OR_RAISE(ExpressionVector named_groups, expressions.ResolveAll(message.grouping_expressions()));
  ExpressionVector grouping;
  ExpressionVector items;
  for (const ExpressionPtr& group : named_groups) {
    ExpressionPtr value = WithoutName(group);
    if (expression::Contains(*value, ExpressionKind::kAggregateCall)) {
      return UserError("GROUP_BY_AGGREGATE", {{"sqlExpr", value->Sql(true)}});
    }
    if (value->type()->id() == types::TypeId::kMap) {
      return UserError("GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE",
                       {{"sqlExpr", QuoteSqlExpression(value->Sql())},
                        {"dataType", QuoteSqlType(value->type()->Sql())}});
    }
    items.push_back(ExpressionResolver::Name(group));
    grouping.push_back(std::move(value));
  }
  ARROW_ASSIGN_OR_RAISE(ExpressionVector aggregates, expressions.ResolveItems(message.aggregate_expressions()));
  for (const ExpressionPtr& item : aggregates) {
    if (item->kind() == ExpressionKind::kGeneratorCall) return NotSupported("a generator in an aggregate");
    ARROW_RETURN_NOT_OK(CheckGrouped(*WithoutName(item), grouping));
    items.push_back(item);
  }
  switch (message.group_type()) {
    case spark::connect::Aggregate::GROUP_TYPE_GROUPBY:
      return std::make_shared<logical::Aggregate>(std::move(grouping), std::move(items), std::move(child));
    case spark::connect::Aggregate::GROUP_TYPE_ROLLUP:
    case spark::connect::Aggregate::GROUP_TYPE_CUBE: {
      auto sets = GroupingSets(message.group_type(), grouping.size());
      return AggregateSets(std::move(grouping), items, sets, std::move(child));
    }
    case spark::connect::Aggregate::GROUP_TYPE_GROUPING_SETS: {
      std::vector<std::vector<size_t>> sets;
      for (const auto& set : message.grouping_sets()) {
        ARROW_ASSIGN_OR_RAISE(ExpressionVector members, expressions.ResolveAll(set.grouping_set()));
        std::vector<size_t> indices;
        for (const ExpressionPtr& member : members) {
          for (size_t i = 0; i < grouping.size(); ++i) {
            if (expression::SemanticallyEqual(*WithoutName(member), *grouping[i])) indices.push_back(i);
          }
        }
        sets.push_back(std::move(indices));
      }
      return AggregateSets(std::move(grouping), items, sets, std::move(child));
    }
    case spark::connect::Aggregate::GROUP_TYPE_PIVOT:
      return NotSupported("pivot");
    default:
      return NotSupported("an aggregate of an unknown group type");
  }
}

}  // namespace millrace::analyzer
