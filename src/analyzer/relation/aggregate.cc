#include "logical/node/aggregate.h"

#include <algorithm>
#include <set>

#include "analyzer/aggregate_items.h"
#include "analyzer/generators.h"
#include "analyzer/relation_resolver.h"
#include "base/ascii.h"
#include "base/error.h"
#include "expression/call.h"
#include "expression/vector.h"
#include "function/function_def.h"
#include "logical/node/expand.h"
#include "logical/node/project.h"
#include "spark/connect/relations.pb.h"
#include "sql/plan_conventions.h"

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

// grouping(key): its bit of the set's number; grouping_id(): the number.
ExpressionPtr GroupingValue(const expression::Expression& call, const ExpressionVector& grouping,
                            const AttributePtr& set_id) {
  if (call.type()->id() == types::TypeId::kLong) return set_id;
  size_t at = 0;
  while (at < grouping.size() && !expression::SemanticallyEqual(*grouping[at], *call.children()[0])) ++at;
  auto info = std::make_shared<expression::CallInfo>();
  info->name = "grouping";
  info->kernel = [shift = grouping.size() - 1 - at](const expression::EvalContext& context,
                                                    const std::vector<arrow::Datum>& arguments,
                                                    int64_t num_rows) -> arrow::Result<arrow::Datum> {
    expression::FixedColumn<int64_t> ids(arguments[0]);
    return expression::MapFixed<int8_t>(
        context, arrow::int8(), num_rows,
        [&](int64_t i, int8_t* out) { *out = static_cast<int8_t>((ids[i] >> shift) & 1); }, ids);
  };
  // The bit is an argument too, so that the calls for two keys differ.
  ExpressionPtr bit = expression::Literal::Integer(static_cast<int32_t>(at));
  return std::make_shared<expression::Call>(std::move(info), types::Byte(), false,
                                            ExpressionVector{set_id, std::move(bit)});
}

// Every grouping(x) names a key; grouping_id(…) names all of them or none.
arrow::Status CheckGroupingCalls(const expression::Expression& value, const ExpressionVector& grouping, bool has_sets) {
  if (!IsGroupingCall(value)) {
    for (const ExpressionPtr& child : value.children()) {
      ARROW_RETURN_NOT_OK(CheckGroupingCalls(*child, grouping, has_sets));
    }
    return arrow::Status::OK();
  }
  if (!has_sets) return UserError("UNSUPPORTED_GROUPING_EXPRESSION");
  std::string keys;
  for (const ExpressionPtr& key : grouping) keys += (keys.empty() ? "" : ", ") + key->Sql(true);
  auto known = [&](const expression::Expression& one) {
    return std::any_of(grouping.begin(), grouping.end(),
                       [&](const ExpressionPtr& key) { return expression::SemanticallyEqual(*key, one); });
  };
  bool is_id = value.type()->id() == types::TypeId::kLong;
  if (!is_id && !known(*value.children()[0])) {
    return UserError("GROUPING_COLUMN_MISMATCH",
                     {{"grouping", value.children()[0]->Sql(true)}, {"groupingColumns", keys}});
  }
  bool all = value.children().empty() || value.children().size() == grouping.size();
  for (size_t i = 0; all && i < value.children().size(); ++i) {
    all = expression::SemanticallyEqual(*grouping[i], *value.children()[i]);
  }
  if (!is_id || all) return arrow::Status::OK();
  std::string given;
  for (const ExpressionPtr& child : value.children()) given += (given.empty() ? "" : ", ") + child->Sql(true);
  return UserError("GROUPING_ID_COLUMN_MISMATCH", {{"groupingIdColumn", given}, {"groupByColumns", keys}});
}

