#include "expression/call.h"
#include "function/extract_value.h"
#include "function/scalar/json/from_json.h"
#include "logical/node/project.h"
#include "optimizer/rule.h"

namespace millrace::optimizer {

namespace {

using Path = std::vector<std::string>;

// Which parts of a struct value are read.
struct Use {
  bool whole = false;
  std::set<Path> paths;

  void Add(const Path& path) {
    if (path.empty()) whole = true;
    paths.insert(path);
  }
  bool is_partial() const { return !whole && !paths.empty(); }
  std::vector<Path> Paths() const { return {paths.begin(), paths.end()}; }
};

// The from_json calls of one node, equal ones as one: they must stay equal, so that they are computed once.
struct CallUse {
  ExpressionPtr call;
  Use use;
  ExpressionPtr pruned;
};

class FromJsonPruner {
 public:
  PlanPtr Run(const PlanPtr& plan) {
    for (const auto& column : plan->output()) uses_[column->id()].Add({});
    CollectPlan(*plan);
    return Rebuild(plan);
  }

 private:
  static CallUse* Find(std::vector<CallUse>* calls, const ExpressionPtr& call) {
    for (CallUse& known : *calls) {
      if (expression::SemanticallyEqual(*known.call, *call)) return &known;
    }
    calls->push_back({call, {}, nullptr});
    return &calls->back();
  }

  // What `node` reads of columns and from_json calls, `path` being the fields taken of it above.
  void Collect(const ExpressionPtr& node, Path path, std::vector<CallUse>* calls) {
    if (std::optional<int> ordinal = function::StructFieldOrdinal(*node)) {
      const ExpressionPtr& child = node->children()[0];
      path.insert(path.begin(), child->type()->fields()[static_cast<size_t>(*ordinal)].name);
      Collect(child, std::move(path), calls);
      return;
    }
    if (node->kind() == ExpressionKind::kAttribute) {
      uses_[static_cast<const expression::AttributeReference&>(*node).id()].Add(path);
      return;
    }
    if (function::IsFromJson(*node)) Find(calls, node)->use.Add(path);
    for (const ExpressionPtr& child : node->children()) Collect(child, {}, calls);
  }

  void CollectPlan(const logical::Plan& node) {
    std::vector<CallUse> calls;
    for (const ExpressionPtr& expression : node.expressions()) {
      bool item = node.kind() == logical::NodeKind::kProject;
      // A column passed on keeps its id, so what is read of it shows above.
      if (item && expression->kind() == ExpressionKind::kAttribute) continue;
      if (item && IsNamedCall(expression)) {
        for (const ExpressionPtr& argument : expression->children()[0]->children()) Collect(argument, {}, &calls);
        continue;
      }
      Collect(expression, {}, &calls);
    }
    if (node.kind() == logical::NodeKind::kUnion) {
      for (const PlanPtr& child : node.children()) {
        for (const auto& column : child->output()) uses_[column->id()].Add({});
      }
    }
    for (const PlanPtr& child : node.children()) CollectPlan(*child);
  }

  static bool IsNamedCall(const ExpressionPtr& item) {
    return item->kind() == ExpressionKind::kAlias && function::IsFromJson(*item->children()[0]);
  }

  PlanPtr Rebuild(const PlanPtr& node) {
    std::vector<PlanPtr> children;
    bool changed = false;
    for (const PlanPtr& child : node->children()) {
      children.push_back(Rebuild(child));
      changed = changed || children.back() != child;
    }
    PlanPtr over_children = changed ? node->WithChildren(std::move(children)) : node;

    std::vector<CallUse> calls;
    ExpressionVector expressions = over_children->expressions();
    for (const ExpressionPtr& expression : expressions) {
      if (!IsNamedCall(expression)) Collect(expression, {}, &calls);
    }
    for (CallUse& call : calls) {
      call.pruned = call.use.is_partial() ? function::PruneFromJson(call.call, call.use.Paths()) : call.call;
    }
    return logical::MapExpressions(over_children, [&](const ExpressionPtr& expression) -> ExpressionPtr {
      if (node->kind() == logical::NodeKind::kProject && IsNamedCall(expression)) return NarrowItem(expression, calls);
      return Rewrite(expression, calls);
    });
  }

  ExpressionPtr NarrowItem(const ExpressionPtr& item, const std::vector<CallUse>& calls) {
    ExpressionPtr rewritten =
        item->WithChildren({item->children()[0]->WithChildren(RewriteAll(item->children()[0]->children(), calls))});
    const auto& alias = static_cast<const expression::Alias&>(*rewritten);
    auto use = uses_.find(alias.id());
    if (use == uses_.end() || !use->second.is_partial()) return SameChild(item, rewritten) ? item : rewritten;
    ExpressionPtr pruned = function::PruneFromJson(alias.child(), use->second.Paths());
    if (pruned == alias.child()) return SameChild(item, rewritten) ? item : rewritten;
    auto narrowed =
        std::make_shared<expression::Alias>(pruned, alias.name(), alias.id(), alias.ToAttribute()->metadata_json());
    narrowed_[alias.id()] = pruned->type();
    return narrowed;
  }

  static bool SameChild(const ExpressionPtr& a, const ExpressionPtr& b) {
    return a->children()[0]->children() == b->children()[0]->children();
  }

  ExpressionVector RewriteAll(const ExpressionVector& nodes, const std::vector<CallUse>& calls) {
    ExpressionVector rewritten;
    for (const ExpressionPtr& node : nodes) rewritten.push_back(Rewrite(node, calls));
    return rewritten;
  }

  // `node` over the narrowed columns and calls: fields are found again by their names.
  ExpressionPtr Rewrite(const ExpressionPtr& node, const std::vector<CallUse>& calls) {
    if (node->kind() == ExpressionKind::kAttribute) {
      const auto& column = static_cast<const expression::AttributeReference&>(*node);
      auto it = narrowed_.find(column.id());
      if (it == narrowed_.end()) return node;
      return std::make_shared<expression::AttributeReference>(column.id(), column.name(), it->second, column.nullable(),
                                                              column.qualifier(), column.metadata_json());
    }
    if (function::IsFromJson(*node)) {
      for (const CallUse& call : calls) {
        if (call.pruned != call.call && expression::SemanticallyEqual(*call.call, *node)) return call.pruned;
      }
    }
    ExpressionVector children = RewriteAll(node->children(), calls);
    if (children == node->children()) return node;
    std::optional<int> ordinal = function::StructFieldOrdinal(*node);
    if (!ordinal.has_value() || children[0]->type()->Equals(*node->children()[0]->type())) {
      return node->WithChildren(std::move(children));
    }
    const std::string& name = node->children()[0]->type()->fields()[static_cast<size_t>(*ordinal)].name;
    return function::GetStructField(children[0], children[0]->type()->FieldIndex(name, /*case_sensitive=*/true), name);
  }

  std::map<AttributeId, Use> uses_;
  std::map<AttributeId, types::DataTypePtr> narrowed_;
};

}  // namespace

// from_json decodes only the fields that the rest of the plan reads.
arrow::Result<PlanPtr> PruneFromJsonFields(const PlanPtr& plan, const EvalContext&) {
  return FromJsonPruner().Run(plan);
}

}  // namespace millrace::optimizer
