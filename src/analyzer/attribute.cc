#include <algorithm>

#include "analyzer/expression_resolver.h"
#include "analyzer/relation_resolver.h"
#include "analyzer/variable.h"
#include "base/ascii.h"
#include "base/error.h"
#include "connector/file/metadata_column.h"
#include "function/extract_value.h"
#include "function/function_def.h"
#include "spark/connect/expressions.pb.h"

/// Names of columns, of session variables, and of functions that are written like columns.

namespace millrace::analyzer {

namespace {

// As these messages show a column: "a.b".
std::string Joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ".") + part;
  return text;
}

namespace connect = spark::connect;
using expression::Alias;
using expression::AttributePtr;
using expression::ExpressionKind;
using expression::Literal;

// Functions that SQL also knows without parentheses; a column of that name wins, but no alias and no column of an outer
// query.
bool IsWordFunction(std::string_view name) {
  static constexpr std::string_view kWords[] = {"current_date", "current_timestamp", "current_user", "user",
                                                "session_user", "localtimestamp",    "current_time"};
  for (std::string_view word : kWords) {
    if (EqualsIgnoreCase(word, name)) return function::FindFunction(name) != nullptr;
  }
  return false;
}

}  // namespace

namespace {

// Of the hidden columns those that the name may mean: a key of a join wants its table's name before it.
AttributeVector NamedAmong(const AttributeVector& hidden, const std::vector<std::string>& parts) {
  AttributeVector candidates;
  for (const AttributePtr& column : hidden) {
    bool of_table = !column->qualifier().empty() && std::any_of(parts.begin(), parts.end() - 1, [&](const auto& part) {
      return EqualsIgnoreCase(part, column->qualifier().back());
    });
    if (of_table || column->name() == connector::file::kMetadataColumn) candidates.push_back(column);
  }
  return candidates;
}

}  // namespace

arrow::Result<ExpressionPtr> ExpressionResolver::ResolveAttribute(const connect::Expression& message) {
  const auto& attribute = message.unresolved_attribute();
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> parts, ParseNameParts(attribute.unparsed_identifier()));
  if (!attribute.has_plan_id()) {
    for (size_t i = lambda_parameters_.size(); i-- > 0;) {
      ARROW_ASSIGN_OR_RAISE(auto value, ResolveName(parts, {lambda_parameters_[i]}, context_.eval.case_sensitive));
      if (value) return *value;
    }
    ARROW_ASSIGN_OR_RAISE(auto value, ResolveName(parts, input_, context_.eval.case_sensitive));
    if (value) return *value;
    if (below_ != nullptr && below_->hidden != nullptr) {
      ARROW_ASSIGN_OR_RAISE(value,
                            ResolveName(parts, NamedAmong(*below_->hidden, parts), context_.eval.case_sensitive));
      below_->reads_hidden = below_->reads_hidden || value.has_value();
      if (value) return *value;
    }
    if (parts.size() == 1 && IsWordFunction(parts[0])) {
      return function::BindCall(ToLowerAscii(parts[0]), {}, context_.eval);
    }
    ARROW_ASSIGN_OR_RAISE(value, ResolveLateralAlias(parts));
    if (value) return *value;
    ARROW_ASSIGN_OR_RAISE(value, relations_->ResolveOuter(parts));
    if (value) return *value;
    // Hive's name of grouping_id().
    if (parts.size() == 1 && EqualsIgnoreCase(parts[0], "grouping__id")) {
      return function::BindCall("grouping_id", {}, context_.eval);
    }
    ARROW_ASSIGN_OR_RAISE(value, ResolveVariable(parts, context_));
    if (value) return *value;
    return UnresolvedColumn(parts, input_);
  }
  return ResolveFrameAttribute(parts, attribute.plan_id());
}

