#include "stream_runner/random_cuts.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "stream_runner/random_case.h"
#include "stream_runner/script.h"
#include "stream_runner/script_run.h"

namespace millrace::stream_runner {

namespace {

using Clock = std::chrono::steady_clock;

/// A case with the batch query's answer and what the stream gave.
struct Trial {
  std::vector<std::string> answer;
  ScriptRun::Outcome outcome;
  bool failed() const { return !outcome.failures.empty() || outcome.not_built; }
};

RunConfig ConfigOf(const RandomCase& drawn) {
  RunConfig config;
  config.partitions = 1 + static_cast<int>(drawn.seed % 3);
  return config;
}

Trial Try(const RandomCase& drawn) {
  Trial trial;
  RunConfig config = ConfigOf(drawn);
  {
    ScriptRun batch(config, std::nullopt);
    trial.outcome = batch.Run(ParseScript(drawn.BatchScript()));
    if (trial.failed()) return trial;
    auto rows = batch.BatchAnswer(drawn.query);
    if (!rows.ok()) {
      trial.outcome.failures.push_back({0, {"an answer of the batch query"}, {rows.status().ToString()}});
      return trial;
    }
    trial.answer = *rows;
  }
  ScriptRun stream(config, std::nullopt);
  trial.outcome = stream.Run(ParseScript(drawn.Script(trial.answer)));
  return trial;
}

/// Takes away rows, restarts and settings one after the other, as long as it still fails.
RandomCase Shrink(RandomCase drawn, Clock::time_point deadline) {
  auto still_fails = [&](const RandomCase& smaller) {
    if (Clock::now() > deadline || !Try(smaller).failed()) return false;
    drawn = smaller;
    return true;
  };
  for (size_t i = drawn.settings.size(); i-- > 0;) {
    RandomCase smaller = drawn;
    smaller.settings.erase(smaller.settings.begin() + static_cast<std::ptrdiff_t>(i));
    still_fails(smaller);
  }
  for (size_t i = 0; i < drawn.restarts.size(); ++i) {
    if (!drawn.restarts[i]) continue;
    RandomCase smaller = drawn;
    smaller.restarts[i] = false;
    still_fails(smaller);
  }
  for (size_t s = 0; s < drawn.sources.size(); ++s) {
    for (size_t length = drawn.sources[s].rows.size(); length > 0; length /= 2) {
      for (size_t at = 0; at + length <= drawn.sources[s].rows.size();) {
        RandomCase smaller = drawn;
        auto erase = [&](auto* items) {
          auto first = items->begin() + static_cast<std::ptrdiff_t>(at);
          items->erase(first, first + static_cast<std::ptrdiff_t>(length));
        };
        erase(&smaller.sources[s].rows);
        erase(&smaller.sources[s].rounds);
        // Without a row there is no micro-batch: another case.
        if (smaller.sources[s].rows.empty() || !still_fails(smaller)) at += length;
      }
    }
  }
  return drawn;
}

void Report(const RandomCase& drawn) {
  fmt::print("seed {} fails: {}\n", drawn.seed, drawn.operators);
  RandomCase small = Shrink(drawn, Clock::now() + std::chrono::seconds(20));
  Trial trial = Try(small);
  // A failure that comes and goes is shown whole.
  if (!trial.failed()) {
    small = drawn;
    trial = Try(small);
  }
  fmt::print("---- {} source partitions; as few rows as still fail:\n{}----\n", ConfigOf(small).partitions,
             small.Script(trial.answer));
  if (!trial.failed()) fmt::print("it does not fail each time\n");
  for (const ScriptRun::Failure& failure : trial.outcome.failures) {
    fmt::print("  as a batch\n");
    for (const std::string& line : failure.expected) fmt::print("    {}\n", line);
    fmt::print("  as a stream\n");
    for (const std::string& line : failure.got) fmt::print("    {}\n", line);
  }
  if (trial.outcome.not_built) fmt::print("  {}\n", *trial.outcome.not_built);
}

std::vector<uint64_t> KeptSeeds(const std::string& path) {
  std::vector<uint64_t> seeds;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') seeds.push_back(std::stoull(line));
  }
  return seeds;
}

}  // namespace

RandomCutsOutcome TryRandomCuts(const RandomCutsOptions& options) {
  RandomCutsOutcome outcome;
  std::map<std::string, int> operators;
  auto one = [&](uint64_t seed) {
    RandomCase drawn = RandomCase::Draw(seed);
    if (!options.only.empty() && (" " + drawn.operators + " ").find(" " + options.only + " ") == std::string::npos) {
      return;
    }
    Trial trial = Try(drawn);
    if (options.show) fmt::print("{}\n", drawn.Script(trial.answer));
    (trial.failed() ? outcome.failed : outcome.passed) += 1;
    if (trial.failed()) Report(drawn);
    std::istringstream words(drawn.operators);
    for (std::string word; words >> word;) {
      if (word.size() > 1) ++operators[word];
    }
    std::fflush(stdout);
  };
  if (options.seed) {
    one(*options.seed);
    return outcome;
  }
  for (uint64_t seed : KeptSeeds(options.kept_seeds)) one(seed);
  const Clock::time_point end =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.seconds));
  std::random_device device;
  // Short enough to be typed.
  uint64_t seed = options.first_seed ? *options.first_seed : device() % 1000000000;
  for (int i = 0; i < options.max_cases && Clock::now() < end; ++i) one(seed++);
  std::string counts;
  for (const auto& [word, count] : operators) counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", count, word);
  fmt::print("{} random queries cut at random: {}\n", outcome.passed + outcome.failed, counts);
  return outcome;
}

}  // namespace millrace::stream_runner
