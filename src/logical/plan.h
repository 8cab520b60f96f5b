#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "expression/node.h"

namespace millrace::logical {

using expression::AttributePtr;
using expression::AttributeVector;
using expression::ExpressionPtr;
using expression::ExpressionVector;

enum class NodeKind : uint8_t {
  kLocalRelation,
  kRange,
  kSourceScan,
  kProject,
  kFilter,
  kAggregate,
  kSort,
  kLimit,
  kUnion,
  kJoin,
  kDeduplicate,
  kGenerate,
  kExpand,
  kSample,
  kRepartition,
  kSubqueryAlias,
  kWatermark,
  kWindow,
  kCollectMetrics,
  kEvalPython,
  kMapInPython,
  kGroupsInPython,
  kGroupsWithState,
  kTransformWithState,
};

class Plan;
using PlanPtr = std::shared_ptr<const Plan>;

/// A node of a resolved, typed logical plan. Immutable and shared; every column has an id (AttributeReference), so
/// nodes can be moved and rebuilt without renumbering.
class Plan {
 public:
  virtual ~Plan() = default;

  NodeKind kind() const { return kind_; }
  const std::vector<PlanPtr>& children() const { return children_; }
  const PlanPtr& child() const { return children_[0]; }
  /// The columns of the rows.
  const AttributeVector& output() const { return output_; }
  /// True when some leaf is a stream.
  bool is_streaming() const { return is_streaming_; }

  virtual PlanPtr WithChildren(std::vector<PlanPtr> children) const = 0;
  /// The node's own expressions, and the node over rewritten ones (same number).
  virtual ExpressionVector expressions() const { return {}; }
  virtual PlanPtr WithExpressions(ExpressionVector expressions) const;
  /// One line of explain(), children aside ("Project [a#1, b#2]").
  virtual std::string Describe() const = 0;

  types::DataTypePtr Schema() const;

 protected:
  Plan(NodeKind kind, std::vector<PlanPtr> children, AttributeVector output, bool is_streaming_leaf = false);

 private:
  NodeKind kind_;
  bool is_streaming_;
  std::vector<PlanPtr> children_;
  AttributeVector output_;
};

/// Rebuilds bottom-up; `rewrite` returns null to keep a node.
PlanPtr TransformUp(const PlanPtr& root, const std::function<PlanPtr(const PlanPtr&)>& rewrite);
/// As TransformUp for a rewrite that can fail.
arrow::Result<PlanPtr> TryTransformUp(const PlanPtr& root,
                                      const std::function<arrow::Result<PlanPtr>(const PlanPtr&)>& rewrite);
void VisitPlan(const Plan& root, const std::function<void(const Plan&)>& visit);
/// The node with each of its own expressions rewritten; the node itself when `rewrite` changes none.
PlanPtr MapExpressions(const PlanPtr& node, const std::function<ExpressionPtr(const ExpressionPtr&)>& rewrite);

/// The conjuncts of a condition, left to right; none for null. And back: null for none.
ExpressionVector SplitConjuncts(const ExpressionPtr& condition);
ExpressionPtr JoinConjuncts(const ExpressionVector& conjuncts);

/// The tree as explain() draws it ("+- Project …"), one node a line.
std::string TreeString(const Plan& root);
/// "a#1L": a column in explain().
std::string DescribeAttribute(const expression::AttributeReference& attribute);
/// "(a#1L + 1) AS b#2L": an expression in explain(), its columns with their ids.
std::string DescribeExpression(const ExpressionPtr& expression);
/// "[a#1L, b#2]".
std::string DescribeExpressions(const ExpressionVector& expressions);
std::string DescribeAttributes(const AttributeVector& attributes);
/// "a#1L ASC NULLS FIRST".
std::string DescribeSortOrder(const expression::SortOrder& order);
/// Draws any tree as explain() does: `lines` are (depth-first) nodes with their number of children.
struct TreeLine {
  std::string text;
  int num_children = 0;
};
std::string DrawTree(const std::vector<TreeLine>& lines);

/// A copy of the plan in which every attribute it makes has a fresh id: the other side of a self-join or self-union.
/// `old_to_new` (may be null) receives the renumbering.
PlanPtr FreshCopy(const PlanPtr& root, std::vector<std::pair<expression::AttributeId, AttributePtr>>* old_to_new);

}  // namespace millrace::logical
