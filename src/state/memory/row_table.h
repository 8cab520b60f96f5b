#pragma once

#include <arrow/status.h>

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "state/memory/java_map_order.h"
#include "state/memory/time_index.h"
#include "state/store.h"

namespace millrace::state {

/// Rows by key in memory: entries (header, key, value) in arenas of 8-byte words, under an open-addressing table of
/// 8-byte slots. About 61 bytes resident for a key and a value of one long each, and 5 more where rows are evicted by
/// their event time.
///
/// Keeps the list of what changed since the last TakeChanges. Memory of a replaced or removed entry is reused only
/// after that, so views stay valid within a micro-batch. Keys and values are whole words, as UnsafeRows are. Thread:
/// confined.
class RowTable {
 public:
  RowTable();

  int64_t size() const { return size_; }
  int64_t memory_bytes() const;

  /// data() == nullptr when absent.
  std::string_view Get(std::string_view key) const { return Get(key, HashRow(key)); }
  std::string_view Get(std::string_view key, uint32_t hash) const;
  /// True when the key is new. Errors: CapacityError beyond 32 GiB.
  arrow::Result<bool> Put(std::string_view key, std::string_view value) { return Put(key, HashRow(key), value); }
  /// Views by reference here: by value they go through the stack, where what is read back in one piece waits for all
  /// stores before it, the misses of the cache among them (5 % of a deduplication).
  arrow::Result<bool> Put(const std::string_view& key, uint32_t hash, const std::string_view& value);
  /// Leaves the row of a key that is there as it is, and says false.
  arrow::Result<bool> PutIfAbsent(const std::string_view& key, uint32_t hash, const std::string_view& value);
  /// False when the key is absent.
  bool Remove(std::string_view key);

  void Prefetch(uint32_t hash) const { __builtin_prefetch(&slots_[hash & mask_]); }
  void PrefetchEntry(uint32_t hash) const;

  /// As StateStore::Scan.
  arrow::Status Scan(const StateStore::Visitor& visit) const;
  /// As StateStore::ScanUpTo, by `time`, which is the same each time. The first call goes through all rows; later ones
  /// only through those that are due.
  arrow::Status ScanUpTo(const StoreTime& time, int64_t time_us, const StateStore::Visitor& visit,
                         int64_t* earliest_us);
  /// As StateStore::Find.
  StateEntry Find(std::string_view key) const { return Find(key, HashRow(key)); }
  StateEntry Find(std::string_view key, uint32_t hash) const;

  /// A key that changed; value.data() == nullptr when it was removed.
  struct Change {
    std::string_view key;
    std::string_view value;
  };
  /// Visits each changed key in the order in which it first changed.
  arrow::Status VisitChanges(const std::function<arrow::Status(const Change&)>& visit) const;
  int64_t num_changes() const { return static_cast<int64_t>(changed_.size()); }
  /// Forgets the changes, and reuses the memory that they freed. What is there now is the base of the next version.
  void AcceptChanges();

  /// Makes room for so many rows at once.
  void Reserve(int64_t num_rows);

 private:
  struct Slot {
    uint32_t hash;
    uint32_t ref;
  };
  struct Entry {
    uint32_t key_words;
    uint32_t value_words;  ///< with flags in the four highest bits
    uint32_t hash;
    uint32_t sequence;  ///< place within Spark's hash bucket
  };