// ROLLUP, CUBE, GROUPING SETS: each row once for every set, with the keys outside of the set NULL; a number tells the
// sets apart, so that a NULL key and a left-out key are two groups.
arrow::Result<PlanPtr> AggregateSets(ExpressionVector grouping, const ExpressionVector& items,
                                     const std::vector<std::vector<size_t>>& sets, PlanPtr child, OperatorInput below,
                                     const expression::EvalContext& eval) {
  ARROW_ASSIGN_OR_RAISE(child, below.ApplyBelowWindows(std::move(child), eval));
  AttributeVector keys;
  for (size_t i = 0; i < grouping.size(); ++i) {
    const ExpressionPtr& key = grouping[i];
    AttributePtr named = expression::ToAttribute(ExpressionResolver::Name(key));
    bool everywhere = std::all_of(sets.begin(), sets.end(), [i](const std::vector<size_t>& set) {
      return std::find(set.begin(), set.end(), i) != set.end();
    });
    keys.push_back(std::make_shared<expression::AttributeReference>(expression::NextAttributeId(), named->name(),
                                                                    key->type(), key->nullable() || !everywhere,
                                                                    named->qualifier(), named->metadata_json()));
  }
  auto set_id = std::make_shared<expression::AttributeReference>(expression::NextAttributeId(), "spark_grouping_id",
                                                                 types::Long(), false);
  AttributeVector output = child->output();
  output.insert(output.end(), keys.begin(), keys.end());
  output.push_back(set_id);
  // Two equal sets are two groups: their place tells them apart.
  bool repeated = false;
  for (size_t i = 0; i < sets.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      repeated = repeated ||
                 std::set<size_t>(sets[i].begin(), sets[i].end()) == std::set<size_t>(sets[j].begin(), sets[j].end());
    }
  }
  AttributePtr place;
  if (repeated) {
    place = std::make_shared<expression::AttributeReference>(expression::NextAttributeId(), "_gen_grouping_pos",
                                                             types::Integer(), false);
    output.push_back(place);
  }
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
    if (repeated) projection.push_back(Literal::Integer(static_cast<int32_t>(projections.size())));
    projections.push_back(std::move(projection));
  }
  PlanPtr expanded = std::make_shared<logical::Expand>(std::move(projections), std::move(output), std::move(child));
  // Outside of aggregates, a key means its expanded column.
  std::function<ExpressionPtr(const ExpressionPtr&)> replace = [&](const ExpressionPtr& value) -> ExpressionPtr {
    if (value->kind() == ExpressionKind::kAggregateCall) return value;
    if (IsGroupingCall(*value)) return GroupingValue(*value, grouping, set_id);
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
  if (repeated) by.push_back(place);
  below.window_functions.Rewrite(replace);
  return AggregateBelowWindows(std::move(by), std::move(replaced), std::move(expanded), std::move(below));
}

arrow::Status CheckGroupingKey(const expression::Expression& key) {
  if (expression::Contains(key, ExpressionKind::kAggregateCall)) {
    return UserError("GROUP_BY_AGGREGATE", {{"sqlExpr", key.Sql()}});
  }
  if (key.type()->id() == types::TypeId::kCalendarInterval || key.type()->Holds(types::TypeId::kVariant)) {
    return UserError("GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE",
                     {{"sqlExpr", QuoteSqlExpression(key.Sql(true))}, {"dataType", QuoteSqlType(key.type()->Sql())}});
  }
  return arrow::Status::OK();
}

bool IsInternal(const spark::connect::Expression& message, std::string_view name) {
  return message.has_unresolved_function() && message.unresolved_function().is_internal() &&
         message.unresolved_function().function_name() == name;
}

// GROUP BY of a query: keys may be ordinals and aliases of the SELECT list, ALL, ROLLUP, CUBE, GROUPING SETS.
class QueryGrouping {
 public:
  QueryGrouping(RelationResolver& resolver, const AttributeVector& input, const ExpressionVector& items,
                OperatorInput* below)
      : context_(resolver.context()), expressions_(resolver.Expressions(input, below)), items_(items) {}

  arrow::Status Add(const spark::connect::Expression& message) {
    if (IsSets(message)) {
      ARROW_ASSIGN_OR_RAISE(auto made, SetsOf(message));
      Combine(made);
      return arrow::Status::OK();
    }
    bool word_all = message.has_unresolved_attribute() &&
                    EqualsIgnoreCase(message.unresolved_attribute().unparsed_identifier(), "all");
    // A column of that name wins.
    if (word_all && !expressions_.Resolve(message).ok()) {
      is_all_ = true;
      for (const ExpressionPtr& item : items_) {
        if (expression::Contains(*item, ExpressionKind::kAggregateCall)) continue;
        ARROW_RETURN_NOT_OK(Key(WithoutName(item)).status());
      }
      return arrow::Status::OK();
    }
    return Resolve(message).status();
  }

