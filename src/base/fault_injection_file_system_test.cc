#include "base/fault_injection_file_system.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

class FaultInjectionFileSystemTest : public ::testing::Test {
 protected:
  FaultInjectionFileSystemTest() {
    directory_ = ::testing::TempDir() + "fault_" + ::testing::UnitTest::GetInstance()->current_test_info()->name();
    (void)LocalFileSystem()->RemoveTree(directory_);
    EXPECT_TRUE(files_.CreateDirectories(directory_).ok());
  }
  ~FaultInjectionFileSystemTest() override { (void)LocalFileSystem()->RemoveTree(directory_); }

  std::string Path(const std::string& name) const { return JoinPath(directory_, name); }
  bool Exists(const std::string& name) const { return files_.Stat(Path(name)).ValueOrDie().has_value(); }

  std::string directory_;
  FaultInjectionFileSystem files_{LocalFileSystem()};
};

TEST_F(FaultInjectionFileSystemTest, WholeWriteSurvivesPowerLoss) {
  ASSERT_TRUE(*WriteFileIfAbsent(files_, Path("a"), "text", Durability::kMachine));
  files_.DropUnsynced();
  EXPECT_EQ(*files_.ReadFile(Path("a")), "text");
}

TEST_F(FaultInjectionFileSystemTest, UnsyncedNameIsLost) {
  ASSERT_TRUE(*WriteFileIfAbsent(files_, Path("a"), "text", Durability::kProcess));
  EXPECT_TRUE(Exists("a"));
  files_.DropUnsynced();
  EXPECT_FALSE(Exists("a"));
}

TEST_F(FaultInjectionFileSystemTest, UnsyncedBytesAreLost) {
  auto file = *files_.OpenForWrite(Path("a"));
  ASSERT_TRUE(file->Append("kept").ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(file->Append("lost").ok());
  ASSERT_TRUE(file->Close().ok());
  ASSERT_TRUE(files_.SyncDirectory(directory_).ok());
  files_.DropUnsynced();
  EXPECT_EQ(*files_.ReadFile(Path("a")), "kept");
}

TEST_F(FaultInjectionFileSystemTest, UnsyncedRemovalComesBack) {
  ASSERT_TRUE(*WriteFileIfAbsent(files_, Path("a"), "text", Durability::kMachine));
  ASSERT_TRUE(files_.Remove(Path("a")).ok());
  files_.DropUnsynced();
  EXPECT_EQ(*files_.ReadFile(Path("a")), "text");
  ASSERT_TRUE(files_.Remove(Path("a")).ok());
  ASSERT_TRUE(files_.SyncDirectory(directory_).ok());
  files_.DropUnsynced();
  EXPECT_FALSE(Exists("a"));
}

TEST_F(FaultInjectionFileSystemTest, RefusesAsTold) {
  files_.SetReadOnly(true);
  EXPECT_NE(WriteFileIfAbsent(files_, Path("a"), "x", Durability::kMachine).status().message().find("Read-only"),
            std::string::npos);
  files_.SetReadOnly(false);
  files_.SetFreeBytes(3);
  EXPECT_NE(WriteFileIfAbsent(files_, Path("a"), "text", Durability::kMachine).status().message().find("No space left"),
            std::string::npos);
  EXPECT_FALSE(Exists("a"));
  files_.SetFreeBytes(std::nullopt);
  // create, append, sync, rename, directory: whichever fails, the entry is whole or not there.
  for (int nth = 1; nth <= 5; ++nth) {
    files_.FailNth(nth);
    EXPECT_FALSE(WriteFileIfAbsent(files_, Path("n" + std::to_string(nth)), "text", Durability::kMachine).ok());
    auto text = files_.ReadFile(Path("n" + std::to_string(nth)));
    EXPECT_TRUE(!text.ok() || *text == "text");
  }
  EXPECT_TRUE(*WriteFileIfAbsent(files_, Path("a"), "text", Durability::kMachine));
}

}  // namespace
}  // namespace millrace
