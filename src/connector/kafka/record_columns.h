#pragma once

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_nested.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/buffer_builder.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <memory>
#include <span>
#include <vector>

#include "kafka/consumer.h"
#include "kafka/topic_partition.h"
#include "types/data_type.h"

namespace millrace::connector::kafka {

/// key BINARY, value BINARY, topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP, timestampType INT,
/// and with headers: headers ARRAY<STRUCT<key: STRING, value: BINARY>>. All nullable, as Spark has them.
types::DataTypePtr RecordSchema(bool include_headers);

/// A BINARY column under construction. Like arrow::BinaryBuilder, but a batch begins with the room that the one before
/// it took, and is handed over with what it has too much: growing and shrinking would copy every byte twice more.
class BytesColumn {
 public:
  explicit BytesColumn(arrow::MemoryPool* pool) : offsets_(pool), validity_(pool), data_(pool) {}

  arrow::Status Append(std::span<const millrace::kafka::ConsumedRecord> records, bool keys);
  int64_t num_bytes() const { return data_.length(); }
  /// What was appended since the last Finish.
  arrow::Result<std::shared_ptr<arrow::Array>> Finish();

 private:
  arrow::TypedBufferBuilder<int32_t> offsets_;
  arrow::TypedBufferBuilder<bool> validity_;
  arrow::BufferBuilder data_;
  int64_t last_rows_ = 0;
  int64_t last_bytes_ = 0;
};

/// Gathers records of one partition into the wanted columns of RecordSchema.
/// Confined to one thread.
class RecordColumns {
 public:
  /// `indices` into RecordSchema(true), in output order.
  RecordColumns(const millrace::kafka::TopicPartition& partition, std::vector<int> indices, arrow::MemoryPool* pool);

  /// Copies the records. Errors: UserError KAFKA_MALFORMED_RECORD_TIMESTAMP.
  arrow::Status Append(std::span<const millrace::kafka::ConsumedRecord> records);
  int64_t num_rows() const { return num_rows_; }
  /// Bytes of keys and values so far.
  int64_t num_bytes() const { return keys_.num_bytes() + values_.num_bytes(); }
  /// The rows since the last Finish.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Finish();

 private:
  arrow::Status AppendTimestamps(std::span<const millrace::kafka::ConsumedRecord> records);
  arrow::Status AppendHeaders(std::span<const millrace::kafka::ConsumedRecord> records);
  arrow::Result<std::shared_ptr<arrow::Array>> FinishColumn(int index);

  millrace::kafka::TopicPartition partition_;
  std::vector<int> indices_;
  arrow::MemoryPool* pool_;
  std::shared_ptr<arrow::Schema> schema_;
  int64_t num_rows_ = 0;
  BytesColumn keys_;
  BytesColumn values_;
  arrow::Int64Builder offsets_;
  arrow::TimestampBuilder timestamps_;
  arrow::Int32Builder timestamp_types_;
  std::unique_ptr<arrow::ArrayBuilder> headers_;
  std::vector<millrace::kafka::RecordHeader> header_scratch_;
};

}  // namespace millrace::connector::kafka
