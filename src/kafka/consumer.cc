#include "kafka/consumer.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <thread>

#include "base/error.h"
#include "kafka/native_client.h"

namespace millrace::kafka {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

/// How long one wait in the client's queue lasts: offsets that hold no record end it only at its end.
constexpr int kWaitSliceMs = 10;
/// A query that is stopped lets its batch end when the broker still answers in this time.
constexpr milliseconds kStopGrace{500};
/// While nothing comes, the topic is looked up this often: the client itself tells only the log that it is gone.
constexpr milliseconds kLookUpInterval{1000};

/// Before a partition that the client lost sight of is asked for again.
constexpr milliseconds kRestartPause{50};

bool IsGone(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || error == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
         error == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
}

bool IsOutOfRange(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || error == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE;
}

ConsumedRecord ViewOf(rd_kafka_message_t* message) {
  ConsumedRecord record;
  record.key = static_cast<const uint8_t*>(message->key);
  record.key_size = static_cast<uint32_t>(message->key_len);
  record.value = static_cast<const uint8_t*>(message->payload);
  record.value_size = static_cast<uint32_t>(message->len);
  record.offset = message->offset;
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  record.timestamp_ms = rd_kafka_message_timestamp(message, &type);
  record.timestamp_type = type == RD_KAFKA_TIMESTAMP_CREATE_TIME       ? TimestampType::kCreateTime
                          : type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME ? TimestampType::kLogAppendTime
                                                                       : TimestampType::kNone;
  record.native = message;
  return record;
}

}  // namespace

void ReadHeaders(const ConsumedRecord& record, std::vector<RecordHeader>* headers) {
  headers->clear();
  rd_kafka_headers_t* list = nullptr;
  if (rd_kafka_message_headers(static_cast<rd_kafka_message_t*>(record.native), &list) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return;
  }
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  for (size_t i = 0; rd_kafka_header_get_all(list, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    headers->push_back({name, static_cast<const uint8_t*>(value), size});
  }
}

struct PartitionReader::Native {
  TopicHandle topic;
  QueueHandle queue;
  /// Fetched, not handed out.
  std::deque<rd_kafka_message_t*> ahead;
  /// Behind the records of the last Read.
  std::vector<rd_kafka_message_t*> handed_out;
  std::vector<rd_kafka_message_t*> pulled;
};

PartitionReader::PartitionReader(Consumer* consumer, TopicPartition partition, std::unique_ptr<Native> native)
    : consumer_(consumer), partition_(std::move(partition)), native_(std::move(native)) {}

PartitionReader::~PartitionReader() { Stop(); }

void PartitionReader::ReleaseRead() {
  for (rd_kafka_message_t* message : native_->handed_out) rd_kafka_message_destroy(message);
  native_->handed_out.clear();
  records_.clear();
}

void PartitionReader::Stop() {
  ReleaseRead();
  if (started_) rd_kafka_consume_stop(native_->topic.get(), partition_.partition);
  started_ = false;
  for (rd_kafka_message_t* message : native_->ahead) rd_kafka_message_destroy(message);
  native_->ahead.clear();
}

arrow::Status PartitionReader::Start(int64_t offset) {
  int failed = rd_kafka_consume_start_queue(native_->topic.get(), partition_.partition, offset, native_->queue.get());
  if (failed != 0) {
    return consumer_->client_->Failed(fmt::format("Reading {} from offset {}", partition_.ToString(), offset),
                                      rd_kafka_last_error());
  }
  started_ = true;
  position_ = offset;
  return arrow::Status::OK();
}

arrow::Status PartitionReader::Seek(int64_t offset) {
  if (started_ && position_ == offset) return arrow::Status::OK();
  Stop();
  return Start(offset);
}

size_t PartitionReader::Pull(size_t max_messages, int timeout_ms) {
  native_->pulled.resize(max_messages);
  ssize_t count = rd_kafka_consume_batch_queue(native_->queue.get(), timeout_ms, native_->pulled.data(), max_messages);
  if (count <= 0) return 0;
  native_->ahead.insert(native_->ahead.end(), native_->pulled.begin(), native_->pulled.begin() + count);
  return static_cast<size_t>(count);
}

int64_t PartitionReader::ClientPosition() const {
  PartitionListHandle list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), partition_.topic.c_str(), partition_.partition);
  rd_kafka_position(consumer_->client_->handle(), list.get());
  return list->elems[0].offset;
}

