#include "analyzer/name_resolution.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/edit_distance.h"
#include "base/error.h"
#include "function/extract_value.h"

namespace millrace::analyzer {

using expression::AttributePtr;

arrow::Result<std::vector<std::string>> ParseNameParts(std::string_view name) {
  auto malformed = [&] { return UserError("INVALID_ATTRIBUTE_NAME_SYNTAX", {{"name", std::string(name)}}); };
  std::vector<std::string> parts;
  std::string part;
  bool quoted = false;  // inside back-ticks
  bool part_was_quoted = false;
  for (size_t i = 0; i < name.size(); ++i) {
    char c = name[i];
    if (quoted) {
      if (c != '`') {
        part += c;
      } else if (i + 1 < name.size() && name[i + 1] == '`') {
        part += '`';
        ++i;
      } else {
        quoted = false;
        if (i + 1 < name.size() && name[i + 1] != '.') return malformed();
      }
    } else if (c == '`') {
      if (!part.empty()) return malformed();
      quoted = true;
      part_was_quoted = true;
    } else if (c == '.') {
      if (part.empty() && !part_was_quoted) return malformed();
      if (i + 1 == name.size()) return malformed();
      parts.push_back(std::move(part));
      part.clear();
      part_was_quoted = false;
    } else {
      part += c;
    }
  }
  if (quoted) return malformed();
  parts.push_back(std::move(part));
  return parts;
}

namespace {

bool SameName(std::string_view a, std::string_view b, bool case_sensitive) {
  return case_sensitive ? a == b : EqualsIgnoreCase(a, b);
}

// Whether the first `count` parts name the attribute's qualifier (its last parts, at least one).
bool MatchesQualifier(const AttributePtr& attribute, const std::vector<std::string>& parts, size_t count,
                      bool case_sensitive) {
  const std::vector<std::string>& qualifier = attribute->qualifier();
  if (qualifier.size() < count) return false;
  for (size_t i = 0; i < count; ++i) {
    if (!SameName(qualifier[qualifier.size() - count + i], parts[i], case_sensitive)) return false;
  }
  return true;
}

std::vector<AttributePtr> Candidates(const std::vector<std::string>& parts, size_t num_qualifiers,
                                     const AttributeVector& input, bool case_sensitive) {
  std::vector<AttributePtr> found;
  if (parts.size() <= num_qualifiers) return found;
  for (const AttributePtr& attribute : input) {
    if (!SameName(attribute->name(), parts[num_qualifiers], case_sensitive)) continue;
    if (!MatchesQualifier(attribute, parts, num_qualifiers, case_sensitive)) continue;
    bool seen = std::any_of(found.begin(), found.end(), [&](const auto& f) { return f->id() == attribute->id(); });
    if (!seen) found.push_back(attribute);
  }
  return found;
}

arrow::Status Ambiguous(const std::vector<std::string>& parts, const std::string& asked,
                        const std::vector<AttributePtr>& found) {
  std::string references;
  for (const AttributePtr& attribute : found) {
    if (!references.empty()) references += ", ";
    std::vector<std::string> name = attribute->qualifier();
    name.push_back(asked);
    references += QuoteNameParts(name);
  }
  return UserError("AMBIGUOUS_REFERENCE",
                   {{"name", QuoteNameParts(parts)}, {"referenceNames", "[" + references + "]"}});
}

}  // namespace

arrow::Result<std::optional<ExpressionPtr>> ResolveName(const std::vector<std::string>& parts,
                                                        const AttributeVector& input, bool case_sensitive) {
  // The longest qualifier wins; an unqualified column comes last, with the rest as its fields.
  for (size_t num_qualifiers = std::min<size_t>(parts.size() - 1, 3) + 1; num_qualifiers-- > 0;) {
    std::vector<AttributePtr> found = Candidates(parts, num_qualifiers, input, case_sensitive);
    if (found.empty()) continue;
    if (found.size() > 1) return Ambiguous(parts, parts[num_qualifiers], found);
    // A column is shown in the case in which it was asked for.
    const std::string& asked = parts[num_qualifiers];
    ExpressionPtr value = found[0]->name() == asked ? found[0] : found[0]->WithName(asked);
    for (size_t i = num_qualifiers + 1; i < parts.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(value,
                            function::ExtractValue(value, expression::Literal::String(parts[i]), case_sensitive));
    }
    return value;
  }
  return std::nullopt;
}

expression::AttributePtr FindColumn(expression::AttributeId id, const AttributeVector& columns) {
  for (const AttributePtr& column : columns) {
    if (column->id() == id) return column;
  }
  return nullptr;
}

arrow::Status UnresolvedColumn(const std::vector<std::string>& parts, const AttributeVector& input) {
  std::string wanted = QuoteNameParts(parts);
  if (input.empty()) return UserError("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", {{"objectName", wanted}});
  struct Suggestion {
    size_t distance;
    std::string text;
  };
  // Qualifiers all alike say nothing: Spark leaves them out of the suggestions then.
  bool same_qualifier =
      std::all_of(input.begin(), input.end(), [&](const auto& a) { return a->qualifier() == input[0]->qualifier(); });
  std::vector<Suggestion> suggestions;
  AttributeVector sorted = input;
  std::sort(sorted.begin(), sorted.end(), [](const AttributePtr& a, const AttributePtr& b) {
    return a->name() != b->name() ? a->name() < b->name() : a->id().value < b->id().value;
  });
  for (const AttributePtr& attribute : sorted) {
    std::vector<std::string> name;
    if (!same_qualifier || parts.size() > 1) name = attribute->qualifier();
    name.push_back(attribute->name());
    std::string text = QuoteNameParts(name);
    suggestions.push_back({EditDistance(ToLowerAscii(text), ToLowerAscii(wanted)), std::move(text)});
  }
  std::stable_sort(suggestions.begin(), suggestions.end(),
                   [](const Suggestion& a, const Suggestion& b) { return a.distance < b.distance; });
  std::string proposal;
  for (size_t i = 0; i < std::min<size_t>(suggestions.size(), 5); ++i) {
    if (i > 0) proposal += ", ";
    proposal += suggestions[i].text;
  }
  return UserError("UNRESOLVED_COLUMN.WITH_SUGGESTION", {{"objectName", wanted}, {"proposal", proposal}});
}

}  // namespace millrace::analyzer
