#include "analyzer/relation_resolver.h"
#include "base/ascii.h"
#include "base/error.h"
#include "expression/cast.h"
#include "expression/type_coercion.h"
#include "function/extract_value.h"
#include "function/function_def.h"
#include "logical/node/aggregate.h"
#include "logical/node/join.h"
#include "logical/node/project.h"
#include "spark/connect/relations.pb.h"

namespace millrace::analyzer {

namespace {

using expression::Alias;
using expression::Literal;
using function::BindCall;
using spark::connect::Relation;

struct Times {
  ExpressionPtr left;
  ExpressionPtr right;
};

// Which rows of the right side count: on the right side of the time, and near enough.
arrow::Result<ExpressionPtr> InDirection(const Times& times, const std::string& direction, bool exact,
                                         const ExpressionPtr& tolerance, const expression::EvalContext& eval) {
  auto call = [&](const char* name, ExpressionPtr a, ExpressionPtr b) {
    return BindCall(name, {std::move(a), std::move(b)}, eval);
  };
  ExpressionPtr condition;
  if (direction == "backward") {
    ARROW_ASSIGN_OR_RAISE(condition, call(exact ? ">=" : ">", times.left, times.right));
  } else if (direction == "forward") {
    ARROW_ASSIGN_OR_RAISE(condition, call(exact ? "<=" : "<", times.left, times.right));
  } else if (exact) {
    condition = Literal::Boolean(true);
  } else {
    ARROW_ASSIGN_OR_RAISE(condition, call("!=", times.left, times.right));
  }
  if (tolerance == nullptr) return condition;
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr low, call("-", times.left, tolerance));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr high, call("+", times.left, tolerance));
  auto both = [](ExpressionPtr a, ExpressionPtr b) -> ExpressionPtr {
    return std::make_shared<expression::Logical>(true, std::move(a), std::move(b));
  };
  if (direction != "forward") {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr near, call(exact ? ">=" : ">", times.right, low));
    condition = both(std::move(condition), std::move(near));
  }
  if (direction != "backward") {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr near, call(exact ? "<=" : "<", times.right, high));
    condition = both(std::move(condition), std::move(near));
  }
  return condition;
}

// What is least for the nearest row.
arrow::Result<ExpressionPtr> Distance(const Times& times, const std::string& direction,
                                      const expression::EvalContext& eval) {
  if (direction == "backward") return BindCall("-", {times.left, times.right}, eval);
  if (direction == "forward") return BindCall("-", {times.right, times.left}, eval);
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr later, BindCall(">", {times.left, times.right}, eval));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr behind, BindCall("-", {times.left, times.right}, eval));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr ahead, BindCall("-", {times.right, times.left}, eval));
  return std::make_shared<expression::CaseWhen>(ExpressionVector{later, behind, ahead}, true);
}

// The left rows numbered, so that equal ones stay apart.
arrow::Result<PlanPtr> Numbered(const PlanPtr& left, ExpressionPtr* number, const expression::EvalContext& eval) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr id, BindCall("monotonically_increasing_id", {}, eval));
  ExpressionVector items(left->output().begin(), left->output().end());
  items.push_back(std::make_shared<Alias>(std::move(id), "__row"));
  *number = expression::ToAttribute(items.back());
  return std::make_shared<logical::Project>(std::move(items), left);
}

// For each left row the nearest right one. Source: Spark, RewriteAsOfJoin.
arrow::Result<PlanPtr> NearestRows(PlanPtr left, PlanPtr right, bool outer, ExpressionPtr condition,
                                   const ExpressionPtr& distance, const expression::EvalContext& eval) {
  ExpressionPtr number;
  ARROW_ASSIGN_OR_RAISE(PlanPtr numbered, Numbered(left, &number, eval));
  ExpressionVector values(right->output().begin(), right->output().end());
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr row, BindCall("struct", std::move(values), eval));
  PlanPtr joined = std::make_shared<logical::Join>(outer ? logical::JoinType::kLeftOuter : logical::JoinType::kInner,
                                                   std::move(condition), std::move(numbered), right);
  ExpressionVector items;
  ExpressionVector shown;
  for (const AttributePtr& column : left->output()) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr same, BindCall("first", {column}, eval));
    items.push_back(std::make_shared<Alias>(std::move(same), column->name()));
    shown.push_back(std::make_shared<Alias>(expression::ToAttribute(items.back()), column->name(), column->id()));
  }
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr nearest, BindCall("min_by", {std::move(row), distance}, eval));
  items.push_back(std::make_shared<Alias>(std::move(nearest), "__nearest"));
  ExpressionPtr found = expression::ToAttribute(items.back());
  for (size_t i = 0; i < right->output().size(); ++i) {
    const AttributePtr& column = right->output()[i];
    ExpressionPtr value = function::GetStructField(found, static_cast<int>(i), column->name());
    shown.push_back(std::make_shared<Alias>(std::move(value), column->name(), column->id()));
  }
  PlanPtr grouped = std::make_shared<logical::Aggregate>(ExpressionVector{number}, std::move(items), std::move(joined));
  return std::make_shared<logical::Project>(std::move(shown), std::move(grouped));
}

}  // namespace

arrow::Result<PlanPtr> ResolveAsOfJoin(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.as_of_join();
  const expression::EvalContext& eval = resolver.context().eval;
  std::string direction = ToLowerAscii(message.direction());
  if (direction != "backward" && direction != "forward" && direction != "nearest") {
    return UserError("AS_OF_JOIN.UNSUPPORTED_DIRECTION",
                     {{"direction", message.direction()}, {"supported", "'forward', 'backward', 'nearest'"}});
  }
  std::string type = ToLowerAscii(message.join_type());
  bool outer = type == "left" || type == "leftouter" || type == "left_outer";
  if (!outer && !type.empty() && type != "inner") return NotSupported("an as-of join of type " + message.join_type());
  ARROW_ASSIGN_OR_RAISE(RelationResolver::Pair pair, resolver.ResolvePair(message.left(), message.right()));
  AttributeVector both = pair.left->output();
  both.insert(both.end(), pair.right->output().begin(), pair.right->output().end());
  Times times;
  ARROW_ASSIGN_OR_RAISE(times.left, resolver.Expressions(both).Resolve(message.left_as_of()));
  ARROW_ASSIGN_OR_RAISE(times.right, resolver.Expressions(both).Resolve(message.right_as_of()));
  ExpressionPtr tolerance;
  if (message.has_tolerance()) {
    ARROW_ASSIGN_OR_RAISE(tolerance, resolver.Expressions(both).Resolve(message.tolerance()));
    if (!tolerance->foldable()) return UserError("AS_OF_JOIN.TOLERANCE_IS_UNFOLDABLE");
  }
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr condition,
                        InDirection(times, direction, message.allow_exact_matches(), tolerance, eval));
  for (const std::string& name : message.using_columns()) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr left, resolver.ResolveColumn(name, pair.left->output()));
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr right, resolver.ResolveColumn(name, pair.right->output()));
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr equal, BindCall("=", {std::move(left), std::move(right)}, eval));
    condition = std::make_shared<expression::Logical>(true, std::move(equal), std::move(condition));
  }
  if (message.has_join_expr()) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr also, resolver.Expressions(both).ResolveCondition(message.join_expr()));
    condition = std::make_shared<expression::Logical>(true, std::move(also), std::move(condition));
  }
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr distance, Distance(times, direction, eval));
  return NearestRows(pair.left, pair.right, outer, std::move(condition), distance, eval);
}

}  // namespace millrace::analyzer
