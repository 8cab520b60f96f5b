#include "delta/deletion_vector/roaring_bitmap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "base/error.h"
#include "delta/deletion_vector/deletion_vector.h"

namespace millrace::delta {
namespace {

using ::testing::ElementsAre;

std::vector<uint64_t> Range(uint64_t first, uint64_t count, uint64_t step = 1) {
  std::vector<uint64_t> values;
  for (uint64_t i = 0; i < count; ++i) values.push_back(first + i * step);
  return values;
}

TEST(RoaringBitmapTest, WhatIsWrittenReadsBack) {
  std::mt19937_64 random(7);
  std::vector<std::vector<uint64_t>> sets = {{},
                                             {0},
                                             {5, 1, 5},
                                             Range(0, 4096),
                                             Range(0, 4097),
                                             Range(65530, 20),
                                             Range(0, 70000),
                                             Range(100, 5000, 13),
                                             {uint64_t{1} << 40, 3}};
  std::vector<uint64_t> many;
  for (int i = 0; i < 20000; ++i) many.push_back(random() & ((uint64_t{1} << 36) - 1));
  sets.push_back(many);
  for (std::vector<uint64_t>& set : sets) {
    RoaringBitmap bitmap = RoaringBitmap::Of(set);
    std::sort(set.begin(), set.end());
    set.erase(std::unique(set.begin(), set.end()), set.end());
    EXPECT_EQ(bitmap.cardinality(), set.size());
    EXPECT_EQ(bitmap.ToVector(), set);
    auto again = RoaringBitmap::Parse(bitmap.Serialize());
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->ToVector(), set);
    for (uint64_t value : set) ASSERT_TRUE(again->Contains(value));
    if (!set.empty()) {
      EXPECT_EQ(again->Max(), set.back());
    }
  }
}

// The Roaring specification's form with runs: rows 2 to 4 and 7.
TEST(RoaringBitmapTest, RunsAreRead) {
  std::string bytes("\xD1\xD3\x39\x64", 4);                  // magic 1681511377
  bytes += std::string("\x01\0\0\0\0\0\0\0", 8);             // one bitmap
  bytes += std::string("\0\0\0\0", 4);                       // upper half 0
  bytes += std::string("\x3B\x30\0\0\x01", 5);               // cookie 12347, one container, which has runs
  bytes += std::string("\0\0\x03\0", 4);                     // key 0, 4 values
  bytes += std::string("\x02\0\x02\0\x02\0\x07\0\0\0", 10);  // runs 2+2, 7+0
  auto bitmap = RoaringBitmap::Parse(bytes);
  ASSERT_TRUE(bitmap.ok()) << bitmap.status();
  EXPECT_THAT(bitmap->ToVector(), ElementsAre(2, 3, 4, 7));
}

TEST(RoaringBitmapTest, EveryPrefixAndEveryDamageIsRefusedOrReads) {
  std::vector<uint64_t> values = Range(0, 5000, 3);
  values.push_back(uint64_t{1} << 33);
  std::string bytes = RoaringBitmap::Of(values).Serialize();
  for (size_t length = 0; length < bytes.size(); length += 7) {
    EXPECT_FALSE(RoaringBitmap::Parse(std::string_view(bytes).substr(0, length)).ok()) << length;
  }
  EXPECT_FALSE(RoaringBitmap::Parse(bytes + "x").ok());
  for (size_t i = 0; i < 40; ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x55);
    (void)RoaringBitmap::Parse(damaged);  // must not read out of bounds (asan)
  }
}

TEST(RoaringBitmapTest, BitsOfAWindow) {
  RoaringBitmap bitmap = RoaringBitmap::Of({0, 9, 10, 65535, 65536, 70000});
  uint8_t keep[2] = {0xff, 0xff};
  EXPECT_EQ(bitmap.ClearBits(9, 10, keep), 2);
  EXPECT_EQ(keep[0], 0xfc);
  EXPECT_EQ(keep[1], 0xff);
  uint8_t around[1] = {0xff};
  EXPECT_EQ(bitmap.ClearBits(65534, 4, around), 2);
  EXPECT_EQ(around[0], 0xf9);
}

TEST(RoaringBitmapTest, Differences) {
  RoaringBitmap a = RoaringBitmap::Of({1, 2, 3, 70000}), b = RoaringBitmap::Of({2, 70000, 90000});
  EXPECT_THAT(a.Minus(b).ToVector(), ElementsAre(1, 3));
  EXPECT_THAT(b.Minus(a).ToVector(), ElementsAre(90000));
  EXPECT_THAT(a.Union(b).ToVector(), ElementsAre(1, 2, 3, 70000, 90000));
}

// ZeroMQ RFC 32's own example.
TEST(Base85Test, ReferenceValue) {
  std::string bytes("\x86\x4F\xD2\x6F\xB5\x59\xF7\x5B", 8);
  EXPECT_EQ(EncodeBase85(bytes), "HelloWorld");
  EXPECT_EQ(*DecodeBase85("HelloWorld"), bytes);
  EXPECT_FALSE(DecodeBase85("HelloWorl").ok());
  EXPECT_FALSE(DecodeBase85("Hell\"").ok());
  EXPECT_FALSE(DecodeBase85("#####").ok());
}

// Delta's protocol, "Deletion Vector Descriptor Schema": its two examples of paths.
TEST(DeletionVectorTest, PathsOfDescriptors) {
  DeletionVectorDescriptor descriptor;
  descriptor.storage_type = 'u';
  descriptor.path_or_inline = "ab^-aqEH.-t@S}K{vb[*k^";
  EXPECT_EQ(*DeletionVectorPath("/t", descriptor), "/t/ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin");
  descriptor.storage_type = 'p';
  descriptor.path_or_inline = "file:///x/deletion_vector_1.bin";
  EXPECT_EQ(*DeletionVectorPath("/t", descriptor), "/x/deletion_vector_1.bin");
  descriptor.storage_type = 'u';
  EXPECT_FALSE(DeletionVectorPath("/t", {.storage_type = 'u', .path_or_inline = "short"}).ok());
}

// The protocol's example of an inline vector: rows 3, 4, 7, 11, 18, 29.
TEST(DeletionVectorTest, InlineVector) {
  DeletionVectorDescriptor descriptor;
  descriptor.storage_type = 'i';
  descriptor.path_or_inline = "wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L";
  descriptor.size_bytes = 40;
  descriptor.cardinality = 6;
  auto bitmap = ReadDeletionVector(*LocalFileSystem(), "/t", descriptor);
  ASSERT_TRUE(bitmap.ok()) << bitmap.status();
  EXPECT_THAT(bitmap->ToVector(), ElementsAre(3, 4, 7, 11, 18, 29));
  descriptor.cardinality = 5;
  EXPECT_TRUE(IsErrorCondition(ReadDeletionVector(*LocalFileSystem(), "/t", descriptor).status(),
                               "DELTA_DELETION_VECTOR_CARDINALITY_MISMATCH"));
  descriptor.size_bytes = 400;
  EXPECT_TRUE(IsErrorCondition(ReadDeletionVector(*LocalFileSystem(), "/t", descriptor).status(),
                               "DELTA_DELETION_VECTOR_SIZE_MISMATCH"));
}

}  // namespace
}  // namespace millrace::delta
