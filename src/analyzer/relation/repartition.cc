#include "logical/node/repartition.h"

#include <optional>
#include <span>
#include <vector>

#include "analyzer/aggregate_items.h"
#include "analyzer/operator_input.h"
#include "analyzer/relation_resolver.h"
#include "base/ascii.h"
#include "base/error.h"
#include "expression/type_coercion.h"
#include "logical/node/local_relation.h"
#include "logical/node/project.h"
#include "spark/connect/expressions.pb.h"
#include "spark/connect/relations.pb.h"
#include "sql/parser.h"
#include "sql/plan_conventions.h"

namespace millrace::analyzer {

using spark::connect::Relation;

namespace {

arrow::Status NotPositive(int num_partitions) {
  return arrow::Status::Invalid("requirement failed: Number of partitions (", num_partitions, ") must be positive.");
}

}  // namespace

arrow::Result<PlanPtr> ResolveRepartition(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.repartition();
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(message.input()));
  if (message.num_partitions() <= 0) return NotPositive(message.num_partitions());
  return std::make_shared<logical::Repartition>(message.num_partitions(), message.shuffle(), ExpressionVector{},
                                                std::move(child));
}

namespace {

using spark::connect::Expression;

Expression CallOf(const std::string& name, std::vector<Expression> arguments) {
  Expression call;
  call.mutable_unresolved_function()->set_function_name(name);
  for (Expression& argument : arguments) *call.mutable_unresolved_function()->add_arguments() = std::move(argument);
  return call;
}

Expression ColumnOf(const std::string& name) {
  Expression column;
  column.mutable_unresolved_attribute()->set_unparsed_identifier(name);
  return column;
}

Expression NumberOf(int64_t value) {
  Expression literal;
  literal.mutable_literal()->set_long_(value);
  return literal;
}

// Ranges of as many rows each as equal keys allow. Spark draws its bounds from a sample; ours are exact. Without a
// number Spark's adaptive execution brings them together again, into one unless they are large.
arrow::Result<PlanPtr> RepartitionByRange(RelationResolver& resolver,
                                          const spark::connect::RepartitionByExpression& message) {
  constexpr const char* kRank = "__range_rank";
  constexpr const char* kRows = "__range_rows";
  int num_partitions = message.has_num_partitions() ? message.num_partitions() : 1;
  Relation ranked;
  *ranked.mutable_with_columns()->mutable_input() = message.input();
  auto add_window = [&](Expression function, const char* name, bool ordered) {
    auto* alias = ranked.mutable_with_columns()->add_aliases();
    alias->add_name(name);
    auto* window = alias->mutable_expr()->mutable_window();
    *window->mutable_window_function() = std::move(function);
    for (const auto& key : message.partition_exprs()) {
      if (!ordered) break;
      auto* order = window->add_order_spec();
      if (key.has_sort_order()) {
        *order = key.sort_order();
      } else {
        *order->mutable_child() = key;
        order->set_direction(Expression::SortOrder::SORT_DIRECTION_ASCENDING);
      }
    }
  };
  add_window(CallOf("rank", {}), kRank, true);
  add_window(CallOf("count", {NumberOf(1)}), kRows, false);
  Expression before = CallOf("-", {ColumnOf(kRank), NumberOf(1)});
  Expression part = CallOf("div", {CallOf("*", {std::move(before), NumberOf(num_partitions)}), ColumnOf(kRows)});
  Relation moved;
  auto* repartition = moved.mutable_repartition_by_expression();
  *repartition->mutable_input() = std::move(ranked);
  repartition->set_num_partitions(num_partitions);
  *repartition->add_partition_exprs()->mutable_direct_shuffle_partition_id()->mutable_child() = std::move(part);
  Relation shown;
  *shown.mutable_drop()->mutable_input() = std::move(moved);
  shown.mutable_drop()->add_column_names(kRank);
  shown.mutable_drop()->add_column_names(kRows);
  return resolver.Resolve(shown);
}

}  // namespace

