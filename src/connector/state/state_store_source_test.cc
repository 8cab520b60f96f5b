#include <arrow/array.h>
#include <arrow/scalar.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "connector/source.h"

namespace millrace::connector {
namespace {

// What Spark 4.2's own readers show of the checkpoints of Spark 3.2 and 3.5 in ../shared/spark-checkpoints.
class StateSource : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("../shared/spark-checkpoints")) GTEST_SKIP() << "no ../shared/spark-checkpoints";
  }

  using OptionList = std::vector<std::pair<std::string, std::string>>;

  arrow::Result<std::vector<std::string>> Read(const std::string& format, const std::string& checkpoint,
                                               const OptionList& options) {
    SourceRequest request;
    request.context = &context_;
    bool is_path = checkpoint.find('/') != std::string::npos;
    request.paths = {is_path ? checkpoint : "../shared/spark-checkpoints/checkpoint-version-" + checkpoint};
    for (const auto& [key, value] : options) request.options.Set(key, value);
    const SourceDef* source = FindSource(format);
    ARROW_ASSIGN_OR_RAISE(request.schema, source->schema(request));
    ARROW_ASSIGN_OR_RAISE(auto scan, source->open_batch(request));
    ReadColumns columns;
    for (size_t c = 0; c < request.schema->fields().size(); ++c) columns.indices.push_back(static_cast<int>(c));
    ARROW_ASSIGN_OR_RAISE(InputPartitions partitions, scan->PlanPartitions(columns));
    std::vector<std::string> rows;
    for (const auto& partition : partitions) {
      ARROW_ASSIGN_OR_RAISE(auto reader, partition->Open(arrow::default_memory_pool()));
      for (;;) {
        ARROW_ASSIGN_OR_RAISE(auto batch, reader->Next());
        if (batch == nullptr) break;
        ARROW_RETURN_NOT_OK(batch->ValidateFull());
        for (int64_t i = 0; i < batch->num_rows(); ++i) {
          std::string row;
          for (int c = 0; c < batch->num_columns(); ++c) {
            ARROW_ASSIGN_OR_RAISE(auto cell, batch->column(c)->GetScalar(i));
            row += (c == 0 ? "" : " | ") + cell->ToString();
          }
          rows.push_back(std::move(row));
        }
      }
    }
    return rows;
  }

  void Expect(const std::string& checkpoint, const OptionList& options, const std::vector<std::string>& rows) {
    auto read = Read("statestore", checkpoint, options);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(*read, rows);
  }
  void ExpectError(const OptionList& options, std::string_view condition) {
    auto read = Read("statestore", "3.5.1-streaming-join", options);
    EXPECT_TRUE(IsErrorCondition(read.status(), condition)) << read.status();
  }

  ConnectorContext context_;
};

TEST_F(StateSource, RowsOfADeduplication) {
  Expect("3.5.1-streaming-deduplication", {},
         {"{_1:string = a} | {__dummy__:null = null} | 0", "{_1:string = b} | {__dummy__:null = null} | 1"});
  Expect("3.5.1-streaming-deduplication", {{"batchId", "0"}}, {"{_1:string = a} | {__dummy__:null = null} | 0"});
}

TEST_F(StateSource, RowsAndChangesOfAnAggregation) {
  Expect("3.2.0-streaming-aggregate-with-repartition", {},
         {"{key1:int32 = 3, key2:int32 = 6} | {count:int64 = 2} | 1",
          "{key1:int32 = 2, key2:int32 = 4} | {count:int64 = 1} | 4"});
  Expect("3.2.0-streaming-aggregate-with-repartition", {{"readChangeFeed", "true"}, {"changeStartBatchId", "0"}},
         {"0 | update | {key1:int32 = 3, key2:int32 = 6} | {count:int64 = 1} | 1",
          "1 | update | {key1:int32 = 3, key2:int32 = 6} | {count:int64 = 2} | 1",
          "1 | update | {key1:int32 = 2, key2:int32 = 4} | {count:int64 = 1} | 4"});
}

