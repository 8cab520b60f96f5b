#include "analyzer/domain_join.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "expression/aggregate.h"
#include "function/function_def.h"
#include "logical/node/aggregate.h"
#include "logical/node/deduplicate.h"
#include "logical/node/filter.h"
#include "logical/node/generate.h"
#include "logical/node/join.h"
#include "logical/node/limit.h"
#include "logical/node/project.h"
#include "logical/node/sort.h"
#include "logical/node/subquery_alias.h"
#include "logical/node/union.h"
#include "logical/node/window.h"

namespace millrace::analyzer {

namespace {

using expression::Alias;
using expression::AttributeId;
using expression::AttributeReference;
using expression::ExpressionKind;
using expression::Literal;
using logical::JoinType;
using logical::NodeKind;

void ForEachReference(const logical::Plan& plan, const std::function<void(const AttributeReference&)>& visit) {
  for (const ExpressionPtr& value : plan.expressions()) {
    expression::Visit(*value, [&](const expression::Expression& node) {
      if (node.kind() == ExpressionKind::kAttribute) visit(static_cast<const AttributeReference&>(node));
      return true;
    });
  }
  for (const PlanPtr& child : plan.children()) ForEachReference(*child, visit);
}

const AttributePtr* FindById(const AttributeVector& columns, AttributeId id) {
  auto it =
      std::find_if(columns.begin(), columns.end(), [&](const AttributePtr& column) { return column->id() == id; });
  return it == columns.end() ? nullptr : &*it;
}

/// One rewriting. Confined.
class Pusher {
 public:
  Pusher(AttributeVector columns, PlanPtr domain, const expression::EvalContext& eval)
      : columns_(std::move(columns)), domain_(std::move(domain)), eval_(eval) {}

  /// `node` with the domain's columns in its output.
  arrow::Result<DomainPlan> Push(const PlanPtr& node) {
    if (!ReadsOuter(*node)) return Crossed(node);
    switch (node->kind()) {
      case NodeKind::kSubqueryAlias:
      case NodeKind::kRepartition:
        return PushThrough(*node);
      case NodeKind::kSort: {
        // Order matters to a Limit only, which looks for it itself.
        return Push(node->child());
      }
      case NodeKind::kFilter: {
        ARROW_ASSIGN_OR_RAISE(DomainPlan child, Push(node->child()));
        ExpressionPtr condition = Replaced(static_cast<const logical::Filter&>(*node).condition(), child.domain);
        return DomainPlan{std::make_shared<logical::Filter>(std::move(condition), child.plan), child.domain};
      }
      case NodeKind::kProject: {
        ARROW_ASSIGN_OR_RAISE(DomainPlan child, Push(node->child()));
        ExpressionVector items = ReplacedItems(node->expressions(), child.domain);
        items.insert(items.end(), child.domain.begin(), child.domain.end());
        return DomainPlan{std::make_shared<logical::Project>(std::move(items), child.plan), child.domain};
      }
      case NodeKind::kAggregate:
        return PushAggregate(static_cast<const logical::Aggregate&>(*node));
      case NodeKind::kDeduplicate: {
        ARROW_ASSIGN_OR_RAISE(DomainPlan child, Push(node->child()));
        AttributeVector keys = static_cast<const logical::Deduplicate&>(*node).keys();
        keys.insert(keys.end(), child.domain.begin(), child.domain.end());
        return DomainPlan{std::make_shared<logical::Deduplicate>(std::move(keys), false, child.plan), child.domain};
      }
      case NodeKind::kGenerate: {
        const auto& generate = static_cast<const logical::Generate&>(*node);
        ARROW_ASSIGN_OR_RAISE(DomainPlan child, Push(node->child()));
        return DomainPlan{std::make_shared<logical::Generate>(Replaced(generate.generator(), child.domain),
                                                              generate.outer(), generate.generated(), child.plan),
                          child.domain};
      }
      case NodeKind::kJoin:
        return PushJoin(static_cast<const logical::Join&>(*node));
      case NodeKind::kLimit:
        return PushLimit(static_cast<const logical::Limit&>(*node));
      case NodeKind::kUnion:
        return PushUnion(*node);
      case NodeKind::kWindow:
        return PushWindow(static_cast<const logical::Window&>(*node));
      default:
        return Refuse(*node);
    }
  }

 private:
  bool ReadsOuter(const logical::Plan& plan) const {
    bool found = false;
    ForEachReference(
        plan, [&](const AttributeReference& column) { found = found || FindById(columns_, column.id()) != nullptr; });
    return found;
  }