// A frame that is an input itself comes before those that are parts of one; what does not reach the input is no
// candidate. Source: Spark, ColumnResolutionHelper.resolveDataFrameColumnByPlanId.
arrow::Result<ExpressionPtr> ExpressionResolver::FindInFrames(const std::vector<std::string>& parts,
                                                              const std::vector<FramePlace>& places,
                                                              const AttributeVector& input, bool* known) const {
  ExpressionPtr found;
  bool found_in_input = false;
  bool ambiguous = false;
  for (const FramePlace& place : places) {
    ARROW_ASSIGN_OR_RAISE(auto value, ResolveName(parts, place.columns, context_.eval.case_sensitive));
    if (!value) continue;
    *known = true;
    bool reaches = true;
    // What the join above may have made nullable is nullable here too.
    ExpressionPtr here = expression::Transform(*value, [&](const ExpressionPtr& node) -> ExpressionPtr {
      if (node->kind() != ExpressionKind::kAttribute) return nullptr;
      const auto& attribute = static_cast<const expression::AttributeReference&>(*node);
      AttributePtr column = FindColumn(attribute.id(), input);
      reaches = reaches && column != nullptr;
      return column;
    });
    if (!reaches || (found != nullptr && expression::SemanticallyEqual(*found, *here))) continue;
    if (found != nullptr && place.is_input == found_in_input) ambiguous = true;
    if (found != nullptr && !place.is_input) continue;
    ambiguous = ambiguous && place.is_input == found_in_input;
    found = std::move(here);
    found_in_input = place.is_input;
  }
  if (ambiguous) return UserError("AMBIGUOUS_COLUMN_REFERENCE", {{"name", QuoteSqlExpression(Joined(parts))}});
  return found;
}

arrow::Result<ExpressionPtr> ExpressionResolver::ResolveFrameAttribute(const std::vector<std::string>& parts,
                                                                       int64_t plan_id) const {
  arrow::Status illegal = UserError("CANNOT_RESOLVE_DATAFRAME_COLUMN", {{"name", QuoteSqlExpression(Joined(parts))}});
  auto it = plan_columns_.find(plan_id);
  if (it == plan_columns_.end()) return illegal;
  bool known = false;
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr found, FindInFrames(parts, it->second, input_, &known));
  if (found != nullptr) return found;
  if (!known) return UnresolvedColumn(parts, it->second[0].columns);
  // A key that a join shows once, as the other side's.
  if (below_ != nullptr && below_->hidden != nullptr) {
    ARROW_ASSIGN_OR_RAISE(found, FindInFrames(parts, it->second, *below_->hidden, &known));
    below_->reads_hidden = below_->reads_hidden || found != nullptr;
    if (found != nullptr) return found;
  }
  if (context_.conf && context_.conf("spark.sql.analyzer.strictDataFrameColumnResolution").value_or("true") != "true") {
    ARROW_ASSIGN_OR_RAISE(auto by_name, ResolveName(parts, input_, context_.eval.case_sensitive));
    if (by_name) return *by_name;
  }
  return illegal;
}

arrow::Result<std::optional<ExpressionPtr>> ExpressionResolver::ResolveLateralAlias(
    const std::vector<std::string>& parts) const {
  std::optional<ExpressionPtr> found;
  for (const ExpressionPtr& alias : lateral_aliases_) {
    const std::string& name = static_cast<const Alias&>(*alias).name();
    if (!(context_.eval.case_sensitive ? name == parts[0] : EqualsIgnoreCase(name, parts[0]))) continue;
    if (found) {
      return UserError("AMBIGUOUS_LATERAL_COLUMN_ALIAS", {{"name", QuoteIdentifier(parts[0])}, {"n", "2"}});
    }
    found = static_cast<const Alias&>(*alias).child();
    read_alias_ = name;
    // Its value would be drawn twice.
    if (!(*found)->deterministic()) return NotSupported("a lateral column alias of " + (*found)->Sql(true));
  }
  for (size_t i = 1; found && i < parts.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(found,
                          function::ExtractValue(*found, Literal::String(parts[i]), context_.eval.case_sensitive));
  }
  return found;
}

arrow::Result<ExpressionPtr> ExpressionResolver::ResolveOverAliasNames(const connect::Expression& message) const {
  ExpressionResolver named = *this;
  OperatorInput below;
  if (below_ != nullptr) {
    below = *below_;
    named.below_ = &below;
  }
  for (ExpressionPtr& alias : named.lateral_aliases_) {
    const std::string& name = static_cast<const Alias&>(*alias).name();
    auto column = std::make_shared<expression::AttributeReference>(
        expression::NextAttributeId(), "lateralAliasReference(" + name + ")", alias->type(), alias->nullable());
    alias = std::make_shared<Alias>(std::move(column), name);
  }
  return named.Resolve(message);
}

}  // namespace millrace::analyzer
