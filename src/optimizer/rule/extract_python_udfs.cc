#include <algorithm>

#include "base/error.h"
#include "expression/aggregate.h"
#include "expression/python/python_udf.h"
#include "logical/node/aggregate.h"
#include "logical/node/eval_python.h"
#include "logical/node/filter.h"
#include "logical/node/join.h"
#include "logical/node/project.h"
#include "optimizer/rule.h"

namespace millrace::optimizer {

namespace {

using expression::AttributeReference;
using expression::AttributeVector;
using expression::PythonUdf;
using logical::NodeKind;
using python::EvalType;

bool HasUdf(const ExpressionPtr& root) { return expression::Contains(*root, ExpressionKind::kPythonUdf); }

const PythonUdf& AsUdf(const ExpressionPtr& node) { return static_cast<const PythonUdf&>(*node); }

EvalType TypeOf(const ExpressionPtr& udf) { return AsUdf(udf).function()->eval_type; }

// f(g(x)) runs in one worker when g is all that f takes and both are of one kind; else nothing of Python may be below.
bool IsEvaluable(const ExpressionPtr& udf) {
  const ExpressionVector& arguments = udf->children();
  if (arguments.size() == 1 && arguments[0]->kind() == ExpressionKind::kPythonUdf) {
    return TypeOf(udf) == TypeOf(arguments[0]) && AsUdf(udf).argument_names()[0].empty() && IsEvaluable(arguments[0]);
  }
  return std::none_of(arguments.begin(), arguments.end(), HasUdf);
}

// The calls of one kind that can be made now, outermost of a chain. A function over iterators runs alone.
class Evaluable {
 public:
  explicit Evaluable(std::set<AttributeId> columns) : columns_(std::move(columns)) {}

  void Collect(const ExpressionPtr& root) {
    if (root->kind() == ExpressionKind::kPythonUdf && ReadsOnly(root, columns_) && IsEvaluable(root)) {
      bool joins =
          calls_.empty() || (TypeOf(root) == TypeOf(calls_[0]) && TypeOf(root) != EvalType::kScalarPandasIter &&
                             TypeOf(root) != EvalType::kScalarArrowIter);
      if (joins) {
        Add(root);
        return;
      }
    }
    for (const ExpressionPtr& child : root->children()) Collect(child);
  }

  const ExpressionVector& calls() const { return calls_; }

 private:
  void Add(const ExpressionPtr& call) {
    for (const ExpressionPtr& one : calls_) {
      if (one == call || expression::SemanticallyEqual(*one, *call)) return;
    }
    calls_.push_back(call);
  }

  std::set<AttributeId> columns_;
  ExpressionVector calls_;
};

ExpressionPtr Replace(const ExpressionPtr& root, const ExpressionVector& calls, const AttributeVector& results) {
  if (!HasUdf(root)) return root;
  if (root->kind() == ExpressionKind::kPythonUdf) {
    for (size_t i = 0; i < calls.size(); ++i) {
      if (calls[i] == root || expression::SemanticallyEqual(*calls[i], *root)) return results[i];
    }
  }
  ExpressionVector children;
  for (const ExpressionPtr& child : root->children()) children.push_back(Replace(child, calls, results));
  return root->WithChildren(std::move(children));
}

// A UDF over what only the aggregate makes is computed above it. Source: Spark, ExtractPythonUDFFromAggregate.
class AboveAggregate {
 public:
  explicit AboveAggregate(const logical::Aggregate& aggregate) : aggregate_(aggregate) {}

  PlanPtr Apply() {
    if (std::none_of(aggregate_.items().begin(), aggregate_.items().end(),
                     [&](const ExpressionPtr& item) { return HasUdfOverAggregate(item); })) {
      return nullptr;
    }
    ExpressionVector above;
    for (const ExpressionPtr& item : aggregate_.items()) {
      if (HasUdfOverAggregate(item)) {
        above.push_back(Lift(item));
      } else {
        below_.push_back(item);
        above.push_back(expression::ToAttribute(item));
      }
    }
    auto aggregate = std::make_shared<logical::Aggregate>(aggregate_.grouping(), below_, aggregate_.child());
    return std::make_shared<logical::Project>(std::move(above), std::move(aggregate));
  }

 private:
  bool Belongs(const ExpressionPtr& node) const {
    if (node->kind() == ExpressionKind::kAggregateCall) return true;
    return std::any_of(aggregate_.grouping().begin(), aggregate_.grouping().end(),
                       [&](const ExpressionPtr& key) { return expression::SemanticallyEqual(*key, *node); });
  }
  bool AnyBelongs(const ExpressionPtr& node) const {
    return Belongs(node) || std::any_of(node->children().begin(), node->children().end(),
                                        [&](const ExpressionPtr& child) { return AnyBelongs(child); });
  }
  bool HasUdfOverAggregate(const ExpressionPtr& node) const {
    if (node->kind() == ExpressionKind::kAggregateCall) return false;
    if (node->kind() == ExpressionKind::kPythonUdf && !Belongs(node) &&
        (expression::References(*node).empty() || AnyBelongs(node))) {
      return true;
    }
    return std::any_of(node->children().begin(), node->children().end(),
                       [&](const ExpressionPtr& child) { return HasUdfOverAggregate(child); });
  }
  ExpressionPtr Lift(const ExpressionPtr& node) {
    if (Belongs(node)) {
      below_.push_back(node->kind() == ExpressionKind::kAttribute ? node
                                                                  : std::make_shared<expression::Alias>(node, "agg"));
      return expression::ToAttribute(below_.back());
    }
    if (node->children().empty()) return node;
    ExpressionVector children;
    for (const ExpressionPtr& child : node->children()) children.push_back(Lift(child));
    return node->WithChildren(std::move(children));
  }

