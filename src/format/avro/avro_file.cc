#include "format/avro/avro_file.h"

#include <arrow/io/buffered.h>
#include <arrow/io/file.h>
#include <arrow/util/compression.h>
#include <arrow/util/crc32.h>

#include <cstring>

#include "base/error.h"
#include "base/version.h"
#include "format/avro/avro_cursor.h"
#include "format/avro/avro_encoding.h"

namespace millrace::format {

namespace {

constexpr std::string_view kMagic{"Obj\x01", 4};
/// A block that says it is larger is damaged: the format's writers end blocks after some tens of kilobytes, and a value
/// cannot pass 2^31 bytes.
constexpr int64_t kMaxBlockBytes = INT32_MAX;

arrow::Result<std::unique_ptr<arrow::util::Codec>> ArrowCodec(std::string_view name) {
  if (name == "deflate") {
    arrow::util::GZipCodecOptions options;
    options.gzip_format = arrow::util::GZipFormat::DEFLATE;
    return arrow::util::Codec::Create(arrow::Compression::GZIP, options);
  }
  if (name == "zstandard") return arrow::util::Codec::Create(arrow::Compression::ZSTD, 3);
  if (name == "bzip2") return arrow::util::Codec::Create(arrow::Compression::BZ2);
  return arrow::util::Codec::Create(arrow::Compression::SNAPPY);
}

const uint8_t* Unsigned(const char* bytes) { return reinterpret_cast<const uint8_t*>(bytes); }

uint32_t Checksum(std::string_view bytes) { return arrow::internal::crc32(0, bytes.data(), bytes.size()); }

arrow::Result<std::string> InflateStream(std::string_view name, std::string_view block) {
  ARROW_ASSIGN_OR_RAISE(auto codec, ArrowCodec(name));
  ARROW_ASSIGN_OR_RAISE(auto decompressor, codec->MakeDecompressor());
  std::string out;
  size_t read = 0;
  while (!decompressor->IsFinished()) {
    size_t before = out.size();
    out.resize(std::max<size_t>(before + 64 * 1024, before * 2));
    ARROW_ASSIGN_OR_RAISE(
        auto step, decompressor->Decompress(static_cast<int64_t>(block.size() - read), Unsigned(block.data() + read),
                                            static_cast<int64_t>(out.size() - before),
                                            reinterpret_cast<uint8_t*>(out.data() + before)));
    read += static_cast<size_t>(step.bytes_read);
    out.resize(before + static_cast<size_t>(step.bytes_written));
    if (step.bytes_read == 0 && step.bytes_written == 0 && !step.need_more_output) break;
    if (static_cast<int64_t>(out.size()) > kMaxBlockBytes) return arrow::Status::IOError("a block passes 2^31 bytes");
  }
  if (!decompressor->IsFinished()) return arrow::Status::IOError("a compressed block ends before its time");
  return out;
}

arrow::Result<std::string> DeflateStream(std::string_view name, std::string_view block) {
  ARROW_ASSIGN_OR_RAISE(auto codec, ArrowCodec(name));
  ARROW_ASSIGN_OR_RAISE(auto compressor, codec->MakeCompressor());
  std::string out;
  size_t read = 0;
  auto room = [&](size_t more) {
    size_t before = out.size();
    out.resize(before + more);
    return before;
  };
  while (read < block.size()) {
    size_t before = room(64 * 1024);
    ARROW_ASSIGN_OR_RAISE(auto step,
                          compressor->Compress(static_cast<int64_t>(block.size() - read), Unsigned(block.data() + read),
                                               64 * 1024, reinterpret_cast<uint8_t*>(out.data() + before)));
    read += static_cast<size_t>(step.bytes_read);
    out.resize(before + static_cast<size_t>(step.bytes_written));
  }
  while (true) {
    size_t before = room(64 * 1024);
    ARROW_ASSIGN_OR_RAISE(auto end, compressor->End(64 * 1024, reinterpret_cast<uint8_t*>(out.data() + before)));
    out.resize(before + static_cast<size_t>(end.bytes_written));
    if (!end.should_retry) return out;
  }
}

/// Snappy's bytes begin with the length of what they hold; Avro puts a checksum after them.
arrow::Result<std::string> Unsnap(std::string_view block) {
  if (block.size() < 4) return arrow::Status::IOError("a compressed block ends before its time");
  std::string_view packed = block.substr(0, block.size() - 4);
  uint64_t size = 0;
  for (size_t i = 0, shift = 0; i < packed.size() && shift < 35; ++i, shift += 7) {
    size |= static_cast<uint64_t>(packed[i] & 0x7F) << shift;
    if ((packed[i] & 0x80) == 0) break;
  }
  if (size > static_cast<uint64_t>(kMaxBlockBytes)) return arrow::Status::IOError("a block passes 2^31 bytes");
  ARROW_ASSIGN_OR_RAISE(auto codec, ArrowCodec("snappy"));
  std::string out(size, '\0');
  ARROW_ASSIGN_OR_RAISE(int64_t written,
                        codec->Decompress(static_cast<int64_t>(packed.size()), Unsigned(packed.data()),
                                          static_cast<int64_t>(out.size()), reinterpret_cast<uint8_t*>(out.data())));
  out.resize(static_cast<size_t>(written));
  const uint8_t* sum = Unsigned(block.data() + packed.size());
  uint32_t told = uint32_t{sum[0]} << 24 | uint32_t{sum[1]} << 16 | uint32_t{sum[2]} << 8 | uint32_t{sum[3]};
  if (Checksum(out) != told) return arrow::Status::IOError("the checksum of a block differs");
  return out;
}

arrow::Result<std::string> ReadExactly(arrow::io::InputStream& stream, int64_t size) {
  std::string bytes(static_cast<size_t>(size), '\0');
  ARROW_ASSIGN_OR_RAISE(int64_t read, stream.Read(size, bytes.data()));
  if (read != size) return arrow::Status::IOError("the file ends before its time");
  return bytes;
}

}  // namespace

arrow::Result<AvroCodec> AvroCodec::Named(std::string_view name) {
  for (std::string_view known : {"null", "deflate", "snappy", "zstandard", "bzip2"}) {
    if (name == known) return AvroCodec(known);
  }
  if (name == "uncompressed") return AvroCodec("null");
  if (name == "xz") return arrow::Status::NotImplemented("Avro files compressed with xz are not supported");
  return UserError("CODEC_SHORT_NAME_NOT_FOUND", {{"codecName", std::string(name)}});
}

arrow::Result<std::string> AvroCodec::Decompress(std::string_view block) const {
  if (name_ == "null") return std::string(block);
  if (name_ == "snappy") return Unsnap(block);
  return InflateStream(name_, block);
}

arrow::Result<std::string> AvroCodec::Compress(std::string_view block) const {
  if (name_ == "null") return std::string(block);
  if (name_ != "snappy") return DeflateStream(name_, block);
  ARROW_ASSIGN_OR_RAISE(auto codec, ArrowCodec(name_));
  auto size = static_cast<int64_t>(block.size());
  std::string out(static_cast<size_t>(codec->MaxCompressedLen(size, Unsigned(block.data()))), '\0');
  ARROW_ASSIGN_OR_RAISE(int64_t written, codec->Compress(size, Unsigned(block.data()), static_cast<int64_t>(out.size()),
                                                         reinterpret_cast<uint8_t*>(out.data())));
  out.resize(static_cast<size_t>(written));
  uint32_t sum = Checksum(block);
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(sum >> shift));
  return out;
}

