#pragma once

#include <arrow/result.h>
#include <librdkafka/rdkafka.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "kafka/client_config.h"
#include "kafka/topic_partition.h"

namespace millrace::kafka {

struct TopicDeleter {
  void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
};
struct QueueDeleter {
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
};
struct PartitionListDeleter {
  void operator()(rd_kafka_topic_partition_list_t* list) const { rd_kafka_topic_partition_list_destroy(list); }
};
using TopicHandle = std::unique_ptr<rd_kafka_topic_t, TopicDeleter>;
using QueueHandle = std::unique_ptr<rd_kafka_queue_t, QueueDeleter>;
using PartitionListHandle = std::unique_ptr<rd_kafka_topic_partition_list_t, PartitionListDeleter>;

/// One librdkafka instance with its threads and connections, and what it last complained of.
/// Included by this module's .cc files only. Thread-safe.
class NativeClient {
 public:
  static arrow::Result<std::unique_ptr<NativeClient>> Open(ClientRole role, const ClientConfig& config);
  ~NativeClient();
  NativeClient(const NativeClient&) = delete;
  NativeClient& operator=(const NativeClient&) = delete;

  rd_kafka_t* handle() const { return handle_; }
  const ClientConfig& config() const { return config_; }

  arrow::Result<TopicHandle> OpenTopic(const std::string& topic) const;

  /// The last connection or authentication problem, empty when there was none.
  std::string last_problem() const;
  /// The error for "no answer in time": says `what` failed, names the brokers and the last problem.
  arrow::Status Unreachable(std::string_view what, std::chrono::milliseconds waited) const;
  /// The error for an answer that is an error.
  arrow::Status Failed(std::string_view what, rd_kafka_resp_err_t error) const;

 private:
  explicit NativeClient(const ClientConfig& config) : config_(config) {}
  static void OnLog(const rd_kafka_t* handle, int level, const char* facility, const char* text);

  ClientConfig config_;
  rd_kafka_t* handle_ = nullptr;
  mutable std::mutex mutex_;
  std::string last_problem_;
};

/// True for errors that another try may not meet: connections, elections, timeouts.
bool IsTransient(rd_kafka_resp_err_t error);

/// Of librdkafka since 2.11, whose header is not at hand: the request waited at a broker handle that the client has let
/// go, the one of the bootstrap address mostly. It was not sent, and is asked again.
inline constexpr auto kBrokerHandleDestroyed = static_cast<rd_kafka_resp_err_t>(-137);

}  // namespace millrace::kafka
