#include "analyzer/scala_set_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::analyzer {
namespace {

using ::testing::ElementsAre;

TEST(ScalaSetOrderTest, FewStayAsTheyCome) {
  EXPECT_THAT(InScalaSetOrder({"d", "a", "d", "c", "b"}), ElementsAre("d", "a", "c", "b"));
}

// The order of the columns in the key schema that real Spark 4.2 gave the state of dropDuplicates over these.
TEST(ScalaSetOrderTest, ManyComeByTheirHash) {
  EXPECT_THAT(InScalaSetOrder({"st", "ar", "d2", "b", "ntz", "s", "ym"}),
              ElementsAre("ar", "ntz", "b", "d2", "ym", "st", "s"));
}

}  // namespace
}  // namespace millrace::analyzer