  const ExpressionVector& keys() const { return keys_; }
  bool is_all() const { return is_all_; }
  /// Empty when there are only plain keys.
  const std::vector<std::vector<size_t>>& sets() const { return sets_; }

 private:
  arrow::Result<size_t> Key(ExpressionPtr value) {
    ARROW_RETURN_NOT_OK(CheckGroupingKey(*value));
    for (size_t i = 0; i < keys_.size(); ++i) {
      if (expression::SemanticallyEqual(*keys_[i], *value)) return i;
    }
    keys_.push_back(std::move(value));
    return keys_.size() - 1;
  }

  arrow::Result<size_t> Resolve(const spark::connect::Expression& message) {
    bool ordinal = message.has_literal() && message.literal().has_integer();
    if (ordinal && !context_.ConfIs("spark.sql.groupByOrdinal", "false")) {
      int32_t position = message.literal().integer();
      if (position < 1 || position > static_cast<int32_t>(items_.size())) {
        return UserError("GROUP_BY_POS_OUT_OF_RANGE",
                         {{"index", std::to_string(position)}, {"size", std::to_string(items_.size())}});
      }
      ExpressionPtr item = WithoutName(items_[static_cast<size_t>(position - 1)]);
      if (expression::Contains(*item, ExpressionKind::kAggregateCall)) {
        return UserError("GROUP_BY_POS_AGGREGATE", {{"index", std::to_string(position)},
                                                    {"aggExpr", items_[static_cast<size_t>(position - 1)]->Sql()}});
      }
      return Key(std::move(item));
    }
    arrow::Result<ExpressionPtr> value = expressions_.Resolve(message);
    if (value.ok()) return Key(WithoutName(*value));
    if (message.has_unresolved_attribute()) {
      ARROW_ASSIGN_OR_RAISE(auto parts, ParseNameParts(message.unresolved_attribute().unparsed_identifier()));
      const std::string& name = parts.back();
      if (parts.size() > 1 || context_.ConfIs("spark.sql.groupByAliases", "false")) return value.status();
      for (const ExpressionPtr& item : items_) {
        if (EqualsIgnoreCase(expression::ToAttribute(item)->name(), name)) return Key(WithoutName(item));
      }
    }
    if (IsErrorCondition(value.status(), "UNRESOLVED_COLUMN") &&
        !context_.ConfIs("spark.sql.groupByAliases", "false")) {
      // A key may compute with aliases.
      ExpressionResolver with_aliases = expressions_;
      for (const ExpressionPtr& item : items_) {
        if (item->kind() == ExpressionKind::kAlias) with_aliases.AddLateralAlias(item);
      }
      arrow::Result<ExpressionPtr> computed = with_aliases.Resolve(message);
      if (computed.ok()) return Key(WithoutName(*computed));
    }
    return value.status();
  }

  // Columns of one member: a plain key, or grouping_set(a, b).
  arrow::Result<std::vector<size_t>> Member(const spark::connect::Expression& message) {
    std::vector<size_t> indices;
    if (!IsInternal(message, sql::kGroupingSet)) {
      ARROW_ASSIGN_OR_RAISE(size_t index, Resolve(message));
      return std::vector<size_t>{index};
    }
    for (const auto& argument : message.unresolved_function().arguments()) {
      ARROW_ASSIGN_OR_RAISE(size_t index, Resolve(argument));
      indices.push_back(index);
    }
    return indices;
  }

  using Sets = std::vector<std::vector<size_t>>;

  static bool IsSets(const spark::connect::Expression& message) {
    return IsInternal(message, sql::kRollup) || IsInternal(message, sql::kCube) ||
           IsInternal(message, sql::kGroupingSets);
  }

