#include "session/predicate_text.h"

#include <optional>

#include "base/ascii.h"
#include "expression/call.h"
#include "logical/plan.h"
#include "optimizer/simplify.h"

namespace millrace::session {

namespace {

using expression::AttributeReference;
using expression::Call;
using expression::ExpressionKind;
using expression::ExpressionPtr;
using expression::Literal;

// What stands for a part whose text is known.
ExpressionPtr Worded(std::string text, const ExpressionPtr& part) {
  return std::make_shared<AttributeReference>(expression::NextAttributeId(), std::move(text), part->type(),
                                              part->nullable());
}

std::string TextOf(const ExpressionPtr& part) { return part->Sql(/*pretty=*/true); }

bool IsCall(const ExpressionPtr& node, std::string_view name) {
  return node->kind() == ExpressionKind::kCall && EqualsIgnoreCase(static_cast<const Call&>(*node).name(), name);
}

// `value IN (a, b)`; of one value it is a comparison.
ExpressionPtr InText(const ExpressionPtr& node) {
  const auto& parts = node->children();
  if (parts.size() == 2) return Worded("(" + TextOf(parts[0]) + " = " + TextOf(parts[1]) + ")", node);
  std::string list;
  for (size_t i = 1; i < parts.size(); ++i) list += (i == 1 ? "" : ",") + TextOf(parts[i]);
  return Worded(TextOf(parts[0]) + " IN (" + list + ")", node);
}

// LIKE with no wildcard but a percent sign at an end, or at both.
ExpressionPtr LikeText(const ExpressionPtr& node) {
  const auto& parts = node->children();
  if (parts.size() < 2 || parts[1]->kind() != ExpressionKind::kLiteral) return nullptr;
  std::string pattern = TextOf(parts[1]);
  bool open_start = pattern.starts_with('%'), open_end = pattern.size() > 1 && pattern.ends_with('%');
  std::string fixed = pattern.substr(open_start, pattern.size() - open_start - open_end);
  if (fixed.empty() || fixed.find_first_of("%_\\") != std::string::npos) return nullptr;
  std::string value = TextOf(parts[0]);
  if (!open_start && !open_end) return Worded("(" + value + " = " + fixed + ")", node);
  const char* name = open_start && open_end ? "Contains" : open_end ? "StartsWith" : "EndsWith";
  return Worded(std::string(name) + "(" + value + ", " + fixed + ")", node);
}

// Moments without their keyword: 2024-01-31.
ExpressionPtr LiteralText(const Literal& literal, const ExpressionPtr& node) {
  if (literal.is_null()) return Worded("null", node);
  switch (node->type()->id()) {
    case types::TypeId::kDate:
    case types::TypeId::kTimestamp:
    case types::TypeId::kTimestampNtz: {
      std::string text = TextOf(node);
      size_t open = text.find('\'');
      return Worded(text.substr(open + 1, text.rfind('\'') - open - 1), node);
    }
    default:
      return nullptr;
  }
}

ExpressionPtr Reworded(const ExpressionPtr& node) {
  if (node->kind() == ExpressionKind::kLiteral) return LiteralText(static_cast<const Literal&>(*node), node);
  if (node->kind() == ExpressionKind::kAttribute) {
    // Parts that were worded are called so already.
    const auto& attribute = static_cast<const AttributeReference&>(*node);
    return Worded(logical::DescribeAttribute(attribute), node);
  }
  if (node->kind() == ExpressionKind::kCast) {
    const char* word =
        static_cast<const expression::Cast&>(*node).mode() == expression::CastMode::kTry ? "try_cast(" : "cast(";
    return Worded(word + TextOf(node->children()[0]) + " as " + ToLowerAscii(node->type()->Sql()) + ")", node);
  }
  if (node->kind() == ExpressionKind::kLogical) {
    const char* word = static_cast<const expression::Logical&>(*node).is_and() ? " AND " : " OR ";
    return Worded("(" + TextOf(node->children()[0]) + word + TextOf(node->children()[1]) + ")", node);
  }
  if (IsCall(node, "isnull") || IsCall(node, "isnotnull")) {
    return Worded(static_cast<const Call&>(*node).name() + "(" + TextOf(node->children()[0]) + ")", node);
  }
  if (IsCall(node, "not")) return Worded("NOT " + TextOf(node->children()[0]), node);
  if (IsCall(node, "in")) return InText(node);
  if (IsCall(node, "like")) return LikeText(node);
  return nullptr;
}

}  // namespace

std::string PredicateText(const ExpressionPtr& condition, const expression::EvalContext& context) {
  ExpressionPtr simplified = optimizer::Simplify(condition, context).ValueOr(condition);
  return TextOf(expression::Transform(simplified, Reworded));
}

}  // namespace millrace::session