  static arrow::Status Refuse(const logical::Plan& node) {
    return UserError("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.ACCESSING_OUTER_QUERY_COLUMN_IS_NOT_ALLOWED",
                     {{"treeNode", logical::TreeString(node)}});
  }

  ExpressionPtr Replaced(const ExpressionPtr& value, const AttributeVector& domain) const {
    return expression::Transform(value, [&](const ExpressionPtr& node) -> ExpressionPtr {
      if (node->kind() != ExpressionKind::kAttribute) return nullptr;
      AttributeId id = static_cast<const AttributeReference&>(*node).id();
      for (size_t i = 0; i < columns_.size(); ++i) {
        if (columns_[i]->id() == id) return domain[i];
      }
      return nullptr;
    });
  }

  ExpressionVector ReplacedAll(const ExpressionVector& values, const AttributeVector& domain) const {
    ExpressionVector out;
    for (const ExpressionPtr& value : values) out.push_back(Replaced(value, domain));
    return out;
  }

  // Named items keep their names and ids, also where one is an outer column itself.
  ExpressionVector ReplacedItems(const ExpressionVector& items, const AttributeVector& domain) const {
    ExpressionVector out;
    for (const ExpressionPtr& item : items) {
      ExpressionPtr value = Replaced(item, domain);
      if (value != item && item->kind() == ExpressionKind::kAttribute) {
        const auto& column = static_cast<const AttributeReference&>(*item);
        value = std::make_shared<Alias>(std::move(value), column.name(), column.id());
      }
      out.push_back(std::move(value));
    }
    return out;
  }

  DomainPlan FreshDomain() const {
    PlanPtr copy = logical::FreshCopy(domain_, nullptr);
    return {copy, copy->output()};
  }

  arrow::Result<DomainPlan> Crossed(const PlanPtr& node) const {
    DomainPlan domain = FreshDomain();
    return DomainPlan{std::make_shared<logical::Join>(JoinType::kCross, nullptr, node, domain.plan), domain.domain};
  }

  arrow::Result<DomainPlan> PushThrough(const logical::Plan& node) {
    ExpressionVector own = node.expressions();
    ARROW_ASSIGN_OR_RAISE(DomainPlan child, Push(node.child()));
    // The alias itself says nothing here: ids stay.
    if (node.kind() == NodeKind::kSubqueryAlias) return child;
    for (const ExpressionPtr& value : own) {
      if (Replaced(value, child.domain) != value) return Refuse(node);
    }
    return DomainPlan{node.WithChildren({child.plan}), child.domain};
  }

  // A group becomes a group for each row of the domain. Without GROUP BY a row of the domain that nothing reaches has
  // its result all the same: count 0, the others NULL.
  arrow::Result<DomainPlan> PushAggregate(const logical::Aggregate& aggregate) {
    ARROW_ASSIGN_OR_RAISE(DomainPlan child, Push(aggregate.child()));
    ExpressionVector grouping = ReplacedAll(aggregate.grouping(), child.domain);
    grouping.insert(grouping.end(), child.domain.begin(), child.domain.end());
    bool global = aggregate.grouping().empty();
    ExpressionVector items = ReplacedItems(aggregate.items(), child.domain);
    if (global) {
      for (ExpressionPtr& item : items) {
        item = std::make_shared<Alias>(item->kind() == ExpressionKind::kAlias ? item->children()[0] : item, "value");
      }
    }
    ExpressionVector all = items;
    if (global) all.push_back(std::make_shared<Alias>(Literal::Boolean(true), "found"));
    all.insert(all.end(), child.domain.begin(), child.domain.end());
    auto grouped = std::make_shared<logical::Aggregate>(std::move(grouping), std::move(all), child.plan);
    if (!global) return DomainPlan{grouped, child.domain};

    DomainPlan every = FreshDomain();
    ARROW_ASSIGN_OR_RAISE(ExpressionVector same, SameValues(every.domain, child.domain, eval_));
    PlanPtr joined = std::make_shared<logical::Join>(JoinType::kLeftOuter, logical::JoinConjuncts(same), every.plan,
                                                     PlanPtr(grouped));
    AttributePtr found = grouped->output()[items.size()]->WithNullable(true);
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr missing, function::BindCall("isnull", {found}, eval_));
    ExpressionVector shown;
    for (size_t i = 0; i < items.size(); ++i) {
      ExpressionPtr value = grouped->output()[i]->WithNullable(true);
      ExpressionPtr empty =
          expression::Transform(items[i]->children()[0], [](const ExpressionPtr& node) -> ExpressionPtr {
            if (node->kind() != ExpressionKind::kAggregateCall) return nullptr;
            const std::string& name = static_cast<const expression::AggregateCall&>(*node).function()->name();
            bool counts = name == "count" || name == "regr_count" || name == "count_if";
            return counts ? Literal::Long(0) : Literal::Null(node->type());
          });
      if (empty->foldable()) {
        value = std::make_shared<expression::CaseWhen>(ExpressionVector{missing, empty, value}, true);
      }
      const AttributePtr& column = aggregate.output()[i];
      shown.push_back(std::make_shared<Alias>(std::move(value), column->name(), column->id()));
    }
    shown.insert(shown.end(), every.domain.begin(), every.domain.end());
    return DomainPlan{std::make_shared<logical::Project>(std::move(shown), std::move(joined)), every.domain};
  }