  arrow::Result<Sets> SetsOf(const spark::connect::Expression& message) {
    if (IsInternal(message, sql::kGroupingSets)) return ExplicitSets(message);
    bool rollup = IsInternal(message, sql::kRollup);
    Sets members;
    for (const auto& argument : message.unresolved_function().arguments()) {
      ARROW_ASSIGN_OR_RAISE(auto member, Member(argument));
      members.push_back(std::move(member));
    }
    Sets made;
    auto type = rollup ? spark::connect::Aggregate::GROUP_TYPE_ROLLUP : spark::connect::Aggregate::GROUP_TYPE_CUBE;
    for (const auto& chosen : GroupingSets(type, members.size())) {
      std::vector<size_t> set;
      for (size_t i : chosen) set.insert(set.end(), members[i].begin(), members[i].end());
      made.push_back(std::move(set));
    }
    return made;
  }

  arrow::Result<Sets> ExplicitSets(const spark::connect::Expression& message) {
    Sets made;
    for (const auto& argument : message.unresolved_function().arguments()) {
      if (IsInternal(argument, sql::kGroupingKeys)) {
        for (const auto& key : argument.unresolved_function().arguments()) ARROW_RETURN_NOT_OK(Resolve(key).status());
      } else if (IsSets(argument)) {
        ARROW_ASSIGN_OR_RAISE(Sets inner, SetsOf(argument));
        made.insert(made.end(), inner.begin(), inner.end());
      } else {
        ARROW_ASSIGN_OR_RAISE(auto member, Member(argument));
        made.push_back(std::move(member));
      }
    }
    return made;
  }

  // Several such terms multiply: GROUP BY ROLLUP(a), CUBE(b).
  void Combine(const std::vector<std::vector<size_t>>& more) {
    if (sets_.empty()) {
      sets_ = more;
      return;
    }
    std::vector<std::vector<size_t>> product;
    for (const auto& left : sets_) {
      for (const auto& right : more) {
        product.push_back(left);
        product.back().insert(product.back().end(), right.begin(), right.end());
      }
    }
    sets_ = std::move(product);
  }

  const AnalyzerContext& context_;
  ExpressionResolver expressions_;
  const ExpressionVector& items_;
  ExpressionVector keys_;
  bool is_all_ = false;
  std::vector<std::vector<size_t>> sets_;
};

// Keys that are windows of time: the column they make can be named in the SELECT list.
arrow::Status FindTimeWindows(RelationResolver& resolver,
                              const google::protobuf::RepeatedPtrField<spark::connect::Expression>& keys,
                              const AttributeVector& input, OperatorInput* below) {
  for (const spark::connect::Expression& key : keys) {
    const spark::connect::Expression& call = key.has_alias() ? key.alias().expr() : key;
    if (IsInternal(call, sql::kRollup) || IsInternal(call, sql::kCube) || IsInternal(call, sql::kGroupingSets) ||
        IsInternal(call, sql::kGroupingSet) || IsInternal(call, sql::kGroupingKeys)) {
      ARROW_RETURN_NOT_OK(FindTimeWindows(resolver, call.unresolved_function().arguments(), input, below));
      continue;
    }
    if (!call.has_unresolved_function() ||
        !TimeWindows::IsWindowFunction(ToLowerAscii(call.unresolved_function().function_name()))) {
      continue;
    }
    ARROW_RETURN_NOT_OK(resolver.Expressions(input, below).Resolve(call).status());
  }
  return arrow::Status::OK();
}

// The window's column can be named, unless the input has a column of that name (a window of windows).
AttributeVector WithWindowColumn(AttributeVector input, const OperatorInput& below) {
  const AttributePtr& window = below.time_windows.column();
  if (window == nullptr) return input;
  for (const AttributePtr& column : input) {
    if (EqualsIgnoreCase(column->name(), window->name())) return input;
  }
  input.push_back(window);
  return input;
}

// A subquery's value is the same for all rows of a group: any of them will do.
arrow::Result<ExpressionPtr> WithSubqueryValues(const ExpressionPtr& item, const OperatorInput& below,
                                                const expression::EvalContext& eval) {
  if (below.subqueries.empty() || item->kind() == ExpressionKind::kAggregateCall) return item;
  if (below.subqueries.IsColumn(*item)) return function::BindCall("first", {item}, eval);
  ExpressionVector children;
  for (const ExpressionPtr& child : item->children()) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr made, WithSubqueryValues(child, below, eval));
    children.push_back(std::move(made));
  }
  return children.empty() ? item : item->WithChildren(std::move(children));
}

