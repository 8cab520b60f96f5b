#include "base/ascii.h"
#include "expression/call.h"
#include "format/predicate.h"
#include "function/extract_value.h"
#include "logical/node/filter.h"
#include "logical/node/source_scan.h"
#include "optimizer/rule.h"

namespace millrace::optimizer {

namespace {

using expression::Call;
using expression::Expression;
using format::Predicate;
using format::PredicatePtr;
using format::PredicateValue;

/// Says in a source's words what a filter over it asks for; what has no such words is left to the filter.
class PredicateBuilder {
 public:
  explicit PredicateBuilder(const logical::SourceScan& scan) {
    for (size_t i = 0; i < scan.output().size(); ++i) {
      size_t field = static_cast<size_t>(scan.columns().indices[i]);
      if (field >= scan.request()->schema->fields().size()) continue;  // a source's hidden column
      names_[scan.output()[i]->id()] = scan.request()->schema->fields()[field].name;
    }
  }

  /// Null where there are no words for it. `negated`: the node stands below an odd number of NOTs.
  PredicatePtr Build(const Expression& node, bool negated = false) const {
    switch (node.kind()) {
      case ExpressionKind::kLogical:
        return BuildLogical(static_cast<const expression::Logical&>(node), negated);
      case ExpressionKind::kCall:
        return BuildCall(static_cast<const Call&>(node), negated);
      default:
        return nullptr;
    }
  }

  /// What readers of texts judge and bounds of values do not say: endswith, contains, LIKE with % only at its ends.
  bool IsTextSearch(const Expression& node) const {
    if (node.kind() != ExpressionKind::kCall || node.children().size() != 2) return false;
    const std::string& name = static_cast<const Call&>(node).name();
    bool is_like = name == "like";
    if (!is_like && !EqualsIgnoreCase(name, "endswith") && !EqualsIgnoreCase(name, "contains")) return false;
    auto value = ValueOf(*node.children()[1]);
    if (!ColumnOf(*node.children()[0]) || !value) return false;
    const auto* text = std::get_if<std::string>(&value->value());
    if (text == nullptr || !is_like) return text != nullptr;
    std::string_view inner = *text;
    if (inner.starts_with('%')) inner.remove_prefix(1);
    if (inner.ends_with('%')) inner.remove_suffix(1);
    return inner.find_first_of("%_\\") == std::string_view::npos;
  }

 private:
  PredicatePtr BuildLogical(const expression::Logical& node, bool negated) const {
    PredicatePtr left = Build(*node.children()[0], negated);
    PredicatePtr right = Build(*node.children()[1], negated);
    if (left != nullptr && right != nullptr) {
      return node.is_and() ? Predicate::And({left, right}) : Predicate::Or({left, right});
    }
    // Half of a conjunction is a weaker condition; below NOT it would be a stronger one, so it is not used there.
    return node.is_and() && !negated ? (left != nullptr ? left : right) : nullptr;
  }

  PredicatePtr BuildCall(const Call& call, bool negated) const {
    const auto& arguments = call.children();
    const std::string& name = call.name();
    if (EqualsIgnoreCase(name, "not")) {
      PredicatePtr child = Build(*arguments[0], !negated);
      return child == nullptr ? nullptr : Predicate::Not(std::move(child));
    }
    if (name == "isnull" || name == "isnotnull") {
      auto column = ColumnOf(*arguments[0]);
      if (!column) return nullptr;
      auto is_null = Predicate::Compare(Predicate::Op::kIsNull, std::move(column->name), column->type, {});
      return name == "isnull" ? is_null : Predicate::Not(std::move(is_null));
    }
    if (name == "in") return BuildIn(call);
    if (EqualsIgnoreCase(name, "startswith"))
      return BuildComparison(Predicate::Op::kStartsWith, *arguments[0], *arguments[1]);
    if (arguments.size() != 2) return nullptr;
    struct Comparison {
      std::string_view name;
      Predicate::Op op;
      Predicate::Op turned;
    };
    using enum Predicate::Op;
    static constexpr Comparison kComparisons[] = {
        {"=", kEqual, kEqual},
        {"<", kLess, kGreater},
        {"<=", kLessOrEqual, kGreaterOrEqual},
        {">", kGreater, kLess},
        {">=", kGreaterOrEqual, kLessOrEqual},
    };
    for (const Comparison& comparison : kComparisons) {
      if (comparison.name != name) continue;
      PredicatePtr built = BuildComparison(comparison.op, *arguments[0], *arguments[1]);
      return built != nullptr ? built : BuildComparison(comparison.turned, *arguments[1], *arguments[0]);
    }
    return nullptr;
  }

