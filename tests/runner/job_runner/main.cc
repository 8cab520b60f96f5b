// Runs jobs that are described by a JSON file, through the public C++ API, as a user's program would.
//
//   job_runner JOBS.json        one job or an array of them; "-" reads standard input
//
// A job: "remote" (a Spark Connect server's url), "conf", "source", "sourceOptions", "schema", "load", "query" (SQL
// over the view `input`; all of it when absent); with "sink", "sinkOptions", "save", "mode", "partitionBy" and, for
// streams, "queryName", "trigger"
// ({"availableNow": true},
// {"once": true}, {"processingTime": "100"} in ms) it writes, else it is a batch whose rows are printed. "stream":
// false with a sink is a batch write. Printed, one JSON object a line: {"schema"}, {"progress"} as they come, {"row"},
// and at the end of each job {"error"} or
// {"end"}. A stream without an ending trigger runs until SIGINT or SIGTERM. tests/e2e/spark_job.py prints the same of
// Spark.

#include <millrace/millrace.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>

#include "base/json_value.h"

namespace {

using millrace::JsonValue;
using Millis = std::chrono::milliseconds;

std::atomic<bool> interrupted{false};

void Print(const char* key, JsonValue value) {
  std::puts(JsonValue::Object({{key, std::move(value)}}).ToString().c_str());
  std::fflush(stdout);
}

std::string Text(const JsonValue& job, std::string_view key) {
  const JsonValue* value = job.Find(key);
  return value == nullptr ? "" : value->AsString();
}

std::vector<std::string> Texts(const JsonValue& job, std::string_view key) {
  std::vector<std::string> texts;
  if (const JsonValue* values = job.Find(key)) {
    for (const JsonValue& value : values->elements()) texts.push_back(value.AsString());
  }
  return texts;
}

template <typename Target>
void SetOptions(const JsonValue& job, std::string_view key, Target* target) {
  const JsonValue* options = job.Find(key);
  if (options == nullptr) return;
  for (const auto& [name, value] : options->members()) target->Option(name, value.AsString());
}

arrow::Status PrintRows(const millrace::DataFrame& frame) {
  auto text = millrace::functions::ToJson(millrace::functions::Struct({millrace::Column("*")}));
  ARROW_ASSIGN_OR_RAISE(auto rows, frame.Select({text.As("row")}).Collect());
  for (const millrace::Row& row : rows) {
    ARROW_ASSIGN_OR_RAISE(std::string json, row.GetString("row"));
    ARROW_ASSIGN_OR_RAISE(JsonValue value, millrace::ParseJson(json));
    Print("row", std::move(value));
  }
  return arrow::Status::OK();
}

arrow::Status WriteBatch(const JsonValue& job, const millrace::DataFrame& frame) {
  millrace::DataFrameWriter writer = frame.Write();
  writer.Format(Text(job, "sink"));
  if (job.Find("mode") != nullptr) writer.Mode(Text(job, "mode"));
  SetOptions(job, "sinkOptions", &writer);
  if (job.Find("partitionBy") != nullptr) writer.PartitionBy(Texts(job, "partitionBy"));
  return writer.Save(Text(job, "save"));
}

/// Prints what a query has reported since the last call.
void PrintProgress(const millrace::StreamingQuery& query, std::string* last) {
  std::vector<std::string> recent = query.RecentProgress();
  auto begin = std::find(recent.rbegin(), recent.rend(), *last).base();
  if (last->empty() || begin == recent.begin()) begin = recent.begin();
  for (auto text = begin; text != recent.end(); ++text) {
    if (auto value = millrace::ParseJson(*text); value.ok()) Print("progress", *std::move(value));
    *last = *text;
  }
}

arrow::Status RunStream(const JsonValue& job, const millrace::DataFrame& frame) {
  millrace::DataStreamWriter writer = frame.WriteStream();
  writer.Format(Text(job, "sink"));
  if (job.Find("mode") != nullptr) writer.OutputMode(Text(job, "mode"));
  if (job.Find("queryName") != nullptr) writer.QueryName(Text(job, "queryName"));
  if (job.Find("partitionBy") != nullptr) writer.PartitionBy(Texts(job, "partitionBy"));
  SetOptions(job, "sinkOptions", &writer);
  if (const JsonValue* trigger = job.Find("trigger")) {
    if (trigger->Find("availableNow") != nullptr) writer.SetTrigger(millrace::Trigger::AvailableNow());
    if (trigger->Find("once") != nullptr) writer.SetTrigger(millrace::Trigger::Once());
    constexpr std::pair<const char*, millrace::Trigger (*)(Millis)> kEach[] = {
        {"processingTime", millrace::Trigger::ProcessingTime},
        {"continuous", millrace::Trigger::Continuous},
        {"realTime", millrace::Trigger::RealTime}};
    for (const auto& [name, make] : kEach) {
      if (const JsonValue* interval = trigger->Find(name)) {
        writer.SetTrigger(make(Millis(std::atoll(interval->AsString().c_str()))));
      }
    }
  }
  ARROW_ASSIGN_OR_RAISE(millrace::StreamingQuery query, writer.Start(Text(job, "save")));
  std::string last;
  for (;;) {
    arrow::Result<bool> ended = query.AwaitTermination(Millis(20));
    PrintProgress(query, &last);
    ARROW_RETURN_NOT_OK(ended.status());
    if (*ended) return arrow::Status::OK();
    if (interrupted) ARROW_RETURN_NOT_OK(query.Stop());
  }
}

arrow::Status RunJob(const JsonValue& job) {
  millrace::Session::Builder builder;
  if (job.Find("remote") != nullptr) builder.Remote(Text(job, "remote"));
  if (const JsonValue* conf = job.Find("conf")) {
    for (const auto& [key, value] : conf->members()) builder.Config(key, value.AsString());
  }
  ARROW_ASSIGN_OR_RAISE(millrace::Session spark, builder.GetOrCreate());
  const JsonValue* stream = job.Find("stream");
  bool writes = job.Find("sink") != nullptr;
  bool streaming = writes && (stream == nullptr || stream->AsBool());
  millrace::DataFrameReader reader = streaming ? spark.ReadStream() : spark.Read();
  reader.Format(Text(job, "source"));
  if (job.Find("schema") != nullptr) reader.Schema(Text(job, "schema"));
  SetOptions(job, "sourceOptions", &reader);
  millrace::DataFrame frame = reader.Load(Text(job, "load"));
  if (job.Find("query") != nullptr) {
    ARROW_RETURN_NOT_OK(frame.CreateTempView("input", /*replace=*/true));
    frame = spark.Sql(Text(job, "query"));
  }
  ARROW_ASSIGN_OR_RAISE(std::string schema, frame.SchemaDdl());
  Print("schema", JsonValue::String(std::move(schema)));
  if (!writes) return PrintRows(frame);
  return streaming ? RunStream(job, frame) : WriteBatch(job, frame);
}

/// True when the job ended well.
bool Report(const arrow::Status& status) {
  if (status.ok()) {
    Print("end", JsonValue::String("ok"));
    return true;
  }
  JsonValue error = JsonValue::Object();
  error.Set("condition", JsonValue::String(millrace::ErrorConditionOf(status)));
  error.Set("message", JsonValue::String(status.message()));
  Print("error", std::move(error));
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: job_runner JOBS.json|-\n", stderr);
    return 2;
  }
  std::ifstream file(argv[1]);
  std::istream& input = std::string_view(argv[1]) == "-" ? std::cin : file;
  std::string text((std::istreambuf_iterator<char>(input)), std::istreambuf_iterator<char>());
  auto jobs = millrace::ParseJson(text);
  if (!jobs.ok()) {
    std::fprintf(stderr, "%s: %s\n", argv[1], jobs.status().message().c_str());
    return 2;
  }
  for (int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { interrupted = true; });
  std::vector<JsonValue> list = jobs->is_array() ? jobs->elements() : std::vector<JsonValue>{*jobs};
  bool all_well = true;
  for (const JsonValue& job : list) all_well = Report(RunJob(job)) && all_well;
  return all_well ? 0 : 1;
}
