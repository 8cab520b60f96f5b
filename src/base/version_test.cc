#include "base/version.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(Version, FollowsSpark42) { EXPECT_TRUE(SparkVersion().starts_with("4.2.")); }

}  // namespace
}  // namespace millrace
