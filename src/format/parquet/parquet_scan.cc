#include "format/parquet/parquet_scan.h"

#include <arrow/io/file.h>
#include <arrow/io/memory.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include <algorithm>

namespace millrace::format {

namespace {

// Of the bytes a row group takes in its file. Source: parquet-mr, which parts files in the same way.
int64_t MiddleOf(const parquet::RowGroupMetaData& group) {
  if (group.num_columns() == 0) return 0;
  auto first = group.ColumnChunk(0);
  int64_t start = first->data_page_offset();
  if (first->has_dictionary_page() && first->dictionary_page_offset() > 0) {
    start = std::min(start, first->dictionary_page_offset());
  }
  int64_t size = group.total_compressed_size();
  if (size <= 0) size = group.total_byte_size();
  return start + size / 2;
}

}  // namespace

namespace {

arrow::Result<std::unique_ptr<parquet::arrow::FileReader>> OpenFile(std::shared_ptr<arrow::io::RandomAccessFile> file,
                                                                    int64_t batch_rows, bool in_memory) {
  parquet::arrow::FileReaderBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Open(std::move(file)));
  parquet::ArrowReaderProperties properties;
  properties.set_batch_size(batch_rows);
  properties.set_coerce_int96_timestamp_unit(arrow::TimeUnit::MICRO);
  properties.set_pre_buffer(!in_memory);
  std::unique_ptr<parquet::arrow::FileReader> reader;
  ARROW_RETURN_NOT_OK(builder.properties(properties)->Build(&reader));
  return reader;
}

}  // namespace

arrow::Result<std::unique_ptr<parquet::arrow::FileReader>> OpenParquet(const std::string& path, int64_t batch_rows) {
  ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(path));
  return OpenFile(std::move(file), batch_rows, /*in_memory=*/false);
}

ParquetScan::ParquetScan() = default;
ParquetScan::~ParquetScan() = default;

arrow::Result<std::unique_ptr<ParquetScan>> ParquetScan::Open(const std::string& path,
                                                              const ParquetScanOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto reader, OpenParquet(path, options.batch_rows));
  auto scan = std::unique_ptr<ParquetScan>(new ParquetScan());
  ARROW_RETURN_NOT_OK(scan->Start(path, std::move(reader), options));
  return scan;
}

arrow::Result<std::unique_ptr<ParquetScan>> ParquetScan::OpenChosen(const std::string& path, const Choose& choose) {
  ARROW_ASSIGN_OR_RAISE(auto reader, OpenParquet(path, 64 * 1024));
  return StartChosen(path, std::move(reader), choose);
}

arrow::Result<std::unique_ptr<ParquetScan>> ParquetScan::OpenBytes(const std::string& path, std::string bytes,
                                                                   const Choose& choose) {
  auto file = std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(std::move(bytes)));
  ARROW_ASSIGN_OR_RAISE(auto reader, OpenFile(std::move(file), 64 * 1024, /*in_memory=*/true));
  return StartChosen(path, std::move(reader), choose);
}

arrow::Result<std::unique_ptr<ParquetScan>> ParquetScan::StartChosen(const std::string& path,
                                                                     std::unique_ptr<parquet::arrow::FileReader> reader,
                                                                     const Choose& choose) {
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
  if (options.first_byte > 0 || options.end_byte < std::numeric_limits<int64_t>::max()) {
    std::erase_if(row_groups_, [&](int group) {
      int64_t middle = MiddleOf(*metadata.RowGroup(group));
      return middle < options.first_byte || middle >= options.end_byte;
    });
  }
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
