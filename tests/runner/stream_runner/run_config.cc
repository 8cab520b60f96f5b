#include "stream_runner/run_config.h"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace millrace::stream_runner {

arrow::Result<RunConfig> RunConfig::Load(const std::string& path) {
  std::ifstream file(path);
  if (!file) return arrow::Status::IOError("Cannot read ", path);
  RunConfig config;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    std::string key;
    std::string value;
    words >> key >> value;
    if (key == "crash" && value == "every_failpoint") {
      config.crash_everywhere = true;
    } else if (key == "sample") {
      int num_crashes = 0;
      words >> num_crashes;
      config.samples.push_back({value, num_crashes});
    } else if (key == "restart" && value == "each_process") {
      config.restart_each_process = true;
    } else if (key == "rows_per_batch") {
      config.rows_per_batch = std::stoi(value);
    } else if (key == "state_partitions") {
      config.state_partitions = std::stoi(value);
    } else if (key == "partitions") {
      config.partitions = std::stoi(value);
    } else if (key == "conf") {
      std::string text;
      std::getline(words >> std::ws, text);
      config.confs.emplace_back(value, text);
    } else if (key == "ignore") {
      config.ignored_verbs.push_back(value);
    } else if (key == "skip" || key == "skip_mode") {
      std::string reason;
      std::getline(words >> std::ws, reason);
      (key == "skip" ? config.skips : config.mode_skips).push_back({value, reason});
    } else {
      return arrow::Status::Invalid(path, ":", number, ": what is ", line, "?");
    }
  }
  return config;
}

bool RunConfig::Ignores(const std::string& verb) const {
  return std::find(ignored_verbs.begin(), ignored_verbs.end(), verb) != ignored_verbs.end();
}

std::optional<int> RunConfig::NumCrashes(const std::string& script_path) const {
  for (const Sample& sample : samples) {
    if (script_path.find(sample.path_part) != std::string::npos) return sample.num_crashes;
  }
  return std::nullopt;
}

std::optional<std::string> RunConfig::SkipReason(const std::string& script_path, const std::string& script) const {
  for (const Skip& skip : skips) {
    if (script_path.find(skip.path_part) != std::string::npos) return skip.reason;
  }
  for (const Skip& skip : mode_skips) {
    if (("\n" + script).find("\nmode " + skip.path_part + "\n") != std::string::npos) return skip.reason;
  }
  return std::nullopt;
}

}  // namespace millrace::stream_runner
