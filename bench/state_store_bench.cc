// The state store in memory: bytes a key, and how long a micro-batch that touches 1,000 keys of many takes to commit.

#include <benchmark/benchmark.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/ids.h"
#include "state/state_stores.h"

namespace millrace {
namespace {

std::string LongRow(int64_t value) {
  std::string row(16, '\0');
  std::memcpy(row.data() + 8, &value, 8);
  return row;
}

int64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  int64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * 4096;
}

std::unique_ptr<state::StateStores> Stores(const std::string& directory, bool is_restart) {
  state::StateStoreConf conf;
  conf.durability = Durability::kProcess;
  auto stores = std::make_unique<state::StateStores>(LocalFileSystem(), directory, conf);
  auto row = types::Struct({{"value", types::Long()}});
  if (!stores->DeclareOperators({{0, "stateStoreSave", {{"default", {row, row, 0}}}, 1}}, is_restart).ok())
    std::abort();
  return stores;
}

// Arguments: keys.
void CommitOfAThousandKeys(benchmark::State& state) {
  std::string directory = std::filesystem::temp_directory_path() / ("state_bench_" + RandomUuid());
  int64_t before = ResidentBytes(), version = 0;
  auto stores = Stores(directory, false);
  state::StateStore* store = *stores->Open({}, state::StateVersion(0));
  for (int64_t i = 0; i < state.range(0); ++i) {
    if (!store->Put(LongRow(i), LongRow(i)).ok()) std::abort();
  }
  if (!store->Commit().ok()) std::abort();
  state.counters["bytes_a_key"] = static_cast<double>(ResidentBytes() - before) / static_cast<double>(state.range(0));
  for (auto _ : state) {
    store = *stores->Open({}, state::StateVersion(++version));
    for (int64_t i = 0; i < 1000; ++i) {
      int64_t key = (version * 7919 + i * 104729) % state.range(0);
      if (!store->Put(LongRow(key), LongRow(version)).ok()) std::abort();
    }
    if (!store->Commit().ok()) std::abort();
  }
  std::filesystem::remove_all(directory);
}
BENCHMARK(CommitOfAThousandKeys)->Arg(10000000)->Unit(benchmark::kMillisecond)->Iterations(50);

// From files to the first Get: what a restart waits for.
void Load(benchmark::State& state) {
  std::string directory = std::filesystem::temp_directory_path() / ("state_bench_" + RandomUuid());
  {
    auto stores = Stores(directory, false);
    state::StateStore* store = *stores->Open({}, state::StateVersion(0));
    for (int64_t i = 0; i < state.range(0); ++i) {
      if (!store->Put(LongRow(i), LongRow(i)).ok()) std::abort();
    }
    if (!store->Commit().ok()) std::abort();
  }
  for (auto _ : state) {
    auto stores = Stores(directory, true);
    state::StateStore* store = *stores->Open({}, state::StateVersion(1));
    benchmark::DoNotOptimize(store->Get(LongRow(7)));
  }
  std::filesystem::remove_all(directory);
}
BENCHMARK(Load)->Arg(10000000)->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace
}  // namespace millrace
