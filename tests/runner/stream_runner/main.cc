// Runs streaming scripts (tests/stream/README.md) and compares what they get with what real Spark, or the script's
// author, says.
//
//   stream_runner [--config FILE] PATH...     a PATH is a script or a folder of scripts
//   stream_runner --random-cuts SECONDS [--first-seed N] [--cases N] [--kept-seeds FILE] [--only OPERATOR] [--show]
//                                             queries and cuts drawn by chance (random_case.h)
//   stream_runner --seed N                    the one that failed

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "base/failpoint.h"
#include "stream_runner/random_cuts.h"
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

/// Some crash points of a script, the same ones each time. Those that it does not reach cost a run and are not counted.
void RunSample(const fs::path& path, const std::vector<stream_runner::Step>& steps, const RunConfig& config,
               int num_crashes, Totals* totals) {
  // What a micro-batch of a query with state comes past.
  static constexpr std::array<std::string_view, 8> kPoints = {
      "offset_log.after_add", "batch.after_run",   "state.before_store_commit", "state.after_commit",
      "sink.before_commit",   "sink.after_commit", "commit_log.before_add",     "state.before_delta_rename"};
  size_t draw = std::hash<std::string>()(path.filename().string());
  for (int done = 0, tried = 0; done < num_crashes && tried < 2 * num_crashes; ++tried) {
    bool crashed = false;
    CrashPoint point{std::string(kPoints[draw % kPoints.size()]), 1 + static_cast<int>(draw / kPoints.size() % 4)};
    draw = draw / 32 + (draw % 32) * 0x9E3779B1;
    if (!RunOnce(path, steps, config, point, totals, &crashed)) return;
    done += crashed ? 1 : 0;
  }
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
  if (auto num_crashes = config.NumCrashes(path.string())) {
    RunSample(path, steps, config, *num_crashes, totals);
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
  stream_runner::RandomCutsOptions random;
  bool random_cuts = false;
  for (int i = 1; i < argc; ++i) {
    std::string argument = argv[i];
    bool has_value = i + 1 < argc;
    if (argument == "--config" && has_value) {
      auto loaded = RunConfig::Load(argv[++i]);
      if (!loaded.ok()) {
        fmt::print(stderr, "{}\n", loaded.status().ToString());
        return 2;
      }
      config = *loaded;
    } else if (argument == "--random-cuts" && has_value) {
      random_cuts = true;
      random.seconds = std::atof(argv[++i]);
    } else if (argument == "--kept-seeds" && has_value) {
      random.kept_seeds = argv[++i];
    } else if (argument == "--cases" && has_value) {
      random.max_cases = std::atoi(argv[++i]);
    } else if (argument == "--first-seed" && has_value) {
      random.first_seed = std::strtoull(argv[++i], nullptr, 10);
    } else if (argument == "--seed" && has_value) {
      random_cuts = true;
      random.seed = std::strtoull(argv[++i], nullptr, 10);
    } else if (argument == "--only" && has_value) {
      random.only = argv[++i];
    } else if (argument == "--show") {
      random.show = true;
    } else {
      paths.push_back(argument);
    }
  }
  Totals totals;
  if (random_cuts) {
    stream_runner::RandomCutsOutcome outcome = stream_runner::TryRandomCuts(random);
    totals.passed += outcome.passed;
    totals.failed += outcome.failed;
  }
  for (const fs::path& path : FindScripts(paths)) RunScript(path, config, &totals);
  fmt::print("{} passed, {} failed, {} skipped\n", totals.passed, totals.failed, totals.skipped);
  return totals.failed == 0 ? 0 : 1;
}
