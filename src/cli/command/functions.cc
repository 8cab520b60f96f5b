#include <cstdio>

#include "cli/command.h"
#include "cli/functions_page.h"
#include "function/function_def.h"

namespace millrace::cli {

void AddFunctionsCommand(CLI::App& program, int* exit_code) {
  auto name = std::make_shared<std::string>();
  CLI::App* command = program.add_subcommand("functions", "List the SQL functions, or describe one");
  command->add_option("name", *name, "Function to describe");
  auto markdown = std::make_shared<bool>(false);
  command->add_flag("--markdown", *markdown, "Print the page of all functions (docs/functions.md)");
  command->callback([name, markdown, exit_code] {
    if (*markdown) {
      std::fputs(FunctionsPage().c_str(), stdout);
      return;
    }
    if (name->empty()) {
      for (const function::FunctionDef* def : function::AllFunctions()) {
        std::printf("%-14s %-28s %s\n", std::string(def->family).c_str(), std::string(def->name).c_str(),
                    std::string(def->description).c_str());
      }
      return;
    }
    const function::FunctionDef* def = function::FindFunction(*name);
    if (def == nullptr) {
      std::fprintf(stderr, "There is no function %s\n", name->c_str());
      *exit_code = 1;
      return;
    }
    std::printf("%s (%s)\n  %s\n", std::string(def->name).c_str(), std::string(def->family).c_str(),
                std::string(def->description).c_str());
    if (!def->aliases.empty()) std::printf("  also: %s\n", std::string(def->aliases).c_str());
    std::printf("  > SELECT %s;\n  %s\n", std::string(def->example).c_str(), std::string(def->example_result).c_str());
  });
}

}  // namespace millrace::cli
