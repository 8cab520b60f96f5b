#include "cli/checkpoint_waiting.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/ids.h"
#include "session/session.h"
#include "spark/connect/commands.pb.h"
#include "spark/connect/relations.pb.h"

namespace millrace::cli {
namespace {

namespace fs = std::filesystem;
using spark::connect::Relation;

std::string Waiting(const std::string& directory) {
  auto report = ReadCheckpoint(*LocalFileSystem(), directory);
  if (!report.ok()) return report.status().ToString();
  auto watermark = ReportWatermark(*LocalFileSystem(), *report);
  if (!watermark.ok()) return watermark.status().ToString();
  auto state = ReadState(*LocalFileSystem(), directory);
  if (!state.ok()) return state.status().ToString();
  return FormatWaiting(*report, *watermark, *state);
}

// Checkpoints that real Spark left (tests/data/spark-checkpoint). The rows are those its progress counts: numRowsTotal.

TEST(CheckpointWaiting, WindowsOfSparkWaitForTheWatermark) {
  EXPECT_EQ(
      Waiting("tests/data/spark-checkpoint/windowed-count/checkpoint"),
      "state       operator 0 stateStoreSave: 6 groups, due from 2024-01-01T00:05:00.000Z to "
      "2024-01-01T00:06:00.000Z\n"
      "why no more comes out\n"
      "  watermark   2024-01-01T00:04:02.000Z, since micro-batch 2, planned at 2026-11-20T18:36:20.594Z\n"
      "  must pass   2024-01-01T00:05:00.000Z\n"
      "  input 0     {\"logOffset\":2}: last brought rows in micro-batch 2, planned at 2026-11-20T18:36:20.594Z <- "
      "holds the watermark back\n");
}

TEST(CheckpointWaiting, KeysThatSparkHasSeenWaitForNothing) {
  EXPECT_EQ(
      Waiting("tests/data/spark-checkpoint/dedup/checkpoint"),
      "state       operator 0 dedupe: 3 keys seen, whose rows have come out, forgotten from "
      "2024-01-01T00:02:00.000Z to 2024-01-01T00:02:02.000Z\n"
      "why no more comes out\n"
      "  watermark   2024-01-01T00:01:02.000Z, since micro-batch 2, planned at 2026-11-20T18:36:25.313Z\n"
      "  input 0     {\"logOffset\":2}: last brought rows in micro-batch 2, planned at 2026-11-20T18:36:25.313Z <- "
      "holds the watermark back\n");
}

TEST(CheckpointWaiting, WithoutEventTimeNothingWaits) {
  EXPECT_EQ(Waiting("tests/data/spark-checkpoint/running-count/checkpoint"),
            "state       operator 0 stateStoreSave: 3 groups\n");
}

TEST(CheckpointWaiting, AQueryWithoutStateSaysNothing) {
  EXPECT_EQ(Waiting("tests/data/spark-checkpoint/two-sources/checkpoint"), "");
}

// A left outer join of two streams of which one stays silent.
class SilentSide : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = (fs::temp_directory_path() / ("waiting-" + RandomUuid())).string();
    engine_ = std::make_shared<session::Engine>(1);
    engine_->clock = &clock_;
    session_ = session::Session::Create(engine_);
    ASSERT_TRUE(session_->conf().Set("spark.sql.session.timeZone", "UTC").ok());
    ASSERT_TRUE(session_->conf().Set("spark.sql.shuffle.partitions", "2").ok());
    for (const char* name : {"visits", "ads"}) AddStream(name);
    spark::connect::WriteStreamOperationStart start;
    start.mutable_input()->mutable_sql()->set_query(
        "SELECT v.k, v.ts, a.ts AS shown FROM visits v LEFT JOIN ads a ON v.k = a.k AND a.ts BETWEEN v.ts AND v.ts + "
        "INTERVAL 1 MINUTE");
    start.set_format("noop");
    (*start.mutable_options())["checkpointLocation"] = folder_;
    auto query = session_->StartStream(start, {});
    ASSERT_TRUE(query.ok()) << query.status();
    query_ = *query;
  }
  void TearDown() override {
    if (query_ != nullptr) (void)query_->Stop();
    query_.reset();
    session_.reset();
    fs::remove_all(folder_);
  }

