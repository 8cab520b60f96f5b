#include "expression/murmur3.h"

#include <gtest/gtest.h>

namespace millrace::expression {
namespace {

// Expected values: SELECT hash(…) on Spark 4.2.
TEST(Murmur3, MatchesSpark) {
  EXPECT_EQ(Murmur3Int(1, 42), -559580957);
  EXPECT_EQ(Murmur3Long(1, 42), -1712319331);
  EXPECT_EQ(Murmur3Bytes("a", 42), 1485273170);
  EXPECT_EQ(Murmur3Bytes("abcde", 42), 814637928);
  EXPECT_EQ(Murmur3Bytes("日本語", 42), -1143049834);
  EXPECT_EQ(Murmur3Bytes("", 42), 142593372);
  EXPECT_EQ(Murmur3Bytes("x", Murmur3Int(1, 42)), -1305545736);
}

TEST(Murmur3, PartitionIsNeverNegative) {
  EXPECT_EQ(Pmod(Murmur3Bytes("a", 42), 5), 0);
  EXPECT_EQ(Pmod(Murmur3Bytes("b", 42), 5), 1);
  EXPECT_EQ(Pmod(Murmur3Int(4, 42), 5), 2);
  EXPECT_EQ(Pmod(-7, 5), 3);
}

}  // namespace
}  // namespace millrace::expression
