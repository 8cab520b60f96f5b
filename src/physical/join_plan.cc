#include "physical/join_plan.h"

#include "expression/call.h"
#include "logical/node/limit.h"
#include "logical/node/local_relation.h"
#include "logical/node/range.h"
#include "physical/operator/hash_join.h"
#include "physical/operator/key_sort.h"
#include "types/arrow_type.h"

namespace millrace::physical {

using expression::Call;
using expression::ExpressionKind;
using expression::ExpressionPtr;
using expression::ExpressionVector;
using logical::JoinType;
using logical::NodeKind;

namespace {

std::set<expression::AttributeId> IdsOf(const AttributeVector& columns) {
  std::set<expression::AttributeId> ids;
  for (const auto& column : columns) ids.insert(column->id());
  return ids;
}

bool ReadsOnly(const ExpressionPtr& expression, const std::set<expression::AttributeId>& columns) {
  std::vector<expression::AttributeId> references = expression::References(*expression);
  return !references.empty() && std::all_of(references.begin(), references.end(),
                                            [&](expression::AttributeId id) { return columns.count(id) > 0; });
}

bool IsEquality(const ExpressionPtr& expression) {
  if (expression->kind() != ExpressionKind::kCall || expression->children().size() != 2) return false;
  const std::string& name = static_cast<const Call&>(*expression).name();
  return (name == "=" || name == "<=>") && expression->deterministic();
}

}  // namespace

JoinCondition SplitJoinCondition(const logical::Join& join) {
  JoinCondition split;
  std::set<expression::AttributeId> left = IdsOf(join.left()->output());
  std::set<expression::AttributeId> right = IdsOf(join.right()->output());
  ExpressionVector residual;
  for (const ExpressionPtr& conjunct : logical::SplitConjuncts(join.condition())) {
    if (IsEquality(conjunct)) {
      const ExpressionPtr& a = conjunct->children()[0];
      const ExpressionPtr& b = conjunct->children()[1];
      bool straight = ReadsOnly(a, left) && ReadsOnly(b, right);
      if (straight || (ReadsOnly(a, right) && ReadsOnly(b, left))) {
        split.left_keys.push_back(straight ? a : b);
        split.right_keys.push_back(straight ? b : a);
        split.null_safe.push_back(static_cast<const Call&>(*conjunct).name() == "<=>");
        continue;
      }
    }
    residual.push_back(conjunct);
  }
  split.residual = logical::JoinConjuncts(residual);
  return split;
}

namespace {

constexpr double kManyRows = 1e7;

// A guess at the number of rows, good enough to tell a small side from a large one.
double EstimateRows(const logical::Plan& node) {
  switch (node.kind()) {
    case NodeKind::kLocalRelation: {
      const auto& relation = static_cast<const logical::LocalRelation&>(node);
      if (!relation.all_held()) return kManyRows;
      double rows = 0;
      for (const auto& partition : *relation.partitions()) {
        for (const auto& batch : partition) rows += static_cast<double>(batch->num_rows());
      }
      return rows;
    }
    case NodeKind::kRange: {
      const auto& range = static_cast<const logical::Range&>(node);
      double distance = static_cast<double>(range.end()) - static_cast<double>(range.start());
      return std::max(0.0, distance / static_cast<double>(range.step()));
    }
    case NodeKind::kSourceScan:
      return node.is_streaming() ? 1e12 : kManyRows;
    case NodeKind::kFilter:
      return EstimateRows(*node.child()) * 0.5;
    case NodeKind::kAggregate:
      return node.expressions().empty() ? 1 : EstimateRows(*node.child()) * 0.2;
    case NodeKind::kGenerate:
      return EstimateRows(*node.child()) * 4;
    case NodeKind::kLimit: {
      double rows = EstimateRows(*node.child());
      const auto& limit = static_cast<const logical::Limit&>(node).limit();
      return limit.has_value() ? std::min(rows, static_cast<double>(*limit)) : rows;
    }
    default: {
      double rows = 0;
      for (const logical::PlanPtr& child : node.children()) rows += EstimateRows(*child);
      return rows;
    }
  }
}

// Rows of which Spark's planner knows no size.
bool IsUnsized(const logical::Plan& node) {
  if (node.kind() == NodeKind::kLocalRelation) return static_cast<const logical::LocalRelation&>(node).unsized();
  if (node.kind() == NodeKind::kLimit) return false;
  return std::any_of(node.children().begin(), node.children().end(),
                     [](const logical::PlanPtr& child) { return IsUnsized(*child); });
}

// Whether Spark joins sorted rows: no side that it could broadcast is known to be small.
// Source: Spark, JoinSelection.
bool JoinsBySorting(const logical::Join& join, const JoinCondition& condition) {
  if (condition.left_keys.empty() || join.is_streaming()) return false;
  switch (join.type()) {
    case JoinType::kRightOuter:
      return IsUnsized(*join.left());
    case JoinType::kLeftOuter:
    case JoinType::kLeftSemi:
    case JoinType::kLeftAnti:
      return IsUnsized(*join.right());
    default:
      return IsUnsized(*join.left()) && IsUnsized(*join.right());
  }
}

bool ProbesLeft(const logical::Join& join, bool by_sorting) {
  switch (join.type()) {
    case JoinType::kRightOuter:
      return false;
    case JoinType::kInner:
    case JoinType::kCross:
      return by_sorting || EstimateRows(*join.left()) >= EstimateRows(*join.right());
    default:
      return true;
  }
}

HashJoin::Kind KindOf(JoinType type) {
  switch (type) {
    case JoinType::kInner:
    case JoinType::kCross:
      return HashJoin::Kind::kInner;
    case JoinType::kLeftOuter:
    case JoinType::kRightOuter:
      return HashJoin::Kind::kProbeOuter;
    case JoinType::kFullOuter:
      return HashJoin::Kind::kFullOuter;
    case JoinType::kLeftSemi:
      return HashJoin::Kind::kSemi;
    case JoinType::kLeftAnti:
      return HashJoin::Kind::kAnti;
  }
  return HashJoin::Kind::kInner;
}

// Where the columns of `wanted` stand: `left_first` are the children's outputs.
std::vector<HashJoin::Column> Locate(const AttributeVector& wanted, const AttributeVector& left,
                                     const AttributeVector& right, bool probe_is_left) {
  std::vector<HashJoin::Column> columns;
  for (const auto& column : wanted) {
    auto same = [&](const auto& candidate) { return candidate->id() == column->id(); };
    auto in_left = std::find_if(left.begin(), left.end(), same);
    if (in_left != left.end()) {
      columns.push_back({probe_is_left, static_cast<int>(in_left - left.begin())});
      continue;
    }
    auto in_right = std::find_if(right.begin(), right.end(), same);
    columns.push_back({!probe_is_left, static_cast<int>(in_right - right.begin())});
  }
  return columns;
}

std::string Describe(const logical::Join& join, const JoinCondition& condition, bool probe_is_left) {
  const char* build = probe_is_left ? "BuildRight" : "BuildLeft";
  std::string residual = condition.residual == nullptr ? "" : ", " + logical::DescribeExpression(condition.residual);
  if (condition.left_keys.empty()) {
    return fmt::format("BroadcastNestedLoopJoin {}, {}{}", build, logical::JoinTypeName(join.type()), residual);
  }
  return fmt::format(
      "BroadcastHashJoin {}, {}, {}, {}{}, false, false", logical::DescribeExpressions(condition.left_keys),
      logical::DescribeExpressions(condition.right_keys), logical::JoinTypeName(join.type()), build, residual);
}

}  // namespace

arrow::Result<OperatorPtr> MakeHashJoin(const logical::Join& join, const JoinCondition& condition,
                                        const RequiredColumns& required, OperatorPtr left, OperatorPtr right) {
  HashJoin::Spec spec;
  spec.kind = KindOf(join.type());
  bool by_sorting = JoinsBySorting(join, condition);
  spec.probe_is_left = ProbesLeft(join, by_sorting);
  // The rows of the probe side in Spark's order are all of it: their matches come with them. A full outer join has the
  // others too, so its rows are sorted when they are complete.
  if (by_sorting && join.type() != JoinType::kFullOuter) {
    OperatorPtr& probe = spec.probe_is_left ? left : right;
    const ExpressionVector& keys = spec.probe_is_left ? condition.left_keys : condition.right_keys;
    ARROW_ASSIGN_OR_RAISE(probe, KeySort::Make({keys}, std::move(probe)));
  }
  spec.null_safe = condition.null_safe;
  ARROW_ASSIGN_OR_RAISE(ExpressionSet left_keys, ExpressionSet::Bind(condition.left_keys, left->output()));
  ARROW_ASSIGN_OR_RAISE(ExpressionSet right_keys, ExpressionSet::Bind(condition.right_keys, right->output()));
  spec.probe_keys = spec.probe_is_left ? left_keys : right_keys;
  spec.build_keys = spec.probe_is_left ? right_keys : left_keys;
  for (const ExpressionPtr& key : condition.left_keys) spec.key_types.push_back(types::ToArrow(*key->type()));

  if (condition.residual != nullptr) {
    std::set<expression::AttributeId> read;
    AddReferences({condition.residual}, &read);
    AttributeVector columns;
    arrow::FieldVector fields;
    for (const AttributeVector* side : {&left->output(), &right->output()}) {
      for (const auto& column : *side) {
        if (read.count(column->id()) == 0) continue;
        columns.push_back(column);
        fields.push_back(types::ToArrow(column->ToField()));
      }
    }
    ARROW_ASSIGN_OR_RAISE(spec.residual, ExpressionSet::Bind({condition.residual}, columns));
    spec.residual_columns = Locate(columns, left->output(), right->output(), spec.probe_is_left);
    spec.residual_schema = arrow::schema(std::move(fields));
  }

  AttributeVector output;
  RequiredColumns shown = required;
  if (shown.has_value() && by_sorting && join.type() == JoinType::kFullOuter) {
    AddReferences(condition.left_keys, &*shown);
    AddReferences(condition.right_keys, &*shown);
  }
  for (const auto& column : join.output()) {
    if (!shown.has_value() || shown->count(column->id()) > 0) output.push_back(column);
  }
  spec.output_columns = Locate(output, left->output(), right->output(), spec.probe_is_left);
  spec.text = Describe(join, condition, spec.probe_is_left);
  OperatorPtr joined =
      std::make_shared<HashJoin>(std::move(spec), std::move(output), std::move(left), std::move(right));
  if (!by_sorting || join.type() != JoinType::kFullOuter) return joined;
  return KeySort::Make({condition.left_keys, condition.right_keys}, std::move(joined));
}

}  // namespace millrace::physical
