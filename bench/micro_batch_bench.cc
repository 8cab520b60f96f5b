// What one micro-batch costs beside its rows: one row from memory to nowhere, logs written but not synced.

#include <arrow/builder.h>
#include <benchmark/benchmark.h>

#include <filesystem>

#include "base/ids.h"
#include "session/session.h"
#include "spark/connect/commands.pb.h"
#include "spark/connect/relations.pb.h"

namespace millrace {
namespace {

std::shared_ptr<arrow::RecordBatch> OneRow() {
  arrow::Int64Builder values;
  if (!values.Append(1).ok()) std::abort();
  auto schema = arrow::schema({arrow::field("v", arrow::int64())});
  return arrow::RecordBatch::Make(schema, 1, {values.Finish().ValueOrDie()});
}

// Argument: 1 with files synced. Time is per micro-batch.
void OneRowMicroBatches(benchmark::State& state) {
  bool synced = state.range(0) == 1;
  const int batches = synced ? 100 : 1000;
  auto session = session::Session::Create(std::make_shared<session::Engine>());
  if (!session->conf().Set("millrace.durability", synced ? "machine" : "process").ok()) std::abort();
  auto table = session->memory_tables().Create("in", types::Struct({{"v", types::Long(), true, ""}}));
  for (int i = 0; i < batches; ++i) table->Append({OneRow()});
  spark::connect::WriteStreamOperationStart start;
  auto* read = start.mutable_input()->mutable_read();
  read->set_is_streaming(true);
  read->mutable_data_source()->set_format("memory");
  auto& options = *read->mutable_data_source()->mutable_options();
  options["table"] = "in";
  options["maxUnitsPerTrigger"] = "1";
  start.set_format("noop");
  start.set_available_now(true);
  for (auto _ : state) {
    auto folder = std::filesystem::temp_directory_path() / ("bench-" + RandomUuid());
    (*start.mutable_options())["checkpointLocation"] = folder.string();
    auto query = session->StartStream(start).ValueOrDie();
    if (!query->AwaitTermination(std::chrono::milliseconds(-1)).ok()) state.SkipWithError("the query failed");
    state.PauseTiming();
    query.reset();
    std::filesystem::remove_all(folder);
    state.ResumeTiming();
  }
  state.counters["per_micro_batch"] = benchmark::Counter(
      static_cast<double>(batches), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(OneRowMicroBatches)->ArgName("synced")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace millrace
