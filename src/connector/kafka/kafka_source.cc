#include "base/error.h"
#include "connector/kafka/kafka_batch.h"
#include "connector/kafka/kafka_stream.h"
#include "connector/kafka/record_columns.h"
#include "connector/kafka/source_options.h"
#include "connector/source.h"

namespace millrace::connector {

namespace {

arrow::Result<types::DataTypePtr> KafkaSchema(const SourceRequest& request) {
  if (request.user_schema != nullptr) {
    if (request.streaming) {
      return arrow::Status::Invalid(
          "requirement failed: Kafka source has a fixed schema and cannot be set with a custom one");
    }
    return UserError("_LEGACY_ERROR_TEMP_2242", {{"provider", "KafkaSourceProvider"}});
  }
  ARROW_RETURN_NOT_OK(request.streaming ? kafka::CheckStreamOptions(request.options)
                                        : kafka::CheckBatchOptions(request.options));
  ARROW_ASSIGN_OR_RAISE(bool include_headers, request.options.GetBool("includeHeaders", false));
  return kafka::RecordSchema(include_headers);
}

}  // namespace

extern const SourceDef kKafkaSource;
const SourceDef kKafkaSource = {
    .name = "kafka",
    .description = "Reads topics of Apache Kafka.",
    .options = kafka::SourceOptionDefs(),
    .schema = &KafkaSchema,
    .open_batch = &kafka::KafkaBatchScan::Open,
    .open_stream = &kafka::KafkaStream::Open,
    .low_latency = {.continuous = true, .real_time = true},
};

}  // namespace millrace::connector
