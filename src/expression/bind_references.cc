#include <algorithm>
#include <unordered_set>

#include "base/error.h"
#include "expression/node.h"

namespace millrace::expression {

namespace {

void CollectReferences(const Expression& root, std::vector<AttributeId>* ids) {
  if (root.kind() == ExpressionKind::kAttribute) {
    ids->push_back(static_cast<const AttributeReference&>(root).id());
    return;
  }
  if (root.kind() == ExpressionKind::kLambdaFunction) {
    const auto& lambda = static_cast<const LambdaFunction&>(root);
    std::vector<AttributeId> inner;
    CollectReferences(*lambda.body(), &inner);
    for (AttributeId id : inner) {
      bool parameter = std::any_of(lambda.parameters().begin(), lambda.parameters().end(),
                                   [id](const AttributePtr& p) { return p->id() == id; });
      if (!parameter) ids->push_back(id);
    }
    return;
  }
  for (const ExpressionPtr& child : root.children()) CollectReferences(*child, ids);
}

int FindColumn(AttributeId id, const AttributeVector& input) {
  for (size_t i = 0; i < input.size(); ++i) {
    if (input[i]->id() == id) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace

std::vector<AttributeId> References(const Expression& root) {
  std::vector<AttributeId> ids;
  CollectReferences(root, &ids);
  std::unordered_set<AttributeId> seen;
  std::erase_if(ids, [&seen](AttributeId id) { return !seen.insert(id).second; });
  return ids;
}

std::vector<int> BoundColumns(const Expression& root) {
  std::vector<int> columns;
  Visit(root, [&columns](const Expression& node) {
    if (node.kind() == ExpressionKind::kBoundReference) {
      columns.push_back(static_cast<const BoundReference&>(node).index());
    }
    if (node.kind() != ExpressionKind::kLambdaFunction) return true;
    // The body's positions are those of the lambda's own rows.
    const auto& captured = static_cast<const LambdaFunction&>(node).captured_columns();
    columns.insert(columns.end(), captured.begin(), captured.end());
    return false;
  });
  return columns;
}

arrow::Result<ExpressionPtr> BindReferences(const ExpressionPtr& root, const AttributeVector& input) {
  if (root->kind() == ExpressionKind::kAttribute) {
    const auto& attribute = static_cast<const AttributeReference&>(*root);
    int index = FindColumn(attribute.id(), input);
    if (index < 0) {
      return InternalError("Could not find " + attribute.name() + "#" + attribute.id().ToString() + " in the input");
    }
    return std::make_shared<BoundReference>(index, attribute.name(), attribute.type(), attribute.nullable());
  }
  if (root->kind() == ExpressionKind::kLambdaFunction) {
    const auto& lambda = static_cast<const LambdaFunction&>(*root);
    if (!Contains(*lambda.body(), ExpressionKind::kAttribute)) return root;  // constant, or bound already
    std::vector<int> captured;
    AttributeVector body_input;
    for (AttributeId id : References(lambda)) {
      int index = FindColumn(id, input);
      if (index < 0) return InternalError("Could not find attribute #" + id.ToString() + " of a lambda in the input");
      captured.push_back(index);
      body_input.push_back(input[static_cast<size_t>(index)]);
    }
    body_input.insert(body_input.end(), lambda.parameters().begin(), lambda.parameters().end());
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr body, BindReferences(lambda.body(), body_input));
    auto bound = std::make_shared<LambdaFunction>(lambda.parameters(), std::move(body));
    bound->captured_ = std::move(captured);
    return bound;
  }
  ExpressionVector children;
  bool changed = false;
  for (const ExpressionPtr& child : root->children()) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr bound, BindReferences(child, input));
    changed = changed || bound != child;
    children.push_back(std::move(bound));
  }
  return changed ? root->WithChildren(std::move(children)) : root;
}

}  // namespace millrace::expression
