#include "cli/functions_page.h"

#include <algorithm>
#include <map>
#include <vector>

#include "function/function_def.h"

namespace millrace::cli {

namespace {

// Text inside a table cell: the bar ends a cell, even between back-ticks.
std::string Cell(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string Code(std::string_view text) { return text.empty() ? "" : "`" + Cell(text) + "`"; }

std::string Names(const function::FunctionDef& def) {
  std::string names = "`" + Cell(def.name) + "`";
  std::string_view rest = def.aliases;
  while (!rest.empty()) {
    size_t end = std::min(rest.find(' '), rest.size());
    if (end > 0) names += ", `" + Cell(rest.substr(0, end)) + "`";
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return names;
}

}  // namespace

std::string FunctionsPage() {
  std::map<std::string_view, std::vector<const function::FunctionDef*>> families;
  for (const function::FunctionDef* def : function::AllFunctions()) families[def->family].push_back(def);
  std::string page =
      "# SQL functions\n\n"
      "Made by `millrace functions --markdown`. What is not here answers with `UNRESOLVED_ROUTINE`.\n";
  for (auto& [family, defs] : families) {
    std::sort(defs.begin(), defs.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
    page += "\n## " + std::string(family) + "\n\n| function | does | example | gives |\n| --- | --- | --- | --- |\n";
    for (const function::FunctionDef* def : defs) {
      page += "| " + Names(*def) + " | " + Cell(def->description) + " | `" + Cell(def->example) + "` | " +
              Code(def->example_result) + " |\n";
    }
  }
  return page;
}

}  // namespace millrace::cli
