#include "kafka/producer.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <vector>

#include "base/error.h"
#include "kafka/native_client.h"

namespace millrace::kafka {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

struct EventDeleter {
  void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
};

/// Bytes of the protocol around a key and a value, at most.
constexpr int64_t kRecordOverheadBytes = 64;
constexpr size_t kChunk = 1024;
/// From so many records on it pays to ask for the partitions of a topic.
constexpr size_t kWorthChoosing = 32;

arrow::Status NoSuchPartition(std::string_view topic, int32_t partition) {
  return arrow::Status::Invalid(
      fmt::format("Partition {} of topic {} does not exist, so no record can be written to it", partition, topic));
}

}  // namespace

/// Which partition the records without a key go to: one after another, each for about as long as Java's producer stays
/// with one (its batch.size). librdkafka chooses well, but asks the clock and takes three locks for every record.
/// Thread-safe.
class StickyPartitions {
 public:
  /// −1: let the client choose.
  int32_t Choose(rd_kafka_t* client, rd_kafka_topic_t* topic, int64_t bytes) {
    std::lock_guard lock(mutex_);
    const steady_clock::time_point now = steady_clock::now();
    if (now >= look_up_at_) {
      look_up_at_ = now + kLookUpInterval;
      LookUp(client, topic);
    }
    if (usable_.empty()) return RD_KAFKA_PARTITION_UA;
    if (bytes_ >= kBytesOfOne) {
      next_ = (next_ + 1) % usable_.size();
      bytes_ = 0;
    }
    bytes_ += bytes;
    return usable_[next_];
  }

 private:
  static constexpr int64_t kBytesOfOne = 16'384;
  /// A partition that loses its leader is left out from the next look on; one that was added is used.
  static constexpr milliseconds kLookUpInterval{30'000};

  void LookUp(rd_kafka_t* client, rd_kafka_topic_t* topic) {
    usable_.clear();
    const rd_kafka_metadata_t* metadata = nullptr;
    if (rd_kafka_metadata(client, /*all_topics=*/0, topic, &metadata, /*timeout_ms=*/1000) !=
        RD_KAFKA_RESP_ERR_NO_ERROR) {
      return;
    }
    if (metadata->topic_cnt == 1 && metadata->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      const rd_kafka_metadata_topic_t& found = metadata->topics[0];
      for (int i = 0; i < found.partition_cnt; ++i) {
        if (found.partitions[i].leader >= 0) usable_.push_back(found.partitions[i].id);
      }
    }
    rd_kafka_metadata_destroy(metadata);
    if (!usable_.empty()) next_ = std::random_device()() % usable_.size();
  }

  std::mutex mutex_;
  steady_clock::time_point look_up_at_;
  std::vector<int32_t> usable_;
  size_t next_ = 0;
  int64_t bytes_ = 0;
};

struct TopicToWrite {
  TopicHandle handle;
  StickyPartitions sticky;
};

struct Producer::Native {
  explicit Native(std::unique_ptr<NativeClient> opened)
      : client(std::move(opened)), events(rd_kafka_queue_get_main(client->handle())) {}
  ~Native() {
    // What was not flushed belongs to a batch that will be run again.
    rd_kafka_purge(client->handle(),
                   RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
    topics.clear();
    events.reset();
  }

  arrow::Result<TopicToWrite*> Topic(const std::string& name) {
    std::lock_guard lock(mutex);
    auto& topic = topics[name];
    if (topic.handle == nullptr) {
      ARROW_ASSIGN_OR_RAISE(topic.handle, client->OpenTopic(name));
    }
    return &topic;
  }

  std::unique_ptr<NativeClient> client;
  QueueHandle events;
  std::mutex mutex;
  std::map<std::string, TopicToWrite> topics;
};

Producer::Producer(std::unique_ptr<Native> native) : native_(std::move(native)) {}
Producer::~Producer() = default;

arrow::Result<std::unique_ptr<Producer>> Producer::Open(const ClientConfig& config) {
  ARROW_ASSIGN_OR_RAISE(auto client, NativeClient::Open(ClientRole::kProducer, config));
  return std::unique_ptr<Producer>(new Producer(std::make_unique<Native>(std::move(client))));
}

arrow::Status Producer::Reset() {
  ARROW_ASSIGN_OR_RAISE(auto client, NativeClient::Open(ClientRole::kProducer, native_->client->config()));
  native_ = std::make_unique<Native>(std::move(client));
  std::lock_guard lock(mutex_);
  failure_ = arrow::Status::OK();
  return arrow::Status::OK();
}

arrow::Status Producer::failure() const {
  std::lock_guard lock(mutex_);
  return failure_;
}

arrow::Status Producer::TooLarge(const OutgoingRecord& record) const {
  int64_t bytes = int64_t{record.key_size} + record.value_size;
  for (const RecordHeader& header : record.headers)
    bytes += static_cast<int64_t>(header.name.size() + header.value_size);
  return arrow::Status::Invalid(
      fmt::format("The message is {} bytes when serialized which is larger than {}, which is the value of the "
                  "max.request.size configuration. Set the option kafka.max.request.size (and max.message.bytes of the "
                  "topic) to write it.",
                  bytes + kRecordOverheadBytes, native_->client->config().max_request_bytes));
}

arrow::Status Producer::QueueError(const std::string& topic, const OutgoingRecord& record, int code) const {
  auto error = static_cast<rd_kafka_resp_err_t>(code);
  if (error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) return TooLarge(record);
  if (error == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION) return NoSuchPartition(topic, record.partition);
  return native_->client->Failed(fmt::format("Writing to the topic '{}'", topic), error);
}

void Producer::TakeReports(int timeout_ms) {
  while (
      std::unique_ptr<rd_kafka_event_t, EventDeleter> event{rd_kafka_queue_poll(native_->events.get(), timeout_ms)}) {
    timeout_ms = 0;
    if (rd_kafka_event_type(event.get()) != RD_KAFKA_EVENT_DR) continue;
    while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event.get())) {
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      std::string what = fmt::format("Writing a record of {} bytes to the topic '{}'", message->key_len + message->len,
                                     rd_kafka_topic_name(message->rkt));
      arrow::Status status = message->err == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION
                                 ? NoSuchPartition(rd_kafka_topic_name(message->rkt), message->partition)
                                 : native_->client->Failed(what, message->err);
      std::lock_guard lock(mutex_);
      if (failure_.ok()) failure_ = std::move(status);
    }
  }
}