  arrow::Result<DomainPlan> PushJoin(const logical::Join& join) {
    if (join.type() == JoinType::kFullOuter) return Refuse(join);
    bool keeps_right = join.type() == JoinType::kRightOuter;
    bool inner = join.type() == JoinType::kInner || join.type() == JoinType::kCross;
    bool reads_left = ReadsOuter(*join.left());
    bool reads_right = ReadsOuter(*join.right());
    // The side whose rows all stay must have the domain; of an inner join the one that reads it.
    bool push_left = inner ? reads_left || !reads_right : !keeps_right || reads_left;
    bool push_right = reads_right || keeps_right;
    DomainPlan left{join.left(), {}};
    DomainPlan right{join.right(), {}};
    if (push_left) {
      ARROW_ASSIGN_OR_RAISE(left, Push(join.left()));
    }
    if (push_right) {
      ARROW_ASSIGN_OR_RAISE(right, Push(join.right()));
    }
    const AttributeVector& domain = keeps_right || !push_left ? right.domain : left.domain;
    ExpressionVector conditions;
    if (join.condition() != nullptr) conditions.push_back(Replaced(join.condition(), domain));
    if (push_left && push_right) {
      ARROW_ASSIGN_OR_RAISE(ExpressionVector same, SameValues(left.domain, right.domain, eval_));
      conditions.insert(conditions.end(), same.begin(), same.end());
    }
    JoinType type = join.type() == JoinType::kCross && !conditions.empty() ? JoinType::kInner : join.type();
    return DomainPlan{std::make_shared<logical::Join>(type, logical::JoinConjuncts(conditions), left.plan, right.plan),
                      domain};
  }

  static bool IsOrdered(const logical::Plan& plan) {
    bool through = plan.kind() == NodeKind::kSubqueryAlias || plan.kind() == NodeKind::kProject;
    return through ? IsOrdered(*plan.child()) : plan.kind() == NodeKind::kSort;
  }

