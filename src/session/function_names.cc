#include "session/function_names.h"

#include <algorithm>

#include "function/function_def.h"

namespace millrace::session {

const std::vector<std::string>& FunctionNames() {
  static const auto* names = [] {
    // Words of the grammar that Spark lists among its functions, and what the analyzer knows by name alone.
    auto* all = new std::vector<std::string>{"!=",
                                             "<>",
                                             "between",
                                             "case",
                                             "||",
                                             "cast",
                                             "cume_dist",
                                             "dense_rank",
                                             "lag",
                                             "lead",
                                             "nth_value",
                                             "ntile",
                                             "rank",
                                             "percent_rank",
                                             "percentile_cont",
                                             "row_number",
                                             "range",
                                             "percentile_disc",
                                             "session_window",
                                             "input_file_name",
                                             "input_file_block_start",
                                             "input_file_block_length",
                                             "collations",
                                             "sql_keywords"};
    for (const function::FunctionDef* def : function::AllFunctions()) {
      all->emplace_back(def->name);
      std::string_view aliases = def->aliases;
      while (!aliases.empty()) {
        size_t space = aliases.find(' ');
        all->emplace_back(aliases.substr(0, space));
        aliases = space == std::string_view::npos ? std::string_view() : aliases.substr(space + 1);
      }
    }
    // These are no names of Spark's catalog: clients call them by message, or the grammar makes them.
    for (std::string_view own : {"case_when", "product", "timestampadd", "timestampdiff"}) std::erase(*all, own);
    std::sort(all->begin(), all->end());
    all->erase(std::unique(all->begin(), all->end()), all->end());
    return all;
  }();
  return *names;
}

}  // namespace millrace::session