arrow::Result<PlanPtr> ResolveRepartitionByExpression(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.repartition_by_expression();
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(message.input()));
  if (message.has_num_partitions() && message.num_partitions() <= 0) return NotPositive(message.num_partitions());
  for (const auto& key : message.partition_exprs()) {
    if (!key.has_sort_order()) continue;
    if (!child->is_streaming()) return RepartitionByRange(resolver, message);
    // Ranks of rows are not for streams. By hash equal keys stand together as well; which ranges a micro-batch has,
    // Spark's sample of it decides and nobody can ask for.
    Relation by_hash = relation;
    for (auto& part : *by_hash.mutable_repartition_by_expression()->mutable_partition_exprs()) {
      if (part.has_sort_order()) part = Expression(part.sort_order().child());
    }
    return ResolveRepartitionByExpression(resolver, by_hash);
  }
  if (message.partition_exprs_size() == 1 && message.partition_exprs(0).has_direct_shuffle_partition_id()) {
    const auto& number = message.partition_exprs(0).direct_shuffle_partition_id().child();
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr id, resolver.Expressions(child->output()).Resolve(number));
    if (!id->type()->is_integral()) {
      return UserError("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
                       {{"sqlExpr", QuoteSqlExpression("direct_shuffle_partition_id(" + id->Sql(true) + ")")},
                        {"paramIndex", "first"},
                        {"requiredType", QuoteSqlType("INT")},
                        {"inputSql", QuoteSqlExpression(id->Sql(true))},
                        {"inputType", QuoteSqlType(id->type()->Sql())}});
    }
    ExpressionPtr as_int = expression::ImplicitCast(id, types::Integer());
    return std::make_shared<logical::Repartition>(message.num_partitions(), true, ExpressionVector{std::move(as_int)},
                                                  std::move(child), /*direct=*/true);
  }
  const AttributeVector shown = child->output();
  OperatorInput below;
  ARROW_ASSIGN_OR_RAISE(ExpressionVector keys,
                        resolver.Expressions(shown, &below).ResolveAll(message.partition_exprs()));
  ARROW_RETURN_NOT_OK(CheckWithoutAggregates(keys));
  ARROW_RETURN_NOT_OK(CheckWithoutWindowFunctions(below));
  bool widened = !below.empty();
  ARROW_ASSIGN_OR_RAISE(child, below.Apply(std::move(child), resolver.context().eval));
  PlanPtr spread =
      std::make_shared<logical::Repartition>(message.num_partitions(), true, std::move(keys), std::move(child));
  if (!widened) return spread;
  return std::make_shared<logical::Project>(ExpressionVector(shown.begin(), shown.end()), std::move(spread));
}