// Generators above an aggregate: what they read of it is an item of its own.
struct GeneratorsAbove {
  /// What stands above the aggregate, generators among it; empty when there is none.
  ExpressionVector shown;
  std::vector<ExpressionResolver::GeneratorNames> names;

  /// Takes the generators out of `items`.
  void TakeFrom(ExpressionVector* items, const std::vector<ExpressionResolver::GeneratorNames>& given) {
    bool any = std::any_of(items->begin(), items->end(),
                           [](const ExpressionPtr& item) { return item->kind() == ExpressionKind::kGeneratorCall; });
    if (!any) return;
    ExpressionVector kept;
    for (const ExpressionPtr& item : *items) {
      if (item->kind() != ExpressionKind::kGeneratorCall) {
        kept.push_back(item);
        shown.push_back(expression::ToAttribute(item));
        continue;
      }
      ExpressionVector children;
      for (const ExpressionPtr& child : item->children()) {
        children.push_back(child);
        if (child->foldable()) continue;
        kept.push_back(std::make_shared<Alias>(child, "_gen_input_" + std::to_string(children.size() - 1)));
        children.back() = expression::ToAttribute(kept.back());
      }
      shown.push_back(item->WithChildren(std::move(children)));
      for (const auto& name : given) {
        if (name.generator == item) names.push_back({shown.back(), name.names});
      }
    }
    *items = std::move(kept);
  }

  arrow::Result<PlanPtr> Apply(arrow::Result<PlanPtr> aggregate) {
    if (!aggregate.ok() || shown.empty()) return aggregate;
    ARROW_ASSIGN_OR_RAISE(PlanPtr plan, ExtractGenerators(&shown, names, *std::move(aggregate)));
    return std::make_shared<logical::Project>(std::move(shown), std::move(plan));
  }
};

arrow::Result<PlanPtr> ResolveQueryAggregate(RelationResolver& resolver, const spark::connect::Aggregate& message,
                                             PlanPtr child) {
  OperatorInput below;
  below.hidden = resolver.HiddenOf(child);
  below.rows = child;
  ARROW_RETURN_NOT_OK(FindTimeWindows(resolver, message.grouping_expressions(), child->output(), &below));
  AttributeVector visible = WithWindowColumn(child->output(), below);
  ExpressionResolver expressions = resolver.Expressions(visible, &below);
  expressions.AllowLateralAliases();
  ARROW_ASSIGN_OR_RAISE(ExpressionVector items, expressions.ResolveItems(message.aggregate_expressions()));
  // Keys see what generators read, not what they make.
  GeneratorsAbove generators;
  generators.TakeFrom(&items, expressions.generator_names());
  QueryGrouping grouping(resolver, visible, items, &below);
  size_t plain = 0;
  for (const auto& key : message.grouping_expressions()) {
    bool had_sets = !grouping.sets().empty();
    ARROW_RETURN_NOT_OK(grouping.Add(key));
    if (!had_sets && grouping.sets().empty()) plain = grouping.keys().size();
  }
  const expression::EvalContext& eval = resolver.context().eval;
  for (ExpressionPtr& item : items) {
    if (below.subqueries.IsColumn(*item)) {
      item = std::make_shared<Alias>(item, expression::ToAttribute(item)->name());
    }
    ARROW_ASSIGN_OR_RAISE(item, WithSubqueryValues(item, below, eval));
    arrow::Status grouped = CheckGrouped(*WithoutName(item), grouping.keys(), below);
    bool missing = IsErrorCondition(grouped, "MISSING_GROUP_BY") || IsErrorCondition(grouped, "MISSING_AGGREGATION");
    if (missing && grouping.is_all() && grouping.keys().empty()) return UserError("UNRESOLVED_ALL_IN_GROUP_BY");
    ARROW_RETURN_NOT_OK(grouped);
    ARROW_RETURN_NOT_OK(CheckGroupingCalls(*item, grouping.keys(), !grouping.sets().empty()));
  }
  for (const ExpressionPtr& item : expressions.items_over_aliases()) {
    if (grouping.is_all() && !expression::Contains(*item, ExpressionKind::kAggregateCall)) {
      return UserError("UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_GROUP_BY");
    }
  }
  child = resolver.WithHidden(child, below);
  // GROUPING SETS (()) is the grand total, which is there without rows too; several of them are not.
  bool total = grouping.sets().size() == 1 && grouping.keys().empty();
  if (total) {
    // The one set has no keys: its number is 0.
    for (ExpressionPtr& item : items) {
      item = expression::Transform(item, [](const ExpressionPtr& node) -> ExpressionPtr {
        return IsGroupingCall(*node) ? Literal::Long(0) : nullptr;
      });
    }
  }
  if (grouping.sets().empty() || total) {
    return generators.Apply(MakeAggregate(grouping.keys(), std::move(items), std::move(child), std::move(below), eval));
  }
  // Plain keys beside sets belong to every set.
  std::vector<std::vector<size_t>> sets = grouping.sets();
  for (auto& set : sets) {
    for (size_t i = 0; i < plain; ++i) set.push_back(i);
  }
  return generators.Apply(AggregateSets(grouping.keys(), items, sets, std::move(child), std::move(below), eval));
}

}  // namespace

