#include <algorithm>
#include <span>

#include "analyzer/expression_resolver.h"
#include "analyzer/relation_resolver.h"
#include "base/ascii.h"
#include "base/error.h"
#include "connector/file/metadata_column.h"
#include "function/extract_value.h"
#include "function/function_def.h"
#include "function/regex.h"

/// Items that stand for several columns: *, t.*, * EXCEPT (…), colRegex.

namespace millrace::analyzer {

namespace connect = spark::connect;
using expression::Alias;
using expression::AttributePtr;
using expression::ExpressionKind;
using expression::Literal;

namespace {

// Whether the column's table is called by these parts.
bool IsOf(const expression::AttributeReference& column, const std::vector<std::string>& parts, bool case_sensitive) {
  const std::vector<std::string>& qualifier = column.qualifier();
  if (qualifier.size() < parts.size()) return false;
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::string& part = qualifier[qualifier.size() - parts.size() + i];
    if (!(case_sensitive ? part == parts[i] : EqualsIgnoreCase(part, parts[i]))) return false;
  }
  return true;
}

}  // namespace

ExpressionVector RelationResolver::OuterColumnsOf(const std::vector<std::string>& table) const {
  ExpressionVector columns;
  for (size_t i = outer_scopes_.size(); i-- > 0 && columns.empty();) {
    for (const AttributePtr& column : *outer_scopes_[i]) {
      if (IsOf(*column, table, context_.eval.case_sensitive)) columns.push_back(column);
    }
  }
  return columns;
}

arrow::Result<ExpressionVector> ExpressionResolver::ExpandStar(const connect::Expression& message) {
  const auto& star = message.unresolved_star();
  if (star.has_plan_id()) {
    std::optional<ExpressionVector> found;
    auto places = plan_columns_.find(star.plan_id());
    for (size_t i = 0; places != plan_columns_.end() && i < places->second.size(); ++i) {
      ExpressionVector columns;
      for (const AttributePtr& column : places->second[i].columns) {
        columns.push_back(FindColumn(column->id(), input_));
        if (columns.back() != nullptr || below_ == nullptr || below_->hidden == nullptr) continue;
        // A key that a join shows as the other side's.
        columns.back() = FindColumn(column->id(), *below_->hidden);
        below_->reads_hidden = below_->reads_hidden || columns.back() != nullptr;
      }
      if (std::any_of(columns.begin(), columns.end(), [](const auto& column) { return column == nullptr; })) continue;
      if (found && *found != columns) return UserError("AMBIGUOUS_COLUMN_REFERENCE", {{"name", "\"*\""}});
      found = std::move(columns);
    }
    if (!found) return UserError("CANNOT_RESOLVE_DATAFRAME_COLUMN", {{"name", "\"*\""}});
    return *std::move(found);
  }
  if (!star.has_unparsed_target()) return ExpressionVector(input_.begin(), input_.end());
  std::string target = star.unparsed_target();
  if (!target.ends_with(".*")) return InternalError("A star's target does not end in .*: " + target);
  target.resize(target.size() - 2);
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> parts, ParseNameParts(target));
  ExpressionVector columns;
  // t.* shows the keys of JOIN … USING that the join itself shows once, or not as t's.
  AttributeVector candidates;
  size_t num_hidden = 0;
  if (below_ != nullptr && below_->hidden != nullptr) {
    for (const AttributePtr& hidden : *below_->hidden) {
      bool shown = std::any_of(input_.begin(), input_.end(),
                               [&](const AttributePtr& column) { return column->id() == hidden->id(); });
      // The metadata of a source is shown only to who asks for it by name.
      bool metadata = hidden->name() == connector::file::kMetadataColumn;
      if (!shown && !metadata) candidates.push_back(hidden);
    }
    num_hidden = candidates.size();
  }
  candidates.insert(candidates.end(), input_.begin(), input_.end());
  for (size_t c = 0; c < candidates.size(); ++c) {
    const AttributePtr& attribute = candidates[c];
    if (!IsOf(*attribute, parts, context_.eval.case_sensitive)) continue;
    columns.push_back(attribute);
    if (c < num_hidden) below_->reads_hidden = true;
  }
  if (!columns.empty()) return columns;
  // Not a table: a struct whose fields become columns.
  std::optional<ExpressionPtr> value;
  for (size_t i = lambda_parameters_.size(); i-- > 0 && !value;) {
    ARROW_ASSIGN_OR_RAISE(value, ResolveName(parts, {lambda_parameters_[i]}, context_.eval.case_sensitive));
  }
  if (!value) {
    ARROW_ASSIGN_OR_RAISE(value, ResolveName(parts, input_, context_.eval.case_sensitive));
  }
  if (!value && below_ != nullptr && below_->hidden != nullptr) {
    ARROW_ASSIGN_OR_RAISE(value, ResolveName(parts, *below_->hidden, context_.eval.case_sensitive));
    below_->reads_hidden = below_->reads_hidden || value.has_value();
  }
  if (!value) {
    columns = relations_->OuterColumnsOf(parts);
    if (!columns.empty()) return columns;
    std::string names;
    for (const AttributePtr& attribute : input_) {
      if (!names.empty()) names += ", ";
      names += QuoteIdentifier(attribute->name());
    }
    return UserError("CANNOT_RESOLVE_STAR_EXPAND", {{"targetString", QuoteNameParts(parts)}, {"columns", names}});
  }
  if ((*value)->type()->id() != types::TypeId::kStruct) {
    return UserError("UNSUPPORTED_EXPR_FOR_OPERATOR", {{"invalidExprSqls", QuoteSqlExpression((*value)->Sql(true))}});
  }
  for (const types::StructField& field : (*value)->type()->fields()) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr item, function::ExtractValue(*value, Literal::String(field.name), true));
    columns.push_back(std::make_shared<Alias>(std::move(item), field.name));
  }
  return columns;
}