bool PartitionReader::Exists() const {
  const rd_kafka_metadata_t* metadata = nullptr;
  rd_kafka_resp_err_t error = rd_kafka_metadata(consumer_->client_->handle(), /*all_topics=*/0, native_->topic.get(),
                                                &metadata, /*timeout_ms=*/1000);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return true;  // no answer is not the answer "no"
  bool exists = metadata->topic_cnt == 1 && !IsGone(metadata->topics[0].err);
  if (exists && metadata->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const rd_kafka_metadata_topic_t& topic = metadata->topics[0];
    exists = std::any_of(topic.partitions, topic.partitions + topic.partition_cnt,
                         [&](const rd_kafka_metadata_partition_t& p) { return p.id == partition_.partition; });
  }
  rd_kafka_metadata_destroy(metadata);
  return exists;
}

bool PartitionReader::Holds(int64_t offset) const {
  int64_t low = -1;
  int64_t high = -1;
  rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(consumer_->client_->handle(), partition_.topic.c_str(),
                                                               partition_.partition, &low, &high, /*timeout_ms=*/1000);
  return error == RD_KAFKA_RESP_ERR_NO_ERROR ? offset >= low && offset < high : IsTransient(error);
}

std::optional<int64_t> PartitionReader::KnownEndOffset() const {
  int64_t low = -1;
  int64_t high = -1;
  rd_kafka_resp_err_t error = rd_kafka_get_watermark_offsets(consumer_->client_->handle(), partition_.topic.c_str(),
                                                             partition_.partition, &low, &high);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR || high < 0) return std::nullopt;
  return high;
}

bool PartitionReader::HasFetched() {
  auto is_record = [](const rd_kafka_message_t* message) { return message->err == RD_KAFKA_RESP_ERR_NO_ERROR; };
  auto& ahead = native_->ahead;
  if (std::any_of(ahead.begin(), ahead.end(), is_record)) return true;
  constexpr size_t kLook = 256;
  if (!started_) return false;
  while (Pull(kLook, 0) > 0) {
    if (std::any_of(ahead.begin(), ahead.end(), is_record)) return true;
  }
  return false;
}

