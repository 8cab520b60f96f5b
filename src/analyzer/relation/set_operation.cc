#include <algorithm>

#include "analyzer/relation_resolver.h"
#include "analyzer/scala_set_order.h"
#include "base/ascii.h"
#include "base/error.h"
#include "expression/type_coercion.h"
#include "function/function_def.h"
#include "logical/node/aggregate.h"
#include "logical/node/deduplicate.h"
#include "logical/node/filter.h"
#include "logical/node/generate.h"
#include "logical/node/join.h"
#include "logical/node/project.h"
#include "logical/node/union.h"
#include "spark/connect/relations.pb.h"

namespace millrace::analyzer {

namespace {

arrow::Status NotAmong(const std::string& name, const AttributeVector& columns,
                       std::string_view condition = "UNRESOLVED_COLUMN_AMONG_FIELD_NAMES") {
  std::string names;
  for (const AttributePtr& column : columns) names += (names.empty() ? "" : ", ") + column->name();
  return UserError(condition, {{"colName", name}, {"fieldNames", std::move(names)}});
}

using expression::Alias;
using expression::AttributePtr;
using expression::Literal;
using logical::JoinType;
using spark::connect::Relation;
using spark::connect::SetOperation;

const char* OperationName(const SetOperation& message) {
  switch (message.set_op_type()) {
    case SetOperation::SET_OP_TYPE_INTERSECT:
      return message.is_all() ? "INTERSECT ALL" : "INTERSECT";
    case SetOperation::SET_OP_TYPE_EXCEPT:
      return message.is_all() ? "EXCEPT ALL" : "EXCEPT";
    default:
      return "UNION";
  }
}

// Set operations compare rows: maps and variants cannot be.
arrow::Status CheckComparable(const AttributeVector& columns) {
  for (const AttributePtr& column : columns) {
    bool has_map = column->type()->Holds(types::TypeId::kMap);
    if (!has_map && !column->type()->Holds(types::TypeId::kVariant)) continue;
    return UserError(
        has_map ? "UNSUPPORTED_FEATURE.SET_OPERATION_ON_MAP_TYPE" : "UNSUPPORTED_FEATURE.SET_OPERATION_ON_VARIANT_TYPE",
        {{"colName", QuoteIdentifier(column->name())}, {"dataType", QuoteSqlType(column->type()->Sql())}});
  }
  return arrow::Status::OK();
}

// The right side's columns in the left side's order; missing ones are NULL when that is allowed.
arrow::Result<RelationResolver::Pair> AlignByName(const RelationResolver& resolver, RelationResolver::Pair pair,
                                                  bool allow_missing) {
  bool case_sensitive = resolver.context().eval.case_sensitive;
  auto find = [&](const AttributeVector& columns, const std::string& name) -> AttributePtr {
    for (const AttributePtr& column : columns) {
      if (case_sensitive ? column->name() == name : EqualsIgnoreCase(column->name(), name)) return column;
    }
    return nullptr;
  };
  ExpressionVector left_items(pair.left->output().begin(), pair.left->output().end());
  ExpressionVector right_items;
  for (const AttributePtr& column : pair.left->output()) {
    AttributePtr match = find(pair.right->output(), column->name());
    if (match != nullptr) {
      right_items.push_back(match);
    } else if (allow_missing) {
      right_items.push_back(std::make_shared<Alias>(Literal::Null(column->type()), column->name()));
    } else {
      return NotAmong(column->name(), pair.right->output());
    }
  }
  for (const AttributePtr& column : pair.right->output()) {
    if (find(pair.left->output(), column->name()) != nullptr) continue;
    if (!allow_missing) return NotAmong(column->name(), pair.left->output());
    left_items.push_back(std::make_shared<Alias>(Literal::Null(column->type()), column->name()));
    right_items.push_back(column);
  }
  return RelationResolver::Pair{std::make_shared<logical::Project>(std::move(left_items), pair.left),
                                std::make_shared<logical::Project>(std::move(right_items), pair.right)};
}

PlanPtr CastColumns(const PlanPtr& plan, const std::vector<types::DataTypePtr>& target) {
  ExpressionVector items;
  bool changed = false;
  for (size_t i = 0; i < target.size(); ++i) {
    const AttributePtr& column = plan->output()[i];
    if (column->type()->EqualsIgnoreNullability(*target[i])) {
      items.push_back(column);
      continue;
    }
    items.push_back(std::make_shared<Alias>(expression::ImplicitCast(column, target[i]), column->name()));
    changed = true;
  }
  return changed ? std::make_shared<logical::Project>(std::move(items), plan) : plan;
}

arrow::Result<RelationResolver::Pair> WidenColumns(RelationResolver::Pair pair, const SetOperation& message) {
  size_t count = pair.left->output().size();
  if (pair.right->output().size() != count) {
    return UserError("NUM_COLUMNS_MISMATCH", {{"operator", OperationName(message)},
                                              {"firstNumColumns", std::to_string(count)},
                                              {"invalidOrdinalNum", "second"},
                                              {"invalidNumColumns", std::to_string(pair.right->output().size())}});
  }
  static constexpr const char* kOrdinals[] = {"first", "second", "third"};
  std::vector<types::DataTypePtr> target;
  for (size_t i = 0; i < count; ++i) {
    const auto& left = pair.left->output()[i]->type();
    const auto& right = pair.right->output()[i]->type();
    auto common = left->EqualsIgnoreNullability(*right) ? std::optional(left) : expression::WiderType(left, right);
    if (!common) {
      return UserError("INCOMPATIBLE_COLUMN_TYPE",
                       {{"operator", OperationName(message)},
                        {"columnOrdinalNumber", i < 3 ? kOrdinals[i] : std::to_string(i + 1) + "th"},
                        {"tableOrdinalNumber", "second"},
                        {"dataType1", QuoteSqlType(right->Sql())},
                        {"dataType2", QuoteSqlType(left->Sql())},
                        {"hint", ""}});
    }
    target.push_back(*common);
  }
  return RelationResolver::Pair{CastColumns(pair.left, target), CastColumns(pair.right, target)};
}

AttributeVector UnionColumns(const PlanPtr& left, const PlanPtr& right) {
  AttributeVector output;
  for (size_t i = 0; i < left->output().size(); ++i) {
    const AttributePtr& column = left->output()[i];
    bool nullable = column->nullable() || right->output()[i]->nullable();
    types::DataTypePtr type = column->type();
    if (!type->Equals(*right->output()[i]->type())) type = types::AsNullable(type);
    output.push_back(std::make_shared<expression::AttributeReference>(expression::NextAttributeId(), column->name(),
                                                                      type, nullable, std::vector<std::string>{},
                                                                      column->metadata_json()));
  }
  return output;
}

arrow::Result<ExpressionPtr> RowsEqual(const RelationResolver& resolver, const RelationResolver::Pair& pair) {
  ExpressionPtr condition;
  for (size_t i = 0; i < pair.left->output().size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(
        ExpressionPtr equal,
        function::BindCall("<=>", {pair.left->output()[i], pair.right->output()[i]}, resolver.context().eval));
    condition = condition == nullptr ? equal : std::make_shared<expression::Logical>(true, condition, equal);
  }
  return condition;
}

// INTERSECT ALL / EXCEPT ALL: count each row on both sides, then repeat it min(l, r) or l - r times.
arrow::Result<PlanPtr> CountedOperation(const RelationResolver& resolver, const RelationResolver::Pair& pair,
                                        logical::Aggregate::Origin origin) {
  const bool intersect = origin == logical::Aggregate::Origin::kIntersect;
  const expression::EvalContext& eval = resolver.context().eval;
  auto tagged = [&](const PlanPtr& side, bool is_left) -> PlanPtr {
    ExpressionVector items(side->output().begin(), side->output().end());
    items.push_back(std::make_shared<Alias>(Literal::Long(is_left ? 1 : 0), "left_count"));
    items.push_back(std::make_shared<Alias>(Literal::Long(is_left ? 0 : 1), "right_count"));
    return std::make_shared<logical::Project>(std::move(items), side);
  };
  PlanPtr left = tagged(pair.left, true);
  PlanPtr right = tagged(pair.right, false);
  PlanPtr both = std::make_shared<logical::Union>(UnionColumns(left, right), std::vector<PlanPtr>{left, right});
  size_t count = both->output().size() - 2;
  ExpressionVector keys(both->output().begin(), both->output().begin() + static_cast<std::ptrdiff_t>(count));
  ExpressionVector items = keys;
  for (size_t i = count; i < count + 2; ++i) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr sum, function::BindCall("sum", {both->output()[i]}, eval));
    items.push_back(std::make_shared<Alias>(std::move(sum), both->output()[i]->name()));
  }
  PlanPtr counted = std::make_shared<logical::Aggregate>(keys, std::move(items), both, origin);
  ExpressionPtr left_count = counted->output()[count];
  ExpressionPtr right_count = counted->output()[count + 1];
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr times, intersect ? function::BindCall("least", {left_count, right_count}, eval)
                                                       : function::BindCall("-", {left_count, right_count}, eval));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr wanted, function::BindCall(">", {times, Literal::Long(0)}, eval));
  PlanPtr kept = std::make_shared<logical::Filter>(wanted, counted);
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr sequence, function::BindCall("sequence", {Literal::Long(1), times}, eval));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr exploded, function::BindCall("explode", {sequence}, eval));
  AttributeVector generated = {
      std::make_shared<expression::AttributeReference>(expression::NextAttributeId(), "copy", types::Long(), false)};
  PlanPtr repeated = std::make_shared<logical::Generate>(std::move(exploded), false, std::move(generated), kept);
  ExpressionVector shown(repeated->output().begin(), repeated->output().begin() + static_cast<std::ptrdiff_t>(count));
  return std::make_shared<logical::Project>(std::move(shown), std::move(repeated));
}