  PredicatePtr BuildComparison(Predicate::Op op, const Expression& column, const Expression& literal) const {
    auto found = ColumnOf(column);
    if (!found) return nullptr;
    auto value = ValueOf(literal);
    if (!value) return nullptr;
    return Predicate::Compare(op, std::move(found->name), found->type, {std::move(*value)});
  }

  PredicatePtr BuildIn(const Call& call) const {
    auto found = ColumnOf(*call.children()[0]);
    if (!found) return nullptr;
    std::vector<PredicateValue> values;
    for (size_t i = 1; i < call.children().size(); ++i) {
      auto value = ValueOf(*call.children()[i]);
      // NULL among the values makes the answer NULL, not true; but below NOT it must not be forgotten.
      if (!value) return nullptr;
      values.push_back(std::move(*value));
    }
    return Predicate::Compare(Predicate::Op::kIn, std::move(found->name), found->type, std::move(values));
  }

  struct Column {
    std::vector<std::string> name;
    types::DataTypePtr type;
  };
  std::optional<Column> ColumnOf(const Expression& node) const {
    if (node.kind() == ExpressionKind::kAttribute) {
      auto it = names_.find(static_cast<const expression::AttributeReference&>(node).id());
      if (it == names_.end()) return std::nullopt;
      return Column{{it->second}, node.type()};
    }
    // Whole numbers compare alike whatever their width.
    if (node.kind() == ExpressionKind::kCast && node.type()->is_integral()) {
      const Expression& child = *node.children()[0];
      if (child.type()->is_integral() && child.type()->id() <= node.type()->id()) return ColumnOf(child);
      return std::nullopt;
    }
    std::optional<int> ordinal = function::StructFieldOrdinal(node);
    if (!ordinal) return std::nullopt;
    const Expression& parent = *node.children()[0];
    std::optional<Column> column = ColumnOf(parent);
    if (!column || parent.type()->id() != types::TypeId::kStruct) return std::nullopt;
    column->name.push_back(parent.type()->fields()[static_cast<size_t>(*ordinal)].name);
    column->type = node.type();
    return column;
  }

  static std::optional<PredicateValue> ValueOf(const Expression& node) {
    if (node.kind() != ExpressionKind::kLiteral) return std::nullopt;
    return PredicateValue::From(*static_cast<const expression::Literal&>(node).value());
  }

  std::map<AttributeId, std::string> names_;
};

}  // namespace

arrow::Result<PlanPtr> PushFilterIntoScan(const PlanPtr& plan, const EvalContext&) {
  return logical::TransformUp(plan, [](const PlanPtr& node) -> PlanPtr {
    if (node->kind() != logical::NodeKind::kFilter) return nullptr;
    const auto& filter = static_cast<const logical::Filter&>(*node);
    if (filter.child()->kind() != logical::NodeKind::kSourceScan) return nullptr;
    const auto& scan = static_cast<const logical::SourceScan&>(*filter.child());
    if (scan.columns().filter != nullptr || scan.request()->schema == nullptr) return nullptr;
    PredicateBuilder builder(scan);
    std::vector<PredicatePtr> conjuncts;
    bool whole = true;
    for (const ExpressionPtr& conjunct : logical::SplitConjuncts(filter.condition())) {
      PredicatePtr predicate = conjunct->deterministic() ? builder.Build(*conjunct) : nullptr;
      whole = whole &&
              (predicate != nullptr || conjunct->kind() == ExpressionKind::kLiteral || builder.IsTextSearch(*conjunct));
      if (!conjunct->deterministic()) break;
      if (predicate != nullptr) conjuncts.push_back(std::move(predicate));
    }
    if (conjuncts.empty() && !whole) return nullptr;
    PredicatePtr pushed = conjuncts.empty() ? nullptr : Predicate::And(std::move(conjuncts));
    return std::make_shared<logical::Filter>(filter.condition(), scan.WithFilter(std::move(pushed), whole));
  });
}

}  // namespace millrace::optimizer
