#include "state/row_checksum.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace millrace::state {
namespace {

// The check value of CRC-32C, and the one of the iSCSI standard (RFC 3720, B.4).
TEST(RowChecksum, IsCrc32c) {
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(Crc32c("6789", Crc32c("12345")), Crc32c("123456789"));
}

TEST(RowChecksum, StandsBeforeValuesAndRemovedKeys) {
  std::string stored;
  AddChecksum("1234", "56789", &stored);
  EXPECT_EQ(stored, std::string("\x83\x92\x06\xE3") + "56789");
  EXPECT_EQ(CheckedValue("1234", stored, "s").ValueOrDie(), "56789");
  AddKeyChecksum("123456789", &stored);
  EXPECT_EQ(stored, std::string("\x83\x92\x06\xE3") + "123456789");
  EXPECT_EQ(CheckedKey(stored, "s").ValueOrDie(), "123456789");
}

TEST(RowChecksum, OfListsStandsBeforeEachElement) {
  std::string stored, plain;
  AddSizedChecksum("1234", "56789", &stored);
  EXPECT_EQ(stored, std::string("\x83\x92\x06\xE3\x05\0\0\0", 8) + "56789");
  stored += ',';
  AddSizedChecksum("1234", "x", &stored);
  ASSERT_TRUE(CheckedSizedValues("1234", stored, 1, "s", &plain).ok());
  EXPECT_EQ(plain, "56789,x");
}

TEST(RowChecksum, DamageIsAnError) {
  std::string stored, plain;
  AddChecksum("k", "value", &stored);
  stored[5] ^= 1;
  auto checked = CheckedValue("k", stored, "the store");
  ASSERT_FALSE(checked.ok());
  EXPECT_NE(checked.status().message().find("STATE_STORE_ROW_CHECKSUM_VERIFICATION_FAILED"), std::string::npos);
  EXPECT_NE(checked.status().message().find("the store"), std::string::npos);
  EXPECT_FALSE(CheckedValue("k", "abc", "s").ok());
  EXPECT_FALSE(CheckedKey("abc", "s").ok());
  EXPECT_FALSE(CheckedSizedValues("k", "1234\xff\xff\xff\xff", 0, "s", &plain).ok());
  EXPECT_FALSE(CheckedSizedValues("k", "12", 0, "s", &plain).ok());
}

}  // namespace
}  // namespace millrace::state
