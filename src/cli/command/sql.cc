#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>

#include "base/error.h"
#include "cli/command.h"
#include "expression/show_string.h"
#include "session/session.h"

namespace millrace::cli {

namespace {

struct SqlOptions {
  std::string query;
  std::string file;
  std::vector<std::string> settings;
  int64_t num_rows = 1000;
};

arrow::Status RunStatement(session::Session& session, const std::string& text, int64_t num_rows) {
  ARROW_ASSIGN_OR_RAISE(session::QueryResult result, session.Sql(text));
  if (result.schema->fields().empty()) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(std::string table,
                        expression::ShowString(session.MakeEvalContext(), *result.schema, result.batches,
                                               {.num_rows = num_rows, .truncate = 0, .vertical = false}));
  std::fputs(table.c_str(), stdout);
  return arrow::Status::OK();
}

// Cuts a script at its semicolons, leaving those in quotes and comments alone.
std::vector<std::string> SplitStatements(const std::string& script) {
  std::vector<std::string> statements(1);
  char quote = 0;
  for (size_t i = 0; i < script.size(); ++i) {
    char c = script[i];
    bool comment = quote == 0 && c == '-' && i + 1 < script.size() && script[i + 1] == '-';
    if (comment) {
      size_t end = script.find('\n', i);
      i = end == std::string::npos ? script.size() : end;
      statements.back() += '\n';
      continue;
    }
    if (quote == 0 && c == ';') {
      statements.emplace_back();
      continue;
    }
    if (quote != 0 && c == '\\' && quote != '`' && i + 1 < script.size()) {
      statements.back() += c;
      c = script[++i];
    } else if (quote == 0 && (c == '\'' || c == '"' || c == '`')) {
      quote = c;
    } else if (c == quote) {
      quote = 0;
    }
    statements.back() += c;
  }
  std::erase_if(statements, [](const std::string& one) { return TrimAscii(one).empty(); });
  return statements;
}

arrow::Status RunScript(session::Session& session, const std::string& script, int64_t num_rows) {
  for (const std::string& statement : SplitStatements(script)) {
    ARROW_RETURN_NOT_OK(RunStatement(session, statement, num_rows));
  }
  return arrow::Status::OK();
}

// Statements end with a semicolon; a failed one is told and the shell goes on.
arrow::Status RunShell(session::Session& session, int64_t num_rows) {
  bool prompt = ::isatty(0) != 0;
  std::string pending;
  std::string line;
  while (true) {
    if (prompt) std::fputs(pending.empty() ? "millrace> " : "        > ", stdout);
    std::fflush(stdout);
    if (!std::getline(std::cin, line)) break;
    std::string_view word = TrimAscii(line);
    if (pending.empty() && (word == "exit" || word == "quit" || word == "exit;" || word == "quit;")) break;
    pending += line + "\n";
    if (!word.ends_with(';')) continue;
    (void)ExitCodeOf(RunScript(session, pending, num_rows));
    pending.clear();
  }
  return pending.empty() ? arrow::Status::OK() : RunScript(session, pending, num_rows);
}

arrow::Status RunSql(const SqlOptions& options) {
  auto session = session::Session::Create(std::make_shared<session::Engine>());
  for (const std::string& setting : options.settings) {
    size_t equals = setting.find('=');
    if (equals == std::string::npos) return arrow::Status::Invalid("--conf ", setting, ": give KEY=VALUE");
    ARROW_RETURN_NOT_OK(session->SetAtStart(setting.substr(0, equals), setting.substr(equals + 1)));
  }
  if (!options.query.empty()) return RunScript(*session, options.query, options.num_rows);
  if (!options.file.empty()) {
    ARROW_ASSIGN_OR_RAISE(std::string script, LocalFileSystem()->ReadFile(options.file));
    return RunScript(*session, script, options.num_rows);
  }
  return RunShell(*session, options.num_rows);
}

}  // namespace

void AddSqlCommand(CLI::App& program, int* exit_code) {
  auto options = std::make_shared<SqlOptions>();
  CLI::App* command = program.add_subcommand("sql", "Run SQL queries: a shell, one text, or a file");
  command->add_option("-e,--execute", options->query, "Statements to run, separated by semicolons");
  command->add_option("-f,--file", options->file, "File of statements");
  command->add_option("--conf", options->settings, "Setting, KEY=VALUE");
  command->add_option("--rows", options->num_rows, "Rows shown of each result")->capture_default_str();
  command->callback([options, exit_code] { *exit_code = ExitCodeOf(RunSql(*options)); });
}

}  // namespace millrace::cli
