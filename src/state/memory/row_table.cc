#include "state/memory/row_table.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace millrace::state {

using arrow::Result;
using arrow::Status;

namespace {

constexpr int64_t kHeaderWords = 2;
constexpr size_t kScanChunk = 1024;
constexpr size_t kChangesAhead = 8;

// Words that an entry of `words` takes: exact when small, else in steps of an eighth, so that freed memory fits again.
int64_t SizeClass(int64_t words) {
  if (words <= 64) return words;
  int64_t step = int64_t{1} << (63 - std::countl_zero(static_cast<uint64_t>(words)) - 3);
  return (words + step - 1) / step * step;
}

}  // namespace

RowTable::RowTable() : slots_(16), mask_(15) {}

std::string_view RowTable::KeyOf(const Entry& entry) {
  return {reinterpret_cast<const char*>(&entry) + 8 * kHeaderWords, size_t{8} * entry.key_words};
}

std::string_view RowTable::ValueOf(const Entry& entry) {
  return {reinterpret_cast<const char*>(&entry) + 8 * (kHeaderWords + entry.key_words),
          size_t{8} * (entry.value_words & ~kFlags)};
}

int64_t RowTable::memory_bytes() const {
  return arena_bytes_ +
         static_cast<int64_t>(slots_.size() * sizeof(Slot) + changed_.capacity() * 4 + replaced_.capacity() * 4) +
         num_free_ * 4 + (times_ == nullptr ? 0 : times_->memory_bytes());
}

uint32_t* RowTable::FindSlot(std::string_view key, uint32_t hash) const {
  for (size_t i = hash & mask_;; i = (i + 1) & mask_) {
    const Slot& slot = slots_[i];
    if (slot.ref == kEmpty) return nullptr;
    if (slot.hash == hash && slot.ref != kTombstone && KeyOf(*At(slot.ref)) == key) {
      return const_cast<uint32_t*>(&slot.ref);
    }
  }
}

void RowTable::PrefetchEntry(uint32_t hash) const {
  const Slot& slot = slots_[hash & mask_];
  if (slot.ref > kTombstone) __builtin_prefetch(At(slot.ref));
}

std::string_view RowTable::Get(std::string_view key, uint32_t hash) const {
  const uint32_t* ref = FindSlot(key, hash);
  return ref == nullptr ? std::string_view() : ValueOf(*At(*ref));
}

Status RowTable::AddChunk(int64_t num_words) {
  // The first two words of the first chunk stay unused: references 0 and 1 mean something else.
  int64_t num_chunks = (num_words + kChunkWords - 1) / kChunkWords;
  if (static_cast<int64_t>(chunks_.size()) + num_chunks > (int64_t{1} << (32 - kChunkBits))) {
    return Status::CapacityError("more than 32 GiB of state in one partition: use the RocksDB state store provider");
  }
  Chunk chunk;
  chunk.owned.reset(new uint64_t[static_cast<size_t>(num_chunks * kChunkWords)]);
  chunk.words = chunk.owned.get();
  chunk.used_words = chunks_.empty() ? 2 : 0;
  arena_bytes_ += num_chunks * kChunkWords * 8;
  uint64_t* words = chunk.words;
  chunks_.push_back(std::move(chunk));
  // A large entry spans chunk numbers that have no memory of their own.
  for (int64_t k = 1; k < num_chunks; ++k) chunks_.push_back({words + k * kChunkWords, 0, nullptr});
  return Status::OK();
}

Result<uint32_t> RowTable::Allocate(int64_t key_words, int64_t value_words) {
  int64_t words = SizeClass(kHeaderWords + key_words + value_words);
  if (std::vector<uint32_t>& free = FreeEntriesOf(words); !free.empty()) {
    uint32_t ref = free.back();
    free.pop_back();
    --num_free_;
    if (free.size() >= kChangesAhead) PrefetchAt(free[free.size() - kChangesAhead]);
    return ref;
  }
  if (words + 2 > kChunkWords) {
    ARROW_RETURN_NOT_OK(AddChunk(words + 2));
    size_t first = chunks_.size() - static_cast<size_t>((words + 2 + kChunkWords - 1) / kChunkWords);
    uint32_t at = std::max(chunks_[first].used_words, 0U);
    chunks_[first].used_words = at + static_cast<uint32_t>(words);
    ARROW_RETURN_NOT_OK(AddChunk(1));  // what follows begins a chunk of its own
    return static_cast<uint32_t>(first << kChunkBits) + at;
  }
  if (chunks_.empty() || chunks_.back().used_words + words > kChunkWords) ARROW_RETURN_NOT_OK(AddChunk(1));
  Chunk& chunk = chunks_.back();
  auto ref = static_cast<uint32_t>((chunks_.size() - 1) << kChunkBits) + chunk.used_words;
  chunk.used_words += static_cast<uint32_t>(words);
  return ref;
}

