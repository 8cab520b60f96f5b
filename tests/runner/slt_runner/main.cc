// Runs SQL scripts whose answers real Spark has recorded (tests/sql/record.py) and compares.
//
//   slt_runner [--summary] PATH...     a PATH is a script or a folder of scripts
//
// --summary prints which records fail, with the first line got and the first line expected, not all of them.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "slt_runner/script.h"
#include "slt_runner/script_run.h"

namespace {

namespace fs = std::filesystem;
using millrace::slt::Record;

struct Totals {
  int passed = 0;
  int failed = 0;
  int skipped = 0;
};

std::vector<fs::path> FindScripts(const std::vector<std::string>& paths) {
  std::vector<fs::path> scripts;
  for (const std::string& path : paths) {
    if (!fs::is_directory(path)) {
      scripts.emplace_back(path);
      continue;
    }
    std::vector<fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator(path)) {
      if (entry.path().extension() == ".slt") found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    scripts.insert(scripts.end(), found.begin(), found.end());
  }
  return scripts;
}

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void PrintLines(std::string_view title, const std::vector<std::string>& lines) {
  fmt::print("  {}\n", title);
  for (const std::string& line : lines) fmt::print("    {}\n", line);
}

void RunScript(const fs::path& path, const std::shared_ptr<millrace::session::Engine>& engine, bool summary,
               Totals* totals) {
  millrace::slt::ScriptRun run(engine);
  for (const Record& record : millrace::slt::ParseScript(ReadFile(path))) {
    std::vector<std::string> answer = run.Answer(record);
    millrace::slt::Verdict verdict = millrace::slt::Judge(record, answer);
    if (verdict == millrace::slt::Verdict::kPassed) {
      totals->passed += record.answer.empty() ? 0 : 1;
      if (!record.not_built.empty() || !record.differs.empty()) {
        fmt::print("{}:{} passes: its mark can go\n", path.string(), record.line);
      }
      continue;
    }
    if (verdict == millrace::slt::Verdict::kSkipped) {
      ++totals->skipped;
      continue;
    }
    ++totals->failed;
    if (summary) {
      fmt::print("{}:{}\t{}\t{}\n", path.string(), record.line, answer.empty() ? "" : answer[0],
                 record.answer.empty() ? "" : record.answer[0]);
      continue;
    }
    fmt::print("{}:{}\n", path.string(), record.line);
    PrintLines("statement", record.body);
    PrintLines("expected", record.answer);
    PrintLines("got", answer);
  }
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  bool summary = false;
  std::vector<std::string> paths;
  for (int i = 1; i < argc; ++i) {
    std::string argument = argv[i];
    if (argument == "--summary") {
      summary = true;
    } else {
      paths.push_back(std::move(argument));
    }
  }
  // One thread: rows without ORDER BY come in Spark's order only there.
  auto engine = std::make_shared<millrace::session::Engine>(1);
  Totals totals;
  for (const fs::path& script : FindScripts(paths)) RunScript(script, engine, summary, &totals);
  fmt::print("{} passed, {} failed, {} skipped\n", totals.passed, totals.failed, totals.skipped);
  return totals.failed == 0 ? 0 : 1;
}
