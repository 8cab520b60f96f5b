#include "connector/kafka/reader_pool.h"

#include <algorithm>

namespace millrace::connector::kafka {

using millrace::kafka::Consumer;
using millrace::kafka::PartitionReader;

namespace {

/// Fetching ahead holds at most about this much in memory, whatever the number of partitions.
constexpr int64_t kFetchAheadKib = 64 * 1024;
/// Of one partition: some hundredths of a second of what the engine reads at most, and many fetches.
constexpr int64_t kLeastKib = 1024;
constexpr int64_t kMostKib = 16 * 1024;

}  // namespace

ReaderPool::Lease::~Lease() { pool_->Release(partition_, slot_, keep_fetching_); }

arrow::Result<ReaderPool::Slot*> ReaderPool::SlotOf(const TopicPartition& partition, size_t index) {
  while (consumers_.size() <= index) {
    auto config = config_;
    int64_t share = kFetchAheadKib / std::max<int64_t>(1, num_partitions_);
    config.properties["queued.max.messages.kbytes"] = std::to_string(std::clamp<int64_t>(share, kLeastKib, kMostKib));
    ARROW_ASSIGN_OR_RAISE(auto consumer, Consumer::Open(config));
    if (consumers_.empty()) consumer->NotifyOnArrival(on_data_);
    consumers_.push_back(std::move(consumer));
  }
  auto& slots = slots_[partition];
  while (slots.size() <= index) {
    ARROW_ASSIGN_OR_RAISE(PartitionReader * reader, consumers_[slots.size()]->Reader(partition));
    slots.push_back({reader, false});
  }
  return &slots[index];
}

arrow::Result<std::unique_ptr<ReaderPool::Lease>> ReaderPool::Acquire(const TopicPartition& partition, int64_t offset,
                                                                      bool keep_fetching) {
  size_t index = 0;
  PartitionReader* reader = nullptr;
  {
    std::lock_guard lock(mutex_);
    auto& slots = slots_[partition];
    size_t chosen = slots.size();
    for (size_t i = 0; i < slots.size(); ++i) {
      if (slots[i].leased) continue;
      if (chosen == slots.size()) chosen = i;
      if (slots[i].reader->position() == offset) {
        chosen = i;
        break;
      }
    }
    ARROW_ASSIGN_OR_RAISE(Slot * slot, SlotOf(partition, chosen));
    slot->leased = true;
    index = chosen;
    reader = slot->reader;
  }
  auto lease = std::make_unique<Lease>(this, partition, index, reader, keep_fetching);
  ARROW_RETURN_NOT_OK(reader->Seek(offset));
  return lease;
}

void ReaderPool::Release(const TopicPartition& partition, size_t slot, bool keep_fetching) {
  std::lock_guard lock(mutex_);
  Slot& released = slots_[partition][slot];
  if (!keep_fetching) released.reader->Stop();
  released.leased = false;
}

arrow::Status ReaderPool::FetchAhead(const PartitionOffsets& offsets) {
  std::lock_guard lock(mutex_);
  num_partitions_ = std::max(num_partitions_, static_cast<int64_t>(offsets.size()));
  for (const auto& [partition, offset] : offsets) {
    auto& slots = slots_[partition];
    bool covered = false;
    for (Slot& slot : slots) {
      if (slot.leased || slot.reader->position() == offset) {
        covered = true;
        // What is looked at here makes no noise when it is followed by more: see NotifyOnArrival.
        if (!slot.leased) slot.reader->HasFetched();
      }
    }
    if (covered) continue;
    ARROW_ASSIGN_OR_RAISE(Slot * slot, SlotOf(partition, 0));
    ARROW_RETURN_NOT_OK(slot->reader->Seek(offset));
  }
  return arrow::Status::OK();
}

std::optional<PartitionOffsets> ReaderPool::KnownEndOffsets(const PartitionOffsets& offsets) {
  std::lock_guard lock(mutex_);
  PartitionOffsets ends;
  for (const auto& [partition, offset] : offsets) {
    auto slots = slots_.find(partition);
    if (slots == slots_.end()) return std::nullopt;
    for (const Slot& slot : slots->second) {
      if (slot.leased || slot.reader->position() != offset) continue;
      if (auto end = slot.reader->KnownEndOffset()) ends[partition] = *end;
    }
    if (!ends.contains(partition)) return std::nullopt;
  }
  return ends;
}

void ReaderPool::KeepOnly(const TopicPartitionSet& partitions) {
  std::lock_guard lock(mutex_);
  std::erase_if(slots_, [&](const auto& entry) { return !partitions.contains(entry.first); });
  for (auto& consumer : consumers_) consumer->KeepOnly(partitions);
}

void ReaderPool::NotifyOnData(std::function<void()> on_data) {
  std::lock_guard lock(mutex_);
  on_data_ = std::move(on_data);
  if (!consumers_.empty()) consumers_.front()->NotifyOnArrival(on_data_);
}

}  // namespace millrace::connector::kafka
