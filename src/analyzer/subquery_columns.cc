#include <algorithm>
#include <set>

#include "analyzer/domain_join.h"
#include "analyzer/subqueries.h"

/// Which columns stand for subqueries, and which subqueries there are already.

namespace millrace::analyzer {

using expression::AttributeId;
using expression::AttributeReference;
using expression::ExpressionKind;

bool Subqueries::IsColumn(const expression::Expression& value) const {
  if (value.kind() != ExpressionKind::kAttribute) return false;
  AttributeId id = static_cast<const AttributeReference&>(value).id();
  auto is_it = [&](const auto& subquery) { return subquery.column->id() == id; };
  return std::any_of(scalars_.begin(), scalars_.end(), is_it) ||
         std::any_of(predicates_.begin(), predicates_.end(), is_it);
}

AttributeVector Subqueries::Reads(const AttributeVector& columns) const {
  std::set<AttributeId> ids;
  auto add = [&](const PlanPtr& plan) {
    for (const AttributePtr& column : OuterColumns(*plan, columns)) ids.insert(column->id());
  };
  for (const Scalar& scalar : scalars_) add(scalar.original);
  for (const Predicate& predicate : predicates_) {
    add(predicate.original);
    for (const ExpressionPtr& value : predicate.values) {
      for (AttributeId id : expression::References(*value)) ids.insert(id);
    }
  }
  AttributeVector read;
  for (const AttributePtr& column : columns) {
    if (ids.count(column->id()) > 0) read.push_back(column);
  }
  return read;
}

ExpressionPtr Subqueries::Find(const std::string& text, const ExpressionVector& values) const {
  if (text.empty()) return nullptr;
  for (const Written& written : written_) {
    bool same = written.text == text && written.values.size() == values.size() &&
                std::equal(values.begin(), values.end(), written.values.begin(),
                           [](const auto& a, const auto& b) { return expression::SemanticallyEqual(*a, *b); });
    if (!same) continue;
    for (const Scalar& scalar : scalars_) {
      if (scalar.column->id() == written.column) return scalar.column;
    }
    for (const Predicate& predicate : predicates_) {
      if (predicate.column->id() == written.column) return predicate.column;
    }
  }
  return nullptr;
}

void Subqueries::NameLast(const expression::Expression& column, std::string text, ExpressionVector values) {
  if (text.empty()) return;
  written_.push_back({std::move(text), std::move(values), static_cast<const AttributeReference&>(column).id()});
}

}  // namespace millrace::analyzer
