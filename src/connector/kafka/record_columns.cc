#include "connector/kafka/record_columns.h"

#include <limits>

#include "base/error.h"
#include "types/arrow_type.h"

namespace millrace::connector::kafka {

using millrace::kafka::ConsumedRecord;
using millrace::kafka::RecordHeader;

namespace {

enum Column { kKey, kValue, kTopic, kPartition, kOffset, kTimestamp, kTimestampType, kHeaders };

}  // namespace

types::DataTypePtr RecordSchema(bool include_headers) {
  std::vector<types::StructField> fields = {
      {"key", types::Binary()},
      {"value", types::Binary()},
      {"topic", types::String()},
      {"partition", types::Integer()},
      {"offset", types::Long()},
      {"timestamp", types::Timestamp()},
      {"timestampType", types::Integer()},
  };
  if (include_headers) {
    fields.push_back({"headers", types::Array(types::Struct({{"key", types::String()}, {"value", types::Binary()}}))});
  }
  return types::Struct(std::move(fields));
}

RecordColumns::RecordColumns(const millrace::kafka::TopicPartition& partition, std::vector<int> indices,
                             arrow::MemoryPool* pool)
    : partition_(partition),
      indices_(std::move(indices)),
      pool_(pool),
      keys_(pool),
      values_(pool),
      offsets_(pool),
      timestamps_(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), pool),
      timestamp_types_(pool) {
  types::DataTypePtr all = RecordSchema(/*include_headers=*/true);
  std::vector<std::shared_ptr<arrow::Field>> fields;
  for (int index : indices_) fields.push_back(types::ToArrow(all->fields()[static_cast<size_t>(index)]));
  schema_ = arrow::schema(std::move(fields));
}

