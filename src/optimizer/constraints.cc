#include "optimizer/constraints.h"

#include <algorithm>

#include "expression/aggregate.h"
#include "expression/call.h"
#include "function/bind.h"
#include "logical/node/aggregate.h"
#include "logical/node/filter.h"
#include "logical/node/join.h"
#include "logical/node/project.h"

namespace millrace::optimizer {

namespace {

using expression::AttributeVector;
using expression::Expression;
using logical::JoinType;
using logical::NodeKind;
using logical::Plan;

// Each alias over known columns tells everything once more; plans of hundreds of them say no more than this.
constexpr size_t kMaxConstraints = 500;

bool IsCallOf(const Expression& value, std::string_view name) {
  return value.kind() == ExpressionKind::kCall && static_cast<const expression::Call&>(value).name() == name;
}

bool IsCastOfColumn(const Expression& value) {
  return value.kind() == ExpressionKind::kCast && value.children()[0]->kind() == ExpressionKind::kAttribute;
}

ExpressionPtr Replace(const ExpressionPtr& root, const Expression& from, const ExpressionPtr& to) {
  if (expression::SemanticallyEqual(*root, from)) return to;
  ExpressionVector children;
  bool changed = false;
  for (const ExpressionPtr& child : root->children()) {
    children.push_back(Replace(child, from, to));
    changed = changed || children.back() != child;
  }
  return changed ? root->WithChildren(std::move(children)) : root;
}

void AddReplaced(const Constraints& known, const ExpressionPtr& equality, const ExpressionPtr& from,
                 const ExpressionPtr& to, Constraints* out) {
  for (const ExpressionPtr& predicate : known.all()) {
    if (predicate == equality || IsCallOf(*predicate, "isnotnull")) continue;
    bool of_the_same = IsCallOf(*predicate, "<=>") &&
                       expression::SemanticallyEqual(*predicate->WithChildren(equality->children()), *predicate);
    if (of_the_same) continue;
    ExpressionPtr replaced = Replace(predicate, *from, to);
    if (replaced != predicate && !known.Has(*replaced)) out->Add(replaced);
  }
}

bool IsFieldOfColumn(const Expression& value) {
  if (value.kind() == ExpressionKind::kAttribute) return true;
  return IsCallOf(value, "getstructfield") && IsFieldOfColumn(*value.children()[0]);
}

// The columns, and fields of columns, without which `value` is NULL.
void AddColumns(const ExpressionPtr& value, Constraints* columns) {
  if (IsFieldOfColumn(*value)) {
    columns->Add(value);
  } else if (IsNullIntolerant(*value)) {
    for (const ExpressionPtr& child : value->children()) AddColumns(child, columns);
  }
}

// The values of a projection's items, by the columns they make.
arrow::Status AddItems(const ExpressionVector& items, const EvalContext& context, Constraints* known) {
  for (const ExpressionPtr& item : items) {
    if (item->kind() != ExpressionKind::kAlias) continue;
    const auto& alias = static_cast<const expression::Alias&>(*item);
    const ExpressionPtr& value = alias.child();
    if (!value->deterministic() || expression::Contains(*value, ExpressionKind::kAggregateCall) ||
        expression::Contains(*value, ExpressionKind::kWindowCall) ||
        expression::Contains(*value, ExpressionKind::kPythonUdf)) {
      continue;
    }
    ExpressionPtr column = alias.ToAttribute();
    // Of a literal it tells no more than what the column is: the same literal elsewhere is another matter.
    if (value->kind() != ExpressionKind::kLiteral) {
      Constraints renamed;
      for (const ExpressionPtr& predicate : known->all()) renamed.Add(Replace(predicate, *value, column));
      known->AddAll(renamed);
    }
    auto same = function::BindCall("<=>", {value, column}, context);
    // Values of some types cannot be compared.
    if (same.ok()) known->Add(*same);
  }
  return arrow::Status::OK();
}

using ByColumn = std::map<AttributeId, ExpressionVector>;

ByColumn OthersByColumn(const Constraints& known, const Constraints& common) {
  ByColumn others;
  for (const ExpressionPtr& predicate : known.all()) {
    auto columns = expression::References(*predicate);
    std::set<AttributeId> distinct(columns.begin(), columns.end());
    if (distinct.size() == 1 && !common.Has(*predicate)) others[*distinct.begin()].push_back(predicate);
  }
  return others;
}

// What holds for the rows of either: what both say, and of each column the one or the other.
Constraints EitherOf(const Constraints& a, const Constraints& b) {
  Constraints common;
  for (const ExpressionPtr& predicate : a.all()) {
    if (b.Has(*predicate)) common.Add(predicate);
  }
  Constraints either = common;
  ByColumn of_b = OthersByColumn(b, common);
  for (const auto& [column, predicates] : OthersByColumn(a, common)) {
    auto it = of_b.find(column);
    if (it == of_b.end()) continue;
    either.Add(std::make_shared<expression::Logical>(/*is_and=*/false, logical::JoinConjuncts(predicates),
                                                     logical::JoinConjuncts(it->second)));
  }
  return either;
}

arrow::Result<Constraints> OfUnion(const Plan& plan, const EvalContext& context) {
  Constraints known;
  for (size_t i = 0; i < plan.children().size(); ++i) {
    const Plan& child = *plan.children()[i];
    Substitution columns;
    for (size_t c = 0; c < child.output().size(); ++c) columns[child.output()[c]->id()] = plan.output()[c];
    ARROW_ASSIGN_OR_RAISE(Constraints below, ConstraintsOf(child, context));
    Constraints here;
    for (const ExpressionPtr& predicate : below.all()) here.Add(Substitute(predicate, columns));
    known = i == 0 ? std::move(here) : EitherOf(known, here);
  }
  return known;
}

arrow::Result<Constraints> OfJoin(const logical::Join& join, const EvalContext& context) {
  JoinType type = join.type();
  Constraints known;
  if (type == JoinType::kFullOuter) return known;
  if (type != JoinType::kRightOuter) {
    ARROW_ASSIGN_OR_RAISE(known, ConstraintsOf(*join.left(), context));
  }
  bool inner = type == JoinType::kInner || type == JoinType::kCross;
  if (inner || type == JoinType::kRightOuter) {
    ARROW_ASSIGN_OR_RAISE(Constraints right, ConstraintsOf(*join.right(), context));
    known.AddAll(right);
  }
  if (inner || type == JoinType::kLeftSemi) {
    for (const ExpressionPtr& conjunct : logical::SplitConjuncts(join.condition())) known.Add(conjunct);
  }
  return known;
}

arrow::Result<Constraints> Valid(const Plan& plan, const EvalContext& context) {
  Constraints known;
  switch (plan.kind()) {
    case NodeKind::kJoin:
      return OfJoin(static_cast<const logical::Join&>(plan), context);
    case NodeKind::kUnion:
      return OfUnion(plan, context);
    case NodeKind::kExpand:
      return known;
    default:
      break;
  }
  if (plan.children().size() != 1) return known;
  ARROW_ASSIGN_OR_RAISE(known, ConstraintsOf(*plan.child(), context));
  if (plan.kind() == NodeKind::kFilter) {
    const auto& filter = static_cast<const logical::Filter&>(plan);
    for (const ExpressionPtr& conjunct : logical::SplitConjuncts(filter.condition())) known.Add(conjunct);
  } else if (plan.kind() == NodeKind::kProject) {
    ARROW_RETURN_NOT_OK(AddItems(static_cast<const logical::Project&>(plan).items(), context, &known));
  } else if (plan.kind() == NodeKind::kAggregate) {
    ARROW_RETURN_NOT_OK(AddItems(static_cast<const logical::Aggregate&>(plan).items(), context, &known));
  }
  return known;
}

}  // namespace

void Constraints::Add(const ExpressionPtr& predicate) {
  if (predicates_.size() >= kMaxConstraints || !predicate->deterministic() || Has(*predicate)) return;
  predicates_.push_back(predicate);
}

void Constraints::AddAll(const Constraints& other) {
  for (const ExpressionPtr& predicate : other.all()) Add(predicate);
}

bool Constraints::Has(const Expression& predicate) const {
  return std::any_of(predicates_.begin(), predicates_.end(),
                     [&](const ExpressionPtr& one) { return expression::SemanticallyEqual(*one, predicate); });
}

void AddInferred(const Constraints& known, Constraints* out) {
  for (const ExpressionPtr& equality : known.all()) {
    if (!IsCallOf(*equality, "=")) continue;
    const ExpressionPtr& left = equality->children()[0];
    const ExpressionPtr& right = equality->children()[1];
    bool left_is_column = left->kind() == ExpressionKind::kAttribute;
    bool right_is_column = right->kind() == ExpressionKind::kAttribute;
    if (left_is_column && (right_is_column || IsCastOfColumn(*right))) {
      AddReplaced(known, equality, left, right, out);
    }
    if (right_is_column && (left_is_column || IsCastOfColumn(*left))) {
      AddReplaced(known, equality, right, left, out);
    }
  }
}

arrow::Status AddNotNull(const Constraints& known, const AttributeVector& output, const EvalContext& context,
                         Constraints* out) {
  Constraints columns;
  for (const ExpressionPtr& predicate : known.all()) {
    AddColumns(IsCallOf(*predicate, "isnotnull") ? predicate->children()[0] : predicate, &columns);
  }
  Substitution own;
  for (const auto& column : output) own[column->id()] = column;
  std::set<AttributeId> ids = IdsOf(output);
  for (const ExpressionPtr& one : columns.all()) {
    if (!ReadsOnly(one, ids)) continue;
    // Whether it can be NULL is said by the output.
    ExpressionPtr column = Substitute(one, own);
    if (!column->nullable()) continue;
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr is_known, function::BindCall("isnotnull", {column}, context));
    out->Add(is_known);
  }
  return arrow::Status::OK();
}

arrow::Result<Constraints> ConstraintsOf(const Plan& plan, const EvalContext& context) {
  ARROW_ASSIGN_OR_RAISE(Constraints valid, Valid(plan, context));
  Constraints all = valid;
  AddInferred(valid, &all);
  ARROW_RETURN_NOT_OK(AddNotNull(valid, plan.output(), context, &all));
  std::set<AttributeId> own = IdsOf(plan.output());
  Constraints shown;
  for (const ExpressionPtr& predicate : all.all()) {
    if (!expression::References(*predicate).empty() && ReadsOnly(predicate, own)) shown.Add(predicate);
  }
  return shown;
}

}  // namespace millrace::optimizer
