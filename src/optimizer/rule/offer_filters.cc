#include <arrow/builder.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "expression/call.h"
#include "expression/node.h"
#include "function/extract_value.h"
#include "logical/node/filter.h"
#include "logical/node/source_scan.h"
#include "optimizer/rule.h"
#include "types/arrow_type.h"

namespace millrace::optimizer {

namespace {

using connector::SourceFilter;
using expression::Call;
using expression::Expression;
using expression::Literal;

struct Comparison {
  std::string_view function;
  std::string_view filter;
  /// With its sides exchanged, and below NOT; empty: there is no such.
  std::string_view turned;
  std::string_view opposite;
};
constexpr std::array kComparisons = {
    Comparison{"=", "EqualTo", "EqualTo", ""},
    Comparison{"<=>", "EqualNullSafe", "EqualNullSafe", ""},
    Comparison{"<", "LessThan", "GreaterThan", "GreaterThanOrEqual"},
    Comparison{"<=", "LessThanOrEqual", "GreaterThanOrEqual", "GreaterThan"},
    Comparison{">", "GreaterThan", "LessThan", "LessThanOrEqual"},
    Comparison{">=", "GreaterThanOrEqual", "LessThanOrEqual", "LessThan"},
    Comparison{"startswith", "StringStartsWith", "", ""},
    Comparison{"endswith", "StringEndsWith", "", ""},
    Comparison{"contains", "StringContains", "", ""},
};

/// Says in Spark's words (its sources.Filter) what a source may apply itself.
/// Source: Spark, DataSourceStrategy.translateFilter.
class FilterTranslator {
 public:
  explicit FilterTranslator(const logical::SourceScan& scan) {
    for (size_t i = 0; i < scan.output().size(); ++i) {
      const auto& fields = scan.request()->schema->fields();
      auto field = static_cast<size_t>(scan.columns().indices[i]);
      if (field < fields.size()) names_[scan.output()[i]->id()] = fields[field].name;
    }
  }

  std::optional<SourceFilter> Translate(const ExpressionPtr& node, bool negated = false) const {
    if (node->type()->id() == types::TypeId::kBoolean) {
      if (auto column = ColumnOf(*node)) {
        return SourceFilter{"EqualTo", std::move(*column), types::Boolean(), arrow::MakeScalar(true), negated};
      }
    }
    if (node->kind() != ExpressionKind::kCall) return std::nullopt;
    const auto& call = static_cast<const Call&>(*node);
    const ExpressionVector& arguments = call.children();
    if (EqualsIgnoreCase(call.name(), "not")) return Translate(arguments[0], !negated);
    if (call.name() == "!=") return Compare(kComparisons[0], arguments, !negated);
    if (call.name() == "isnull" || call.name() == "isnotnull") {
      auto column = ColumnOf(*arguments[0]);
      if (!column) return std::nullopt;
      bool null = (call.name() == "isnull") != negated;
      return SourceFilter{null ? "IsNull" : "IsNotNull", std::move(*column), nullptr, nullptr, false};
    }
    if (call.name() == "in") return In(arguments, negated);
    if (call.name() == "like" && arguments.size() == 2) return Like(arguments, negated);
    for (const Comparison& comparison : kComparisons) {
      if (EqualsIgnoreCase(call.name(), comparison.function)) return Compare(comparison, arguments, negated);
    }
    return std::nullopt;
  }

  /// The columns that cannot be NULL where `node` is true.
  void AddNotNull(const ExpressionPtr& node, std::vector<std::vector<std::string>>* columns) const {
    if (auto column = ColumnOf(*node)) {
      if (std::find(columns->begin(), columns->end(), *column) == columns->end()) columns->push_back(*column);
      return;
    }
    if (!IsNullIntolerant(*node)) return;
    for (const ExpressionPtr& child : node->children()) AddNotNull(child, columns);
  }

 private:
  std::optional<SourceFilter> Compare(const Comparison& comparison, const ExpressionVector& sides, bool negated) const {
    if (sides.size() != 2) return std::nullopt;
    bool turned = !ColumnOf(*sides[0]);
    if (turned && comparison.turned.empty()) return std::nullopt;
    const ExpressionPtr& column = sides[turned ? 1 : 0];
    auto name = ColumnOf(*column);
    auto value = name ? ValueOf(*sides[turned ? 0 : 1], *column->type()) : std::nullopt;
    if (!value) return std::nullopt;
    std::string_view filter = turned ? comparison.turned : comparison.filter;
    if (negated && !comparison.opposite.empty()) {
      // NOT (a < b) is a >= b.
      filter = std::find_if(kComparisons.begin(), kComparisons.end(), [&](const Comparison& other) {
                 return other.filter == filter;
               })->opposite;
      negated = false;
    }
    return SourceFilter{filter, std::move(*name), column->type(), std::move(*value), negated};
  }

  std::optional<SourceFilter> In(const ExpressionVector& arguments, bool negated) const {
    auto name = ColumnOf(*arguments[0]);
    if (!name) return std::nullopt;
    const types::DataTypePtr& type = arguments[0]->type();
    auto builder = arrow::MakeBuilder(types::ToArrow(*type));
    if (!builder.ok()) return std::nullopt;
    for (size_t i = 1; i < arguments.size(); ++i) {
      auto value = ValueOf(*arguments[i], *type);
      if (!value || !(*builder)->AppendScalar(**value).ok()) return std::nullopt;
    }
    auto values = (*builder)->Finish();
    if (!values.ok()) return std::nullopt;
    if (arguments.size() == 2) {
      return SourceFilter{"EqualTo", std::move(*name), type, (*values)->GetScalar(0).ValueOrDie(), negated};
    }
    types::DataTypePtr list = types::Array(type);
    auto scalar = std::make_shared<arrow::ListScalar>(*std::move(values), types::ToArrow(*list));
    return SourceFilter{"In", std::move(*name), std::move(list), std::move(scalar), negated};
  }

