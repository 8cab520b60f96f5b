#include "connector/kafka/offset_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::connector::kafka {
namespace {

using testing::HasSubstr;
using namespace std::string_literals;

TEST(OffsetJsonTest, WritesWhatSparkWrites) {
  PartitionOffsets offsets{{{"visits", 1}, 4}, {{"visits", 0}, 6}, {{"ads", 10}, 1}, {{"ads", 9}, -1}};
  std::string json = R"({"ads":{"9":-1,"10":1},"visits":{"0":6,"1":4}})";
  EXPECT_EQ(FormatPartitionOffsets(offsets), json);
  EXPECT_EQ(ParsePartitionOffsets(json).ValueOrDie(), offsets);
  EXPECT_EQ(FormatPartitionOffsets({}), "{}");
  EXPECT_TRUE(ParsePartitionOffsets("{}").ValueOrDie().empty());
}

TEST(OffsetJsonTest, AnythingElseIsRefusedWithAnExample) {
  for (const char* json : {"", "[]", "1", R"({"a":1})", R"({"a":{"x":1}})", R"({"a":{"0":"1"}})", R"({"a":{"0":1.5}})",
                           R"({"a":{"0":99999999999999999999}})", R"({"a":{"0":1}} x)"}) {
    EXPECT_THAT(ParsePartitionOffsets(json).status().message(), HasSubstr("Expected e.g.")) << json;
  }
}

TEST(OffsetJsonTest, Partitions) {
  std::vector<TopicPartition> expected{{"b", 2}, {"a", 0}, {"a", 1}};
  EXPECT_EQ(ParsePartitions(R"({"b":[2],"a":[0,1]})").ValueOrDie(), expected);
  EXPECT_FALSE(ParsePartitions(R"({"b":2})").ok());
}

TEST(OffsetJsonTest, InitialOffsetsAreTheBytesOfSpark) {
  // The file sources/0/0 of a real query.
  const std::string bytes = "\0v1\n{\"visits\":{\"0\":0,\"1\":0}}"s;
  PartitionOffsets offsets{{{"visits", 0}, 0}, {{"visits", 1}, 0}};
  EXPECT_EQ(EncodeInitialOffsets(offsets), bytes);
  EXPECT_EQ(DecodeInitialOffsets(bytes).ValueOrDie(), offsets);
  // Spark 2.1 wrote no version.
  EXPECT_EQ(DecodeInitialOffsets("\0{\"visits\":{\"0\":0,\"1\":0}}"s).ValueOrDie(), offsets);
}

TEST(OffsetJsonTest, BadInitialOffsetsSayWhatIsWrong) {
  auto problem = [](const std::string& text) {
    std::string bytes(1, '\0');
    bytes += text;
    return DecodeInitialOffsets(bytes).status().message();
  };
  EXPECT_THAT(problem(""), HasSubstr("empty"));
  EXPECT_THAT(problem("v1"), HasSubstr("failed to detect the log file version line"));
  EXPECT_THAT(problem("vx\n{}"), HasSubstr("failed to read correct log version"));
  EXPECT_THAT(problem("v2\n{}"), HasSubstr("maximum supported log version is v1, but encountered v2"));
  EXPECT_THAT(problem("v1\n{\"visits\":"), HasSubstr("Expected e.g."));
}

}  // namespace
}  // namespace millrace::connector::kafka
