#include "base/checksum_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace {
namespace {

using ::testing::HasSubstr;

class ChecksumFileTest : public ::testing::Test {
 protected:
  ChecksumFileTest() {
    (void)files_.RemoveTree(directory_);
    EXPECT_TRUE(files_.CreateDirectories(directory_).ok());
  }
  ~ChecksumFileTest() override { (void)files_.RemoveTree(directory_); }

  void Put(const std::string& name, std::string_view bytes) {
    std::string path = JoinPath(directory_, name);
    ASSERT_TRUE(files_.Remove(path).ok());
    auto file = files_.OpenForWrite(path).ValueOrDie();
    ASSERT_TRUE(file->Append(bytes).ok());
    ASSERT_TRUE(file->Close().ok());
  }
  bool Exists(const std::string& name) { return files_.Stat(JoinPath(directory_, name))->has_value(); }
  arrow::Result<std::string> Read() { return ReadCheckedFile(files_, path_); }

  FileSystem& files_ = *LocalFileSystem();
  std::string directory_ = ::testing::TempDir() + "checksum_file_test";
  std::string path_ = JoinPath(directory_, "0");
};

// The CRC-32 of "123456789" is 0xCBF43926 (the check value in catalogues of checksums).
constexpr std::string_view kSums("crc\0\0\0\2\0\xCB\xF4\x39\x26", 12);

TEST_F(ChecksumFileTest, WhatFitsIsRead) {
  Put("0", "123456789");
  EXPECT_EQ(*Read(), "123456789");
  Put(".0.crc", kSums);
  EXPECT_EQ(*Read(), "123456789");
  Put(".0.crc", "no checksums");
  EXPECT_EQ(*Read(), "123456789");
}

TEST_F(ChecksumFileTest, AChangedByteIsRefused) {
  Put(".0.crc", kSums);
  Put("0", "123456780");
  EXPECT_THAT(Read().status().message(), HasSubstr("Checksum error: file:" + path_ + " at 0 exp: -873187034 got: "));
  Put("0", "1234");
  EXPECT_FALSE(Read().ok());
  Put("0", "123456789" + std::string(512, 'x'));
  EXPECT_FALSE(Read().ok());
  Put("0", "");
  EXPECT_EQ(*Read(), "");
}

// A user who removes Spark's file by hand leaves its checksum: it is not the one of what is written there next.
TEST_F(ChecksumFileTest, ANewFileHasNoChecksumOfAnother) {
  Put(".0.crc", kSums);
  EXPECT_TRUE(*WriteFileIfAbsent(files_, path_, "new", Durability::kProcess));
  EXPECT_FALSE(Exists(".0.crc"));
  Put("0", "123456789");
  Put(".0.crc", kSums);
  EXPECT_FALSE(*WriteFileIfAbsent(files_, path_, "newer", Durability::kProcess));
  EXPECT_TRUE(Exists(".0.crc"));
}

}  // namespace
}  // namespace millrace