arrow::Status BytesColumn::Append(std::span<const ConsumedRecord> records, bool keys) {
  int64_t bytes = 0;
  for (const ConsumedRecord& record : records) bytes += keys ? record.key_size : record.value_size;
  const auto count = static_cast<int64_t>(records.size());
  if (offsets_.length() == 0) {
    ARROW_RETURN_NOT_OK(offsets_.Reserve(last_rows_ + 1));
    ARROW_RETURN_NOT_OK(validity_.Reserve(last_rows_));
    ARROW_RETURN_NOT_OK(data_.Reserve(last_bytes_));
    offsets_.UnsafeAppend(0);
  }
  ARROW_RETURN_NOT_OK(offsets_.Reserve(count));
  ARROW_RETURN_NOT_OK(validity_.Reserve(count));
  ARROW_RETURN_NOT_OK(data_.Reserve(bytes));
  for (const ConsumedRecord& record : records) {
    const uint8_t* data = keys ? record.key : record.value;
    if (data != nullptr) data_.UnsafeAppend(data, keys ? record.key_size : record.value_size);
    validity_.UnsafeAppend(data != nullptr);
    offsets_.UnsafeAppend(static_cast<int32_t>(data_.length()));
  }
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<arrow::Array>> BytesColumn::Finish() {
  if (offsets_.length() == 0) ARROW_RETURN_NOT_OK(offsets_.Append(0));
  const int64_t num_rows = offsets_.length() - 1;
  const int64_t num_nulls = validity_.false_count();
  last_rows_ = num_rows;
  last_bytes_ = data_.length() + data_.length() / 8;
  std::shared_ptr<arrow::Buffer> validity, offsets, data;
  ARROW_RETURN_NOT_OK(validity_.Finish(&validity, /*shrink_to_fit=*/false));
  ARROW_RETURN_NOT_OK(offsets_.Finish(&offsets, /*shrink_to_fit=*/false));
  ARROW_RETURN_NOT_OK(data_.Finish(&data, /*shrink_to_fit=*/false));
  return std::make_shared<arrow::BinaryArray>(num_rows, std::move(offsets), std::move(data),
                                              num_nulls == 0 ? nullptr : std::move(validity), num_nulls);
}

arrow::Status RecordColumns::AppendTimestamps(std::span<const ConsumedRecord> records) {
  constexpr int64_t kMaxMillis = std::numeric_limits<int64_t>::max() / 1000;
  ARROW_RETURN_NOT_OK(timestamps_.Reserve(static_cast<int64_t>(records.size())));
  for (const ConsumedRecord& record : records) {
    if (record.timestamp_ms > kMaxMillis || record.timestamp_ms < -kMaxMillis) {
      return UserError("KAFKA_MALFORMED_RECORD_TIMESTAMP", {{"topic", partition_.topic},
                                                            {"partition", std::to_string(partition_.partition)},
                                                            {"offset", std::to_string(record.offset)},
                                                            {"timestamp", std::to_string(record.timestamp_ms)}});
    }
    timestamps_.UnsafeAppend(record.timestamp_ms * 1000);
  }
  return arrow::Status::OK();
}

arrow::Status RecordColumns::AppendHeaders(std::span<const ConsumedRecord> records) {
  if (headers_ == nullptr) {
    types::DataTypePtr all = RecordSchema(/*include_headers=*/true);
    ARROW_RETURN_NOT_OK(arrow::MakeBuilder(pool_, types::ToArrow(*all->fields()[kHeaders].type), &headers_));
  }
  auto& list = static_cast<arrow::ListBuilder&>(*headers_);
  auto& header = static_cast<arrow::StructBuilder&>(*list.value_builder());
  auto& name = static_cast<arrow::StringBuilder&>(*header.field_builder(0));
  auto& value = static_cast<arrow::BinaryBuilder&>(*header.field_builder(1));
  for (const ConsumedRecord& record : records) {
    ReadHeaders(record, &header_scratch_);
    if (header_scratch_.empty()) {
      ARROW_RETURN_NOT_OK(list.AppendNull());
      continue;
    }
    ARROW_RETURN_NOT_OK(list.Append());
    for (const RecordHeader& entry : header_scratch_) {
      ARROW_RETURN_NOT_OK(header.Append());
      ARROW_RETURN_NOT_OK(name.Append(entry.name));
      ARROW_RETURN_NOT_OK(entry.value == nullptr ? value.AppendNull()
                                                 : value.Append(entry.value, static_cast<int32_t>(entry.value_size)));
    }
  }
  return arrow::Status::OK();
}

arrow::Status RecordColumns::Append(std::span<const ConsumedRecord> records) {
  const auto count = static_cast<int64_t>(records.size());
  for (int index : indices_) {
    switch (static_cast<Column>(index)) {
      case kKey:
        ARROW_RETURN_NOT_OK(keys_.Append(records, /*keys=*/true));
        break;
      case kValue:
        ARROW_RETURN_NOT_OK(values_.Append(records, /*keys=*/false));
        break;
      case kTopic:
      case kPartition:
        break;  // the same in all rows: made in Finish
      case kOffset:
        ARROW_RETURN_NOT_OK(offsets_.Reserve(count));
        for (const ConsumedRecord& record : records) offsets_.UnsafeAppend(record.offset);
        break;
      case kTimestamp:
        ARROW_RETURN_NOT_OK(AppendTimestamps(records));
        break;
      case kTimestampType:
        ARROW_RETURN_NOT_OK(timestamp_types_.Reserve(count));
        for (const ConsumedRecord& record : records) {
          timestamp_types_.UnsafeAppend(static_cast<int32_t>(record.timestamp_type));
        }
        break;
      case kHeaders:
        ARROW_RETURN_NOT_OK(AppendHeaders(records));
        break;
    }
  }
  num_rows_ += count;
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<arrow::Array>> RecordColumns::FinishColumn(int index) {
  switch (static_cast<Column>(index)) {
    case kKey:
      return keys_.Finish();
    case kValue:
      return values_.Finish();
    case kTopic: {
      arrow::StringBuilder topics(pool_);
      ARROW_RETURN_NOT_OK(topics.Reserve(num_rows_));
      ARROW_RETURN_NOT_OK(topics.ReserveData(num_rows_ * static_cast<int64_t>(partition_.topic.size())));
      for (int64_t row = 0; row < num_rows_; ++row) topics.UnsafeAppend(partition_.topic);
      return topics.Finish();
    }
    case kPartition: {
      arrow::Int32Builder partitions(pool_);
      ARROW_RETURN_NOT_OK(partitions.Reserve(num_rows_));
      for (int64_t row = 0; row < num_rows_; ++row) partitions.UnsafeAppend(partition_.partition);
      return partitions.Finish();
    }
    case kOffset:
      return offsets_.Finish();
    case kTimestamp:
      return timestamps_.Finish();
    case kTimestampType:
      return timestamp_types_.Finish();
    case kHeaders:
      return headers_->Finish();
  }
  return InternalError("unknown column of the Kafka source");
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> RecordColumns::Finish() {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (int index : indices_) {
    ARROW_ASSIGN_OR_RAISE(auto column, FinishColumn(index));
    columns.push_back(std::move(column));
  }
  auto batch = arrow::RecordBatch::Make(schema_, num_rows_, std::move(columns));
  num_rows_ = 0;
  return batch;
}

}  // namespace millrace::connector::kafka
