// How long it takes to know a Delta table: loading it (`cold`), asking whether it changed (`unchanged`), following one
// more commit (`one_more`). The table is at MILLRACE_BENCH_DELTA_TABLE, or one of 8,000 commits without a checkpoint.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "delta/log/log_paths.h"
#include "delta/table.h"

namespace millrace::delta {
namespace {

namespace fs = std::filesystem;

void WriteCommit(const std::string& log, int64_t version, const std::string& text) {
  std::ofstream(log + "/" + CommitFileName(TableVersion(version))) << text;
}

std::string CommitText(int64_t version) {
  std::string number = std::to_string(version);
  return R"({"commitInfo":{"timestamp":1700000000000,"operation":"STREAMING UPDATE"}})"
         "\n"
         R"({"txn":{"appId":"q","version":)" +
         number +
         R"(,"lastUpdated":1700000000000}})"
         "\n"
         R"({"add":{"path":"part-00000-)" +
         number +
         R"(.snappy.parquet","partitionValues":{},"size":12345,"modificationTime":1700000000000,"dataChange":true,"stats":"{\"numRecords\":100,\"minValues\":{\"a\":1},\"maxValues\":{\"a\":9},\"nullCount\":{\"a\":0}}"}})"
         "\n";
}

std::string MakeTable(const std::string& name, int64_t num_commits) {
  std::string path = fs::temp_directory_path() / ("millrace_bench_" + name);
  std::string log = LogDirectory(path);
  fs::remove_all(path);
  fs::create_directories(log);
  WriteCommit(
      log, 0,
      R"({"protocol":{"minReaderVersion":1,"minWriterVersion":2}})"
      "\n"
      R"({"metaData":{"id":"m","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":[],"configuration":{}}})"
      "\n");
  for (int64_t version = 1; version < num_commits; ++version) WriteCommit(log, version, CommitText(version));
  return path;
}

std::string BenchTable() {
  const char* given = std::getenv("MILLRACE_BENCH_DELTA_TABLE");
  static const std::string path = given != nullptr ? std::string(given) : MakeTable("delta_log", 8000);
  return path;
}

void Cold(benchmark::State& state) {
  std::string path = BenchTable();
  for (auto _ : state) {
    Table table(LocalFileSystem(), path);
    auto snapshot = table.Update();
    if (!snapshot.ok()) return state.SkipWithError(snapshot.status().ToString().c_str());
    benchmark::DoNotOptimize(snapshot);
  }
}
BENCHMARK(Cold)->Unit(benchmark::kMillisecond);

void Unchanged(benchmark::State& state) {
  Table table(LocalFileSystem(), BenchTable());
  if (!table.Update().ok()) return state.SkipWithError("the table cannot be loaded");
  for (auto _ : state) benchmark::DoNotOptimize(table.Update());
}
BENCHMARK(Unchanged)->Unit(benchmark::kMicrosecond);

void OneMore(benchmark::State& state) {
  std::string path = MakeTable("delta_follow", 2);
  Table table(LocalFileSystem(), path);
  if (!table.Update().ok()) return state.SkipWithError("the table cannot be loaded");
  int64_t version = 2;
  for (auto _ : state) {
    state.PauseTiming();
    WriteCommit(LogDirectory(path), version, CommitText(version));
    ++version;
    state.ResumeTiming();
    benchmark::DoNotOptimize(table.Update());
  }
  fs::remove_all(path);
}
BENCHMARK(OneMore)->Unit(benchmark::kMicrosecond)->Iterations(5000);

}  // namespace
}  // namespace millrace::delta
