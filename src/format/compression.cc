#include "format/compression.h"

#include <arrow/io/compressed.h>
#include <arrow/io/file.h>
#include <arrow/util/compression.h>

#include <array>

#include "base/ascii.h"
#include "base/error.h"

namespace millrace::format {

namespace {

struct TextCodec {
  std::string_view name;
  std::string_view suffix;
  arrow::Compression::type type;
};

constexpr std::array kCodecs = {
    TextCodec{"gzip", ".gz", arrow::Compression::GZIP},
    TextCodec{"deflate", ".deflate", arrow::Compression::GZIP},  // zlib's format, without gzip's header
    TextCodec{"bzip2", ".bz2", arrow::Compression::BZ2},
    TextCodec{"zstd", ".zst", arrow::Compression::ZSTD},
};

bool IsUncompressed(std::string_view name) {
  return name.empty() || EqualsIgnoreCase(name, "none") || EqualsIgnoreCase(name, "uncompressed");
}

arrow::Result<std::shared_ptr<arrow::util::Codec>> MakeCodec(const TextCodec& codec) {
  if (codec.name == "deflate") {
    arrow::util::GZipCodecOptions options;
    options.gzip_format = arrow::util::GZipFormat::ZLIB;
    return arrow::util::Codec::Create(codec.type, options);
  }
  return arrow::util::Codec::Create(codec.type);
}

arrow::Result<const TextCodec*> FindCodec(std::string_view name) {
  for (const TextCodec& codec : kCodecs) {
    if (EqualsIgnoreCase(codec.name, name)) return &codec;
  }
  return UserError(
      "CODEC_NOT_AVAILABLE.WITH_AVAILABLE_CODECS_SUGGESTION",
      {{"codecName", std::string(name)}, {"availableCodecs", "bzip2, deflate, uncompressed, gzip, none, zstd"}});
}

/// arrow::io over our file system: what is written can be dropped, refused or counted by a test.
class FileSystemOutput final : public arrow::io::OutputStream {
 public:
  FileSystemOutput(std::unique_ptr<OutputFile> file, bool sync) : file_(std::move(file)), sync_(sync) {}

  using arrow::io::OutputStream::Write;
  arrow::Status Write(const void* data, int64_t size) override {
    position_ += size;
    return file_->Append({static_cast<const char*>(data), static_cast<size_t>(size)});
  }
  arrow::Status Close() override {
    if (closed_) return arrow::Status::OK();
    closed_ = true;
    if (sync_) ARROW_RETURN_NOT_OK(file_->Sync());
    return file_->Close();
  }
  bool closed() const override { return closed_; }
  arrow::Result<int64_t> Tell() const override { return position_; }

 private:
  std::unique_ptr<OutputFile> file_;
  bool sync_;
  bool closed_ = false;
  int64_t position_ = 0;
};

/// A compressed stream that closes the file under it.
class CompressedText final : public arrow::io::OutputStream {
 public:
  CompressedText(std::shared_ptr<arrow::util::Codec> codec, std::shared_ptr<arrow::io::CompressedOutputStream> stream,
                 std::shared_ptr<arrow::io::OutputStream> file)
      : codec_(std::move(codec)), stream_(std::move(stream)), file_(std::move(file)) {}

  using arrow::io::OutputStream::Write;
  arrow::Status Write(const void* data, int64_t size) override { return stream_->Write(data, size); }
  arrow::Status Close() override {
    ARROW_RETURN_NOT_OK(stream_->Close());
    return file_->Close();
  }
  bool closed() const override { return stream_->closed(); }
  arrow::Result<int64_t> Tell() const override { return file_->Tell(); }

 private:
  std::shared_ptr<arrow::util::Codec> codec_;
  std::shared_ptr<arrow::io::CompressedOutputStream> stream_;
  std::shared_ptr<arrow::io::OutputStream> file_;
};

/// A decompressed stream that keeps its codec.
class DecompressedText final : public arrow::io::InputStream {
 public:
  DecompressedText(std::shared_ptr<arrow::util::Codec> codec, std::shared_ptr<arrow::io::InputStream> stream)
      : codec_(std::move(codec)), stream_(std::move(stream)) {}

  arrow::Result<int64_t> Read(int64_t size, void* out) override { return stream_->Read(size, out); }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t size) override { return stream_->Read(size); }
  arrow::Status Close() override { return stream_->Close(); }
  bool closed() const override { return stream_->closed(); }
  arrow::Result<int64_t> Tell() const override { return stream_->Tell(); }

 private:
  std::shared_ptr<arrow::util::Codec> codec_;
  std::shared_ptr<arrow::io::InputStream> stream_;
};

}  // namespace

arrow::Result<std::string> CompressionSuffix(std::string_view codec) {
  if (IsUncompressed(codec)) return "";
  ARROW_ASSIGN_OR_RAISE(const TextCodec* found, FindCodec(codec));
  return std::string(found->suffix);
}

arrow::Result<std::shared_ptr<arrow::io::InputStream>> OpenTextInput(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::io::InputStream> file, arrow::io::ReadableFile::Open(path));
  for (const TextCodec& each : kCodecs) {
    if (!std::string_view(path).ends_with(each.suffix)) continue;
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::util::Codec> codec, MakeCodec(each));
    ARROW_ASSIGN_OR_RAISE(auto stream, arrow::io::CompressedInputStream::Make(codec.get(), file));
    return std::make_shared<DecompressedText>(std::move(codec), std::move(stream));
  }
  for (std::string_view suffix : {".snappy", ".lz4"}) {
    if (std::string_view(path).ends_with(suffix)) return FindCodec(suffix.substr(1)).status();
  }
  return file;
}

bool IsCompressed(std::string_view path) {
  for (const TextCodec& each : kCodecs) {
    if (path.ends_with(each.suffix)) return true;
  }
  return path.ends_with(".snappy") || path.ends_with(".lz4");
}

arrow::Result<std::string> ReadTextFile(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(auto stream, OpenTextInput(path));
  std::string text;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(auto block, stream->Read(1 << 20));
    if (block->size() == 0) return text;
    text.append(reinterpret_cast<const char*>(block->data()), static_cast<size_t>(block->size()));
  }
}

arrow::Result<std::shared_ptr<arrow::io::OutputStream>> OpenSyncedOutput(FileSystem* file_system,
                                                                         const std::string& path, bool sync) {
  ARROW_ASSIGN_OR_RAISE(std::unique_ptr<OutputFile> file, file_system->OpenForWrite(path));
  return std::make_shared<FileSystemOutput>(std::move(file), sync);
}

arrow::Result<std::shared_ptr<arrow::io::OutputStream>> OpenTextOutput(FileSystem* file_system, const std::string& path,
                                                                       bool sync, std::string_view codec) {
  ARROW_ASSIGN_OR_RAISE(auto file, OpenSyncedOutput(file_system, path, sync));
  if (IsUncompressed(codec)) return file;
  ARROW_ASSIGN_OR_RAISE(const TextCodec* found, FindCodec(codec));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::util::Codec> made, MakeCodec(*found));
  ARROW_ASSIGN_OR_RAISE(auto stream, arrow::io::CompressedOutputStream::Make(made.get(), file));
  return std::make_shared<CompressedText>(std::move(made), std::move(stream), std::move(file));
}

}  // namespace millrace::format
