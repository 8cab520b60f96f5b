#include "connector/kafka/kafka_sink.h"

#include <arrow/array.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <span>
#include <stop_token>
#include <vector>

#include "base/error.h"
#include "connector/kafka/producer_pool.h"
#include "connector/kafka/source_options.h"

namespace millrace::connector::kafka {

using millrace::kafka::ClientConfig;
using millrace::kafka::OutgoingRecord;
using millrace::kafka::Producer;
using millrace::kafka::RecordHeader;

namespace {

arrow::Status BadRows(std::string message) {
  return UserError("_LEGACY_ERROR_TEMP_3080", {{"msg", std::move(message)}});
}

/// The index of the column, −1 when there is none; an error when it is of none of `types`.
arrow::Result<int> FindColumn(const types::DataType& schema, std::string_view name,
                              std::span<const types::DataTypePtr> types) {
  const auto& fields = schema.fields();
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name != name) continue;
    std::vector<std::string> wanted;
    for (const types::DataTypePtr& type : types) {
      if (type->EqualsIgnoreNullability(*fields[i].type)) return static_cast<int>(i);
      wanted.push_back(type->CatalogString());
    }
    return BadRows(fmt::format("{} attribute unsupported type {}. {} must be a(n) {}", name,
                               fields[i].type->CatalogString(), name, fmt::join(wanted, " or ")));
  }
  return -1;
}

std::string TrimSpace(std::string text) {
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.pop_back();
  size_t start = 0;
  while (start < text.size() && static_cast<unsigned char>(text[start]) <= ' ') ++start;
  return text.substr(start);
}

/// One record's view of a binary or string cell; null cells stay nullptr.
void SetBytes(const arrow::BinaryArray& column, int64_t row, const uint8_t** data, uint32_t* size) {
  if (column.IsNull(row)) return;
  std::string_view bytes = column.GetView(row);
  // An empty value is not a null one, whatever its address.
  static constexpr uint8_t kEmpty = 0;
  *data = bytes.empty() ? &kEmpty : reinterpret_cast<const uint8_t*>(bytes.data());
  *size = static_cast<uint32_t>(bytes.size());
}

/// A task whose first rows are so many gets a producer of its own.
constexpr int64_t kManyRows = 1024;

/// What the writes of one sink share.
struct OpenedSink {
  std::shared_ptr<ProducerPool> producers;
  RecordLayout layout;
  /// Ends waits for a broker that does not answer.
  std::stop_source stop;
};

class KafkaWriter final : public DataWriter {
 public:
  KafkaWriter(const OpenedSink& sink, int task_index)
      : producers_(sink.producers), layout_(sink.layout), stop_(sink.stop.get_token()), task_index_(task_index) {}

  arrow::Status Write(const std::shared_ptr<arrow::RecordBatch>& rows) override {
    const int64_t num_rows = rows->num_rows();
    if (producer_ == nullptr) {
      ARROW_ASSIGN_OR_RAISE(producer_, producers_->ForTask(task_index_, num_rows >= kManyRows));
    }
    auto bytes = [&](int index) {
      return index < 0 ? nullptr : static_cast<const arrow::BinaryArray*>(rows->column(index).get());
    };
    const arrow::BinaryArray* keys = bytes(layout_.key);
    const arrow::BinaryArray* values = bytes(layout_.value);
    const arrow::BinaryArray* topics = layout_.fixed_topic ? nullptr : bytes(layout_.topic);
    const arrow::Int32Array* partitions =
        layout_.partition < 0 ? nullptr : static_cast<const arrow::Int32Array*>(rows->column(layout_.partition).get());

    records_.assign(static_cast<size_t>(num_rows), OutgoingRecord{});
    for (int64_t row = 0; row < num_rows; ++row) {
      OutgoingRecord& record = records_[static_cast<size_t>(row)];
      if (keys != nullptr) SetBytes(*keys, row, &record.key, &record.key_size);
      SetBytes(*values, row, &record.value, &record.value_size);
      if (partitions != nullptr && partitions->IsValid(row)) {
        record.partition = partitions->Value(row);
        if (record.partition < 0) {
          return arrow::Status::Invalid(fmt::format(
              "Invalid partition: {}. Partition number should always be non-negative or null.", record.partition));
        }
      }
    }
    if (layout_.headers >= 0) AttachHeaders(*rows->column(layout_.headers));
    num_rows_ += num_rows;

    if (topics == nullptr) return producer_->Send(*layout_.fixed_topic, records_, stop_);
    // Neighbours of one topic go out together.
    for (int64_t start = 0; start < num_rows;) {
      if (topics->IsNull(start)) return UserError("KAFKA_NULL_TOPIC_IN_DATA");
      std::string_view topic = topics->GetView(start);
      int64_t end = start + 1;
      while (end < num_rows && topics->IsValid(end) && topics->GetView(end) == topic) ++end;
      auto run = std::span<const OutgoingRecord>(records_).subspan(static_cast<size_t>(start),
                                                                   static_cast<size_t>(end - start));
      ARROW_RETURN_NOT_OK(producer_->Send(std::string(topic), run, stop_));
      start = end;
    }
    return arrow::Status::OK();
  }

