#include "base/allocation.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace millrace {
namespace {

/// KiB of files that are mapped and resident.
int64_t ResidentFileKib() {
  std::ifstream status("/proc/self/status");
  std::string word;
  int64_t kib = -1;
  while (status >> word) {
    if (word == "RssFile:") status >> kib;
  }
  return kib;
}

TEST(Allocation, WhatStartingUpMappedIsGivenBackOnce) {
  int64_t before = ResidentFileKib();
  ASSERT_GT(before, 0);
  ReleaseStartupMemory();
  int64_t after = ResidentFileKib();
  EXPECT_LT(after, before);
  // What is called again is there again.
  EXPECT_EQ(std::to_string(12345) + "x", "12345x");
  ReleaseStartupMemory();
  EXPECT_GE(ResidentFileKib(), after / 2);
}

}  // namespace
}  // namespace millrace
