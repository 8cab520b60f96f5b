#include "analyzer/relation_resolver.h"
#include "base/ascii.h"
#include "base/error.h"
#include "expression/compare.h"
#include "expression/node.h"
#include "function/function_def.h"
#include "logical/node/filter.h"
#include "logical/node/join.h"
#include "logical/node/project.h"
#include "logical/node/window.h"
#include "spark/connect/relations.pb.h"

namespace millrace::analyzer {

namespace {

using expression::Alias;
using expression::AttributeReference;
using expression::Literal;
using function::BindCall;
using spark::connect::Relation;

constexpr int32_t kMaxResults = 100000;

}  // namespace

// For each left row the `num_results` right rows that rank first; candidates whose rank is NULL do not count.
// Source: Spark, NearestByJoin.
arrow::Result<PlanPtr> ResolveNearestByJoin(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.nearest_by_join();
  const expression::EvalContext& eval = resolver.context().eval;
  std::string mode = ToLowerAscii(message.mode());
  if (mode != "approx" && mode != "exact") {
    return UserError("NEAREST_BY_JOIN.UNSUPPORTED_MODE",
                     {{"mode", message.mode()}, {"supported", "'approx', 'exact'"}});
  }
  std::string direction = ToLowerAscii(message.direction());
  if (direction != "distance" && direction != "similarity") {
    return UserError("NEAREST_BY_JOIN.UNSUPPORTED_DIRECTION",
                     {{"direction", message.direction()}, {"supported", "'distance', 'similarity'"}});
  }
  std::string type = ToLowerAscii(message.join_type());
  std::erase_if(type, [](char c) { return c == '_' || c == ' '; });
  bool outer = type == "left" || type == "leftouter";
  if (!outer && type != "inner") {
    return UserError("NEAREST_BY_JOIN.UNSUPPORTED_JOIN_TYPE",
                     {{"joinType", message.join_type()}, {"supported", "'INNER', 'LEFT OUTER'"}});
  }
  if (message.num_results() < 1 || message.num_results() > kMaxResults) {
    return UserError(
        "NEAREST_BY_JOIN.NUM_RESULTS_OUT_OF_RANGE",
        {{"numResults", std::to_string(message.num_results())}, {"min", "1"}, {"max", std::to_string(kMaxResults)}});
  }
  ARROW_ASSIGN_OR_RAISE(RelationResolver::Pair pair, resolver.ResolvePair(message.left(), message.right()));
  if (pair.left->is_streaming() || pair.right->is_streaming()) {
    return UserError("NEAREST_BY_JOIN.STREAMING_NOT_SUPPORTED");
  }
  AttributeVector both = pair.left->output();
  both.insert(both.end(), pair.right->output().begin(), pair.right->output().end());
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr rank, resolver.Expressions(both).Resolve(message.ranking_expression()));
  if (rank->kind() == expression::ExpressionKind::kAlias) rank = rank->children()[0];
  if (!expression::IsOrderable(*rank->type())) {
    return UserError(
        "NEAREST_BY_JOIN.NON_ORDERABLE_RANKING_EXPRESSION",
        {{"expression", QuoteSqlExpression(rank->Sql(true))}, {"type", QuoteSqlType(rank->type()->Sql())}});
  }

  // The left rows numbered, so that equal ones stay apart.
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr id, BindCall("monotonically_increasing_id", {}, eval));
  ExpressionVector items(pair.left->output().begin(), pair.left->output().end());
  items.push_back(std::make_shared<Alias>(std::move(id), "__row"));
  ExpressionPtr number = expression::ToAttribute(items.back());
  PlanPtr numbered = std::make_shared<logical::Project>(std::move(items), pair.left);

  ARROW_ASSIGN_OR_RAISE(ExpressionPtr counts, BindCall("isnotnull", {rank}, eval));
  PlanPtr plan = std::make_shared<logical::Join>(outer ? logical::JoinType::kLeftOuter : logical::JoinType::kInner,
                                                 std::move(counts), std::move(numbered), pair.right);
  const AttributeVector joined = plan->output();
  bool ascending = direction == "distance";
  logical::WindowFunction place;
  place.kind = logical::WindowFunctionKind::kRowNumber;
  place.column =
      std::make_shared<AttributeReference>(expression::NextAttributeId(), "__place", types::Integer(), false);
  ExpressionPtr column = place.column;
  logical::WindowSpec spec{{number}, {{std::move(rank), ascending, ascending}}};
  plan = std::make_shared<logical::Window>(std::move(spec), std::vector<logical::WindowFunction>{std::move(place)},
                                           std::move(plan));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr near, BindCall("<=", {column, Literal::Integer(message.num_results())}, eval));
  plan = std::make_shared<logical::Filter>(std::move(near), std::move(plan));
  ExpressionVector shown;
  for (size_t i = 0; i < joined.size(); ++i) {
    if (i == pair.left->output().size()) continue;
    // Any column may be NULL, says Spark, which takes them out of structs.
    shown.push_back(joined[i]->WithNullable(true));
  }
  return std::make_shared<logical::Project>(std::move(shown), std::move(plan));
}

}  // namespace millrace::analyzer
