#include "logical/plan.h"

#include <map>

#include "logical/node/eval_python.h"
#include "logical/node/expand.h"
#include "logical/node/generate.h"
#include "logical/node/groups_in_python.h"
#include "logical/node/groups_with_state.h"
#include "logical/node/local_relation.h"
#include "logical/node/map_in_python.h"
#include "logical/node/range.h"
#include "logical/node/source_scan.h"
#include "logical/node/transform_with_state.h"
#include "logical/node/union.h"
#include "logical/node/window.h"

namespace millrace::logical {

using expression::Alias;
using expression::AttributeId;
using expression::AttributeReference;
using expression::ExpressionKind;

Plan::Plan(NodeKind kind, std::vector<PlanPtr> children, AttributeVector output, bool is_streaming_leaf)
    : kind_(kind), is_streaming_(is_streaming_leaf), children_(std::move(children)), output_(std::move(output)) {
  for (const PlanPtr& child : children_) is_streaming_ = is_streaming_ || child->is_streaming();
}

PlanPtr Plan::WithExpressions(ExpressionVector) const { return WithChildren(children_); }

types::DataTypePtr Plan::Schema() const {
  std::vector<types::StructField> fields;
  fields.reserve(output_.size());
  for (const AttributePtr& attribute : output_) fields.push_back(attribute->ToField());
  return types::Struct(std::move(fields));
}

PlanPtr TransformUp(const PlanPtr& root, const std::function<PlanPtr(const PlanPtr&)>& rewrite) {
  return TryTransformUp(root, [&](const PlanPtr& node) -> arrow::Result<PlanPtr> { return rewrite(node); })
      .ValueOr(root);
}

arrow::Result<PlanPtr> TryTransformUp(const PlanPtr& root,
                                      const std::function<arrow::Result<PlanPtr>(const PlanPtr&)>& rewrite) {
  bool changed = false;
  std::vector<PlanPtr> children;
  children.reserve(root->children().size());
  for (const PlanPtr& child : root->children()) {
    ARROW_ASSIGN_OR_RAISE(PlanPtr rewritten, TryTransformUp(child, rewrite));
    changed = changed || rewritten != child;
    children.push_back(std::move(rewritten));
  }
  PlanPtr node = changed ? root->WithChildren(std::move(children)) : root;
  ARROW_ASSIGN_OR_RAISE(PlanPtr replaced, rewrite(node));
  return replaced == nullptr ? node : replaced;
}

void VisitPlan(const Plan& root, const std::function<void(const Plan&)>& visit) {
  visit(root);
  for (const PlanPtr& child : root.children()) VisitPlan(*child, visit);
}

PlanPtr MapExpressions(const PlanPtr& node, const std::function<ExpressionPtr(const ExpressionPtr&)>& rewrite) {
  ExpressionVector expressions = node->expressions();
  bool changed = false;
  for (ExpressionPtr& expression : expressions) {
    ExpressionPtr rewritten = rewrite(expression);
    changed = changed || rewritten != expression;
    expression = std::move(rewritten);
  }
  return changed ? node->WithExpressions(std::move(expressions)) : node;
}

ExpressionVector SplitConjuncts(const ExpressionPtr& condition) {
  if (condition == nullptr) return {};
  if (condition->kind() != ExpressionKind::kLogical || !static_cast<const expression::Logical&>(*condition).is_and()) {
    return {condition};
  }
  ExpressionVector all = SplitConjuncts(condition->children()[0]);
  ExpressionVector right = SplitConjuncts(condition->children()[1]);
  all.insert(all.end(), right.begin(), right.end());
  return all;
}

ExpressionPtr JoinConjuncts(const ExpressionVector& conjuncts) {
  ExpressionPtr all;
  for (const ExpressionPtr& conjunct : conjuncts) {
    all = all == nullptr ? conjunct : std::make_shared<expression::Logical>(/*is_and=*/true, all, conjunct);
  }
  return all;
}

namespace {

// Draws lines[*next] and what is below it. `indent` stands before the node's own connector.
void Draw(const std::vector<TreeLine>& lines, size_t* next, const std::string& indent, const char* connector,
          const char* below, std::string* out) {
  const TreeLine& line = lines[(*next)++];
  *out += indent + connector + line.text + "\n";
  std::string deeper = indent + below;
  for (int i = 0; i < line.num_children; ++i) {
    bool last = i + 1 == line.num_children;
    Draw(lines, next, deeper, last ? "+- " : ":- ", last ? "   " : ":  ", out);
  }
}

void Flatten(const Plan& node, std::vector<TreeLine>* lines) {
  lines->push_back({node.Describe(), static_cast<int>(node.children().size())});
  for (const PlanPtr& child : node.children()) Flatten(*child, lines);
}

}  // namespace

std::string DrawTree(const std::vector<TreeLine>& lines) {
  std::string out;
  size_t next = 0;
  if (!lines.empty()) Draw(lines, &next, "", "", "", &out);
  return out;
}

std::string TreeString(const Plan& root) {
  std::vector<TreeLine> lines;
  Flatten(root, &lines);
  return DrawTree(lines);
}

namespace {

std::string NameWithId(const std::string& name, AttributeId id, const types::DataType& type) {
  return fmt::format("{}#{}{}", name, id.value, type.id() == types::TypeId::kLong ? "L" : "");
}

}  // namespace

std::string DescribeAttribute(const AttributeReference& attribute) {
  std::string text = NameWithId(attribute.name(), attribute.id(), *attribute.type());
  // "-T5000ms": an event time, and how late it may be.
  constexpr std::string_view kDelay = "\"spark.watermarkDelayMs\":";
  size_t at = attribute.metadata_json().find(kDelay);
  if (at == std::string::npos) return text;
  at += kDelay.size();
  size_t end = attribute.metadata_json().find_first_not_of("0123456789", at);
  return text + "-T" + attribute.metadata_json().substr(at, end - at) + "ms";
}

std::string DescribeExpression(const ExpressionPtr& expression) {
  if (expression->kind() == ExpressionKind::kAttribute) {
    return DescribeAttribute(static_cast<const AttributeReference&>(*expression));
  }
  if (expression->kind() == ExpressionKind::kAlias) {
    const auto& alias = static_cast<const Alias&>(*expression);
    return DescribeExpression(alias.child()) + " AS " + NameWithId(alias.name(), alias.id(), *alias.type());
  }
  // The text of the expression comes from Sql(); columns that carry their id in their name make it explain's.
  ExpressionPtr named = expression::Transform(expression, [](const ExpressionPtr& node) -> ExpressionPtr {
    if (node->kind() != ExpressionKind::kAttribute) return nullptr;
    const auto& attribute = static_cast<const AttributeReference&>(*node);
    return attribute.WithName(DescribeAttribute(attribute));
  });
  return named->Sql(/*pretty=*/true);
}

std::string DescribeExpressions(const ExpressionVector& expressions) {
  std::string out = "[";
  for (size_t i = 0; i < expressions.size(); ++i) {
    if (i > 0) out += ", ";
    out += DescribeExpression(expressions[i]);
  }
  return out + "]";
}

std::string DescribeAttributes(const AttributeVector& attributes) {
  return DescribeExpressions({attributes.begin(), attributes.end()});
}

std::string DescribeSortOrder(const expression::SortOrder& order) {
  return DescribeExpression(order.child) + (order.ascending ? " ASC" : " DESC") +
         (order.nulls_first ? " NULLS FIRST" : " NULLS LAST");
}

namespace {

// Renumbers a plan bottom-up, so that what a node reads was renumbered before the node.
class FreshCopier {
 public:
  PlanPtr Copy(const PlanPtr& node) {
    std::vector<PlanPtr> children;
    for (const PlanPtr& child : node->children()) children.push_back(Copy(child));
    switch (node->kind()) {
      case NodeKind::kLocalRelation:
        return static_cast<const LocalRelation&>(*node).WithOutput(Fresh(node->output()));
      case NodeKind::kRange: {
        const auto& range = static_cast<const Range&>(*node);
        return std::make_shared<Range>(Fresh(node->output())[0], range.start(), range.end(), range.step(),
                                       range.num_partitions());
      }
      case NodeKind::kSourceScan:
        return static_cast<const SourceScan&>(*node).WithOutput(Fresh(node->output()));
      case NodeKind::kUnion:
        return std::make_shared<Union>(Fresh(node->output()), std::move(children));
      case NodeKind::kExpand: {
        std::vector<ExpressionVector> projections = static_cast<const Expand&>(*node).projections();
        for (ExpressionVector& projection : projections) {
          for (ExpressionPtr& item : projection) item = Renumber(item);
        }
        return std::make_shared<Expand>(std::move(projections), Fresh(node->output()), std::move(children[0]));
      }
      case NodeKind::kGenerate: {
        const auto& generate = static_cast<const Generate&>(*node);
        ExpressionPtr generator = Renumber(generate.generator());
        return std::make_shared<Generate>(std::move(generator), generate.outer(), Fresh(generate.generated()),
                                          std::move(children[0]));
      }
      case NodeKind::kWindow: {
        const auto& window = static_cast<const Window&>(*node);
        ExpressionVector expressions = node->expressions();
        for (ExpressionPtr& expression : expressions) expression = Renumber(expression);
        std::vector<WindowFunction> functions = window.functions();
        for (WindowFunction& function : functions) function.column = Fresh({function.column})[0];
        return Window(window.spec(), std::move(functions), std::move(children[0]))
            .WithExpressions(std::move(expressions));
      }
      case NodeKind::kEvalPython: {
        const auto& eval = static_cast<const EvalPython&>(*node);
        ExpressionVector calls = eval.calls();
        for (ExpressionPtr& call : calls) call = Renumber(call);
        return std::make_shared<EvalPython>(std::move(calls), Fresh(eval.results()), std::move(children[0]));
      }
      case NodeKind::kMapInPython:
      case NodeKind::kGroupsInPython:
      case NodeKind::kGroupsWithState:
      case NodeKind::kTransformWithState: {
        ExpressionVector columns = node->expressions();
        for (ExpressionPtr& column : columns) column = Renumber(column);
        PlanPtr copy = node->WithChildren(std::move(children))->WithExpressions(std::move(columns));
        AttributeVector output = Fresh(node->output());
        if (node->kind() == NodeKind::kMapInPython) return static_cast<const MapInPython&>(*copy).WithOutput(output);
        if (node->kind() == NodeKind::kGroupsInPython)
          return static_cast<const GroupsInPython&>(*copy).WithOutput(output);
        return node->kind() == NodeKind::kGroupsWithState
                   ? static_cast<const GroupsWithState&>(*copy).WithOutput(output)
                   : static_cast<const TransformWithState&>(*copy).WithOutput(output);
      }
      default:
        break;
    }
    ExpressionVector expressions = node->expressions();
    for (ExpressionPtr& expression : expressions) expression = Renumber(expression);
    return node->WithChildren(std::move(children))->WithExpressions(std::move(expressions));
  }