// DISTINCT. In a stream it is an aggregation, as Spark's optimizer makes of it, with an aggregation's state and output.
PlanPtr DistinctRows(PlanPtr child, logical::Aggregate::Origin origin = logical::Aggregate::Origin::kGrouping) {
  AttributeVector keys = child->output();
  if (!child->is_streaming()) return std::make_shared<logical::Deduplicate>(std::move(keys), false, std::move(child));
  ExpressionVector columns(keys.begin(), keys.end());
  return std::make_shared<logical::Aggregate>(columns, columns, std::move(child), origin);
}

}  // namespace

arrow::Result<PlanPtr> ResolveSetOperation(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.set_op();
  ARROW_ASSIGN_OR_RAISE(RelationResolver::Pair pair, resolver.ResolvePair(message.left_input(), message.right_input()));
  if (message.by_name()) {
    ARROW_ASSIGN_OR_RAISE(pair, AlignByName(resolver, std::move(pair), message.allow_missing_columns()));
  }
  ARROW_ASSIGN_OR_RAISE(pair, WidenColumns(std::move(pair), message));
  bool keeps_copies =
      message.set_op_type() == SetOperation::SET_OP_TYPE_UNION && (message.is_all() || !message.has_is_all());
  if (!keeps_copies) ARROW_RETURN_NOT_OK(CheckComparable(pair.left->output()));
  switch (message.set_op_type()) {
    case SetOperation::SET_OP_TYPE_UNION: {
      AttributeVector output = UnionColumns(pair.left, pair.right);
      resolver.LeaveUnion(pair.left->output(), output);
      PlanPtr all = std::make_shared<logical::Union>(output, std::vector<PlanPtr>{pair.left, pair.right});
      if (message.is_all() || !message.has_is_all()) return all;
      return DistinctRows(std::move(all));
    }
    case SetOperation::SET_OP_TYPE_INTERSECT:
    case SetOperation::SET_OP_TYPE_EXCEPT: {
      bool intersect = message.set_op_type() == SetOperation::SET_OP_TYPE_INTERSECT;
      using Origin = logical::Aggregate::Origin;
      Origin except = pair.right->is_streaming() ? Origin::kExceptStream : Origin::kExcept;
      Origin origin = intersect ? Origin::kIntersect : except;
      if (message.is_all()) return CountedOperation(resolver, pair, origin);
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr condition, RowsEqual(resolver, pair));
      JoinType type = intersect ? JoinType::kLeftSemi : JoinType::kLeftAnti;
      PlanPtr joined = std::make_shared<logical::Join>(type, condition, pair.left, pair.right);
      if (intersect) {
        // A value that is on both sides is NULL on neither when one side has none.
        ExpressionVector items;
        for (size_t i = 0; i < joined->output().size(); ++i) {
          const AttributePtr& column = joined->output()[i];
          items.push_back(column->WithNullable(column->nullable() && pair.right->output()[i]->nullable()));
        }
        joined = std::make_shared<logical::Project>(std::move(items), std::move(joined));
      }
      return DistinctRows(std::move(joined), origin);
    }
    default:
      return NotSupported("a set operation of an unknown kind");
  }
}

