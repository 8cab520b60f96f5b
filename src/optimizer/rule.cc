#include "optimizer/rule.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "expression/call.h"

namespace millrace::optimizer {

ExpressionPtr Substitute(const ExpressionPtr& root, const Substitution& substitution) {
  return expression::Transform(root, [&](const ExpressionPtr& node) -> ExpressionPtr {
    if (node->kind() != ExpressionKind::kAttribute) return nullptr;
    auto it = substitution.find(static_cast<const expression::AttributeReference&>(*node).id());
    return it == substitution.end() ? nullptr : it->second;
  });
}

Substitution AliasesOf(const ExpressionVector& items) {
  Substitution aliases;
  for (const ExpressionPtr& item : items) {
    if (item->kind() != ExpressionKind::kAlias) continue;
    const auto& alias = static_cast<const expression::Alias&>(*item);
    aliases[alias.id()] = alias.child();
  }
  return aliases;
}

std::set<AttributeId> IdsOf(const expression::AttributeVector& columns) {
  std::set<AttributeId> ids;
  for (const auto& column : columns) ids.insert(column->id());
  return ids;
}

bool ReadsOnly(const ExpressionPtr& root, const std::set<AttributeId>& columns) {
  for (AttributeId id : expression::References(*root)) {
    if (columns.count(id) == 0) return false;
  }
  return true;
}

bool IsCheap(const ExpressionPtr& root) {
  switch (root->kind()) {
    case ExpressionKind::kAttribute:
    case ExpressionKind::kLiteral:
      return true;
    case ExpressionKind::kAlias:
      return IsCheap(root->children()[0]);
    case ExpressionKind::kCast:
      return root->type()->is_numeric() && root->children()[0]->type()->is_numeric() && IsCheap(root->children()[0]);
    case ExpressionKind::kCall: {
      std::string_view name = static_cast<const expression::Call&>(*root).name();
      return (name == "getstructfield" || name == "window_time") && IsCheap(root->children()[0]);
    }
    default:
      return false;
  }
}

bool AllDeterministic(const ExpressionVector& expressions) {
  for (const ExpressionPtr& expression : expressions) {
    if (!expression->deterministic()) return false;
  }
  return true;
}

bool IsNullIntolerant(const expression::Expression& value) {
  static constexpr std::array<std::string_view, 28> kIntolerant = {
      "=",    "!=",   "<",     "<=",    ">",         ">=",         "+",        "-",       "*",     "/",
      "%",    "not",  "like",  "rlike", "abs",       "ceil",       "floor",    "length",  "lower", "upper",
      "trim", "year", "month", "hour",  "substring", "startswith", "endswith", "contains"};
  if (value.kind() == ExpressionKind::kCast) return true;
  if (value.kind() != ExpressionKind::kCall) return false;
  const std::string& name = static_cast<const expression::Call&>(value).name();
  return std::any_of(kIntolerant.begin(), kIntolerant.end(),
                     [&](std::string_view one) { return EqualsIgnoreCase(one, name); });
}

}  // namespace millrace::optimizer