namespace {

// What is to be broadcast is not sorted for a join, which shows in the order of the rows.
PlanPtr Broadcast(const PlanPtr& plan) {
  return logical::TransformUp(plan, [](const PlanPtr& node) -> PlanPtr {
    if (node->kind() != logical::NodeKind::kLocalRelation) return nullptr;
    const auto& rows = static_cast<const logical::LocalRelation&>(*node);
    if (!rows.unsized()) return nullptr;
    return std::make_shared<logical::LocalRelation>(rows.output(), rows.partitions(), rows.cached_as());
  });
}

std::optional<int> AsPartitionCount(const Expression& parameter) {
  if (!parameter.has_literal()) return std::nullopt;
  const auto& literal = parameter.literal();
  if (literal.has_integer()) return literal.integer();
  if (literal.has_short_()) return literal.short_();
  if (literal.has_byte()) return literal.byte();
  return std::nullopt;
}

// As Spark writes an expression whose functions it has not looked up.
std::string TextOf(RelationResolver& resolver, const Expression& value) {
  if (value.has_unresolved_attribute()) return value.unresolved_attribute().unparsed_identifier();
  if (!value.has_unresolved_function()) {
    arrow::Result<ExpressionPtr> resolved = resolver.Expressions({}).Resolve(value);
    return resolved.ok() ? (*resolved)->Sql(true) : std::string("?");
  }
  std::string text = QuoteIdentifier(value.unresolved_function().function_name()) + "(";
  for (const Expression& argument : value.unresolved_function().arguments()) {
    if (text.back() != '(') text += ", ";
    text += TextOf(resolver, argument);
  }
  return text + ")";
}

// The columns that a partitioning hint names, by name or by text; anything else is no column.
arrow::Result<std::vector<Expression>> HintedColumns(RelationResolver& resolver, const std::string& hint,
                                                     std::span<const Expression* const> parameters) {
  std::vector<Expression> columns;
  std::string others;
  for (const Expression* parameter : parameters) {
    if (parameter->has_literal() && parameter->literal().has_string()) {
      ARROW_RETURN_NOT_OK(sql::ParseMultipartIdentifier(parameter->literal().string()).status());
      columns.push_back(ColumnOf(parameter->literal().string()));
    } else if (parameter->has_unresolved_attribute()) {
      columns.push_back(*parameter);
    } else {
      if (!others.empty()) others += ", ";
      others += QuoteSqlExpression(TextOf(resolver, *parameter));
    }
  }
  if (!others.empty()) return UserError("_LEGACY_ERROR_TEMP_1047", {{"hintName", hint}, {"invalidParams", others}});
  return columns;
}

// Source: Spark SQL reference, "Partitioning Hints". REBALANCE is a repartition whose number of partitions follows from
// the rows, which is also what a repartition without a number is.
arrow::Result<PlanPtr> ResolvePartitioningHint(RelationResolver& resolver, const std::string& name,
                                               const spark::connect::Hint& hint) {
  std::vector<const Expression*> parameters;
  for (const Expression& parameter : hint.parameters()) parameters.push_back(&parameter);
  std::optional<int> count = parameters.empty() ? std::nullopt : AsPartitionCount(*parameters.front());
  bool only_count = count.has_value() && parameters.size() == 1;
  Relation moved;
  if (name == "COALESCE" && !only_count) return UserError("_LEGACY_ERROR_TEMP_1048", {{"hintName", name}});
  if (only_count && name != "REBALANCE") {
    auto* repartition = moved.mutable_repartition();
    *repartition->mutable_input() = hint.input();
    repartition->set_num_partitions(*count);
    repartition->set_shuffle(name != "COALESCE");
    return resolver.Resolve(moved);
  }
  ARROW_ASSIGN_OR_RAISE(std::vector<Expression> columns,
                        HintedColumns(resolver, name, std::span(parameters).subspan(count ? 1 : 0)));
  auto* repartition = moved.mutable_repartition_by_expression();
  *repartition->mutable_input() = hint.input();
  if (count && name != "REBALANCE") repartition->set_num_partitions(*count);
  for (Expression& column : columns) {
    Expression* key = repartition->add_partition_exprs();
    if (name == "REPARTITION_BY_RANGE") {
      *key->mutable_sort_order()->mutable_child() = std::move(column);
      key->mutable_sort_order()->set_direction(Expression::SortOrder::SORT_DIRECTION_ASCENDING);
      key->mutable_sort_order()->set_null_ordering(Expression::SortOrder::SORT_NULLS_FIRST);
    } else {
      *key = std::move(column);
    }
  }
  return resolver.Resolve(moved);
}

}  // namespace

arrow::Result<PlanPtr> ResolveHint(RelationResolver& resolver, const Relation& relation) {
  const auto& hint = relation.hint();
  std::string name = ToUpperAscii(hint.name());
  if (sql::IsPartitioningHint(name)) return ResolvePartitioningHint(resolver, name, hint);
  // The others advise how to join; the result is the same.
  ARROW_ASSIGN_OR_RAISE(PlanPtr plan, resolver.Resolve(hint.input()));
  bool broadcast = name == "BROADCAST" || name == "BROADCASTJOIN" || name == "MAPJOIN";
  return broadcast ? Broadcast(plan) : plan;
}

}  // namespace millrace::analyzer
