#pragma once

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/result.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "format/avro/avro_schema.h"

/// Avro's object container files: a header with the schema, then blocks of values, each followed by the file's marker.
/// Source: Apache Avro 1.12 specification, "Object Container Files".

namespace millrace::format {

using AvroSyncMarker = std::array<char, 16>;

/// A compression of blocks: "null", "deflate", "snappy", "zstandard", "bzip2".
class AvroCodec {
 public:
  /// Errors: UserError CODEC_SHORT_NAME_NOT_FOUND for another name; xz is known and refused (NotImplemented).
  static arrow::Result<AvroCodec> Named(std::string_view name);

  std::string_view name() const { return name_; }
  arrow::Result<std::string> Compress(std::string_view block) const;
  /// Errors: IOError for damaged bytes.
  arrow::Result<std::string> Decompress(std::string_view block) const;

 private:
  explicit AvroCodec(std::string_view name) : name_(name) {}
  std::string_view name_;
};

/// Reads one file block by block. Errors: IOError naming what is damaged. Thread: confined.
class AvroFileBlocks {
 public:
  static arrow::Result<std::unique_ptr<AvroFileBlocks>> Open(const std::string& path);

  const std::shared_ptr<const AvroDocument>& schema() const { return schema_; }
  struct Block {
    int64_t num_values = 0;
    std::string bytes;
  };
  /// The next block; false after the last one.
  arrow::Result<bool> Next(Block* block);

 private:
  AvroFileBlocks(std::shared_ptr<arrow::io::InputStream> stream, AvroCodec codec)
      : stream_(std::move(stream)), codec_(codec) {}
  arrow::Result<int64_t> ReadLong();

  std::shared_ptr<arrow::io::InputStream> stream_;
  AvroCodec codec_;
  std::shared_ptr<const AvroDocument> schema_;
  AvroSyncMarker sync_{};
};

/// The bytes before the first block.
std::string AvroFileHeader(std::string_view schema_json, std::string_view codec, const AvroSyncMarker& sync);
/// A block with the marker after it.
arrow::Result<std::string> AvroFileBlock(const AvroCodec& codec, int64_t num_values, std::string_view bytes,
                                         const AvroSyncMarker& sync);

}  // namespace millrace::format