arrow::Result<ReadResult> PartitionReader::Read(int64_t until_offset, size_t max_records, milliseconds timeout,
                                                const std::stop_token& stop) {
  ReleaseRead();
  ReadResult result;
  auto& ahead = native_->ahead;
  const steady_clock::time_point deadline = steady_clock::now() + timeout;
  const steady_clock::time_point give_up_at = steady_clock::now() + kStopGrace;
  steady_clock::time_point look_up_at = steady_clock::now() + kLookUpInterval;
  bool may_wait = false;
  while (position_ < until_offset) {
    if (ahead.empty()) {
      size_t wanted = std::min<size_t>(max_records, static_cast<size_t>(until_offset - position_));
      // A full batch is only there for the taking; waiting for one would hold back what has come.
      if (Pull(std::max<size_t>(wanted, 1), 0) == 0 && (!may_wait || Pull(1, kWaitSliceMs) == 0)) {
        if (!records_.empty()) break;
        position_ = std::max(position_, ClientPosition());
        if (position_ >= until_offset) break;
        if (stop.stop_requested() && steady_clock::now() >= give_up_at) {
          return arrow::Status::Cancelled("The query was stopped");
        }
        if (steady_clock::now() >= deadline) {
          return consumer_->client_->Unreachable(
              fmt::format("Cannot fetch record for offset {} of {}: it", position_, partition_.ToString()), timeout);
        }
        if (steady_clock::now() >= look_up_at) {
          if (!Exists()) {
            result.loss =
                RangeLoss{RangeLoss::Kind::kPartitionGone, position_, "the topic or partition does not exist"};
            Stop();
            return result;
          }
          look_up_at = steady_clock::now() + kLookUpInterval;
        }
        may_wait = true;
        continue;
      }
    }
    while (!ahead.empty() && records_.size() < max_records && position_ < until_offset) {
      rd_kafka_message_t* message = ahead.front();
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (message->offset >= until_offset) {
          // Nothing was visible between; the record is the next range's.
          position_ = until_offset;
          break;
        }
        ahead.pop_front();
        if (message->offset < position_) {
          rd_kafka_message_destroy(message);
          continue;
        }
        native_->handed_out.push_back(message);
        records_.push_back(ViewOf(message));
        position_ = message->offset + 1;
        continue;
      }
      const rd_kafka_resp_err_t error = message->err;
      if (error == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        position_ = std::max(position_, message->offset);
      } else if ((IsGone(error) ? Exists() : IsOutOfRange(error) && Holds(position_)) && records_.empty() &&
                 steady_clock::now() < deadline) {
        // So says the client while it still meets the brokers; they know better.
        int64_t offset = position_;
        Stop();
        std::this_thread::sleep_for(kRestartPause);
        ARROW_RETURN_NOT_OK(Start(offset));
        break;
      } else if (IsGone(error) || IsOutOfRange(error)) {
        if (!records_.empty()) break;  // told by the next call, after the records before it
        result.loss = RangeLoss{IsGone(error) ? RangeLoss::Kind::kPartitionGone : RangeLoss::Kind::kOffsetOutOfRange,
                                position_, rd_kafka_message_errstr(message)};
        Stop();
        return result;
      } else if (!IsTransient(error)) {
        arrow::Status failed =
            consumer_->client_->Failed(fmt::format("Reading {} at offset {}", partition_.ToString(), position_), error);
        Stop();
        return failed;
      }
      ahead.pop_front();
      rd_kafka_message_destroy(message);
    }
    if (!records_.empty()) break;
  }
  result.records = records_;
  result.complete = position_ >= until_offset;
  return result;
}

Consumer::Consumer(std::unique_ptr<NativeClient> client) : client_(std::move(client)) {}

Consumer::~Consumer() { readers_.clear(); }

arrow::Result<std::unique_ptr<Consumer>> Consumer::Open(const ClientConfig& config) {
  ARROW_ASSIGN_OR_RAISE(auto client, NativeClient::Open(ClientRole::kConsumer, config));
  return std::unique_ptr<Consumer>(new Consumer(std::move(client)));
}

const ClientConfig& Consumer::config() const { return client_->config(); }

arrow::Result<PartitionReader*> Consumer::Reader(const TopicPartition& partition) {
  std::lock_guard lock(readers_mutex_);
  auto& reader = readers_[partition];
  if (reader == nullptr) {
    auto native = std::make_unique<PartitionReader::Native>();
    ARROW_ASSIGN_OR_RAISE(native->topic, client_->OpenTopic(partition.topic));
    native->queue.reset(rd_kafka_queue_new(client_->handle()));
    rd_kafka_queue_cb_event_enable(
        native->queue.get(),
        [](rd_kafka_t*, void* opaque) {
          auto* self = static_cast<Consumer*>(opaque);
          std::lock_guard arrival_lock(self->arrival_mutex_);
          if (self->on_arrival_) self->on_arrival_();
        },
        this);
    reader.reset(new PartitionReader(this, partition, std::move(native)));
  }
  return reader.get();
}

void Consumer::KeepOnly(const TopicPartitionSet& wanted) {
  std::lock_guard lock(readers_mutex_);
  std::erase_if(readers_, [&](const auto& entry) { return !wanted.contains(entry.first); });
}

void Consumer::NotifyOnArrival(std::function<void()> on_arrival) {
  std::lock_guard lock(arrival_mutex_);
  on_arrival_ = std::move(on_arrival);
}

}  // namespace millrace::kafka
