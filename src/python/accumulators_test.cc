#include "python/accumulators.h"

#include <gtest/gtest.h>

namespace millrace::python {
namespace {

std::string Bytes(std::initializer_list<int> values) {
  std::string bytes;
  for (int value : values) bytes += static_cast<char>(value);
  return bytes;
}

TEST(Accumulators, KeepsWhatCameForEachIdUntilItIsTaken) {
  Accumulators accumulators;
  // pickle.dumps((5, 1), 5), (300, 2) and (1 << 40, 3); the frame's length does not matter.
  std::string five = Bytes({0x80, 5, 0x95, 7, 0, 0, 0, 0, 0, 0, 0, 'K', 5, 'K', 1, 0x86, 0x94, '.'});
  std::string three_hundred = Bytes({0x80, 2, 'M', 0x2c, 1, 'K', 2, 0x86, '.'});
  std::string large = Bytes({0x80, 5, 0x8a, 6, 0, 0, 0, 0, 0, 1, 'K', 3, 0x86, '.'});
  for (const std::string& pickle : {five, three_hundred, large, five}) {
    auto id = Accumulators::IdOf(pickle);
    ASSERT_TRUE(id.ok());
    accumulators.Add(*id, pickle);
  }
  EXPECT_EQ(accumulators.Take({5}), (std::vector<Accumulators::Update>{{5, five}, {5, five}}));
  EXPECT_TRUE(accumulators.Take({5}).empty());
  EXPECT_EQ(accumulators.Take({int64_t{1} << 40, 7, 300}),
            (std::vector<Accumulators::Update>{{int64_t{1} << 40, large}, {300, three_hundred}}));
}

TEST(Accumulators, KnowsPySparksOwnAndRefusesWhatIsNoUpdate) {
  // (-1, None)
  EXPECT_EQ(Accumulators::IdOf(Bytes({0x80, 5, 'J', 0xff, 0xff, 0xff, 0xff, 'N', 0x86, '.'})).ValueOr(0), -1);
  EXPECT_FALSE(Accumulators::IdOf(Bytes({0x80, 5, ']', '.'})).ok());
  EXPECT_FALSE(Accumulators::IdOf(Bytes({0x80, 5, 'J', 1})).ok());
  EXPECT_FALSE(Accumulators::IdOf("").ok());
}

}  // namespace
}  // namespace millrace::python