void RowTable::MarkChanged(uint32_t ref) {
  Entry* entry = At(ref);
  if ((entry->value_words & kChanged) != 0) return;
  entry->value_words |= kChanged;
  changed_.push_back(ref);
}

RowTable::Slot* RowTable::SlotFor(const std::string_view& key, uint32_t hash) {
  if ((used_slots_ + 1) * 4 > slots_.size() * 3) {
    Grow(static_cast<size_t>(size_ + 1) * 2 > slots_.size() ? slots_.size() * 2 : slots_.size());
  }
  Slot* tombstone = nullptr;
  for (size_t i = hash & mask_;; i = (i + 1) & mask_) {
    Slot& slot = slots_[i];
    if (slot.ref == kEmpty) return tombstone != nullptr ? tombstone : &slot;
    if (slot.ref == kTombstone) {
      if (tombstone == nullptr) tombstone = &slot;
    } else if (slot.hash == hash && KeyOf(*At(slot.ref)) == key) {
      return &slot;
    }
  }
}

Result<uint32_t> RowTable::NewEntry(const std::string_view& key, uint32_t hash, const std::string_view& value) {
  auto key_words = static_cast<int64_t>(key.size() / 8), value_words = static_cast<int64_t>(value.size() / 8);
  ARROW_ASSIGN_OR_RAISE(uint32_t ref, Allocate(key_words, value_words));
  Entry* entry = At(ref);
  *entry = {static_cast<uint32_t>(key_words), static_cast<uint32_t>(value_words), hash, next_sequence_};
  if (!key.empty()) std::memcpy(const_cast<char*>(KeyOf(*entry).data()), key.data(), key.size());
  if (!value.empty()) std::memcpy(const_cast<char*>(ValueOf(*entry).data()), value.data(), value.size());
  MarkChanged(ref);
  return ref;
}

Status RowTable::Insert(Slot* slot, const std::string_view& key, uint32_t hash, const std::string_view& value) {
  ARROW_ASSIGN_OR_RAISE(uint32_t ref, NewEntry(key, hash, value));
  ++next_sequence_;
  added_after_removal_ = added_after_removal_ || has_removed_;
  if (slot->ref == kEmpty) ++used_slots_;
  *slot = {hash, ref};
  ++size_;
  for (auto step = java_order_.AfterInsert(size_); step != JavaMapOrder::Step::kNone;
       step = java_order_.AfterInsert(size_)) {
    Renumber(step);
  }
  if (times_ != nullptr) IndexTime(ref);
  return Status::OK();
}

Result<bool> RowTable::PutIfAbsent(const std::string_view& key, uint32_t hash, const std::string_view& value) {
  Slot* slot = SlotFor(key, hash);
  if (slot->ref > kTombstone) return false;
  ARROW_RETURN_NOT_OK(Insert(slot, key, hash, value));
  return true;
}

Result<bool> RowTable::Put(const std::string_view& key, uint32_t hash, const std::string_view& value) {
  Slot* slot = SlotFor(key, hash);
  if (slot->ref <= kTombstone) {
    ARROW_RETURN_NOT_OK(Insert(slot, key, hash, value));
    return true;
  }
  Entry* entry = At(slot->ref);
  std::string_view old_value = ValueOf(*entry);
  if (old_value.size() == value.size()) {
    MarkChanged(slot->ref);
    bool moves = false;
    if (times_ != nullptr) {
      moves =
          (entry->value_words & kTaken) != 0 || (time_->in_value && time_->Of(key, old_value) != time_->Of(key, value));
    }
    if (!value.empty()) std::memcpy(const_cast<char*>(old_value.data()), value.data(), value.size());
    if (moves) IndexTime(slot->ref);
    return false;
  }
  ARROW_ASSIGN_OR_RAISE(uint32_t ref, NewEntry(key, hash, value));
  Entry* old = At(slot->ref);
  At(ref)->sequence = old->sequence;
  // Its successor is in the change list.
  old->value_words |= kDead | kChanged | kReplaced;
  replaced_.push_back(slot->ref);
  slot->ref = ref;
  if (times_ != nullptr) IndexTime(ref);
  return false;
}