  std::vector<std::pair<AttributeId, AttributePtr>> TakeRenumbering() {
    return {renumbered_.begin(), renumbered_.end()};
  }

 private:
  AttributeVector Fresh(const AttributeVector& attributes) {
    AttributeVector fresh;
    for (const AttributePtr& attribute : attributes) {
      fresh.push_back(attribute->NewInstance());
      renumbered_[attribute->id()] = fresh.back();
    }
    return fresh;
  }

  ExpressionPtr Renumber(const ExpressionPtr& root) {
    ExpressionPtr inner = expression::Transform(root, [this](const ExpressionPtr& node) -> ExpressionPtr {
      if (node->kind() != ExpressionKind::kAttribute) return nullptr;
      const auto& old = static_cast<const AttributeReference&>(*node);
      auto it = renumbered_.find(old.id());
      if (it == renumbered_.end()) return nullptr;
      return std::make_shared<AttributeReference>(it->second->id(), old.name(), old.type(), old.nullable(),
                                                  old.qualifier(), old.metadata_json());
    });
    if (inner->kind() != ExpressionKind::kAlias) return inner;
    const auto& alias = static_cast<const Alias&>(*inner);
    AttributePtr shown = alias.ToAttribute();
    auto fresh =
        std::make_shared<Alias>(alias.child(), alias.name(), expression::NextAttributeId(), shown->metadata_json());
    renumbered_[alias.id()] = fresh->ToAttribute();
    return fresh;
  }

  std::map<AttributeId, AttributePtr> renumbered_;
};

}  // namespace

PlanPtr FreshCopy(const PlanPtr& root, std::vector<std::pair<AttributeId, AttributePtr>>* old_to_new) {
  FreshCopier copier;
  PlanPtr copy = copier.Copy(root);
  if (old_to_new != nullptr) *old_to_new = copier.TakeRenumbering();
  return copy;
}

}  // namespace millrace::logical