arrow::Result<PlanPtr> ResolveDeduplicate(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.deduplicate();
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(message.input()));
  AttributeVector keys;
  bool all_columns = message.all_columns_as_keys() || message.column_names_size() == 0;
  if (all_columns && !child->is_streaming()) {
    keys = child->output();
  } else {
    std::vector<std::string> names(message.column_names().begin(), message.column_names().end());
    if (all_columns) {
      names.clear();
      for (const AttributePtr& column : child->output()) names.push_back(column->name());
    }
    // The keys of state lie in this order. Source: Spark, Dataset.groupColsFromDropDuplicates.
    if (child->is_streaming()) names = InScalaSetOrder(names);
    for (const std::string& name : names) {
      bool case_sensitive = resolver.context().eval.case_sensitive;
      bool found = false;
      for (const AttributePtr& column : child->output()) {
        if (!(case_sensitive ? column->name() == name : EqualsIgnoreCase(column->name(), name))) continue;
        keys.push_back(column);
        found = true;
      }
      if (found) continue;
      constexpr std::string_view kCondition = "UNRESOLVED_COLUMN_AMONG_FIELD_NAMES";
      if (resolver.IsClassic()) return NotAmong(name, child->output(), kCondition);
      return NotAmong(name, child->output(), "CONNECT_INVALID_PLAN." + std::string(kCondition));
    }
  }
  ARROW_RETURN_NOT_OK(CheckComparable(keys));
  // SELECT DISTINCT says nothing of watermarks, dropDuplicates() always does.
  if (!message.has_within_watermark() && message.all_columns_as_keys()) return DistinctRows(std::move(child));
  return std::make_shared<logical::Deduplicate>(std::move(keys), message.within_watermark(), std::move(child));
}

}  // namespace millrace::analyzer