  void AddStream(const std::string& name) {
    session_->memory_tables().Create(name, types::ParseSchemaDdl("ts TIMESTAMP, k INT").ValueOrDie());
    Relation relation;
    auto* watermark = relation.mutable_with_watermark();
    auto* read = watermark->mutable_input()->mutable_read();
    read->set_is_streaming(true);
    read->mutable_data_source()->set_format("memory");
    (*read->mutable_data_source()->mutable_options())["table"] = name;
    watermark->set_event_time("ts");
    watermark->set_delay_threshold("10 seconds");
    ASSERT_TRUE(session_->CreateView(relation, name, false, true).ok());
  }

  void Process(const std::string& name, const std::string& rows) {
    auto result = session_->Sql("SELECT CAST(ts AS TIMESTAMP), CAST(k AS INT) FROM VALUES " + rows + " AS t(ts, k)");
    ASSERT_TRUE(result.ok()) << result.status();
    clock_.AdvanceMicros(60000000);
    session_->memory_tables().Find(name)->Append(result->batches);
    ASSERT_TRUE(query_->ProcessAllAvailable().ok()) << query_->cause();
  }

  std::string folder_;
  ManualClock clock_{1704067200000000};
  std::shared_ptr<session::Engine> engine_;
  std::shared_ptr<session::Session> session_;
  std::shared_ptr<streaming::StreamingQuery> query_;
};

TEST_F(SilentSide, IsNamed) {
  Process("visits", "('2024-01-01 12:00:00', 1), ('2024-01-01 12:00:30', 2)");
  EXPECT_EQ(Waiting(folder_),
            "state       operator 0 symmetricHashJoin (left): 2 rows that may still match, event times from "
            "2024-01-01T12:00:00.000Z to 2024-01-01T12:00:30.000Z\n"
            "state       operator 0 symmetricHashJoin (right): 0 rows that may still match\n"
            "why no more comes out\n"
            "  watermark   none yet: not every input has brought a row with an event time\n"
            "  must pass   2024-01-01T12:00:00.000Z, and as much more as the join's condition allows\n"
            "  input 0     0: last brought rows in micro-batch 0, planned at 2024-01-01T00:01:00.000Z\n"
            "  input 1     -: brought no rows in what the log holds <- holds the watermark back\n");
  Process("ads", "('2024-01-01 12:00:05', 1)");
  Process("visits", "('2024-01-01 12:05:00', 3)");
  EXPECT_EQ(Waiting(folder_),
            "state       operator 0 symmetricHashJoin (left): 3 rows that may still match, event times from "
            "2024-01-01T12:00:00.000Z to 2024-01-01T12:05:00.000Z\n"
            "state       operator 0 symmetricHashJoin (right): 1 rows that may still match, event times from "
            "2024-01-01T12:00:05.000Z to 2024-01-01T12:00:05.000Z\n"
            "why no more comes out\n"
            "  watermark   2024-01-01T11:59:55.000Z, since micro-batch 1, planned at 2024-01-01T00:02:00.000Z\n"
            "  must pass   2024-01-01T12:00:00.000Z, and as much more as the join's condition allows\n"
            "  input 0     1: last brought rows in micro-batch 3, planned at 2024-01-01T00:03:00.000Z\n"
            "  input 1     0: last brought rows in micro-batch 1, planned at 2024-01-01T00:02:00.000Z <- holds the "
            "watermark back\n");
  // Both stand still then; what was due has come out.
  Process("ads", "('2024-01-01 12:05:00', 9)");
  std::string text = Waiting(folder_);
  EXPECT_NE(text.find("(left): 1 rows"), std::string::npos) << text;
  EXPECT_NE(text.find("watermark   2024-01-01T12:04:50.000Z, since micro-batch 4"), std::string::npos) << text;
}

}  // namespace
}  // namespace millrace::cli
