#include <algorithm>
#include <set>

#include "analyzer/column_value.h"
#include "analyzer/subqueries.h"
#include "base/error.h"
#include "expression/call.h"
#include "logical/node/aggregate.h"
#include "logical/node/deduplicate.h"
#include "logical/node/filter.h"
#include "logical/node/join.h"
#include "logical/node/project.h"

namespace millrace::analyzer {

namespace {

using expression::AttributeId;
using logical::NodeKind;

class Puller {
 public:
  explicit Puller(const AttributeVector& outer) {
    for (const AttributePtr& column : outer) outer_.insert(column->id());
  }

  bool ReadsOuter(const expression::Expression& value) const {
    std::vector<AttributeId> ids = expression::References(value);
    return std::any_of(ids.begin(), ids.end(), [&](AttributeId id) { return outer_.count(id) > 0; });
  }

  bool ReadsOuter(const logical::Plan& plan) const {
    bool found = false;
    logical::VisitPlan(plan, [&](const logical::Plan& node) {
      for (const ExpressionPtr& value : node.expressions()) found = found || ReadsOuter(*value);
    });
    return found;
  }

  /// `node` without its correlated conditions, with the columns they read in its output.
  arrow::Result<PlanPtr> Pull(const PlanPtr& node) {
    if (!ReadsOuter(*node)) return node;
    switch (node->kind()) {
      case NodeKind::kFilter:
        return PullFilter(static_cast<const logical::Filter&>(*node));
      case NodeKind::kProject:
        return PullProject(static_cast<const logical::Project&>(*node));
      case NodeKind::kAggregate:
        return PullAggregate(static_cast<const logical::Aggregate&>(*node));
      case NodeKind::kDeduplicate:
        return PullDeduplicate(static_cast<const logical::Deduplicate&>(*node));
      case NodeKind::kJoin:
        return PullJoin(static_cast<const logical::Join&>(*node));
      case NodeKind::kSubqueryAlias:
      case NodeKind::kSort:
      case NodeKind::kRepartition: {
        if (OwnReadOuter(*node)) return Refuse(*node);
        ARROW_ASSIGN_OR_RAISE(PlanPtr child, Pull(node->child()));
        return node->WithChildren({std::move(child)});
      }
      default:
        return Refuse(*node);
    }
  }

  ExpressionVector TakeConditions() { return std::move(conditions_); }

 private:
  bool OwnReadOuter(const logical::Plan& node) const {
    ExpressionVector own = node.expressions();
    return std::any_of(own.begin(), own.end(), [&](const ExpressionPtr& value) { return ReadsOuter(*value); });
  }

  static arrow::Status Refuse(const logical::Plan& node) {
    return UserError("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.ACCESSING_OUTER_QUERY_COLUMN_IS_NOT_ALLOWED",
                     {{"treeNode", logical::TreeString(node)}});
  }

  // Columns of `child` that pulled conditions read.
  AttributeVector Needed(const logical::Plan& child) const {
    AttributeVector needed;
    for (const AttributePtr& column : child.output()) {
      bool read = std::any_of(conditions_.begin(), conditions_.end(), [&](const ExpressionPtr& condition) {
        std::vector<AttributeId> ids = expression::References(*condition);
        return std::find(ids.begin(), ids.end(), column->id()) != ids.end();
      });
      if (read) needed.push_back(column);
    }
    return needed;
  }

  arrow::Result<PlanPtr> PullFilter(const logical::Filter& filter) {
    ARROW_ASSIGN_OR_RAISE(PlanPtr child, Pull(filter.child()));
    ExpressionVector stay;
    for (const ExpressionPtr& conjunct : logical::SplitConjuncts(filter.condition())) {
      (ReadsOuter(*conjunct) ? conditions_ : stay).push_back(conjunct);
    }
    if (stay.empty()) return child;
    return std::make_shared<logical::Filter>(logical::JoinConjuncts(stay), std::move(child));
  }

  arrow::Result<PlanPtr> PullProject(const logical::Project& project) {
    if (OwnReadOuter(project)) return Refuse(project);
    ARROW_ASSIGN_OR_RAISE(PlanPtr child, Pull(project.child()));
    ExpressionVector items = project.items();
    for (const AttributePtr& column : Needed(*child)) {
      bool present = std::any_of(items.begin(), items.end(), [&](const ExpressionPtr& item) {
        return expression::ToAttribute(item)->id() == column->id();
      });
      if (!present) items.push_back(column);
    }
    return std::make_shared<logical::Project>(std::move(items), std::move(child));
  }

