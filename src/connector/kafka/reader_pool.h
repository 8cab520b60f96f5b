#pragma once

#include <arrow/result.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "connector/kafka/offset_json.h"
#include "kafka/consumer.h"

namespace millrace::connector::kafka {

/// The readers of a query, kept open and fetching ahead between its micro-batches.
///
/// A partition has one reader as long as one task at a time reads it; further ones, on consumers of their own, when it
/// was split over tasks. Thread-safe.
class ReaderPool {
 public:
  explicit ReaderPool(const millrace::kafka::ClientConfig& config) : config_(config) {}

  /// A reader that is nobody else's until the lease ends.
  class Lease {
   public:
    Lease(ReaderPool* pool, TopicPartition partition, size_t slot, millrace::kafka::PartitionReader* reader,
          bool keep_fetching)
        : pool_(pool), partition_(std::move(partition)), slot_(slot), reader_(reader), keep_fetching_(keep_fetching) {}
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    millrace::kafka::PartitionReader& reader() { return *reader_; }

   private:
    ReaderPool* pool_;
    TopicPartition partition_;
    size_t slot_;
    millrace::kafka::PartitionReader* reader_;
    bool keep_fetching_;
  };

  /// A reader placed at `offset`, preferably one that has fetched there. `keep_fetching`: the next micro-batch goes on
  /// where this range ends.
  arrow::Result<std::unique_ptr<Lease>> Acquire(const TopicPartition& partition, int64_t offset, bool keep_fetching);

  /// Starts fetching at `offsets` where nothing does, so that NotifyOnData knows of new records.
  arrow::Status FetchAhead(const PartitionOffsets& offsets);
  /// Ends of all partitions of `offsets` as the fetches told them; nullopt when one is not being fetched. Never ahead
  /// of the truth, and behind it only by what is on its way.
  std::optional<PartitionOffsets> KnownEndOffsets(const PartitionOffsets& offsets);

  /// Stops readers of other partitions.
  void KeepOnly(const TopicPartitionSet& partitions);
  /// Calls `on_data` from a client's thread when records have come after all known ones were read.
  void NotifyOnData(std::function<void()> on_data);

  /// Ends waiting reads with Cancelled.
  void RequestStop() { stop_.request_stop(); }
  std::stop_token stop_token() const { return stop_.get_token(); }

 private:
  struct Slot {
    millrace::kafka::PartitionReader* reader = nullptr;
    bool leased = false;
  };
  arrow::Result<Slot*> SlotOf(const TopicPartition& partition, size_t index);
  void Release(const TopicPartition& partition, size_t slot, bool keep_fetching);

  millrace::kafka::ClientConfig config_;
  std::stop_source stop_;
  std::mutex mutex_;
  std::function<void()> on_data_;
  int64_t num_partitions_ = 1;
  /// The n-th reader of each partition lives on the n-th consumer.
  std::vector<std::unique_ptr<millrace::kafka::Consumer>> consumers_;
  std::map<TopicPartition, std::vector<Slot>> slots_;
};

}  // namespace millrace::connector::kafka
