#pragma once

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "kafka/topic_partition.h"

// Brokers for tests: librdkafka's mock cluster, and a real one named by KAFKA_BOOTSTRAP.

namespace millrace::kafka {

/// A broker inside the process. Keeps little, knows no time-stamps and no transactions.
class MockBroker {
 public:
  explicit MockBroker(int num_partitions = 2) {
    char reason[512];
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "client.id", "mock", reason, sizeof(reason));
    handle_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
    cluster_ = rd_kafka_mock_cluster_new(handle_, 1);
    rd_kafka_mock_topic_create(cluster_, "t", num_partitions, 1);
    bootstrap_ = rd_kafka_mock_cluster_bootstraps(cluster_);
  }
  ~MockBroker() {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(handle_);
  }
  const std::string& bootstrap() const { return bootstrap_; }
  rd_kafka_mock_cluster_t* cluster() { return cluster_; }

 private:
  rd_kafka_t* handle_;
  rd_kafka_mock_cluster_t* cluster_;
  std::string bootstrap_;
};

/// What a test needs of a real broker beside the code under test.
class RealBroker {
 public:
  static const char* Bootstrap() { return std::getenv("KAFKA_BOOTSTRAP"); }

  RealBroker() : handle_(NewProducer("")) {}
  ~RealBroker() {
    for (const std::string& topic : topics_) DeleteTopic(topic);
    rd_kafka_destroy(handle_);
  }

  /// A topic with a name of its own, deleted at the end.
  std::string CreateTopic(int num_partitions, const std::map<std::string, std::string>& settings = {},
                          const std::string& prefix = "test") {
    std::string name = prefix + "-" + RandomUuid();
    char reason[512];
    rd_kafka_NewTopic_t* topic = rd_kafka_NewTopic_new(name.c_str(), num_partitions, 1, reason, sizeof(reason));
    for (const auto& [key, value] : settings) rd_kafka_NewTopic_set_config(topic, key.c_str(), value.c_str());
    Ask(RD_KAFKA_ADMIN_OP_CREATETOPICS, [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
      rd_kafka_CreateTopics(handle_, &topic, 1, options, queue);
    });
    rd_kafka_NewTopic_destroy(topic);
    topics_.push_back(name);
    return name;
  }

  void DeleteTopic(const std::string& name) {
    rd_kafka_DeleteTopic_t* topic = rd_kafka_DeleteTopic_new(name.c_str());
    Ask(RD_KAFKA_ADMIN_OP_DELETETOPICS, [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
      rd_kafka_DeleteTopics(handle_, &topic, 1, options, queue);
    });
    rd_kafka_DeleteTopic_destroy(topic);
  }

  void AddPartitions(const std::string& name, int total) {
    char reason[512];
    rd_kafka_NewPartitions_t* more =
        rd_kafka_NewPartitions_new(name.c_str(), static_cast<size_t>(total), reason, sizeof(reason));
    Ask(RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
      rd_kafka_CreatePartitions(handle_, &more, 1, options, queue);
    });
    rd_kafka_NewPartitions_destroy(more);
  }

  /// Ages out what is before `offset`.
  void DeleteRecordsBefore(const std::string& name, int partition, int64_t offset) {
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, name.c_str(), partition)->offset = offset;
    rd_kafka_DeleteRecords_t* records = rd_kafka_DeleteRecords_new(list);
    Ask(RD_KAFKA_ADMIN_OP_DELETERECORDS, [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
      rd_kafka_DeleteRecords(handle_, &records, 1, options, queue);
    });
    rd_kafka_DeleteRecords_destroy(records);
    rd_kafka_topic_partition_list_destroy(list);
  }

  /// Writes `values` to one partition and waits; timestamps from `first_timestamp_ms` in steps of one second, 0: now.
  void Produce(const std::string& topic, int partition, const std::vector<std::string>& values,
               int64_t first_timestamp_ms = 0) {
    ProduceWith(handle_, topic, partition, values, first_timestamp_ms);
    rd_kafka_flush(handle_, 10'000);
  }

  /// Writes `values` in one transaction that is committed or aborted.
  void ProduceInTransaction(const std::string& topic, int partition, const std::vector<std::string>& values,
                            bool commit) {
    rd_kafka_t* producer = NewProducer(RandomUuid());
    rd_kafka_error_t* error = rd_kafka_init_transactions(producer, 10'000);
    EXPECT_EQ(error, nullptr);
    rd_kafka_begin_transaction(producer);
    ProduceWith(producer, topic, partition, values, 0);
    rd_kafka_flush(producer, 10'000);
    error = commit ? rd_kafka_commit_transaction(producer, 10'000) : rd_kafka_abort_transaction(producer, 10'000);
    EXPECT_EQ(error, nullptr);
    rd_kafka_destroy(producer);
  }

 private:
  static rd_kafka_t* NewProducer(const std::string& transactional_id) {
    char reason[512];
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", Bootstrap(), reason, sizeof(reason));
    if (!transactional_id.empty()) {
      rd_kafka_conf_set(conf, "transactional.id", transactional_id.c_str(), reason, sizeof(reason));
    }
    return rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
  }

  static void ProduceWith(rd_kafka_t* producer, const std::string& topic, int partition,
                          const std::vector<std::string>& values, int64_t timestamp_ms) {
    for (const std::string& value : values) {
      rd_kafka_resp_err_t error = rd_kafka_producev(
          producer, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(partition),
          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
          RD_KAFKA_V_TIMESTAMP(timestamp_ms), RD_KAFKA_V_END);
      EXPECT_EQ(error, RD_KAFKA_RESP_ERR_NO_ERROR);
      if (timestamp_ms != 0) timestamp_ms += 1000;
    }
  }

  void Ask(rd_kafka_admin_op_t operation,
           const std::function<void(rd_kafka_AdminOptions_t*, rd_kafka_queue_t*)>& send) {
    rd_kafka_queue_t* queue = rd_kafka_queue_new(handle_);
    rd_kafka_AdminOptions_t* options = rd_kafka_AdminOptions_new(handle_, operation);
    send(options, queue);
    rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 10'000);
    ASSERT_NE(event, nullptr);
    EXPECT_EQ(rd_kafka_event_error(event), RD_KAFKA_RESP_ERR_NO_ERROR) << rd_kafka_event_error_string(event);
    rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
  }

  rd_kafka_t* handle_;
  std::vector<std::string> topics_;
};

}  // namespace millrace::kafka
