#pragma once

#include <arrow/result.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "kafka/client_config.h"
#include "kafka/consumer.h"

namespace millrace::kafka {

/// A record to be sent; its memory may be reused when Send has returned.
struct OutgoingRecord {
  const uint8_t* key = nullptr;    ///< nullptr: null
  const uint8_t* value = nullptr;  ///< nullptr: null
  uint32_t key_size = 0;
  uint32_t value_size = 0;
  int32_t partition = -1;  ///< −1: chosen from the key
  std::span<const RecordHeader> headers;
};

/// An idempotent producer that stays open from batch to batch.
///
/// Send queues and returns; it waits while the queue is full (`buffer.memory`). Records are written when Flush says so:
/// in the order they were sent, by partition, and once, as long as the process lives. The first failed record fails
/// every Send and Flush from there on, until Reset.
/// Thread-safe; records of different threads have no order among themselves.
class Producer {
 public:
  static arrow::Result<std::unique_ptr<Producer>> Open(const ClientConfig& config);
  ~Producer();

  /// Errors: Invalid for a record that is too large or a partition that does not exist, naming the setting to change;
  /// IOError naming the brokers when they do not answer; Cancelled when `stop` asks for it.
  arrow::Status Send(const std::string& topic, std::span<const OutgoingRecord> records,
                     const std::stop_token& stop = {});
  /// Waits until all that was sent has been acknowledged.
  arrow::Status Flush(const std::stop_token& stop = {});
  /// Drops what is queued and forgets the error, to begin anew.
  arrow::Status Reset();

 private:
  struct Native;
  explicit Producer(std::unique_ptr<Native> native);

  arrow::Status SendChunk(const std::string& topic, std::span<const OutgoingRecord> records,
                          const std::stop_token& stop);
  arrow::Status SendWithHeaders(const std::string& topic, const OutgoingRecord& record, const std::stop_token& stop);
  arrow::Status TooLarge(const OutgoingRecord& record) const;
  arrow::Status QueueError(const std::string& topic, const OutgoingRecord& record, int error) const;
  /// Takes the reports of failed records; the first becomes `failure_`.
  void TakeReports(int timeout_ms);
  arrow::Status WaitForRoom(const std::stop_token& stop, std::chrono::steady_clock::time_point deadline);
  arrow::Status failure() const;

  std::unique_ptr<Native> native_;
  mutable std::mutex mutex_;
  arrow::Status failure_;
};

}  // namespace millrace::kafka
