// Delta tables: a commit of a small micro-batch, a look at a table nobody has changed, and a table opened cold.

#include <arrow/builder.h>
#include <benchmark/benchmark.h>

#include <algorithm>
#include <filesystem>

#include "base/ids.h"
#include "connector/sink.h"
#include "delta/checkpoint/maintenance.h"
#include "delta/table.h"
#include "delta/transaction/table_metadata.h"
#include "delta/transaction/transaction.h"
#include "types/arrow_type.h"

namespace millrace {
namespace {

class Folder {
 public:
  Folder() : path_((std::filesystem::temp_directory_path() / ("bench-delta-" + RandomUuid())).string()) {}
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::shared_ptr<arrow::RecordBatch> Visits(const types::DataType& schema) {
  arrow::StringBuilder values;
  arrow::Int64Builder offsets;
  arrow::Int32Builder hours;
  for (int i = 0; i < 100; ++i) {
    arrow::Status status = values.Append(R"({"event_id": "click-)" + std::to_string(i) + R"(", "page": "home"})");
    if (!status.ok() || !offsets.Append(i).ok() || !hours.Append(7).ok()) std::abort();
  }
  arrow::ArrayVector columns = {values.Finish().ValueOrDie(), offsets.Finish().ValueOrDie(),
                                hours.Finish().ValueOrDie()};
  return arrow::RecordBatch::Make(types::ToArrowSchema(schema), 100, std::move(columns));
}

// Argument: 1 with files synced. Rows given to commit durable, as the streaming sink does it; partitioned.
void CommitOf100Rows(benchmark::State& state) {
  Folder folder;
  SystemClock clock;
  connector::ConnectorContext context;
  context.clock = &clock;
  context.durability = state.range(0) == 1 ? Durability::kMachine : Durability::kProcess;
  connector::SinkRequest request;
  request.path = folder.path();
  request.schema = types::ParseSchemaDdl("value STRING, offset BIGINT, hour INT").ValueOrDie();
  request.partition_columns = {"hour"};
  request.query_id = RandomUuid();
  request.context = &context;
  auto sink = connector::FindSink("delta")->open_stream(request).ValueOrDie();
  auto rows = Visits(*request.schema);
  int64_t batch_id = 0;
  std::vector<double> times;
  for (auto _ : state) {
    auto start = std::chrono::steady_clock::now();
    auto write = sink->Begin(BatchId(batch_id++)).ValueOrDie();
    auto writer = write->OpenWriter(0).ValueOrDie();
    if (!writer->Write(rows).ok()) std::abort();
    std::vector<connector::WriterCommitMessage> messages = {writer->Commit().ValueOrDie()};
    if (!write->Flush(&messages).ok() || !write->Commit(std::move(messages)).ok()) std::abort();
    std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - start;
    times.push_back(taken.count());
  }
  std::sort(times.begin(), times.end());
  state.counters["p50_ms"] = times[times.size() / 2];
  state.counters["p99_ms"] = times[times.size() * 99 / 100];
}
BENCHMARK(CommitOf100Rows)->ArgName("synced")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond)->UseRealTime();

// A table of so many commits, a file each, with checkpoints; made once.
std::string TableOf(int64_t commits) {
  static auto* folder = new Folder;
  static int64_t made = 0;
  if (made == commits) return folder->path();
  static SystemClock clock;
  auto table = std::make_shared<delta::Table>(LocalFileSystem(), folder->path());
  delta::TransactionSettings settings;
  settings.durability = Durability::kProcess;
  settings.clock = &clock;
  for (; made < commits; ++made) {
    auto transaction = delta::Transaction::Begin(table, settings).ValueOrDie();
    if (made == 0) {
      auto schema = types::ParseSchemaDdl("value STRING, offset BIGINT").ValueOrDie();
      auto definition = delta::DefineTable(schema, {}, {{"delta.checkpointInterval", "1000"}}, 0).ValueOrDie();
      transaction->SetMetadata(definition.metadata);
      transaction->SetProtocol(definition.protocol);
    }
    delta::Add add;
    add.path = "part-00000-" + RandomUuid() + "-c000.snappy.parquet";
    add.size_bytes = 2484;
    add.stats = R"({"numRecords":3,"minValues":{"value":"a","offset":0},"maxValues":{"value":"b","offset":2},)"
                R"("nullCount":{"value":0,"offset":0}})";
    transaction->Stage(std::move(add));
    auto committed = std::get<delta::Committed>(transaction->Commit({"WRITE", {}, {}, {}}).ValueOrDie());
    if (!delta::MaintainAfterCommit(*table, committed, {Durability::kProcess, &clock}).ok()) std::abort();
  }
  return folder->path();
}

void RefreshOfAnUnchangedTable(benchmark::State& state) {
  delta::Table table(LocalFileSystem(), TableOf(state.range(0)));
  if (!table.Update().ok()) std::abort();
  for (auto _ : state) benchmark::DoNotOptimize(table.Update().ValueOrDie());
}
BENCHMARK(RefreshOfAnUnchangedTable)->ArgName("commits")->Arg(8000)->Unit(benchmark::kMicrosecond);

void ColdLoad(benchmark::State& state) {
  std::string path = TableOf(state.range(0));
  for (auto _ : state) {
    delta::Table table(LocalFileSystem(), path);
    benchmark::DoNotOptimize(table.Update().ValueOrDie()->files().num_files());
  }
}
BENCHMARK(ColdLoad)->ArgName("commits")->Arg(8000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace millrace