  // The first rows for each row of the domain: numbered, and cut.
  arrow::Result<DomainPlan> PushLimit(const logical::Limit& limit) {
    if (limit.tail()) return Refuse(limit);
    const logical::Plan* below = limit.child().get();
    while (below->kind() == NodeKind::kSubqueryAlias) below = below->child().get();
    if (below->kind() == NodeKind::kProject && IsOrdered(*below->child())) {
      // Where the columns of the order still are.
      PlanPtr first = limit.WithChildren({below->child()});
      return Push(below->WithChildren({std::move(first)}));
    }
    ARROW_ASSIGN_OR_RAISE(DomainPlan child, Push(limit.child()));
    logical::WindowSpec spec;
    ARROW_RETURN_NOT_OK(PartitionBy(child.domain, &spec));
    if (below->kind() == NodeKind::kSort) {
      for (expression::SortOrder order : static_cast<const logical::Sort&>(*below).orders()) {
        order.child = Replaced(order.child, child.domain);
        spec.order.push_back(std::move(order));
      }
    }
    logical::WindowFunction number;
    number.kind = logical::WindowFunctionKind::kRowNumber;
    number.column =
        std::make_shared<AttributeReference>(expression::NextAttributeId(), "row_number", types::Integer(), false);
    PlanPtr numbered = std::make_shared<logical::Window>(std::move(spec), std::vector{number}, child.plan);
    ExpressionVector kept;
    auto bound = [&](const char* op, int64_t value) -> arrow::Status {
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr wide, function::BindCall("bigint", {number.column}, eval_));
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr test, function::BindCall(op, {wide, Literal::Long(value)}, eval_));
      kept.push_back(std::move(test));
      return arrow::Status::OK();
    };
    if (limit.offset() > 0) ARROW_RETURN_NOT_OK(bound(">", limit.offset()));
    if (limit.limit()) ARROW_RETURN_NOT_OK(bound("<=", limit.offset() + *limit.limit()));
    if (kept.empty()) return child;
    PlanPtr cut = std::make_shared<logical::Filter>(logical::JoinConjuncts(kept), std::move(numbered));
    AttributeVector shown = child.plan->output();
    return DomainPlan{std::make_shared<logical::Project>(ExpressionVector(shown.begin(), shown.end()), std::move(cut)),
                      child.domain};
  }

  arrow::Result<DomainPlan> PushUnion(const logical::Plan& node) {
    std::vector<PlanPtr> children;
    AttributeVector output = node.output();
    AttributeVector domain;
    for (const PlanPtr& child : node.children()) {
      ARROW_ASSIGN_OR_RAISE(DomainPlan pushed, Push(child));
      ExpressionVector items(child->output().begin(), child->output().end());
      items.insert(items.end(), pushed.domain.begin(), pushed.domain.end());
      if (domain.empty()) {
        for (const AttributePtr& column : pushed.domain) domain.push_back(column->NewInstance());
      }
      children.push_back(std::make_shared<logical::Project>(std::move(items), pushed.plan));
    }
    output.insert(output.end(), domain.begin(), domain.end());
    return DomainPlan{std::make_shared<logical::Union>(std::move(output), std::move(children)), domain};
  }

  // Maps, which have no order, by their entries: here they are copies of the same.
  arrow::Status PartitionBy(const AttributeVector& domain, logical::WindowSpec* spec) const {
    for (const AttributePtr& column : domain) {
      ExpressionPtr key = column;
      if (key->type()->id() == types::TypeId::kMap) {
        ARROW_ASSIGN_OR_RAISE(key, function::BindCall("map_entries", {key}, eval_));
      }
      spec->partition.push_back(std::move(key));
    }
    return arrow::Status::OK();
  }

  arrow::Result<DomainPlan> PushWindow(const logical::Window& window) {
    ARROW_ASSIGN_OR_RAISE(DomainPlan child, Push(window.child()));
    PlanPtr over = window.WithChildren({child.plan});
    over = over->WithExpressions(ReplacedAll(over->expressions(), child.domain));
    const auto& replaced = static_cast<const logical::Window&>(*over);
    logical::WindowSpec spec = replaced.spec();
    ARROW_RETURN_NOT_OK(PartitionBy(child.domain, &spec));
    return DomainPlan{std::make_shared<logical::Window>(std::move(spec), replaced.functions(), child.plan),
                      child.domain};
  }

  AttributeVector columns_;
  PlanPtr domain_;
  const expression::EvalContext& eval_;
};

bool HasGlobalAggregate(const logical::Plan& plan) {
  bool found = false;
  logical::VisitPlan(plan, [&](const logical::Plan& node) {
    found = found || (node.kind() == logical::NodeKind::kAggregate &&
                      static_cast<const logical::Aggregate&>(node).grouping().empty());
  });
  return found;
}

}  // namespace

AttributeVector OuterColumns(const logical::Plan& plan, const AttributeVector& outer) {
  AttributeVector columns;
  ForEachReference(plan, [&](const AttributeReference& column) {
    const AttributePtr* found = FindById(outer, column.id());
    if (found != nullptr && FindById(columns, column.id()) == nullptr) columns.push_back(*found);
  });
  return columns;
}

std::string OuterReferencesText(const logical::Plan& plan, const AttributeVector& outer) {
  std::string text;
  ForEachReference(plan, [&](const AttributeReference& column) {
    const AttributePtr* found = FindById(outer, column.id());
    if (found != nullptr) text += (text.empty() ? "" : ", ") + (*found)->name();
  });
  return text;
}

