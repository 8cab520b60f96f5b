// Runs streaming scripts (tests/stream/README.md) and compares what they get with what real Spark, or the script's
// author, says.
//
//   stream_runner [--config FILE] PATH...     a PATH is a script or a folder of scripts

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/failpoint.h"
#include "stream_runner/run_config.h"
#include "stream_runner/script.h"
#include "stream_runner/script_run.h"

namespace {

namespace fs = std::filesystem;
using namespace millrace;  // NOLINT
using stream_runner::CrashPoint;
using stream_runner::RunConfig;
using stream_runner::ScriptRun;

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
      if (entry.path().extension() == ".stream") found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    scripts.insert(scripts.end(), found.begin(), found.end());
  }
  return scripts;
}

/// False when the rest of the script's crash points need not be tried.
bool RunOnce(const fs::path& path, const std::vector<stream_runner::Step>& steps, const RunConfig& config,
             const std::optional<CrashPoint>& crash, Totals* totals, bool* crashed) {
  ScriptRun run(config, crash);
  ScriptRun::Outcome outcome = run.Run(steps);
  *crashed = outcome.crashed;
  totals->passed += outcome.passed;
  totals->failed += static_cast<int>(outcome.failures.size());
  for (const ScriptRun::Failure& failure : outcome.failures) {
    fmt::print("{}:{}{}\n", path.string(), failure.line,
               crash ? fmt::format(" (crash at {}, hit {})", crash->failpoint, crash->nth) : "");
    fmt::print("  expected\n");
    for (const std::string& line : failure.expected) fmt::print("    {}\n", line);
    fmt::print("  got\n");
    for (const std::string& line : failure.got) fmt::print("    {}\n", line);
  }
  if (outcome.not_built) {
    ++totals->skipped;
    fmt::print("{}: skipped: {}\n", path.string(), *outcome.not_built);
  }
  std::fflush(stdout);
  return !outcome.not_built && outcome.failures.empty();
}

void RunScript(const fs::path& path, const RunConfig& config, Totals* totals) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (auto reason = config.SkipReason(path.string(), text)) {
    ++totals->skipped;
    fmt::print("{}: skipped: {}\n", path.string(), *reason);
    return;
  }
  std::vector<stream_runner::Step> steps = stream_runner::ParseScript(text);
  bool crashed = false;
  if (!config.crash_everywhere) {
    RunOnce(path, steps, config, std::nullopt, totals, &crashed);
    return;
  }
  for (std::string_view failpoint : kFailpoints) {
    // The first hits, as long as the script gets there.
    for (int nth = 1; nth <= 4; ++nth) {
      if (!RunOnce(path, steps, config, CrashPoint{std::string(failpoint), nth}, totals, &crashed)) return;
      if (!crashed) break;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  spdlog::set_level(spdlog::level::err);
  RunConfig config;
  std::vector<std::string> paths;
  for (int i = 1; i < argc; ++i) {
    std::string argument = argv[i];
    if (argument == "--config" && i + 1 < argc) {
      auto loaded = RunConfig::Load(argv[++i]);
      if (!loaded.ok()) {
        fmt::print(stderr, "{}\n", loaded.status().ToString());
        return 2;
      }
      config = *loaded;
    } else {
      paths.push_back(argument);
    }
  }
  Totals totals;
  for (const fs::path& path : FindScripts(paths)) RunScript(path, config, &totals);
  fmt::print("{} passed, {} failed, {} skipped\n", totals.passed, totals.failed, totals.skipped);
  return totals.failed == 0 ? 0 : 1;
}