  const logical::Aggregate& aggregate_;
  ExpressionVector below_;
};

// Conditions of a join whose UDFs need both sides are checked above it, where that is the same.
// Source: Spark, ExtractPythonUDFFromJoinCondition.
arrow::Result<PlanPtr> AboveJoin(const logical::Join& join) {
  std::set<AttributeId> left = IdsOf(join.left()->output());
  std::set<AttributeId> right = IdsOf(join.right()->output());
  ExpressionVector stay, above;
  for (const ExpressionPtr& conjunct : logical::SplitConjuncts(join.condition())) {
    bool both = false;
    expression::Visit(*conjunct, [&](const expression::Expression& node) {
      if (node.kind() != ExpressionKind::kPythonUdf) return true;
      auto in = [&](const std::set<AttributeId>& side) {
        std::vector<AttributeId> ids = expression::References(node);
        return std::all_of(ids.begin(), ids.end(), [&](AttributeId id) { return side.count(id) > 0; });
      };
      both = both || (!in(left) && !in(right));
      return !both;
    });
    (both ? above : stay).push_back(conjunct);
  }
  if (above.empty()) return PlanPtr();
  if (join.type() != logical::JoinType::kInner && join.type() != logical::JoinType::kCross) {
    return UserError("UNSUPPORTED_FEATURE.PYTHON_UDF_IN_ON_CLAUSE",
                     {{"joinType", join.type() == logical::JoinType::kLeftOuter    ? "LEFT OUTER"
                                   : join.type() == logical::JoinType::kRightOuter ? "RIGHT OUTER"
                                   : join.type() == logical::JoinType::kFullOuter  ? "FULL OUTER"
                                   : join.type() == logical::JoinType::kLeftSemi   ? "LEFT SEMI"
                                                                                   : "LEFT ANTI"}});
  }
  auto inner = std::make_shared<logical::Join>(join.type(), logical::JoinConjuncts(stay), join.left(), join.right());
  return std::make_shared<logical::Filter>(logical::JoinConjuncts(above), std::move(inner));
}

bool ReadsUdfs(const logical::Plan& node) {
  ExpressionVector all = node.expressions();
  return node.kind() != NodeKind::kEvalPython && std::any_of(all.begin(), all.end(), HasUdf);
}

PlanPtr Widen(const ExpressionVector& calls, PlanPtr child, AttributeVector* results) {
  for (size_t i = 0; i < calls.size(); ++i) {
    results->push_back(std::make_shared<AttributeReference>(expression::NextAttributeId(),
                                                            "pythonUDF" + std::to_string(i), calls[i]->type(), true));
  }
  return std::make_shared<logical::EvalPython>(calls, *results, std::move(child));
}

arrow::Result<PlanPtr> ExtractFrom(PlanPtr node) {
  const AttributeVector shown = node->output();
  while (ReadsUdfs(*node)) {
    bool moved = false;
    std::vector<PlanPtr> children = node->children();
    ExpressionVector expressions = node->expressions();
    for (PlanPtr& child : children) {
      Evaluable evaluable(IdsOf(child->output()));
      for (const ExpressionPtr& one : expressions) evaluable.Collect(one);
      if (evaluable.calls().empty()) continue;
      AttributeVector results;
      child = Widen(evaluable.calls(), child, &results);
      for (ExpressionPtr& one : expressions) one = Replace(one, evaluable.calls(), results);
      moved = true;
    }
    if (!moved) return InternalError("a Python function in a place where it cannot be evaluated: " + node->Describe());
    node = node->WithChildren(std::move(children))->WithExpressions(std::move(expressions));
  }
  // What a filter or a sort read only for itself goes no further.
  if (node->output().size() == shown.size()) return node;
  return std::make_shared<logical::Project>(ExpressionVector(shown.begin(), shown.end()), std::move(node));
}

arrow::Result<PlanPtr> Extract(const PlanPtr& node) {
  if (!ReadsUdfs(*node)) return PlanPtr();
  if (node->kind() == NodeKind::kAggregate) {
    PlanPtr above = AboveAggregate(static_cast<const logical::Aggregate&>(*node)).Apply();
    if (above != nullptr) {
      ARROW_ASSIGN_OR_RAISE(PlanPtr aggregate, ExtractFrom(above->child()));
      return ExtractFrom(above->WithChildren({std::move(aggregate)}));
    }
  }
  if (node->kind() == NodeKind::kJoin) {
    ARROW_ASSIGN_OR_RAISE(PlanPtr above, AboveJoin(static_cast<const logical::Join&>(*node)));
    if (above != nullptr) {
      ARROW_ASSIGN_OR_RAISE(PlanPtr join, ExtractFrom(above->child()));
      return ExtractFrom(above->WithChildren({std::move(join)}));
    }
  }
  return ExtractFrom(node);
}

}  // namespace

// Calls of Python functions become columns below the operator that reads them (docs/adr/0004).
// Source: Spark, ExtractPythonUDFs.
arrow::Result<PlanPtr> ExtractPythonUdfs(const PlanPtr& plan, const EvalContext&) {
  return logical::TryTransformUp(plan, Extract);
}

}  // namespace millrace::optimizer