namespace {

// `value`, a struct, rebuilt without the field at `path`.
arrow::Result<ExpressionPtr> WithoutField(const ExpressionPtr& value, std::span<const std::string> path,
                                          const expression::EvalContext& eval) {
  ExpressionVector arguments;
  bool found = false;
  for (const types::StructField& field : value->type()->fields()) {
    bool same = eval.case_sensitive ? field.name == path[0] : EqualsIgnoreCase(field.name, path[0]);
    found = found || same;
    if (same && path.size() == 1) continue;
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr kept, function::ExtractValue(value, Literal::String(field.name), true));
    if (same && kept->type()->id() == types::TypeId::kStruct) {
      ARROW_ASSIGN_OR_RAISE(kept, WithoutField(kept, path.subspan(1), eval));
    }
    arguments.push_back(Literal::String(field.name));
    arguments.push_back(std::move(kept));
  }
  if (!found) return ExpressionPtr();
  return function::BindCall("named_struct", std::move(arguments), eval);
}

// No column, and no field of one that is named itself, twice.
arrow::Status CheckExceptList(const google::protobuf::RepeatedPtrField<connect::Expression>& arguments) {
  std::vector<std::vector<std::string>> names;
  std::string shown;
  bool overlap = false;
  for (int i = 1; i < arguments.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto parts, ParseNameParts(arguments[i].unresolved_attribute().unparsed_identifier()));
    for (const auto& other : names) {
      size_t shorter = std::min(parts.size(), other.size());
      overlap =
          overlap || std::equal(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(shorter), other.begin(),
                                [](const auto& a, const auto& b) { return EqualsIgnoreCase(a, b); });
    }
    std::string name;
    for (const std::string& part : parts) name += (name.empty() ? "" : ".") + part;
    shown += (shown.empty() ? "" : ", ") + name;
    names.push_back(std::move(parts));
  }
  return overlap ? UserError("EXCEPT_OVERLAPPING_COLUMNS", {{"columns", shown}}) : arrow::Status::OK();
}

}  // namespace

arrow::Result<ExpressionVector> ExpressionResolver::ExpandStarExcept(const connect::Expression& message) {
  const auto& call = message.unresolved_function();
  ARROW_RETURN_NOT_OK(CheckExceptList(call.arguments()));
  ARROW_ASSIGN_OR_RAISE(ExpressionVector columns, ExpandStar(call.arguments(0)));
  for (int i = 1; i < call.arguments_size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto parts, ParseNameParts(call.arguments(i).unresolved_attribute().unparsed_identifier()));
    // The longest start of the name that is a column; the rest is a field of it.
    auto found = columns.end();
    size_t length = parts.size();
    for (; length > 0 && found == columns.end(); --length) {
      std::vector<std::string> start(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(length));
      ARROW_ASSIGN_OR_RAISE(auto value, ResolveName(start, input_, context_.eval.case_sensitive));
      if (!value || (*value)->kind() != ExpressionKind::kAttribute) continue;
      found = std::find_if(columns.begin(), columns.end(), [&](const ExpressionPtr& column) {
        return expression::ToAttribute(column)->id() == expression::ToAttribute(*value)->id();
      });
    }
    if (found == columns.end() && call.arguments(0).unresolved_star().has_unparsed_target()) {
      // Of a struct's fields.
      length = 0;
      found = std::find_if(columns.begin(), columns.end(), [&](const ExpressionPtr& column) {
        const std::string& name = expression::ToAttribute(column)->name();
        return context_.eval.case_sensitive ? name == parts[0] : EqualsIgnoreCase(name, parts[0]);
      });
    }
    if (found == columns.end()) return UnresolvedColumn(parts, input_);
    std::span<const std::string> path = std::span(parts).subspan(length + 1);
    if (path.empty()) {
      columns.erase(found);
      continue;
    }
    if ((*found)->type()->id() != types::TypeId::kStruct) return UnresolvedColumn(parts, input_);
    ExpressionPtr value = (*found)->kind() == ExpressionKind::kAlias ? (*found)->children()[0] : *found;
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr made, WithoutField(value, path, context_.eval));
    if (made == nullptr) return UnresolvedColumn(parts, input_);
    const AttributePtr shown = expression::ToAttribute(*found);
    *found = std::make_shared<Alias>(std::move(made), shown->name(), shown->id());
  }
  return columns;
}

arrow::Result<ExpressionVector> ExpressionResolver::ExpandRegex(const connect::Expression& message) {
  std::string pattern = message.unresolved_regex().col_name();
  std::vector<std::string> table;
  if (size_t quote = pattern.find('`');
      quote != std::string::npos && pattern.size() > quote + 1 && pattern.back() == '`') {
    if (quote > 0) {
      ARROW_ASSIGN_OR_RAISE(table, ParseNameParts(pattern.substr(0, quote - 1)));
    }
    pattern = pattern.substr(quote + 1, pattern.size() - quote - 2);
  }
  std::string whole = std::string(context_.eval.case_sensitive ? "" : "(?i)") + "\\A(?:" + pattern + ")\\z";
  ARROW_ASSIGN_OR_RAISE(auto regex, function::Regex::Compile(whole));
  ExpressionVector columns;
  for (const AttributePtr& attribute : input_) {
    if (!table.empty() && !IsOf(*attribute, table, context_.eval.case_sensitive)) continue;
    if (regex->Contains(attribute->name())) columns.push_back(attribute);
  }
  return columns;
}

}  // namespace millrace::analyzer
