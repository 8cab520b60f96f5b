#include <zlib.h>

#include <vector>

#include "cli/generator/record_target.h"
#include "kafka/admin.h"
#include "kafka/producer.h"

namespace millrace::cli {

namespace {

class KafkaTarget final : public RecordTarget {
 public:
  KafkaTarget(std::unique_ptr<kafka::Producer> producer, std::string topic, int num_partitions)
      : producer_(std::move(producer)), topic_(std::move(topic)), num_partitions_(num_partitions) {}

  arrow::Status Write(const RecordTexts& batch) override {
    records_.clear();
    for (size_t i = 0; i < batch.size(); ++i) {
      kafka::OutgoingRecord record;
      std::string_view value = batch.value(i);
      record.value = reinterpret_cast<const uint8_t*>(value.data());
      record.value_size = static_cast<uint32_t>(value.size());
      if (batch.has_key(i)) {
        std::string_view key = batch.key(i);
        record.key = reinterpret_cast<const uint8_t*>(key.data());
        record.key_size = static_cast<uint32_t>(key.size());
        if (num_partitions_ > 0) {
          auto hash = crc32(0, record.key, record.key_size);
          record.partition = static_cast<int32_t>(hash % static_cast<unsigned>(num_partitions_));
        }
      }
      records_.push_back(record);
    }
    return producer_->Send(topic_, records_);
  }

  arrow::Status Flush() override { return producer_->Flush(); }

 private:
  std::unique_ptr<kafka::Producer> producer_;
  std::string topic_;
  int num_partitions_;
  std::vector<kafka::OutgoingRecord> records_;
};

}  // namespace

arrow::Result<std::unique_ptr<RecordTarget>> OpenKafkaTarget(const KafkaTargetOptions& options) {
  std::map<std::string, std::string> settings = options.settings;
  settings["bootstrap.servers"] = options.bootstrap_servers;
  if (options.num_partitions > 0) {
    ARROW_ASSIGN_OR_RAISE(auto config, kafka::TranslateClientConfig(kafka::ClientRole::kConsumer, settings));
    ARROW_ASSIGN_OR_RAISE(auto admin, kafka::Admin::Open(config, {}));
    ARROW_RETURN_NOT_OK(admin->CreateTopic(options.topic, options.num_partitions).status());
    ARROW_ASSIGN_OR_RAISE(auto partitions, admin->ListPartitions({options.topic}));
    if (static_cast<int>(partitions.size()) < options.num_partitions) {
      return arrow::Status::Invalid("The topic '" + options.topic + "' exists with " +
                                    std::to_string(partitions.size()) + " partitions, fewer than --partitions");
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto config, kafka::TranslateClientConfig(kafka::ClientRole::kProducer, settings));
  ARROW_ASSIGN_OR_RAISE(auto producer, kafka::Producer::Open(config));
  return std::make_unique<KafkaTarget>(std::move(producer), options.topic, options.num_partitions);
}

}  // namespace millrace::cli
