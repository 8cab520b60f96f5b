// Sessions of users: the pages seen so far, and at the end, when nothing came from the user for ten minutes.
//
//   visits_sessions [KAFKA] [CHECKPOINT_DIR] [INPUT_TOPIC] [OUTPUT_TOPIC]

#include <millrace/millrace.h>

#include <iostream>

using namespace millrace;

struct Visit {
  Timestamp event_time;
  static constexpr auto kFields = Fields("event_time", &Visit::event_time);
};
struct Seen {
  int64_t pages = 0, last_ms = 0;
  static constexpr auto kFields = Fields("pages", &Seen::pages, "last_ms", &Seen::last_ms);
};
using Report = std::tuple<std::string, int64_t, bool>;  // user, pages, ended

arrow::Result<Report> Follow(const std::string& user, std::span<const Visit> visits, GroupState<Seen>& state) {
  Seen seen = state.GetOption().value_or(Seen());
  if (state.HasTimedOut()) {
    state.Remove();
    return Report(user, seen.pages, true);
  }
  for (const Visit& visit : visits) {
    ++seen.pages;
    seen.last_ms = std::max(seen.last_ms, visit.event_time.time_since_epoch().count() / 1000);
  }
  state.Update(seen);
  ARROW_ASSIGN_OR_RAISE(int64_t watermark_ms, state.GetCurrentWatermarkMs());
  ARROW_RETURN_NOT_OK(state.SetTimeoutTimestamp(std::max(seen.last_ms + 600'000, watermark_ms + 1)));
  return Report(user, seen.pages, false);
}

arrow::Status Run(const std::vector<std::string>& args) {
  ARROW_ASSIGN_OR_RAISE(Session spark, Session::Builder().AppName("visits-sessions").GetOrCreate());
  spark.StopOnSignals();
  DataStreamReader reader = spark.ReadStream().Format("kafka").Option("subscribe", args[2]);
  reader.Option("kafka.bootstrap.servers", args[0]);
  DataFrame visits = reader.Load()
                         .SelectExpr({"from_json(string(value), 'user_id STRING, event_time TIMESTAMP') AS v"})
                         .SelectExpr({"v.*"})
                         .WithWatermark("event_time", "1 minute");
  DataFrame reports = visits.Where("user_id IS NOT NULL")
                          .GroupByKey<std::string, Visit>({"user_id"})
                          .MapGroupsWithState<Seen>(GroupStateTimeout::kEventTimeTimeout, Follow);
  DataStreamWriter writer =
      reports.SelectExpr({"to_json(struct(_1 AS user, _2 AS pages, _3 AS ended)) AS value"}).WriteStream();
  writer.OutputMode("update").Format("kafka").Option("kafka.bootstrap.servers", args[0]).Option("topic", args[3]);
  ARROW_ASSIGN_OR_RAISE(StreamingQuery query, writer.Option("checkpointLocation", args[1]).Start());
  return query.AwaitTermination();
}

int main(int argc, char** argv) {
  std::vector<std::string> args = {"localhost:9094", "/tmp/millrace/visits-sessions", "visits", "visit-sessions"};
  for (int i = 1; i < argc && i <= 4; ++i) args[static_cast<size_t>(i) - 1] = argv[i];
  arrow::Status status = Run(args);
  return status.ok() ? 0 : (std::cerr << status.message() << "\n", 1);
}