  // The conditions from `first` on. Another comparison would make a group, or one distinct row, of several outer
  // values.
  arrow::Status CheckEqualities(size_t first) const {
    for (size_t i = first; i < conditions_.size(); ++i) {
      if (IsEquality(*conditions_[i])) continue;
      return UserError("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.CORRELATED_COLUMN_IS_NOT_ALLOWED_IN_PREDICATE",
                       {{"treeNode", conditions_[i]->Sql()}});
    }
    return arrow::Status::OK();
  }

  // One row a group becomes one row a group and value of the correlated columns.
  arrow::Result<PlanPtr> PullAggregate(const logical::Aggregate& aggregate) {
    if (OwnReadOuter(aggregate)) return Refuse(aggregate);
    size_t before = conditions_.size();
    ARROW_ASSIGN_OR_RAISE(PlanPtr child, Pull(aggregate.child()));
    ARROW_RETURN_NOT_OK(CheckEqualities(before));
    ExpressionVector grouping = aggregate.grouping();
    ExpressionVector items = aggregate.items();
    for (const AttributePtr& column : Needed(*child)) {
      grouping.push_back(column);
      items.push_back(column);
    }
    return std::make_shared<logical::Aggregate>(std::move(grouping), std::move(items), std::move(child));
  }

  arrow::Result<PlanPtr> PullDeduplicate(const logical::Deduplicate& distinct) {
    size_t before = conditions_.size();
    ARROW_ASSIGN_OR_RAISE(PlanPtr child, Pull(distinct.child()));
    ARROW_RETURN_NOT_OK(CheckEqualities(before));
    AttributeVector keys = child->output();
    return std::make_shared<logical::Deduplicate>(std::move(keys), false, std::move(child));
  }

  arrow::Result<PlanPtr> PullJoin(const logical::Join& join) {
    bool inner = join.type() == logical::JoinType::kInner || join.type() == logical::JoinType::kCross;
    if (!inner) {
      bool left_only =
          join.type() == logical::JoinType::kLeftOuter && !OwnReadOuter(join) && !ReadsOuter(*join.right());
      if (!left_only) return Refuse(join);
    }
    ARROW_ASSIGN_OR_RAISE(PlanPtr left, Pull(join.left()));
    ARROW_ASSIGN_OR_RAISE(PlanPtr right, Pull(join.right()));
    ExpressionVector stay;
    for (const ExpressionPtr& conjunct : logical::SplitConjuncts(join.condition())) {
      (ReadsOuter(*conjunct) ? conditions_ : stay).push_back(conjunct);
    }
    return std::make_shared<logical::Join>(join.type(), logical::JoinConjuncts(stay), std::move(left),
                                           std::move(right));
  }

  bool IsEquality(const expression::Expression& condition) const {
    if (condition.kind() != expression::ExpressionKind::kCall || condition.children().size() != 2) return false;
    const std::string& name = static_cast<const expression::Call&>(condition).name();
    if (name != "=" && name != "<=>") return false;
    bool outer_first = ReadsOuter(*condition.children()[0]);
    if (outer_first == ReadsOuter(*condition.children()[1])) return false;
    // A group for each value of the columns must be one for each value compared.
    return IsColumnValue(*condition.children()[outer_first ? 1 : 0]);
  }

  std::set<AttributeId> outer_;
  ExpressionVector conditions_;
};

}  // namespace

bool IsColumnValue(const expression::Expression& value) {
  if (value.kind() == expression::ExpressionKind::kAttribute) return true;
  if (value.kind() != expression::ExpressionKind::kCast) return false;
  const expression::Expression& child = *value.children()[0];
  const types::DataType& from = *child.type();
  const types::DataType& to = *value.type();
  bool keeps =
      (from.is_integral() && (to.id() == types::TypeId::kDecimal || (to.is_integral() && from.id() <= to.id()))) ||
      (from.id() == types::TypeId::kFloat && to.id() == types::TypeId::kDouble) ||
      (from.id() == types::TypeId::kInteger && to.id() == types::TypeId::kDouble) ||
      (from.id() == types::TypeId::kDecimal && to.id() == types::TypeId::kDecimal && to.scale() >= from.scale());
  return keeps && IsColumnValue(child);
}

arrow::Result<Decorrelated> Decorrelate(const PlanPtr& plan, const AttributeVector& outer) {
  Puller puller(outer);
  ARROW_ASSIGN_OR_RAISE(PlanPtr pulled, puller.Pull(plan));
  return Decorrelated{std::move(pulled), puller.TakeConditions()};
}

}  // namespace millrace::analyzer
