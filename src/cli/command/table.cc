#include <cstdio>

#include "cli/command.h"
#include "cli/table_report.h"

namespace millrace::cli {

namespace {

using Report = arrow::Result<std::string> (*)(FileSystem* file_system, const TableReportOptions& options);

arrow::Status Print(Report report, const TableReportOptions& options) {
  ARROW_ASSIGN_OR_RAISE(std::string text, report(LocalFileSystem(), options));
  std::fputs(text.c_str(), stdout);
  return arrow::Status::OK();
}

void AddReport(CLI::App* command, const char* name, const char* help, Report report, bool has_version,
               const char* limit_help, int* exit_code) {
  auto options = std::make_shared<TableReportOptions>();
  CLI::App* sub = command->add_subcommand(name, help);
  sub->add_option("path", options->path, "Directory of the table")->required();
  if (has_version) sub->add_option("--version", options->version, "The table as of this version; -1: the newest");
  if (limit_help != nullptr) sub->add_option("--limit", options->limit, limit_help)->capture_default_str();
  sub->callback([options, report, exit_code] { *exit_code = ExitCodeOf(Print(report, *options)); });
}

}  // namespace

void AddTableCommand(CLI::App& program, int* exit_code) {
  CLI::App* command = program.add_subcommand("table", "Look into a Delta table");
  command->require_subcommand(1);
  AddReport(command, "show", "Version, schema, properties, applications' progress, files", ShowTable, true,
            "Files listed; 0: all", exit_code);
  AddReport(command, "history", "The commits, newest first", TableHistory, false, "Commits listed; 0: all", exit_code);
  AddReport(command, "describe", "What DESCRIBE DETAIL tells", DescribeTable, true, nullptr, exit_code);
}

}  // namespace millrace::cli
