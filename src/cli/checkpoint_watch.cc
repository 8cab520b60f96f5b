#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <thread>

#include "cli/checkpoint_report.h"
#include "connector/kafka/offset_json.h"
#include "kafka/admin.h"
#include "streaming/progress.h"

namespace millrace::cli {

namespace {

using std::chrono::steady_clock;

std::atomic<bool> stop_requested{false};

// The offsets of the newest micro-batch that is done, all Kafka sources together; empty for other sources.
kafka::PartitionOffsets DonePositions(const CheckpointReport& report) {
  kafka::PartitionOffsets positions;
  for (auto batch = report.batches.rbegin(); batch != report.batches.rend(); ++batch) {
    if (!batch->committed) continue;
    for (const auto& offset : batch->offsets.offsets) {
      if (!offset) continue;
      auto parsed = connector::kafka::ParsePartitionOffsets(offset->json);
      if (parsed.ok()) positions.insert(parsed->begin(), parsed->end());
    }
    break;
  }
  return positions;
}

int64_t Sum(const kafka::PartitionOffsets& offsets) {
  int64_t sum = 0;
  for (const auto& [partition, offset] : offsets) sum += offset;
  return sum;
}

struct Look {
  steady_clock::time_point at;
  int64_t batch_id = -1;
  int64_t position = 0;
  int64_t lag = -1;
  int64_t median_ms = -1;
  int64_t longest_ms = -1;
  std::string offsets;
  std::string started_at;
};

arrow::Result<Look> TakeLook(const WatchOptions& options, kafka::Admin* admin) {
  Look look;
  look.at = steady_clock::now();
  auto read = ReadCheckpoint(*LocalFileSystem(), options.directory, 50);
  // Not there yet: the query is still starting.
  if (!read.ok()) return look;
  std::vector<int64_t> durations;
  for (const BatchReport& batch : read->batches) {
    if (!batch.committed) continue;
    look.batch_id = batch.batch_id;
    look.started_at = streaming::IsoMillis(batch.offsets.timestamp_ms);
    if (batch.duration_ms) durations.push_back(*batch.duration_ms);
  }
  if (!durations.empty()) {
    std::sort(durations.begin(), durations.end());
    look.median_ms = durations[durations.size() / 2];
    look.longest_ms = durations.back();
  }
  kafka::PartitionOffsets positions = DonePositions(*read);
  look.position = Sum(positions);
  look.offsets = connector::kafka::FormatPartitionOffsets(positions);
  if (admin != nullptr && !positions.empty()) {
    ARROW_ASSIGN_OR_RAISE(auto latest, admin->LatestOffsets(connector::kafka::PartitionsOf(positions)));
    look.lag = std::max<int64_t>(0, Sum(latest) - look.position);
  }
  return look;
}

void Draw(const WatchOptions& options, const Look& look, const Look& before, double elapsed_s) {
  double seconds = std::chrono::duration<double>(look.at - before.at).count();
  double rate = seconds > 0 ? static_cast<double>(look.position - before.position) / seconds : 0;
  int64_t batches = before.batch_id < 0 ? 0 : look.batch_id - before.batch_id;
  std::string lag = look.lag < 0 ? "?" : std::to_string(look.lag);
  if (options.lines) {
    std::printf("%6.1f s  batch %6lld  %8.0f records/s  lag %8s  took %lld ms\n", elapsed_s,
                static_cast<long long>(look.batch_id), rate, lag.c_str(), static_cast<long long>(look.median_ms));
  } else {
    auto bar = static_cast<size_t>(std::clamp(rate / 50.0, 0.0, 50.0));
    std::printf("\033[H\033[2J");
    std::printf("%s\n\n", options.directory.c_str());
    std::printf("  records/s     %10.0f  %s\n", rate, std::string(bar, '#').c_str());
    std::printf("  micro-batch   %10lld  (%lld since the last look, newest at %s)\n",
                static_cast<long long>(look.batch_id), static_cast<long long>(batches), look.started_at.c_str());
    std::printf("  duration      %7lld ms  median of the last 50, longest %lld ms\n",
                static_cast<long long>(look.median_ms), static_cast<long long>(look.longest_ms));
    std::printf("  lag           %10s  records not yet done\n", lag.c_str());
    std::printf("  offsets       %s\n", look.offsets.c_str());
  }
  std::fflush(stdout);
}

}  // namespace

arrow::Status WatchCheckpoint(const WatchOptions& options) {
  std::unique_ptr<kafka::Admin> admin;
  if (!options.kafka.empty()) {
    ARROW_ASSIGN_OR_RAISE(
        kafka::ClientConfig config,
        kafka::TranslateClientConfig(kafka::ClientRole::kConsumer, {{"bootstrap.servers", options.kafka}}));
    ARROW_ASSIGN_OR_RAISE(admin, kafka::Admin::Open(config, {}));
  }
  stop_requested = false;
  for (int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { stop_requested = true; });
  const auto start = steady_clock::now();
  ARROW_ASSIGN_OR_RAISE(Look before, TakeLook(options, admin.get()));
  while (!stop_requested) {
    std::this_thread::sleep_for(std::chrono::milliseconds(options.interval_ms));
    double elapsed_s = std::chrono::duration<double>(steady_clock::now() - start).count();
    ARROW_ASSIGN_OR_RAISE(Look look, TakeLook(options, admin.get()));
    if (look.batch_id >= 0) Draw(options, look, before.batch_id >= 0 ? before : look, elapsed_s);
    before = look;
    if (options.seconds > 0 && elapsed_s >= options.seconds) break;
  }
  return arrow::Status::OK();
}

}  // namespace millrace::cli