  arrow::Result<WriterCommitMessage> Commit() override {
    if (producer_ != nullptr) ARROW_RETURN_NOT_OK(producer_->Flush(stop_));
    return WriterCommitMessage(num_rows_);
  }

  void Abort() override {}

 private:
  void AttachHeaders(const arrow::Array& column) {
    const auto& lists = static_cast<const arrow::ListArray&>(column);
    const auto& entries = static_cast<const arrow::StructArray&>(*lists.values());
    const auto& names = static_cast<const arrow::BinaryArray&>(*entries.field(0));
    const auto& values = static_cast<const arrow::BinaryArray&>(*entries.field(1));
    headers_.clear();
    // Filled whole before it is pointed into.
    for (int64_t row = 0; row < lists.length(); ++row) {
      if (lists.IsNull(row)) continue;
      for (int64_t i = lists.value_offset(row); i < lists.value_offset(row) + lists.value_length(row); ++i) {
        RecordHeader header;
        header.name = names.GetView(i);
        uint32_t size = 0;
        SetBytes(values, i, &header.value, &size);
        header.value_size = size;
        headers_.push_back(header);
      }
    }
    size_t next = 0;
    for (int64_t row = 0; row < lists.length(); ++row) {
      if (lists.IsNull(row)) continue;
      auto count = static_cast<size_t>(lists.value_length(row));
      records_[static_cast<size_t>(row)].headers = std::span<const RecordHeader>(headers_).subspan(next, count);
      next += count;
    }
  }

  std::shared_ptr<ProducerPool> producers_;
  RecordLayout layout_;
  std::stop_token stop_;
  int task_index_;
  /// Of `producers_`; nullptr until rows come.
  Producer* producer_ = nullptr;
  std::vector<OutgoingRecord> records_;
  std::vector<RecordHeader> headers_;
  int64_t num_rows_ = 0;
};

class KafkaWrite final : public Write {
 public:
  explicit KafkaWrite(OpenedSink sink) : sink_(std::move(sink)) {}

  arrow::Result<std::unique_ptr<DataWriter>> OpenWriter(int task_index) override {
    return std::make_unique<KafkaWriter>(sink_, task_index);
  }
  arrow::Status Commit(std::vector<WriterCommitMessage>) override { return arrow::Status::OK(); }
  /// What the tasks left in the queue must not go out later, beside the batch that is run again.
  void Abort() override { (void)sink_.producers->Reset(); }

 private:
  OpenedSink sink_;
};

class KafkaStreamSink final : public StreamSink {
 public:
  /// What is wrong with the options or the rows' columns is said by the first micro-batch, as in Spark.
  explicit KafkaStreamSink(arrow::Result<OpenedSink> sink) : sink_(std::move(sink)) {}

  arrow::Result<std::unique_ptr<Write>> Begin(BatchId) override {
    ARROW_RETURN_NOT_OK(sink_);
    return std::make_unique<KafkaWrite>(*sink_);
  }
  std::string Description() const override {
    auto identity = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(this) >> 4);
    return fmt::format("org.apache.spark.sql.kafka010.KafkaSourceProvider$KafkaTable@{:x}", identity);
  }
  void Interrupt() override {
    if (sink_.ok()) sink_->stop.request_stop();
  }

 private:
  arrow::Result<OpenedSink> sink_;
};

