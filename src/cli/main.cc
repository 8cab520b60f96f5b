#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>

#include "base/allocation.h"
#include "base/stack_room.h"
#include "base/version.h"
#include "cli/command.h"

namespace millrace::cli {

#define COMMAND(name) void Add##name##Command(CLI::App& program, int* exit_code);
#include "cli/command/registry.def"
#undef COMMAND

namespace {

constexpr AddCommand kCommands[] = {
#define COMMAND(name) &Add##name##Command,
#include "cli/command/registry.def"
#undef COMMAND
};

}  // namespace

int Main(int argc, char** argv) {
  ReserveDeepStacks();
  SetUpAllocation();
  // Standard output belongs to results.
  spdlog::set_default_logger(spdlog::stderr_color_mt("millrace"));
  CLI::App program("Millrace: Spark Structured Streaming, natively", "millrace");
  program.set_version_flag("--version", std::string(Version()));
  program.require_subcommand(1);
  int exit_code = 0;
  for (AddCommand add : kCommands) add(program, &exit_code);
  CLI11_PARSE(program, argc, argv);
  return exit_code;
}

}  // namespace millrace::cli

int main(int argc, char** argv) { return millrace::cli::Main(argc, argv); }
