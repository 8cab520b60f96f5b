#include "kafka/native_client.h"

#include <fmt/format.h>

#include <cstring>

#include "base/error.h"

namespace millrace::kafka {

void NativeClient::OnLog(const rd_kafka_t* handle, int level, const char* facility, const char* text) {
  if (level > 4 || handle == nullptr) return;
  auto* self = static_cast<NativeClient*>(rd_kafka_opaque(handle));
  if (self == nullptr || std::strcmp(facility, "CONFWARN") == 0) return;
  std::string_view message(text);
  // "[thrd:localhost:9092/bootstrap]: localhost:9092/bootstrap: Connect to … failed: …": the thread is of no use.
  if (message.starts_with("[thrd:")) {
    if (size_t end = message.find("]: "); end != std::string_view::npos) message.remove_prefix(end + 3);
  }
  std::lock_guard lock(self->mutex_);
  // "1/1 brokers are down" comes after the reason, and says less.
  if (self->last_problem_.empty() || message.find("brokers are down") == std::string_view::npos) {
    self->last_problem_ = std::string(message);
  }
}

arrow::Result<std::unique_ptr<NativeClient>> NativeClient::Open(ClientRole role, const ClientConfig& config) {
  std::unique_ptr<NativeClient> client(new NativeClient(config));
  char reason[512];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  for (const auto& [name, value] : config.properties) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), reason, sizeof(reason)) != RD_KAFKA_CONF_OK) {
      rd_kafka_conf_destroy(conf);
      return arrow::Status::Invalid(fmt::format("Invalid Kafka configuration: {}", reason));
    }
  }
  rd_kafka_conf_set_opaque(conf, client.get());
  rd_kafka_conf_set_log_cb(conf, &NativeClient::OnLog);
  // Events instead of callbacks: waiting for a flush then ends with the last acknowledgement, not at the next poll.
  if (role == ClientRole::kProducer) rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR);
  rd_kafka_type_t type = role == ClientRole::kProducer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER;
  client->handle_ = rd_kafka_new(type, conf, reason, sizeof(reason));
  if (client->handle_ == nullptr) {
    rd_kafka_conf_destroy(conf);
    return arrow::Status::Invalid(fmt::format("Failed to construct the Kafka client: {}", reason));
  }
  return client;
}

NativeClient::~NativeClient() {
  if (handle_ != nullptr) rd_kafka_destroy_flags(handle_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

arrow::Result<TopicHandle> NativeClient::OpenTopic(const std::string& topic) const {
  TopicHandle opened(rd_kafka_topic_new(handle_, topic.c_str(), nullptr));
  if (opened == nullptr) return Failed(fmt::format("Opening the topic '{}'", topic), rd_kafka_last_error());
  return opened;
}

std::string NativeClient::last_problem() const {
  std::lock_guard lock(mutex_);
  return last_problem_;
}

arrow::Status NativeClient::Unreachable(std::string_view what, std::chrono::milliseconds waited) const {
  std::string problem = last_problem();
  return WorldError(fmt::format("{} got no answer from Kafka at {} within {} ms{}{}", what, config_.bootstrap_servers,
                                waited.count(), problem.empty() ? "" : ": ", problem),
                    /*retryable=*/true);
}

arrow::Status NativeClient::Failed(std::string_view what, rd_kafka_resp_err_t error) const {
  std::string problem = IsTransient(error) ? last_problem() : std::string();
  return WorldError(
      fmt::format("{} failed at Kafka {}: {} ({}){}{}", what, config_.bootstrap_servers, rd_kafka_err2str(error),
                  rd_kafka_err2name(error), problem.empty() ? "" : ": ", problem),
      IsTransient(error));
}

bool IsTransient(rd_kafka_resp_err_t error) {
  if (error == kBrokerHandleDestroyed) return true;
  switch (error) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
    case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE:
      return true;
    default:
      return false;
  }
}

}  // namespace millrace::kafka
