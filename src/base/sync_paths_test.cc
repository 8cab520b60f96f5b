#include "base/sync_paths.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/file_system.h"
#include "base/ids.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

// That the bytes are on the disk cannot be seen from here; that each way goes through all paths can.
TEST(SyncPaths, FewAndManyAndMissingOnes) {
  fs::path directory = fs::temp_directory_path() / ("sync_" + RandomUuid());
  fs::create_directories(directory);
  std::vector<std::string> files, directories{directory.string()};
  EXPECT_TRUE(SyncLocalPaths({}, {}).ok());
  for (int i = 0; i < 100; ++i) {
    files.push_back((directory / std::to_string(i)).string());
    auto file = LocalFileSystem()->OpenForWrite(files.back()).ValueOrDie();
    ASSERT_TRUE(file->Append("x").ok() && file->Close().ok());
    if (i != 2 && i != 99) continue;
    EXPECT_TRUE(SyncLocalPaths(files, directories).ok());
    fs::remove(files[1]);
    arrow::Status status = SyncLocalPaths(files, directories);
    EXPECT_TRUE(status.IsKeyError()) << status;
    EXPECT_NE(status.message().find(files[1]), std::string::npos) << status;
    ASSERT_TRUE(LocalFileSystem()->OpenForWrite(files[1]).ok());
  }
  fs::remove_all(directory);
}

}  // namespace
}  // namespace millrace
