#include "state/memory/row_table.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <set>
#include <unordered_map>

namespace millrace::state {
namespace {

std::string LongRow(int64_t value) {
  std::string row(16, '\0');
  std::memcpy(row.data() + 8, &value, 8);
  return row;
}

TEST(RowTable, BehavesLikeAMap) {
  std::mt19937_64 random(7);
  RowTable table;
  std::unordered_map<std::string, std::string> expected, committed;
  for (int batch = 0; batch < 40; ++batch) {
    for (int k = 0; k < 500; ++k) {
      std::string key = LongRow(static_cast<int64_t>(random() % 700));
      if (random() % 3 == 0) {
        EXPECT_EQ(table.Remove(key), expected.erase(key) == 1);
      } else {
        // Sizes beyond a chunk now and then.
        size_t words = random() % 200 == 0 ? 40000 : 1 + random() % 5;
        std::string value(words * 8, static_cast<char>('a' + random() % 26));
        bool is_new = table.Put(key, value).ValueOrDie();
        EXPECT_EQ(is_new, expected.insert_or_assign(key, value).second);
      }
    }
    ASSERT_EQ(table.size(), static_cast<int64_t>(expected.size()));
    for (const auto& [key, value] : expected) ASSERT_EQ(table.Get(key), value);
    // Changes, applied to what was before, give what is.
    ASSERT_TRUE(table
                    .VisitChanges([&](const RowTable::Change& change) {
                      if (change.value.data() == nullptr) {
                        committed.erase(std::string(change.key));
                      } else {
                        committed[std::string(change.key)] = change.value;
                      }
                      return arrow::Status::OK();
                    })
                    .ok());
    ASSERT_EQ(committed, expected);
    table.AcceptChanges();
    EXPECT_EQ(table.num_changes(), 0);
    std::set<std::string> seen;
    ASSERT_TRUE(table
                    .Scan([&](std::span<const StateEntry> entries) {
                      for (const StateEntry& entry : entries) {
                        EXPECT_TRUE(seen.insert(std::string(entry.key)).second);
                        EXPECT_EQ(expected[std::string(entry.key)], entry.value);
                      }
                      return arrow::Status::OK();
                    })
                    .ok());
    ASSERT_EQ(seen.size(), expected.size());
  }
}

// Keys come, change their size and their time, go otherwise than by time: what is due is what a search finds.
TEST(RowTable, WhatIsDueIsVisitedOnce) {
  std::mt19937_64 random(11);
  for (bool in_value : {false, true}) {
    RowTable table;
    StoreTime column{RowTime(1, 0, false), in_value};
    struct Row {
      int64_t time;
      std::string value;
    };
    std::map<std::string, Row> expected;
    int64_t watermark = 0;
    for (int batch = 0; batch < 300; ++batch) {
      int64_t spread = batch % 50 == 0 ? int64_t{1} << 40 : 1 << 22;  // µs
      for (int k = 0; k < 200; ++k) {
        int64_t time = watermark + 1 + static_cast<int64_t>(random() % static_cast<uint64_t>(spread));
        std::string key = LongRow(in_value ? static_cast<int64_t>(random() % 3000) : time);
        std::string value = LongRow(in_value ? time : 7);
        value.resize(16 + random() % 3 * 8, 'x');
        if (!in_value || random() % 4 != 0) {
          ASSERT_TRUE(table.Put(key, value).ok());
          expected[key] = {time, value};
        } else {
          EXPECT_EQ(table.Remove(key), expected.erase(key) == 1);
        }
      }
      if (batch % 3 == 0) watermark += static_cast<int64_t>(random() % (1 << 20));
      std::set<std::string> seen;
      int64_t earliest_us = 0;
      auto remove = [&](std::span<const StateEntry> entries) {
        for (const StateEntry& entry : entries) {
          std::string key(entry.key);
          EXPECT_TRUE(seen.insert(key).second);
          EXPECT_EQ(entry.value, expected[key].value);
          EXPECT_LE(expected[key].time, watermark);
          EXPECT_TRUE(table.Remove(entry.key));
        }
        return arrow::Status::OK();
      };
      ASSERT_TRUE(table.ScanUpTo(column, watermark, remove, &earliest_us).ok());
      size_t num_due = 0;
      int64_t earliest = INT64_MAX;
      for (auto it = expected.begin(); it != expected.end();) {
        if (it->second.time <= watermark) {
          it = expected.erase(it);
          ++num_due;
        } else {
          earliest = std::min(earliest, it->second.time);
          ++it;
        }
      }
      ASSERT_EQ(seen.size(), num_due) << batch;
      ASSERT_EQ(earliest_us, earliest);
      ASSERT_EQ(table.size(), static_cast<int64_t>(expected.size()));
      table.AcceptChanges();
    }
  }
}

TEST(TimeIndex, LooksAtWhatIsDueOnly) {
  TimeIndex index;
  constexpr uint32_t kCount = 1000000;
  // An hour's times, then the watermark goes through it by seconds.
  std::vector<int64_t> times(kCount);
  std::mt19937_64 random(3);
  for (uint32_t i = 0; i < kCount; ++i) {
    times[i] = static_cast<int64_t>(random() % 3600000000U);
    index.Add(times[i], i);
  }
  EXPECT_LE(index.memory_bytes(), 8 * int64_t{kCount});
  int64_t num_looks = 0;
  std::vector<uint32_t> taken;
  for (int64_t second = 1; second <= 3600; ++second) {
    size_t before = taken.size();
    auto times_of = [&](std::span<const uint32_t> references, std::optional<int64_t>* found) {
      num_looks += static_cast<int64_t>(references.size());
      for (uint32_t i : references) *found++ = times[i];
    };
    while (index.TakeSomeUpTo(second * 1000000, times_of, &taken)) {
    }
    for (size_t i = before; i < taken.size(); ++i) ASSERT_LE(times[taken[i]], second * 1000000);
  }
  EXPECT_EQ(taken.size(), kCount);
  EXPECT_LE(num_looks, 6 * int64_t{kCount});
}

TEST(TimeIndex, HoldsAllTimes) {
  TimeIndex index;
  std::vector<int64_t> times{INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
  for (uint32_t i = 0; i < 7; ++i) index.Add(times[i], i);
  auto times_of = [&](std::span<const uint32_t> references, std::optional<int64_t>* found) {
    for (uint32_t i : references) *found++ = times[i];
  };
  EXPECT_EQ(index.Earliest(times_of), INT64_MIN);
  std::vector<uint32_t> taken;
  while (index.TakeSomeUpTo(0, times_of, &taken)) {
  }
  EXPECT_EQ(taken.size(), 4U);
  while (index.TakeSomeUpTo(INT64_MAX, times_of, &taken)) {
  }
  EXPECT_EQ(taken.size(), 7U);
  EXPECT_EQ(index.num_references(), 0);
}

TEST(RowTable, RowsMayBeRemovedWhileScanned) {
  RowTable table;
  for (int64_t i = 0; i < 5000; ++i) ASSERT_TRUE(table.Put(LongRow(i), LongRow(i)).ok());
  table.AcceptChanges();
  ASSERT_TRUE(table
                  .Scan([&](std::span<const StateEntry> entries) {
                    for (const StateEntry& entry : entries) {
                      bool even = LongAt(entry.value, 1, 0) % 2 == 0;
                      EXPECT_TRUE(!even || table.Remove(entry.key));
                    }
                    return arrow::Status::OK();
                  })
                  .ok());
  EXPECT_EQ(table.size(), 2500);
  for (int64_t i = 0; i < 5000; ++i) EXPECT_EQ(table.Get(LongRow(i)).data() != nullptr, i % 2 == 1);
}

TEST(RowTable, AKeyOfOneLongTakesAtMost80Bytes) {
  RowTable table;
  for (int64_t i = 0; i < 1000000; ++i) ASSERT_TRUE(table.Put(LongRow(i), LongRow(i)).ok());
  table.AcceptChanges();
  EXPECT_LE(table.memory_bytes(), 80 * 1000000);
}

TEST(RowTable, RemovedRowsGiveTheirMemoryBack) {
  RowTable table;
  int64_t first = 0;
  for (int round = 0; round < 50; ++round) {
    for (int64_t i = 0; i < 10000; ++i) ASSERT_TRUE(table.Put(LongRow(round * 10000 + i), LongRow(i)).ok());
    for (int64_t i = 0; i < 10000; ++i) table.Remove(LongRow((round - 1) * 10000 + i));
    table.AcceptChanges();
    if (round == 5) first = table.memory_bytes();
  }
  EXPECT_EQ(table.size(), 10000);
  EXPECT_LE(table.memory_bytes(), first * 11 / 10);
}

// Recorded from java.util.concurrent.ConcurrentHashMap (OpenJDK 17) with UnsafeRow's hash code: for each version the
// old map copied (putAll), keys put, the first keys in iteration order that are no multiples of 3 removed.
TEST(RowTable, OrderIsThatOfJavasConcurrentHashMap) {
  struct Version {
    int puts, removes;
    int64_t size;
    int64_t checksum;
  };
  constexpr Version kVersions[] = {{3, 0, 3, 34739043},
                                   {40, 10, 33, -8367985738241490797},
                                   {0, 40, 12, 2388955613167162430},
                                   {2000, 100, 1893, 3252018461581745702},
                                   {10, 1900, 663, -2243600813879462846},
                                   {100, 50, 713, -716798287479367005},
                                   {0, 150, 702, -1747058022715029042},
                                   {5000, 10, 5523, 9124319578052379555}};
  RowTable table;
  uint64_t seed = 1;
  for (const Version& version : kVersions) {
    SCOPED_TRACE(version.size);
    for (int i = 0; i < version.puts; ++i) {
      seed = seed * 6364136223846793005U + 1442695040888963407U;
      ASSERT_TRUE(table.Put(LongRow(static_cast<int64_t>((seed >> 33) % 100000)), LongRow(1)).ok());
    }
    auto in_order = [&table] {
      std::vector<StateEntry> entries;
      EXPECT_TRUE(table
                      .Scan([&entries](std::span<const StateEntry> chunk) {
                        entries.insert(entries.end(), chunk.begin(), chunk.end());
                        return arrow::Status::OK();
                      })
                      .ok());
      SortInSparkOrder(&entries);
      return entries;
    };
    int removed = 0;
    for (const StateEntry& entry : in_order()) {
      if (removed == version.removes) break;
      if (LongAt(entry.key, 1, 0) % 3 == 0) continue;
      table.Remove(entry.key);
      ++removed;
    }
    uint64_t checksum = 0;
    for (const StateEntry& entry : in_order())
      checksum = checksum * 31 + static_cast<uint64_t>(LongAt(entry.key, 1, 0));
    EXPECT_EQ(table.size(), version.size);
    EXPECT_EQ(static_cast<int64_t>(checksum), version.checksum);
    table.AcceptChanges();
  }
}

}  // namespace
}  // namespace millrace::state