  // Patterns that only say how a text begins, ends or what it has in it.
  std::optional<SourceFilter> Like(const ExpressionVector& arguments, bool negated) const {
    auto name = ColumnOf(*arguments[0]);
    if (!name || arguments[1]->kind() != ExpressionKind::kLiteral) return std::nullopt;
    const auto& value = *static_cast<const Literal&>(*arguments[1]).value();
    if (!value.is_valid || value.type->id() != arrow::Type::STRING) return std::nullopt;
    std::string pattern = static_cast<const arrow::StringScalar&>(value).value->ToString();
    bool open_start = pattern.starts_with('%'), open_end = pattern.size() > 1 && pattern.ends_with('%');
    std::string text = pattern.substr(open_start ? 1 : 0);
    if (open_end) text.pop_back();
    if (text.empty() || text.find_first_of("%_\\") != std::string::npos) return std::nullopt;
    std::string_view filter = open_start && open_end ? "StringContains"
                              : open_start           ? "StringEndsWith"
                              : open_end             ? "StringStartsWith"
                                                     : "EqualTo";
    return SourceFilter{filter, std::move(*name), types::String(), std::make_shared<arrow::StringScalar>(text),
                        negated};
  }

  std::optional<std::vector<std::string>> ColumnOf(const Expression& node) const {
    if (node.kind() == ExpressionKind::kAttribute) {
      auto it = names_.find(static_cast<const expression::AttributeReference&>(node).id());
      if (it == names_.end()) return std::nullopt;
      return std::vector<std::string>{it->second};
    }
    std::optional<int> ordinal = function::StructFieldOrdinal(node);
    if (!ordinal) return std::nullopt;
    const Expression& parent = *node.children()[0];
    auto column = ColumnOf(parent);
    if (!column || parent.type()->id() != types::TypeId::kStruct) return std::nullopt;
    column->push_back(parent.type()->fields()[static_cast<size_t>(*ordinal)].name);
    return column;
  }

  std::optional<std::shared_ptr<arrow::Scalar>> ValueOf(const Expression& node, const types::DataType& type) const {
    if (node.kind() != ExpressionKind::kLiteral || !node.type()->EqualsIgnoreNullability(type)) return std::nullopt;
    const auto& value = static_cast<const Literal&>(node).value();
    return value->is_valid ? std::optional(value) : std::nullopt;
  }

  std::map<AttributeId, std::string> names_;
};

arrow::Result<PlanPtr> Offer(const logical::Filter& filter, const logical::SourceScan& scan) {
  FilterTranslator translator(scan);
  ExpressionVector conjuncts = logical::SplitConjuncts(filter.condition());
  std::vector<std::vector<std::string>> not_null;
  for (const ExpressionPtr& conjunct : conjuncts) translator.AddNotNull(conjunct, &not_null);
  std::vector<SourceFilter> offered;
  for (auto& column : not_null) offered.push_back({"IsNotNull", std::move(column), nullptr, nullptr, false});
  size_t num_inferred = offered.size();
  std::vector<size_t> places;
  for (size_t i = 0; i < conjuncts.size(); ++i) {
    if (!conjuncts[i]->deterministic()) break;
    if (auto translated = translator.Translate(conjuncts[i])) {
      places.push_back(i);
      offered.push_back(std::move(*translated));
    }
  }
  if (offered.empty()) return nullptr;
  ARROW_ASSIGN_OR_RAISE(auto taken, scan.def().push_filters(*scan.request(), offered));
  if (!taken) return nullptr;
  std::vector<bool> applied(conjuncts.size());
  for (size_t index : taken->applied) {
    if (index >= num_inferred) applied[places[index - num_inferred]] = true;
  }
  ExpressionVector left;
  for (size_t i = 0; i < conjuncts.size(); ++i) {
    if (!applied[i]) left.push_back(conjuncts[i]);
  }
  PlanPtr read = scan.WithRequest(taken->request);
  if (left.empty()) return read;
  return std::make_shared<logical::Filter>(logical::JoinConjuncts(left), std::move(read));
}

}  // namespace

arrow::Result<PlanPtr> OfferFilters(const PlanPtr& plan, const EvalContext&) {
  arrow::Status status;
  PlanPtr result = logical::TransformUp(plan, [&](const PlanPtr& node) -> PlanPtr {
    if (!status.ok() || node->kind() != logical::NodeKind::kFilter) return nullptr;
    const auto& filter = static_cast<const logical::Filter&>(*node);
    if (filter.child()->kind() != logical::NodeKind::kSourceScan) return nullptr;
    const auto& scan = static_cast<const logical::SourceScan&>(*filter.child());
    if (scan.is_streaming() || scan.def().push_filters == nullptr || scan.request()->schema == nullptr) return nullptr;
    arrow::Result<PlanPtr> offered = Offer(filter, scan);
    if (!offered.ok()) status = offered.status();
    return offered.ok() ? *offered : nullptr;
  });
  ARROW_RETURN_NOT_OK(status);
  return result;
}

}  // namespace millrace::optimizer
