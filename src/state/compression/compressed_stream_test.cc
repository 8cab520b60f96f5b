#include "state/compression/compressed_stream.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "base/ids.h"
#include "state/compression/xxhash32.h"

namespace millrace::state {
namespace {

std::string Compress(const std::string& codec, std::string_view bytes) {
  std::string path = std::filesystem::temp_directory_path() / ("compressed_" + RandomUuid());
  auto file = LocalFileSystem()->OpenForWrite(path).ValueOrDie();
  auto writer = MakeCompressedWriter(codec, file.get()).ValueOrDie();
  for (size_t at = 0; at < bytes.size(); at += 1000) EXPECT_TRUE(writer->Append(bytes.substr(at, 1000)).ok());
  EXPECT_TRUE(writer->Finish().ok());
  EXPECT_TRUE(file->Close().ok());
  std::string compressed = LocalFileSystem()->ReadFile(path).ValueOrDie();
  EXPECT_TRUE(LocalFileSystem()->Remove(path).ok());
  return compressed;
}

arrow::Result<std::string> Decompress(const std::string& codec, std::string_view bytes) {
  ARROW_ASSIGN_OR_RAISE(auto reader, MakeCompressedReader(codec, bytes));
  std::string out;
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(std::string_view piece, reader->Next());
    if (piece.empty()) return out;
    out += piece;
  }
}

class CompressedStream : public testing::TestWithParam<const char*> {};

TEST_P(CompressedStream, ComesBack) {
  std::mt19937 random(3);
  std::string repetitive, noise;
  for (int i = 0; i < 50000; ++i) repetitive += "row " + std::to_string(random() % 100);
  for (int i = 0; i < 100000; ++i) noise.push_back(static_cast<char>(random()));
  for (const std::string& bytes : {std::string(), std::string("x"), repetitive, noise, repetitive.substr(0, 32768)}) {
    std::string compressed = Compress(GetParam(), bytes);
    EXPECT_EQ(Decompress(GetParam(), compressed).ValueOrDie(), bytes);
    // One stream after another is one stream.
    EXPECT_EQ(Decompress(GetParam(), compressed + compressed).ValueOrDie(), bytes + bytes);
  }
  EXPECT_LT(Compress(GetParam(), repetitive).size(), repetitive.size() * 2 / 3);
}

TEST_P(CompressedStream, DamageIsAnErrorOrOtherBytes) {
  std::string bytes;
  for (int i = 0; i < 3000; ++i) bytes += std::to_string(i);
  std::string compressed = Compress(GetParam(), bytes);
  for (size_t at = 0; at < compressed.size(); at += 7) {
    (void)Decompress(GetParam(), compressed.substr(0, at));
    std::string flipped = compressed;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    (void)Decompress(GetParam(), flipped);
  }
}

INSTANTIATE_TEST_SUITE_P(Codecs, CompressedStream, testing::Values("lz4", "zstd", "snappy", "lzf"));

TEST(CompressedStream, EveryFlippedBitOfLz4IsFound) {
  std::string compressed = Compress("lz4", std::string(500, 'a') + "bcd");
  for (size_t at = 0; at < compressed.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = compressed;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      auto result = Decompress("lz4", flipped);
      EXPECT_FALSE(result.ok() && *result != std::string(500, 'a') + "bcd") << at << ":" << bit;
    }
    EXPECT_FALSE(Decompress("lz4", compressed.substr(0, at)).ok()) << at;
  }
}

// xxHash's specification and lz4-java's masked checksum of an empty delta's end marker.
TEST(XxHash32, KnownValues) {
  EXPECT_EQ(XxHash32("", 0), 0x02CC5D05U);
  EXPECT_EQ(XxHash32("abc", 0), 0x32D153FFU);
  EXPECT_EQ(XxHash32("Nobody inspects the spammish repetition", 0), 0xE2293B2FU);
  EXPECT_EQ(XxHash32("\xff\xff\xff\xff", 0x9747B28CU) & 0x0FFFFFFFU, 0x084d80dbU);
}

}  // namespace
}  // namespace millrace::state
