#pragma once

#include <arrow/result.h>

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "connector/sink.h"
#include "kafka/client_config.h"

namespace millrace::connector::kafka {

/// Where the parts of a record stand in the rows; −1: nowhere.
struct RecordLayout {
  int topic = -1;
  int key = -1;
  int value = -1;
  int headers = -1;
  int partition = -1;
  /// The option `topic`: wins over a column of that name.
  std::optional<std::string> fixed_topic;
};

/// Checks what is to be written. Errors: Spark's, for a missing or wrongly typed column and settings it refuses.
arrow::Result<RecordLayout> FindRecordColumns(const types::DataType& schema, std::optional<std::string> topic);
arrow::Result<millrace::kafka::ClientConfig> ProducerConfig(const Options& options);

/// Records written before a crash may be written again by the batch that is run anew: at least once, as in Spark.
/// A batch commits only when the brokers have acknowledged all of it. Producers stay open from batch to
/// batch.
arrow::Result<std::unique_ptr<StreamSink>> OpenKafkaStreamSink(const SinkRequest& request);
arrow::Result<std::unique_ptr<Write>> OpenKafkaBatchWrite(const SinkRequest& request);

}  // namespace millrace::connector::kafka