arrow::Result<int64_t> AvroFileBlocks::ReadLong() {
  std::string bytes;
  while (bytes.size() < 10) {
    char byte;
    ARROW_ASSIGN_OR_RAISE(int64_t read, stream_->Read(1, &byte));
    if (read == 0) return arrow::Status::IOError("the file ends before its time");
    bytes.push_back(byte);
    if ((byte & 0x80) == 0) break;
  }
  AvroCursor cursor(bytes);
  int64_t value;
  if (!cursor.Long(&value)) return arrow::Status::IOError("a number in the file is malformed");
  return value;
}

arrow::Result<std::unique_ptr<AvroFileBlocks>> AvroFileBlocks::Open(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::io::InputStream> file, arrow::io::ReadableFile::Open(path));
  ARROW_ASSIGN_OR_RAISE(auto stream,
                        arrow::io::BufferedInputStream::Create(256 * 1024, arrow::default_memory_pool(), file));
  ARROW_ASSIGN_OR_RAISE(AvroCodec none, AvroCodec::Named("null"));
  std::unique_ptr<AvroFileBlocks> blocks(new AvroFileBlocks(std::move(stream), none));
  auto magic = ReadExactly(*blocks->stream_, 4);
  if (!magic.ok() || *magic != kMagic) return arrow::Status::IOError("Not an Avro data file");
  std::string schema;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(int64_t count, blocks->ReadLong());
    if (count == 0) break;
    if (count < 0) {
      ARROW_RETURN_NOT_OK(blocks->ReadLong().status());
      count = -count;
    }
    for (int64_t i = 0; i < count; ++i) {
      std::string entry[2];
      for (std::string& text : entry) {
        ARROW_ASSIGN_OR_RAISE(int64_t size, blocks->ReadLong());
        if (size < 0 || size > kMaxBlockBytes) return arrow::Status::IOError("the header is malformed");
        ARROW_ASSIGN_OR_RAISE(text, ReadExactly(*blocks->stream_, size));
      }
      if (entry[0] == "avro.schema") schema = std::move(entry[1]);
      if (entry[0] == "avro.codec") {
        ARROW_ASSIGN_OR_RAISE(blocks->codec_, AvroCodec::Named(entry[1]));
      }
    }
  }
  ARROW_ASSIGN_OR_RAISE(std::string sync, ReadExactly(*blocks->stream_, 16));
  std::memcpy(blocks->sync_.data(), sync.data(), 16);
  ARROW_ASSIGN_OR_RAISE(blocks->schema_, AvroDocument::Parse(schema));
  return blocks;
}

