// The state store in memory: bytes a key, how long a micro-batch that touches 1,000 keys of many takes to commit, and
// one whose watermark passes 1,000 of them.

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
  state::StateStoreSchema schema{row, row, 0, state::StoreTime{state::RowTime(1, 0, false)}};
  if (!stores->DeclareOperators({{0, "stateStoreSave", {{"default", schema}}, 1}}, is_restart).ok()) std::abort();
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

// Keys are times, 1 ms apart: each micro-batch adds 1,000 and the watermark passes as many. Arguments: keys.
void EvictionOfAThousandKeys(benchmark::State& state) {
  std::string directory = std::filesystem::temp_directory_path() / ("state_bench_" + RandomUuid());
  int64_t before = ResidentBytes(), version = 0;
  auto stores = Stores(directory, false);
  state::StateStore* store = *stores->Open({}, state::StateVersion(0));
  for (int64_t i = 0; i < state.range(0); ++i) {
    if (!store->Put(LongRow(i * 1000), LongRow(i)).ok()) std::abort();
  }
  int64_t num_removed = 0, earliest = 0;
  auto remove = [&](std::span<const state::StateEntry> entries) -> arrow::Status {
    for (const state::StateEntry& entry : entries) ARROW_RETURN_NOT_OK(store->Remove(entry.key));
    num_removed += static_cast<int64_t>(entries.size());
    return arrow::Status::OK();
  };
  // The first eviction of a run goes through all rows.
  if (!store->ScanUpTo(-1, remove, &earliest).ok() || !store->Commit().ok()) std::abort();
  state.counters["bytes_a_key"] = static_cast<double>(ResidentBytes() - before) / static_cast<double>(state.range(0));
  for (auto _ : state) {
    store = *stores->Open({}, state::StateVersion(++version));
    for (int64_t i = 0; i < 1000; ++i) {
      int64_t key = (state.range(0) + (version - 1) * 1000 + i) * 1000;
      if (!store->Put(LongRow(key), LongRow(version)).ok()) std::abort();
    }
    if (!store->ScanUpTo(version * 1000000 - 1, remove, &earliest).ok() || !store->Commit().ok()) std::abort();
  }
  if (num_removed != version * 1000) std::abort();
  std::filesystem::remove_all(directory);
}
BENCHMARK(EvictionOfAThousandKeys)->Arg(1000000)->Arg(10000000)->Unit(benchmark::kMillisecond)->Iterations(50);

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