bool RowTable::Remove(std::string_view key) {
  uint32_t hash;
  if (next_visited_ < visited_.size() && KeyOf(*At(visited_[next_visited_])).data() == key.data()) {
    hash = At(visited_[next_visited_++])->hash;
  } else {
    hash = HashRow(key);
  }
  uint32_t* slot_ref = FindSlot(key, hash);
  if (slot_ref == nullptr) return false;
  uint32_t ref = *slot_ref;
  *slot_ref = kTombstone;
  MarkChanged(ref);
  At(ref)->value_words |= kDead;
  has_removed_ = true;
  --size_;
  return true;
}

void RowTable::Grow(size_t num_slots) {
  std::vector<Slot> slots(num_slots);
  size_t mask = num_slots - 1;
  for (const Slot& slot : slots_) {
    if (slot.ref <= kTombstone) continue;
    size_t i = slot.hash & mask;
    while (slots[i].ref != kEmpty) i = (i + 1) & mask;
    slots[i] = slot;
  }
  slots_ = std::move(slots);
  mask_ = mask;
  used_slots_ = static_cast<size_t>(size_);
}

void RowTable::Reserve(int64_t num_rows) {
  size_t num_slots = std::bit_ceil(static_cast<size_t>(num_rows) * 4 / 3 + 16);
  if (num_slots > slots_.size()) Grow(num_slots);
}

Status RowTable::Scan(const StateStore::Visitor& visit) const {
  std::vector<StateEntry> entries;
  entries.reserve(kScanChunk);
  for (size_t c = 0; c < chunks_.size(); ++c) {
    uint32_t at = c == 0 ? 2 : 0;
    // Read anew each time: what `visit` puts may lie in this chunk.
    while (at < chunks_[c].used_words) {
      const auto& entry = *reinterpret_cast<const Entry*>(chunks_[c].words + at);
      at += static_cast<uint32_t>(SizeClass(kHeaderWords + entry.key_words + (entry.value_words & ~kFlags)));
      if ((entry.value_words & kDead) != 0) continue;
      entries.push_back(EntryOf(entry));
      if (entries.size() < kScanChunk) continue;
      ARROW_RETURN_NOT_OK(visit(entries));
      entries.clear();
    }
  }
  return entries.empty() ? Status::OK() : visit(entries);
}

StateEntry RowTable::Find(std::string_view key, uint32_t hash) const {
  const uint32_t* ref = FindSlot(key, hash);
  if (ref == nullptr) return {};
  return EntryOf(*At(*ref));
}

std::optional<int64_t> RowTable::TimeOf(uint32_t ref) const {
  const Entry& entry = *At(ref);
  if ((entry.value_words & (kDead | kTaken)) != 0) return std::nullopt;
  return time_->Of(KeyOf(entry), ValueOf(entry));
}

void RowTable::IndexTime(uint32_t ref) {
  At(ref)->value_words &= ~kTaken;
  if (std::optional<int64_t> time = TimeOf(ref)) times_->Add(*time, ref);
  // Where rows change often, what they left behind would grow.
  if (times_->num_references() > 2 * size_ + 4096) IndexTimes();
}

void RowTable::IndexTimes() {
  times_ = std::make_unique<TimeIndex>();
  for (const Slot& slot : slots_) {
    if (slot.ref <= kTombstone) continue;
    if (std::optional<int64_t> time = TimeOf(slot.ref)) times_->Add(*time, slot.ref);
  }
}

Status RowTable::ScanUpTo(const StoreTime& time, int64_t time_us, const StateStore::Visitor& visit,
                          int64_t* earliest_us) {
  if (times_ == nullptr) {
    time_ = time;
    IndexTimes();
  }
  auto times_of = [this](std::span<const uint32_t> refs, std::optional<int64_t>* times) {
    for (size_t i = 0; i < refs.size(); ++i) {
      if (i + kChangesAhead < refs.size()) __builtin_prefetch(At(refs[i + kChangesAhead]));
      times[i] = TimeOf(refs[i]);
    }
  };
  std::vector<uint32_t> due;
  while (times_->TakeSomeUpTo(time_us, times_of, &due)) {
    if (due.size() < kScanChunk) continue;
    ARROW_RETURN_NOT_OK(VisitDue(due, visit));
    due.clear();
  }
  ARROW_RETURN_NOT_OK(VisitDue(due, visit));
  if (earliest_us != nullptr) *earliest_us = times_->Earliest(times_of);
  return Status::OK();
}