arrow::Result<bool> AvroFileBlocks::Next(Block* block) {
  ARROW_ASSIGN_OR_RAISE(std::string_view peeked, stream_->Peek(1));
  if (peeked.empty()) return false;
  ARROW_ASSIGN_OR_RAISE(block->num_values, ReadLong());
  ARROW_ASSIGN_OR_RAISE(int64_t size, ReadLong());
  if (block->num_values < 0 || size < 0 || size > kMaxBlockBytes) {
    return arrow::Status::IOError("Block size invalid or too large for this implementation: ", size);
  }
  ARROW_ASSIGN_OR_RAISE(std::string packed, ReadExactly(*stream_, size));
  ARROW_ASSIGN_OR_RAISE(std::string sync, ReadExactly(*stream_, 16));
  if (std::memcmp(sync.data(), sync_.data(), 16) != 0) return arrow::Status::IOError("Invalid sync!");
  ARROW_ASSIGN_OR_RAISE(block->bytes, codec_.Decompress(packed));
  return true;
}

std::string AvroFileHeader(std::string_view schema_json, std::string_view codec, const AvroSyncMarker& sync) {
  std::string header(kMagic);
  PutAvroLong(3, &header);
  PutAvroBytes("avro.schema", &header);
  PutAvroBytes(schema_json, &header);
  PutAvroBytes("avro.codec", &header);
  PutAvroBytes(codec, &header);
  PutAvroBytes("org.apache.spark.version", &header);
  PutAvroBytes(SparkVersion(), &header);
  PutAvroLong(0, &header);
  header.append(sync.data(), sync.size());
  return header;
}

arrow::Result<std::string> AvroFileBlock(const AvroCodec& codec, int64_t num_values, std::string_view bytes,
                                         const AvroSyncMarker& sync) {
  ARROW_ASSIGN_OR_RAISE(std::string packed, codec.Compress(bytes));
  std::string block;
  PutAvroLong(num_values, &block);
  PutAvroBytes(packed, &block);
  block.append(sync.data(), sync.size());
  return block;
}

}  // namespace millrace::format
