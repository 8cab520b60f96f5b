#pragma once

#include <arrow/status.h>

#include <CLI/CLI.hpp>

namespace millrace::cli {

/// Adds one subcommand to the program. Its callback runs the command and stores what main() returns in `exit_code`.
using AddCommand = void (*)(CLI::App& program, int* exit_code);

/// 0 when `status` is OK; else tells the user on standard error and gives 1.
int ExitCodeOf(const arrow::Status& status);

}  // namespace millrace::cli
