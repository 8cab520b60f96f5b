#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <thread>

#include "cli/command.h"
#include "cli/generator/record_target.h"
#include "cli/generator/timestamp_text.h"

namespace millrace::cli {

namespace {

using std::chrono::steady_clock;

struct GenerateOptions {
  const DataSet* data_set = nullptr;
  MakerOptions maker;
  std::string start;
  KafkaTargetOptions kafka;
  std::vector<std::string> kafka_settings;
  FileTargetOptions files;
  double rate = 0;
  int64_t count = 0;
  double seconds = 0;
  bool quiet = false;
};

std::atomic<bool> stop_requested{false};

arrow::Result<std::unique_ptr<RecordTarget>> OpenTarget(const GenerateOptions& options) {
  const bool to_kafka = !options.kafka.topic.empty();
  if (to_kafka == !options.files.directory.empty()) {
    return arrow::Status::Invalid("Say where to: either --topic (with --kafka) or --out DIR");
  }
  if (!to_kafka) {
    FileTargetOptions files = options.files;
    files.extension = options.data_set->file_extension;
    return OpenFileTarget(LocalFileSystem(), files);
  }
  KafkaTargetOptions kafka = options.kafka;
  for (const std::string& setting : options.kafka_settings) {
    size_t equals = setting.find('=');
    if (equals == std::string::npos) {
      return arrow::Status::Invalid(fmt::format("--kafka-option {}: give NAME=VALUE", setting));
    }
    kafka.settings[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  return OpenKafkaTarget(kafka);
}

arrow::Result<int64_t> StartMillis(const std::string& text) {
  if (text == "now") {
    using namespace std::chrono;
    return duration_cast<milliseconds>(floor<seconds>(system_clock::now()).time_since_epoch()).count();
  }
  if (auto start = ParseDateTime(text)) return *start;
  return arrow::Status::Invalid(fmt::format("--start {}: give now or a time as 2024-01-01T00:00:00Z", text));
}

void Report(const GenerateOptions& options, int64_t count, double elapsed_s, bool last) {
  if (options.quiet) return;
  std::fprintf(stderr, "%s: %lld records in %.1f s, %.0f a second%s", std::string(options.data_set->name).c_str(),
               static_cast<long long>(count), elapsed_s, elapsed_s > 0 ? static_cast<double>(count) / elapsed_s : 0.0,
               last ? "\n" : "\r");
}

arrow::Status Generate(GenerateOptions options) {
  ARROW_ASSIGN_OR_RAISE(options.maker.start_ms, StartMillis(options.start));
  if (options.maker.num_active < 1) return arrow::Status::Invalid("--active must be at least 1");
  ARROW_ASSIGN_OR_RAISE(std::unique_ptr<RecordTarget> target, OpenTarget(options));
  std::unique_ptr<RecordMaker> maker = options.data_set->make(options.maker);

  stop_requested = false;
  for (int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { stop_requested = true; });
  constexpr int64_t kMaxBatch = 2048;
  // How finely a rate is cut: records leave evenly, not in bursts.
  constexpr std::chrono::milliseconds kTick{2};
  const auto start = steady_clock::now();
  auto report_at = start + std::chrono::seconds(1);
  RecordTexts batch;
  int64_t made = 0;
  for (;;) {
    const auto now = steady_clock::now();
    const double elapsed_s = std::chrono::duration<double>(now - start).count();
    if (stop_requested || (options.seconds > 0 && elapsed_s >= options.seconds)) break;
    if (options.count > 0 && made >= options.count) break;
    if (now >= report_at) {
      Report(options, made, elapsed_s, /*last=*/false);
      report_at = now + std::chrono::seconds(1);
    }
    int64_t due = kMaxBatch;
    if (options.rate > 0) {
      due = std::min(kMaxBatch, static_cast<int64_t>(options.rate * elapsed_s) + 1 - made);
    }
    if (options.count > 0) due = std::min(due, options.count - made);
    if (due <= 0) {
      std::this_thread::sleep_for(kTick);
      continue;
    }
    maker->Make(due, &batch);
    ARROW_RETURN_NOT_OK(target->Write(batch));
    made += due;
  }
  ARROW_RETURN_NOT_OK(target->Flush());
  Report(options, made, std::chrono::duration<double>(steady_clock::now() - start).count(), /*last=*/true);
  return arrow::Status::OK();
}

}  // namespace

void AddGenerateCommand(CLI::App& program, int* exit_code) {
  CLI::App* generate = program.add_subcommand("generate", "Make demo data, the same for the same seed");
  generate->require_subcommand(1);
  for (const DataSet& data_set : DataSets()) {
    auto options = std::make_shared<GenerateOptions>();
    options->data_set = &data_set;
    CLI::App* command = generate->add_subcommand(std::string(data_set.name), std::string(data_set.description));
    command->add_option("--topic", options->kafka.topic, "Kafka topic to write to");
    options->kafka.bootstrap_servers = "localhost:9092";
    command->add_option("--kafka", options->kafka.bootstrap_servers, "Kafka brokers, host:port,host:port")
        ->capture_default_str();
    command->add_option("--partitions", options->kafka.num_partitions,
                        "Make the topic with so many partitions; records go by the CRC-32 of their key");
    command->add_option("--kafka-option", options->kafka_settings, "Further client settings, NAME=VALUE");
    command->add_option("--out", options->files.directory, "Directory to write files to, or - for standard output");
    command->add_option("--records-per-file", options->files.records_per_file)
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    command->add_option("--rate", options->rate, "Records a second; 0: as fast as possible")->capture_default_str();
    command->add_option("--count", options->count, "End after so many records; 0: never")->capture_default_str();
    command->add_option("--seconds", options->seconds, "End after so many seconds; 0: never")->capture_default_str();
    command->add_option("--seed", options->maker.seed)->capture_default_str();
    options->start = "2024-01-01T00:00:00Z";
    command->add_option("--start", options->start, "First event time (UTC), or now")->capture_default_str();
    if (data_set.name == "visits") {
      command->add_option("--active", options->maker.num_active, "Visits going on at once")->capture_default_str();
      command->add_flag("--event-ids", options->maker.event_ids,
                        "Number the records (event_id) and the visits, as the reprocessor's jobs expect");
    }
    command->add_flag("--quiet", options->quiet, "No progress on standard error");
    command->callback([options, exit_code] { *exit_code = ExitCodeOf(Generate(*options)); });
  }
}

}  // namespace millrace::cli