arrow::Status Producer::WaitForRoom(const std::stop_token& stop, steady_clock::time_point deadline) {
  TakeReports(/*timeout_ms=*/2);
  ARROW_RETURN_NOT_OK(failure());
  if (stop.stop_requested()) return arrow::Status::Cancelled("The query was stopped");
  if (steady_clock::now() >= deadline) {
    return native_->client->Unreachable("Writing records", native_->client->config().api_timeout);
  }
  return arrow::Status::OK();
}

arrow::Status Producer::SendWithHeaders(const std::string& topic, const OutgoingRecord& record,
                                        const std::stop_token& stop) {
  ARROW_ASSIGN_OR_RAISE(TopicToWrite * to, native_->Topic(topic));
  rd_kafka_topic_t* handle = to->handle.get();
  const auto deadline = steady_clock::now() + native_->client->config().api_timeout;
  for (;;) {
    rd_kafka_headers_t* headers = rd_kafka_headers_new(record.headers.size());
    for (const RecordHeader& header : record.headers) {
      rd_kafka_header_add(headers, header.name.data(), static_cast<ssize_t>(header.name.size()), header.value,
                          static_cast<ssize_t>(header.value_size));
    }
    rd_kafka_resp_err_t error = rd_kafka_producev(
        native_->client->handle(), RD_KAFKA_V_RKT(handle), RD_KAFKA_V_PARTITION(record.partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(const_cast<uint8_t*>(record.key), record.key_size),
        RD_KAFKA_V_VALUE(const_cast<uint8_t*>(record.value), record.value_size), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_END);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return arrow::Status::OK();
    rd_kafka_headers_destroy(headers);
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) return QueueError(topic, record, error);
    ARROW_RETURN_NOT_OK(WaitForRoom(stop, deadline));
  }
}