arrow::Result<OpenedSink> OpenSink(const SinkRequest& request) {
  std::optional<std::string> topic = request.options.Get("topic");
  if (topic) topic = TrimSpace(*topic);
  ARROW_ASSIGN_OR_RAISE(ClientConfig config, ProducerConfig(request.options));
  ARROW_ASSIGN_OR_RAISE(RecordLayout layout, FindRecordColumns(*request.schema, std::move(topic)));
  for (const std::string& warning : config.warnings) spdlog::warn("{}", warning);
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<ProducerPool> producers, ProducerPool::Open(config));
  return OpenedSink{std::move(producers), std::move(layout), {}};
}

}  // namespace

arrow::Result<RecordLayout> FindRecordColumns(const types::DataType& schema, std::optional<std::string> topic) {
  const types::DataTypePtr text[] = {types::String()};
  const types::DataTypePtr bytes[] = {types::String(), types::Binary()};
  const types::DataTypePtr number[] = {types::Integer()};
  const types::DataTypePtr headers[] = {
      types::Array(types::Struct({{"key", types::String()}, {"value", types::Binary()}}))};
  RecordLayout layout;
  if (!topic) {
    ARROW_ASSIGN_OR_RAISE(layout.topic, FindColumn(schema, "topic", text));
    if (layout.topic < 0) {
      return BadRows(
          "topic option required when no 'topic' attribute is present. Use the topic option for setting a topic.");
    }
  }
  layout.fixed_topic = std::move(topic);
  ARROW_ASSIGN_OR_RAISE(layout.key, FindColumn(schema, "key", bytes));
  ARROW_ASSIGN_OR_RAISE(layout.value, FindColumn(schema, "value", bytes));
  if (layout.value < 0) return BadRows("Required attribute 'value' not found");
  ARROW_ASSIGN_OR_RAISE(layout.headers, FindColumn(schema, "headers", headers));
  ARROW_ASSIGN_OR_RAISE(layout.partition, FindColumn(schema, "partition", number));
  return layout;
}

arrow::Result<ClientConfig> ProducerConfig(const Options& options) {
  if (options.Has("kafka.key.serializer")) {
    return arrow::Status::Invalid(
        "Kafka option 'key.serializer' is not supported as keys are serialized with ByteArraySerializer.");
  }
  if (options.Has("kafka.value.serializer")) {
    return arrow::Status::Invalid(
        "Kafka option 'value.serializer' is not supported as value are serialized with ByteArraySerializer.");
  }
  if (!options.Has("kafka.bootstrap.servers")) {
    return UserError("MISSING_KAFKA_OPTION", {{"option", "bootstrap.servers"}});
  }
  return TranslateClientConfig(millrace::kafka::ClientRole::kProducer, ClientSettings(options));
}

arrow::Result<std::unique_ptr<StreamSink>> OpenKafkaStreamSink(const SinkRequest& request) {
  return std::make_unique<KafkaStreamSink>(OpenSink(request));
}

arrow::Result<std::unique_ptr<Write>> OpenKafkaBatchWrite(const SinkRequest& request) {
  if (request.save_mode == SaveMode::kOverwrite || request.save_mode == SaveMode::kIgnore) {
    return UserError("_LEGACY_ERROR_TEMP_3081",
                     {{"mode", request.save_mode == SaveMode::kOverwrite ? "Overwrite" : "Ignore"},
                      {"append", "Append"},
                      {"errorIfExists", "ErrorIfExists"}});
  }
  ARROW_ASSIGN_OR_RAISE(OpenedSink opened, OpenSink(request));
  return std::make_unique<KafkaWrite>(std::move(opened));
}

}  // namespace millrace::connector::kafka

namespace millrace::connector {

namespace {

constexpr OptionDef kKafkaSinkOptions[] = {
    {"kafka.bootstrap.servers", "", "Brokers to begin with: host:port,host:port."},
    {"topic", "", "Topic of all rows; without it, the column topic says it."},
};

}  // namespace

extern const SinkDef kKafkaSink;
const SinkDef kKafkaSink = {
    .name = "kafka",
    .description = "Writes rows to topics of Apache Kafka: columns value, key, topic, headers, partition.",
    .options = kKafkaSinkOptions,
    .output_modes = 7,
    .reports_num_output_rows = true,
    .low_latency = {.continuous = true, .real_time = true},
    .open_stream = &kafka::OpenKafkaStreamSink,
    .open_batch = &kafka::OpenKafkaBatchWrite,
};

}  // namespace millrace::connector
