#include "expression/expression.h"

#include <arrow/array.h>
#include <arrow/compare.h>

#include <algorithm>
#include <atomic>

#include "base/error.h"
#include "expression/aggregate.h"
#include "expression/call.h"
#include "expression/generator.h"
#include "expression/node.h"
#include "expression/python/python_udf.h"
#include "expression/vector.h"

namespace millrace::expression {

AttributeId NextAttributeId() {
  static std::atomic<int64_t> next{0};
  return AttributeId(next.fetch_add(1, std::memory_order_relaxed));
}

bool Expression::deterministic() const {
  return std::all_of(children_.begin(), children_.end(), [](const auto& child) { return child->deterministic(); });
}

bool Expression::foldable() const {
  return std::all_of(children_.begin(), children_.end(), [](const auto& child) { return child->foldable(); });
}

bool Expression::can_fail() const {
  return std::any_of(children_.begin(), children_.end(), [](const auto& child) { return child->can_fail(); });
}

arrow::Result<arrow::Datum> Expression::Evaluate(const EvalContext&, const arrow::RecordBatch&) const {
  return InternalError("Cannot evaluate the expression " + Sql());
}

arrow::Result<std::shared_ptr<arrow::Array>> EvaluateToArray(const Expression& expression, const EvalContext& context,
                                                             const arrow::RecordBatch& input) {
  ARROW_ASSIGN_OR_RAISE(arrow::Datum value, expression.Evaluate(context, input));
  return ToArray(value, input.num_rows(), context.memory_pool);
}

arrow::Result<std::shared_ptr<arrow::Scalar>> EvaluateFoldable(const Expression& expression,
                                                               const EvalContext& context) {
  static const std::shared_ptr<arrow::RecordBatch> one_row =
      arrow::RecordBatch::Make(arrow::schema({}), 1, arrow::ArrayVector{});
  ARROW_ASSIGN_OR_RAISE(arrow::Datum value, expression.Evaluate(context, *one_row));
  if (value.is_scalar()) return value.scalar();
  return value.make_array()->GetScalar(0);
}

ExpressionPtr Transform(const ExpressionPtr& root, const std::function<ExpressionPtr(const ExpressionPtr&)>& rewrite) {
  ExpressionVector children;
  bool changed = false;
  children.reserve(root->children().size());
  for (const ExpressionPtr& child : root->children()) {
    children.push_back(Transform(child, rewrite));
    changed = changed || children.back() != child;
  }
  ExpressionPtr node = changed ? root->WithChildren(std::move(children)) : root;
  ExpressionPtr replaced = rewrite(node);
  return replaced == nullptr ? node : replaced;
}

void Visit(const Expression& root, const std::function<bool(const Expression&)>& visit) {
  if (!visit(root)) return;
  for (const ExpressionPtr& child : root.children()) Visit(*child, visit);
}

bool Contains(const Expression& root, ExpressionKind kind) {
  if (root.kind() == kind) return true;
  return std::any_of(root.children().begin(), root.children().end(),
                     [kind](const auto& child) { return Contains(*child, kind); });
}

namespace {

bool SameChildren(const Expression& a, const Expression& b) {
  if (a.children().size() != b.children().size()) return false;
  for (size_t i = 0; i < a.children().size(); ++i) {
    if (!SemanticallyEqual(*a.children()[i], *b.children()[i])) return false;
  }
  return true;
}

// Lambdas are the same when they are after their parameters are given the same names.
bool SameLambda(const LambdaFunction& a, const LambdaFunction& b) {
  if (a.parameters().size() != b.parameters().size()) return false;
  ExpressionPtr body = Transform(b.body(), [&](const ExpressionPtr& node) -> ExpressionPtr {
    if (node->kind() != ExpressionKind::kAttribute) return nullptr;
    const auto& attribute = static_cast<const AttributeReference&>(*node);
    for (size_t i = 0; i < b.parameters().size(); ++i) {
      if (b.parameters()[i]->id() == attribute.id()) return a.parameters()[i];
    }
    return nullptr;
  });
  return SemanticallyEqual(*a.body(), *body);
}

bool SameValue(const arrow::Scalar& a, const arrow::Scalar& b) {
  return a.Equals(b, arrow::EqualOptions::Defaults().nans_equal(true).signed_zeros_equal(false));
}

// Aggregates whose text leaves out that they ignore NULLs.
bool HidesSwitch(std::string_view aggregate) {
  static constexpr std::string_view kNames[] = {"first", "first_value", "any_value", "last", "last_value"};
  return std::find(std::begin(kNames), std::end(kNames), aggregate) != std::end(kNames);
}

bool IsCommutative(const Expression& value) {
  if (value.kind() != ExpressionKind::kCall || value.children().size() != 2) return false;
  static constexpr std::string_view kNames[] = {"+", "*", "=", "<=>", "&", "|", "^"};
  const std::string& name = static_cast<const Call&>(value).name();
  bool same_types = value.children()[0]->type()->EqualsIgnoreNullability(*value.children()[1]->type());
  return same_types && std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

// What the node holds beside its children. What a function's kernel learnt while binding (formats, patterns) shows in
// its text.
bool SameNode(const Expression& a, const Expression& b) {
  switch (a.kind()) {
    case ExpressionKind::kLiteral:
      return SameValue(*static_cast<const Literal&>(a).value(), *static_cast<const Literal&>(b).value());
    case ExpressionKind::kAttribute:
      return static_cast<const AttributeReference&>(a).id() == static_cast<const AttributeReference&>(b).id();
    case ExpressionKind::kBoundReference:
      return static_cast<const BoundReference&>(a).index() == static_cast<const BoundReference&>(b).index();
    case ExpressionKind::kAlias:
      return static_cast<const Alias&>(a).name() == static_cast<const Alias&>(b).name();
    case ExpressionKind::kCall: {
      const auto& left = static_cast<const Call&>(a);
      const auto& right = static_cast<const Call&>(b);
      return &left.info() == &right.info() || (left.name() == right.name() && a.Sql() == b.Sql());
    }
    case ExpressionKind::kCast:
      return static_cast<const Cast&>(a).mode() == static_cast<const Cast&>(b).mode();
    case ExpressionKind::kLogical:
      return static_cast<const Logical&>(a).is_and() == static_cast<const Logical&>(b).is_and();
    case ExpressionKind::kAggregateCall: {
      const auto& left = static_cast<const AggregateCall&>(a);
      const auto& right = static_cast<const AggregateCall&>(b);
      return left.distinct() == right.distinct() && left.num_arguments() == right.num_arguments() &&
             (left.filter() == nullptr) == (right.filter() == nullptr) &&
             (left.function() == right.function() || (left.function()->name() == right.function()->name() &&
                                                      !HidesSwitch(left.function()->name()) && a.Sql() == b.Sql()));
    }
    case ExpressionKind::kHigherOrderCall:
    case ExpressionKind::kGeneratorCall:
    case ExpressionKind::kWindowCall:
      return a.Sql() == b.Sql();
    case ExpressionKind::kPythonUdf:
      return SamePythonCall(static_cast<const PythonUdf&>(a), static_cast<const PythonUdf&>(b));
    case ExpressionKind::kCaseWhen:
    case ExpressionKind::kLambdaFunction:
      return true;
  }
  return false;
}

}  // namespace

bool SemanticallyEqual(const Expression& a, const Expression& b) {
  if (&a == &b) return true;
  if (a.kind() != b.kind() || !a.type()->EqualsIgnoreNullability(*b.type())) return false;
  if (a.kind() == ExpressionKind::kLambdaFunction) {
    return SameLambda(static_cast<const LambdaFunction&>(a), static_cast<const LambdaFunction&>(b));
  }
  if (SameChildren(a, b)) return a.deterministic() && b.deterministic() && SameNode(a, b);
  // a + b is b + a.
  if (!IsCommutative(a) || !IsCommutative(b)) return false;
  return static_cast<const Call&>(a).name() == static_cast<const Call&>(b).name() && a.deterministic() &&
         b.deterministic() && SemanticallyEqual(*a.children()[0], *b.children()[1]) &&
         SemanticallyEqual(*a.children()[1], *b.children()[0]);
}

}  // namespace millrace::expression