arrow::Status Producer::SendChunk(const std::string& topic, std::span<const OutgoingRecord> records,
                                  const std::stop_token& stop) {
  ARROW_ASSIGN_OR_RAISE(TopicToWrite * to, native_->Topic(topic));
  rd_kafka_topic_t* handle = to->handle.get();
  rd_kafka_message_t messages[kChunk] = {};
  size_t count = records.size();
  bool each_its_own = false;
  bool without_key = false;
  int64_t bytes = 0;
  for (size_t i = 0; i < count; ++i) {
    messages[i].key = const_cast<uint8_t*>(records[i].key);
    messages[i].key_len = records[i].key_size;
    messages[i].payload = const_cast<uint8_t*>(records[i].value);
    messages[i].len = records[i].value_size;
    messages[i].partition = records[i].partition;
    const bool free = records[i].partition < 0 && records[i].key == nullptr;
    without_key |= free;
    each_its_own |= !free;
    bytes += records[i].value_size;
  }
  int32_t partition = RD_KAFKA_PARTITION_UA;
  if (without_key && count >= kWorthChoosing) {
    partition = to->sticky.Choose(native_->client->handle(), handle, bytes);
    for (size_t i = 0; each_its_own && i < count; ++i) {
      if (records[i].key == nullptr && records[i].partition < 0) messages[i].partition = partition;
    }
  }
  const int flags = RD_KAFKA_MSG_F_COPY | (each_its_own ? RD_KAFKA_MSG_F_PARTITION : 0);
  const auto deadline = steady_clock::now() + native_->client->config().api_timeout;
  rd_kafka_message_t* next = messages;
  for (;;) {
    int accepted = rd_kafka_produce_batch(handle, partition, flags, next, static_cast<int>(count));
    if (accepted == static_cast<int>(count)) return arrow::Status::OK();
    // Accepted records are not in order when only some did not fit: keep the others, in order, for another try.
    size_t left = 0;
    for (size_t i = 0; i < count; ++i) {
      if (next[i].err == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      if (next[i].err != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        OutgoingRecord record;
        record.key_size = static_cast<uint32_t>(next[i].key_len);
        record.value_size = static_cast<uint32_t>(next[i].len);
        record.partition = next[i].partition;
        return QueueError(topic, record, next[i].err);
      }
      messages[left] = next[i];
      messages[left].err = RD_KAFKA_RESP_ERR_NO_ERROR;
      ++left;
    }
    next = messages;
    count = left;
    ARROW_RETURN_NOT_OK(WaitForRoom(stop, deadline));
  }
}

arrow::Status Producer::Send(const std::string& topic, std::span<const OutgoingRecord> records,
                             const std::stop_token& stop) {
  TakeReports(0);
  ARROW_RETURN_NOT_OK(failure());
  const int64_t max_bytes = native_->client->config().max_request_bytes;
  size_t start = 0;
  for (size_t i = 0; i <= records.size(); ++i) {
    bool with_headers = i < records.size() && !records[i].headers.empty();
    if (i < records.size() && int64_t{records[i].key_size} + records[i].value_size > max_bytes) {
      return TooLarge(records[i]);
    }
    if (i < records.size() && !with_headers && i - start < kChunk) continue;
    if (i > start) ARROW_RETURN_NOT_OK(SendChunk(topic, records.subspan(start, i - start), stop));
    start = i;
    if (with_headers) {
      ARROW_RETURN_NOT_OK(SendWithHeaders(topic, records[i], stop));
      start = i + 1;
    }
  }
  return arrow::Status::OK();
}

arrow::Status Producer::Flush(const std::stop_token& stop) {
  rd_kafka_t* handle = native_->client->handle();
  // Queued records run into the delivery timeout by themselves; this is the bound for brokers that never answered.
  auto progress_at = steady_clock::now();
  auto deadline = progress_at + native_->client->config().api_timeout;
  int last_left = rd_kafka_outq_len(handle);
  for (;;) {
    rd_kafka_resp_err_t error = rd_kafka_flush(handle, /*timeout_ms=*/50);
    TakeReports(0);
    if (arrow::Status failed = failure(); !failed.ok()) {
      rd_kafka_purge(handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
      return failed;
    }
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return arrow::Status::OK();
    int left = rd_kafka_outq_len(handle);
    // A query that is stopped lets its batch end as long as the broker answers.
    if (stop.stop_requested() && steady_clock::now() - progress_at > std::chrono::seconds(1)) {
      return arrow::Status::Cancelled("The query was stopped");
    }
    if (left != last_left) {
      last_left = left;
      progress_at = steady_clock::now();
      deadline = progress_at + native_->client->config().api_timeout;
    } else if (steady_clock::now() >= deadline) {
      rd_kafka_purge(handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
      arrow::Status failed =
          native_->client->Unreachable(fmt::format("Writing {} records", left), native_->client->config().api_timeout);
      std::lock_guard lock(mutex_);
      if (failure_.ok()) failure_ = failed;
      return failed;
    }
  }
}

}  // namespace millrace::kafka