TEST_F(StateSource, RowsOfASessionWindowComeInSparksOrder) {
  auto rows = Read("statestore", "3.2.0-session-window-with-repartition", {});
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->size(), 8U);
  std::vector<std::string> sessions;
  for (size_t i = 0; i < 4; ++i) {
    sessions.push_back((*rows)[i].substr(0, (*rows)[i].find(',')));
  }
  EXPECT_EQ(sessions, (std::vector<std::string>{"{sessionId:string = hello", "{sessionId:string = world",
                                                "{sessionId:string = streaming", "{sessionId:string = structured"}));
}

TEST_F(StateSource, SidesAndStoresOfAJoin) {
  Expect("3.5.1-streaming-join", {{"joinSide", "left"}},
         {"{field0:int32 = 4} | {leftId:int32 = 4, leftTime:timestamp[us, tz=UTC] = 1970-01-01 00:00:04.000000Z} | 2",
          "{field0:int32 = 2} | {leftId:int32 = 2, leftTime:timestamp[us, tz=UTC] = 1970-01-01 00:00:02.000000Z} | 4"});
  Expect("3.5.1-streaming-join", {{"storeName", "right-keyToNumValues"}},
         {"{field0:int32 = 4} | {value:int64 = 1} | 2", "{field0:int32 = 2} | {value:int64 = 1} | 4"});
}

TEST_F(StateSource, OptionsAreCheckedAsSparkDoes) {
  ExpectError({}, "STDS_FAILED_TO_READ_STATE_SCHEMA");
  ExpectError({{"joinSide", "LEFT"}}, "STDS_INVALID_OPTION_VALUE.WITH_MESSAGE");
  ExpectError({{"joinSide", "left"}, {"storeName", "left-keyToNumValues"}}, "STDS_CONFLICT_OPTIONS");
  ExpectError({{"batchId", "-1"}}, "STDS_INVALID_OPTION_VALUE.IS_NEGATIVE");
  ExpectError({{"batchId", "7"}}, "STDS_COMMITTED_BATCH_UNAVAILABLE");
  ExpectError({{"operatorId", "-1"}}, "STDS_INVALID_OPTION_VALUE.IS_NEGATIVE");
  ExpectError({{"readChangeFeed", "true"}}, "STDS_REQUIRED_OPTION_UNSPECIFIED");
  ExpectError({{"readChangeFeed", "true"}, {"changeStartBatchId", "1"}, {"changeEndBatchId", "0"}},
              "STDS_INVALID_OPTION_VALUE.WITH_MESSAGE");
  ExpectError({{"changeStartBatchId", "1"}}, "STDS_INVALID_OPTION_VALUE.WITH_MESSAGE");
  ExpectError({{"snapshotStartBatchId", "0"}}, "STDS_REQUIRED_OPTION_UNSPECIFIED");
  ExpectError({{"storeName", " "}}, "STDS_INVALID_OPTION_VALUE.IS_EMPTY");
}

TEST_F(StateSource, MetadataOfACheckpointWithoutAnyIsEmpty) {
  auto rows = Read("state-metadata", "3.5.1-streaming-join", {});
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_TRUE(rows->empty());
}

class RepartitionedState : public StateSource {
 protected:
  void SetUp() override {}
};

// Spark's tool made one partition of two, as micro-batch 5: the second one's folder stays. The rows are those that
// Spark's reader shows.
TEST_F(RepartitionedState, EachBatchIsReadWithThePartitionsItRanWith) {
  const std::string kCheckpoint = "tests/data/spark-checkpoint/repartitioned/checkpoint";
  auto rows = Read("statestore", kCheckpoint, {});
  ASSERT_TRUE(rows.ok()) << rows.status();
  std::sort(rows->begin(), rows->end());
  EXPECT_EQ(*rows,
            (std::vector<std::string>{"{k:string = a} | {sum:int64 = 24} | 0", "{k:string = b} | {sum:int64 = 18} | 0",
                                      "{k:string = c} | {sum:int64 = 12} | 0", "{k:string = d} | {sum:int64 = 21} | 0",
                                      "{k:string = e} | {sum:int64 = 30} | 0"}));
  auto before = Read("statestore", kCheckpoint, {{"batchId", "4"}});
  ASSERT_TRUE(before.ok()) << before.status();
  EXPECT_EQ(before->size(), 5U);
}

}  // namespace
}  // namespace millrace::connector
