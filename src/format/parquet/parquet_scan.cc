#include "format/parquet/parquet_scan.h"

#include <arrow/io/file.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include <algorithm>

namespace millrace::format {

arrow::Result<std::unique_ptr<parquet::arrow::FileReader>> OpenParquet(const std::string& path, int64_t batch_rows) {
  ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(path));
  parquet::arrow::FileReaderBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Open(std::move(file)));
  parquet::ArrowReaderProperties properties;
  properties.set_batch_size(batch_rows);
  properties.set_coerce_int96_timestamp_unit(arrow::TimeUnit::MICRO);
  properties.set_pre_buffer(true);
  std::unique_ptr<parquet::arrow::FileReader> reader;
  ARROW_RETURN_NOT_OK(builder.properties(properties)->Build(&reader));
  return reader;
}

namespace {

/// A row group belongs to the block its middle lies in, as for parquet-mr.
bool InBlock(const parquet::FileMetaData& metadata, int group, const ParquetScanOptions& options) {
  if (options.block_start == 0 && options.block_length < 0) return true;
  auto row_group = metadata.RowGroup(group);
  if (row_group->num_columns() == 0) return options.block_start == 0;
  auto first = row_group->ColumnChunk(0);
  int64_t start = first->data_page_offset();
  if (first->has_dictionary_page() && first->dictionary_page_offset() > 0) {
    start = std::min(start, first->dictionary_page_offset());
  }
  int64_t middle = start + row_group->total_compressed_size() / 2;
  return middle >= options.block_start &&
         (options.block_length < 0 || middle < options.block_start + options.block_length);
}

}  // namespace

ParquetScan::ParquetScan() = default;
ParquetScan::~ParquetScan() = default;

arrow::Result<std::unique_ptr<ParquetScan>> ParquetScan::Open(const std::string& path,
                                                              const ParquetScanOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto reader, OpenParquet(path, options.batch_rows));
  auto scan = std::unique_ptr<ParquetScan>(new ParquetScan());
  ARROW_RETURN_NOT_OK(scan->Start(path, std::move(reader), options));
  return scan;
}

arrow::Result<std::unique_ptr<ParquetScan>> ParquetScan::Open(
    const std::string& path,
    const std::function<arrow::Result<ParquetScanOptions>(const arrow::Schema& file_schema)>& choose) {
  ARROW_ASSIGN_OR_RAISE(auto reader, OpenParquet(path, 64 * 1024));
  std::shared_ptr<arrow::Schema> schema;
  ARROW_RETURN_NOT_OK(reader->GetSchema(&schema));
  ARROW_ASSIGN_OR_RAISE(ParquetScanOptions options, choose(*schema));
  reader->set_batch_size(options.batch_rows);
  auto scan = std::unique_ptr<ParquetScan>(new ParquetScan());
  ARROW_RETURN_NOT_OK(scan->Start(path, std::move(reader), options));
  return scan;
}

arrow::Status ParquetScan::Start(const std::string& path, std::unique_ptr<parquet::arrow::FileReader> reader,
                                 const ParquetScanOptions& options) {
  reader_ = std::move(reader);
  const auto& fields = reader_->manifest().schema_fields;
  ARROW_ASSIGN_OR_RAISE(columns_, ParquetColumns::Make(path, fields, options.schema, options.match));
  const parquet::FileMetaData& metadata = *reader_->parquet_reader()->metadata();
  if (options.filter == nullptr) {
    for (int i = 0; i < metadata.num_row_groups(); ++i) row_groups_.push_back(i);
  } else if (options.filter_schema == nullptr) {
    row_groups_ = MatchingRowGroups(metadata, columns_, options.filter);
  } else {
    // A filter's column that cannot be read says nothing; it is not wanted, so it is no error either.
    auto filter_columns = ParquetColumns::Make(path, fields, options.filter_schema, options.match);
    row_groups_ = MatchingRowGroups(metadata, filter_columns.ok() ? *filter_columns : columns_, options.filter);
  }
  std::erase_if(row_groups_, [&](int group) { return !InBlock(metadata, group, options); });
  int64_t row = 0;
  size_t next = 0;
  for (int i = 0; i < metadata.num_row_groups(); ++i) {
    if (next < row_groups_.size() && row_groups_[next] == i) {
      first_rows_.push_back(row);
      ++next;
    }
    row += metadata.RowGroup(i)->num_rows();
  }
  return arrow::Status::OK();
}

int64_t ParquetScan::num_file_rows() const { return reader_->parquet_reader()->metadata()->num_rows(); }

arrow::Result<std::shared_ptr<arrow::RecordBatch>> ParquetScan::Next() {
  while (true) {
    if (batches_ == nullptr) {
      if (next_group_ == row_groups_.size()) return nullptr;
      next_row_ = first_rows_[next_group_];
      ARROW_ASSIGN_OR_RAISE(batches_, reader_->GetRecordBatchReader({row_groups_[next_group_]}, columns_.leaves()));
      ++next_group_;
    }
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(batches_->ReadNext(&batch));
    if (batch == nullptr) {
      batches_.reset();
      continue;
    }
    first_row_ = next_row_;
    next_row_ += batch->num_rows();
    return columns_.Convert(*batch);
  }
}

}  // namespace millrace::format