arrow::Result<PlanPtr> ResolveAggregate(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.aggregate();
  if (message.group_type() == spark::connect::Aggregate::GROUP_TYPE_UNSPECIFIED) {
    ARROW_ASSIGN_OR_RAISE(PlanPtr input, resolver.Resolve(message.input()));
    return ResolveQueryAggregate(resolver, message, std::move(input));
  }
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(message.input()));
  if (message.group_type() == spark::connect::Aggregate::GROUP_TYPE_PIVOT) {
    return ResolvePivot(resolver, message, std::move(child));
  }
  OperatorInput below;
  below.hidden = resolver.HiddenOf(child);
  below.rows = child;
  ARROW_RETURN_NOT_OK(FindTimeWindows(resolver, message.grouping_expressions(), child->output(), &below));
  AttributeVector visible = WithWindowColumn(child->output(), below);
  const expression::EvalContext& eval = resolver.context().eval;
  ExpressionResolver expressions = resolver.Expressions(visible, &below);
  ARROW_ASSIGN_OR_RAISE(ExpressionVector named_groups, expressions.ResolveAll(message.grouping_expressions()));
  ExpressionVector grouping;
  ExpressionVector items;
  for (const ExpressionPtr& group : named_groups) {
    ExpressionPtr value = WithoutName(group);
    ARROW_RETURN_NOT_OK(CheckGroupingKey(*value));
    items.push_back(ExpressionResolver::Name(group));
    grouping.push_back(std::move(value));
  }
  ARROW_ASSIGN_OR_RAISE(ExpressionVector aggregates, expressions.ResolveItems(message.aggregate_expressions()));
  for (const ExpressionPtr& item : aggregates) {
    if (item->kind() == ExpressionKind::kGeneratorCall) return NotSupported("a generator in an aggregate");
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr made, WithSubqueryValues(item, below, eval));
    ARROW_RETURN_NOT_OK(CheckGrouped(*WithoutName(made), grouping, below));
    items.push_back(std::move(made));
  }
  child = resolver.WithHidden(child, below);
  if (message.group_type() == spark::connect::Aggregate::GROUP_TYPE_GROUPBY) {
    return MakeAggregate(std::move(grouping), std::move(items), std::move(child), std::move(below), eval);
  }
  switch (message.group_type()) {
    case spark::connect::Aggregate::GROUP_TYPE_ROLLUP:
    case spark::connect::Aggregate::GROUP_TYPE_CUBE: {
      auto sets = GroupingSets(message.group_type(), grouping.size());
      return AggregateSets(std::move(grouping), items, sets, std::move(child), std::move(below), eval);
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
      return AggregateSets(std::move(grouping), items, sets, std::move(child), std::move(below), eval);
    }
    default:
      return NotSupported("an aggregate of an unknown group type");
  }
}

}  // namespace millrace::analyzer