arrow::Result<ExpressionVector> SameValues(const AttributeVector& left, const AttributeVector& right,
                                           const expression::EvalContext& eval) {
  ExpressionVector same;
  for (size_t i = 0; i < left.size(); ++i) {
    ExpressionPtr one = left[i], other = right[i];
    // Maps are not compared, but these are copies of each other.
    if (one->type()->id() == types::TypeId::kMap) {
      ARROW_ASSIGN_OR_RAISE(one, function::BindCall("map_entries", {one}, eval));
      ARROW_ASSIGN_OR_RAISE(other, function::BindCall("map_entries", {other}, eval));
    }
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr equal, function::BindCall("<=>", {one, other}, eval));
    same.push_back(std::move(equal));
  }
  return same;
}

arrow::Result<DomainPlan> JoinWithDomain(const PlanPtr& plan, const AttributeVector& columns, const PlanPtr& input,
                                         const expression::EvalContext& eval) {
  if (input->is_streaming()) return UserError("INVALID_SUBQUERY_EXPRESSION.STREAMING_QUERY");
  PlanPtr values = std::make_shared<logical::Project>(ExpressionVector(columns.begin(), columns.end()), input);
  PlanPtr domain = std::make_shared<logical::Deduplicate>(values->output(), false, values);
  return Pusher(columns, std::move(domain), eval).Push(plan);
}

arrow::Result<PlanPtr> JoinBeside(JoinType type, PlanPtr left, PlanPtr right, ExpressionVector conditions,
                                  const expression::EvalContext& eval) {
  AttributeVector columns = left->output();
  const AttributeVector named = right->output();
  bool repeats = std::any_of(named.begin(), named.end(),
                             [&](const AttributePtr& column) { return FindById(columns, column->id()) != nullptr; });
  if (repeats) {
    // It shows columns of the left side: conditions over the join must tell them from the left's own.
    ExpressionVector items;
    for (const AttributePtr& column : named) items.push_back(std::make_shared<Alias>(column, column->name()));
    right = std::make_shared<logical::Project>(std::move(items), std::move(right));
  }
  const AttributeVector shown = right->output();
  AttributeVector read = OuterColumns(*right, columns);
  arrow::Result<Decorrelated> simple = Decorrelate(right, columns);
  // Without rows such an aggregate still gives one, which a join on conditions would lose.
  bool by_conditions = simple.ok() && (simple->conditions.empty() || !HasGlobalAggregate(*right));
  if (by_conditions || read.empty()) {
    ARROW_RETURN_NOT_OK(simple);
    right = simple->plan;
    conditions.insert(conditions.begin(), simple->conditions.begin(), simple->conditions.end());
  } else {
    ARROW_ASSIGN_OR_RAISE(DomainPlan run, JoinWithDomain(right, read, left, eval));
    // Below, columns of both sides may stand under one id. Copies of the whole (for a lateral that reads it) must not
    // mix them; those that see the result know its columns by their ids.
    std::vector<std::pair<AttributeId, AttributePtr>> renumbered;
    right = logical::FreshCopy(run.plan, &renumbered);
    auto fresh = [&](const AttributePtr& column) {
      auto found = std::find_if(renumbered.begin(), renumbered.end(),
                                [&](const auto& entry) { return entry.first == column->id(); });
      return found == renumbered.end() ? column : found->second;
    };
    ExpressionVector kept;
    for (const AttributePtr& column : shown) {
      kept.push_back(std::make_shared<Alias>(fresh(column), column->name(), column->id()));
    }
    for (AttributePtr& column : run.domain) {
      column = fresh(column);
      kept.push_back(column);
    }
    right = std::make_shared<logical::Project>(std::move(kept), std::move(right));
    ARROW_ASSIGN_OR_RAISE(ExpressionVector same, SameValues(read, run.domain, eval));
    conditions.insert(conditions.begin(), same.begin(), same.end());
  }
  size_t num_left = columns.size();
  auto join =
      std::make_shared<logical::Join>(type, logical::JoinConjuncts(conditions), std::move(left), std::move(right));
  // What the conditions read of the right side is not part of the result.
  ExpressionVector items(columns.begin(), columns.end());
  for (size_t k = 0; k < shown.size(); ++k) {
    for (size_t i = num_left; i < join->output().size(); ++i) {
      if (join->output()[i]->id() != shown[k]->id()) continue;
      // Under the name and the alias that the query gave it.
      AttributePtr item = join->output()[i]->WithName(named[k]->name())->WithQualifier(named[k]->qualifier());
      if (type == JoinType::kInner || type == JoinType::kCross) item = item->WithNullable(named[k]->nullable());
      items.push_back(std::move(item));
      break;
    }
  }
  return std::make_shared<logical::Project>(std::move(items), std::move(join));
}

}  // namespace millrace::analyzer
