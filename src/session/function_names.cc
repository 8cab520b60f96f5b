#include "session/function_names.h"

#include <algorithm>

#include "function/function_def.h"

namespace millrace::session {

const std::vector<std::string>& FunctionNames() {
  static const auto* names = [] {
    // Words of the grammar that Spark lists among its functions.
    auto* all = new std::vector<std::string>{"!=", "<>", "between", "case", "||"};
    for (const function::FunctionDef* def : function::AllFunctions()) {
      all->emplace_back(def->name);
      std::string_view aliases = def->aliases;
      while (!aliases.empty()) {
        size_t space = aliases.find(' ');
        all->emplace_back(aliases.substr(0, space));
        aliases = space == std::string_view::npos ? std::string_view() : aliases.substr(space + 1);
      }
    }
    std::sort(all->begin(), all->end());
    all->erase(std::unique(all->begin(), all->end()), all->end());
    return all;
  }();
  return *names;
}

}  // namespace millrace::session