  Entry* At(uint32_t ref) const {
    return reinterpret_cast<Entry*>(chunks_[ref >> kChunkBits].words + (ref & (kChunkWords - 1)));
  }
  static std::string_view KeyOf(const Entry& entry);
  static std::string_view ValueOf(const Entry& entry);
  uint32_t* FindSlot(std::string_view key, uint32_t hash) const;
  /// The slot of the key, or the one where it is to go, which holds no row then. Makes room for one more.
  Slot* SlotFor(const std::string_view& key, uint32_t hash);
  /// REQUIRES: `slot` is SlotFor the key and holds no row.
  arrow::Status Insert(Slot* slot, const std::string_view& key, uint32_t hash, const std::string_view& value);
  arrow::Result<uint32_t> NewEntry(const std::string_view& key, uint32_t hash, const std::string_view& value);
  arrow::Result<uint32_t> Allocate(int64_t key_words, int64_t value_words);
  std::vector<uint32_t>& FreeEntriesOf(int64_t words) {
    return words < static_cast<int64_t>(free_small_entries_.size()) ? free_small_entries_[static_cast<size_t>(words)]
                                                                    : free_entries_[words];
  }
  void PrefetchAt(uint32_t ref) const {
    const auto* bytes = reinterpret_cast<const char*>(At(ref));
    __builtin_prefetch(bytes, 1);
    __builtin_prefetch(bytes + 64, 1);
  }
  arrow::Status VisitDue(const std::vector<uint32_t>& due, const StateStore::Visitor& visit);
  void Free(uint32_t ref);
  arrow::Status AddChunk(int64_t num_words);
  void MarkChanged(uint32_t ref);
  StateEntry EntryOf(const Entry& entry) const {
    return {KeyOf(entry), ValueOf(entry), uint64_t{java_order_.BucketOf(entry.hash)} << 32 | entry.sequence};
  }
  std::optional<int64_t> TimeOf(uint32_t ref) const;
  void IndexTime(uint32_t ref);
  void IndexTimes();
  void Grow(size_t num_slots);
  void Renumber(JavaMapOrder::Step step);
  bool KeepsExactOrder() const { return size_ <= kExactOrderLimit; }

  static constexpr uint32_t kChunkBits = 15;  // 256 KiB
  static constexpr uint32_t kChunkWords = 1U << kChunkBits;
  static constexpr uint32_t kChanged = 1U << 31;
  static constexpr uint32_t kDead = 1U << 30;
  static constexpr uint32_t kTaken = 1U << 29;     ///< out of the time index, to be removed
  static constexpr uint32_t kReplaced = 1U << 28;  ///< dead because its key has another entry
  static constexpr uint32_t kFlags = kChanged | kDead | kTaken | kReplaced;
  static constexpr uint32_t kEmpty = 0, kTombstone = 1;
  // Beyond this many rows the order within a bucket follows insertion, not each of Java's resizings.
  static constexpr int64_t kExactOrderLimit = 1 << 17;

  struct Chunk {
    uint64_t* words = nullptr;
    uint32_t used_words = 0;
    std::unique_ptr<uint64_t[]> owned;
  };
  std::vector<Chunk> chunks_;
  std::vector<Slot> slots_;
  size_t mask_ = 0;
  size_t used_slots_ = 0;  // with tombstones
  int64_t size_ = 0;
  uint32_t next_sequence_ = 0;
  /// Since the last AcceptChanges: a key was removed, and one was added after that (perhaps the same).
  bool has_removed_ = false;
  bool added_after_removal_ = false;
  std::vector<uint32_t> changed_;
  std::vector<uint32_t> replaced_;  // entries that longer or shorter ones stand for, still readable
  // Of the entries that visit sees in ScanUpTo, those it has not removed yet, in their order.
  std::vector<uint32_t> visited_;
  size_t next_visited_ = 0;
  // Entries of so many words, the last one freed last: the usual ones by their number, the others by the class of their
  // size. Lists beside the entries, not through them: the ones to come next are fetched into the cache ahead.
  std::array<std::vector<uint32_t>, 65> free_small_entries_;
  std::map<int64_t, std::vector<uint32_t>> free_entries_;
  int64_t num_free_ = 0;
  int64_t arena_bytes_ = 0;
  JavaMapOrder java_order_;
  /// Since the first ScanUpTo.
  std::optional<StoreTime> time_;
  std::unique_ptr<TimeIndex> times_;
};

}  // namespace millrace::state