Status RowTable::VisitDue(const std::vector<uint32_t>& due, const StateStore::Visitor& visit) {
  std::vector<StateEntry> entries;
  entries.reserve(due.size());
  for (uint32_t ref : due) {
    Entry* entry = At(ref);
    // Listed twice, or removed by `visit` with another.
    if ((entry->value_words & (kDead | kTaken)) != 0) continue;
    entry->value_words |= kTaken;
    Prefetch(entry->hash);  // it will be removed
    entries.push_back(EntryOf(*entry));
    visited_.push_back(ref);
  }
  next_visited_ = 0;
  Status status = entries.empty() ? Status::OK() : visit(entries);
  visited_.clear();
  return status;
}

Status RowTable::VisitChanges(const std::function<Status(const Change&)>& visit) const {
  for (size_t i = 0; i < changed_.size(); ++i) {
    if (i + kChangesAhead < changed_.size()) __builtin_prefetch(At(changed_[i + kChangesAhead]));
    const Entry& entry = *At(changed_[i]);
    if ((entry.value_words & kDead) == 0) {
      ARROW_RETURN_NOT_OK(visit({KeyOf(entry), ValueOf(entry)}));
      continue;
    }
    // A removed key may have been added again.
    bool is_gone = !added_after_removal_ || FindSlot(KeyOf(entry), entry.hash) == nullptr;
    if ((entry.value_words & kReplaced) == 0 && is_gone) {
      ARROW_RETURN_NOT_OK(visit({KeyOf(entry), std::string_view()}));
    }
  }
  return Status::OK();
}

void RowTable::Free(uint32_t ref) {
  const Entry& entry = *At(ref);
  FreeEntriesOf(SizeClass(kHeaderWords + entry.key_words + static_cast<int64_t>(entry.value_words & ~kFlags)))
      .push_back(ref);
  ++num_free_;
}

void RowTable::AcceptChanges() {
  for (size_t i = 0; i < changed_.size(); ++i) {
    if (i + kChangesAhead < changed_.size()) __builtin_prefetch(At(changed_[i + kChangesAhead]), 1);
    uint32_t ref = changed_[i];
    Entry* entry = At(ref);
    entry->value_words &= ~kChanged;
    if ((entry->value_words & (kDead | kReplaced)) == kDead) Free(ref);
  }
  changed_.clear();
  has_removed_ = added_after_removal_ = false;
  if (changed_.capacity() > 1 << 16) changed_.shrink_to_fit();
  for (uint32_t ref : replaced_) {
    At(ref)->value_words &= ~kChanged;
    Free(ref);
  }
  replaced_.clear();
  if (replaced_.capacity() > 1 << 16) replaced_.shrink_to_fit();
  if (auto step = java_order_.BeginVersion(size_); step != JavaMapOrder::Step::kNone) Renumber(step);
}

void RowTable::Renumber(JavaMapOrder::Step step) {
  if (!KeepsExactOrder()) return;
  struct Place {
    uint64_t order;
    Entry* entry;
  };
  std::vector<Place> places;
  places.reserve(static_cast<size_t>(size_));
  auto old_mask = static_cast<uint32_t>(java_order_.previous_capacity() - 1);
  for (const Slot& slot : slots_) {
    if (slot.ref <= kTombstone) continue;
    Entry* entry = At(slot.ref);
    places.push_back({uint64_t{JavaMapOrder::Spread(entry->hash) & old_mask} << 32 | entry->sequence, entry});
  }
  std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) { return a.order < b.order; });
  if (step == JavaMapOrder::Step::kDoubled) {
    // ConcurrentHashMap.transfer: the longest tail that stays together keeps its order, what stands before it is put
    // in front one by one, hence reversed.
    uint32_t bit = old_mask + 1;
    for (size_t begin = 0; begin < places.size();) {
      size_t end = begin + 1;
      while (end < places.size() && places[end].order >> 32 == places[begin].order >> 32) ++end;
      size_t run = end - 1;
      auto side = [&](size_t i) { return JavaMapOrder::Spread(places[i].entry->hash) & bit; };
      while (run > begin && side(run - 1) == side(end - 1)) --run;
      std::reverse(places.begin() + static_cast<int64_t>(begin), places.begin() + static_cast<int64_t>(run));
      begin = end;
    }
  }
  uint32_t sequence = 0;
  for (const Place& place : places) place.entry->sequence = sequence++;
  next_sequence_ = sequence;
}

void SortInSparkOrder(std::vector<StateEntry>* rows) {
  std::sort(rows->begin(), rows->end(), [](const StateEntry& a, const StateEntry& b) {
    return a.order != b.order ? a.order < b.order : a.key < b.key;
  });
}

}  // namespace millrace::state
