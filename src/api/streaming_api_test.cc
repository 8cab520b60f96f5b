#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <millrace/millrace.h>

#include <filesystem>
#include <fstream>
#include <mutex>

/// What a program says to streaming queries beside the transformations: writers of rows, listeners, the manager.

namespace millrace {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

/// What writers and listeners were called with, of all threads.
class Calls {
 public:
  void Add(std::string call) {
    std::lock_guard lock(mutex_);
    calls_.push_back(std::move(call));
  }
  std::vector<std::string> Take() {
    std::lock_guard lock(mutex_);
    return std::exchange(calls_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> calls_;
};

class NotingWriter : public ForeachWriter {
 public:
  explicit NotingWriter(Calls* calls) : calls_(calls) {}
  arrow::Result<bool> Open(int64_t partition_id, int64_t epoch_id) override {
    calls_->Add("open " + std::to_string(partition_id) + " of " + std::to_string(epoch_id));
    return epoch_id != 1;
  }
  arrow::Status Process(const Row& row) override {
    ARROW_ASSIGN_OR_RAISE(int64_t boat, row.GetInt64("boat"));
    if (boat == 13) return arrow::Status::Invalid("no boat has that number");
    calls_->Add("row " + row.ToString());
    return arrow::Status::OK();
  }
  void Close(const arrow::Status& error) override { calls_->Add("close " + error.ToString()); }

 private:
  Calls* calls_;
};

class NotingListener : public StreamingQueryListener {
 public:
  explicit NotingListener(Calls* calls) : calls_(calls) {}
  void OnQueryStarted(const QueryStarted& event) override {
    calls_->Add("started " + event.name + " " + event.timestamp.substr(0, 2));
  }
  void OnQueryProgress(const std::string& progress) override {
    calls_->Add(progress.find("\"numInputRows\":2") == std::string::npos ? "progress" : "progress of 2 rows");
  }
  void OnQueryTerminated(const QueryTerminated& event) override {
    calls_->Add("terminated " + std::string(event.exception.ok() ? "well" : "badly") + " " + event.error_condition);
  }

 private:
  Calls* calls_;
};

class StreamingApiTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "streaming_api";
    fs::remove_all(folder_);
    fs::create_directories(folder_ + "/boats");
    auto session = Session::Builder().NumThreads(2).GetOrCreate();
    ASSERT_TRUE(session.ok()) << session.status();
    session_.emplace(*session);
  }
  void TearDown() override {
    ASSERT_TRUE(session_->Stop().ok());
    session_.reset();
    fs::remove_all(folder_);
  }

  void Feed(const std::string& name, const std::string& lines) {
    std::ofstream(folder_ + "/boats/." + name) << lines;
    fs::rename(folder_ + "/boats/." + name, folder_ + "/boats/" + name);
  }

  DataFrame Boats() {
    return session_->ReadStream()
        .Schema("boat BIGINT, pier STRING")
        .Options({{"maxFilesPerTrigger", "1"}})
        .Json(folder_ + "/boats");
  }

  std::string folder_;
  std::optional<Session> session_;
  Calls calls_;
};

TEST_F(StreamingApiTest, ForeachWritersAreOpenedGivenTheirRowsAndClosed) {
  Feed("1.json", R"({"boat": 7, "pier": "north"})"
                 "\n"
                 R"({"boat": 8})"
                 "\n");
  auto query = Boats()
                   .WriteStream()
                   .Foreach([this] { return std::make_unique<NotingWriter>(&calls_); })
                   .Option("checkpointLocation", folder_ + "/checkpoint")
                   .Start();
  ASSERT_TRUE(query.ok()) << query.status();
  ASSERT_TRUE(query->ProcessAllAvailable().ok());
  EXPECT_THAT(calls_.Take(),
              ElementsAre("open 0 of 0", "row Row(boat=7, pier='north')", "row Row(boat=8, pier=None)", "close OK"));
  EXPECT_THAT(query->LastProgress(), HasSubstr("ForeachWriterTable"));
  // Open says that it does not want this one.
  Feed("2.json", R"({"boat": 9})"
                 "\n");
  ASSERT_TRUE(query->ProcessAllAvailable().ok());
  EXPECT_THAT(calls_.Take(), ElementsAre("open 0 of 1", "close OK"));
  Feed("3.json", R"({"boat": 12})"
                 "\n"
                 R"({"boat": 13})"
                 "\n"
                 R"({"boat": 14})"
                 "\n");
  arrow::Status status = query->ProcessAllAvailable();
  EXPECT_THAT(status.ToString(), HasSubstr("no boat has that number"));
  EXPECT_THAT(calls_.Take(),
              ElementsAre("open 0 of 2", "row Row(boat=12, pier=None)", "close Invalid: no boat has that number"));
  EXPECT_FALSE(query->IsActive());
}

TEST_F(StreamingApiTest, ListenersAreToldOfQueries) {
  auto listener = std::make_shared<NotingListener>(&calls_);
  ASSERT_TRUE(session_->Streams().AddListener(listener).ok());
  Feed("1.json", R"({"boat": 7})"
                 "\n"
                 R"({"boat": 8})"
                 "\n");
  auto run = [&](const std::string& name, const std::string& expression) {
    auto query = Boats()
                     .SelectExpr({expression})
                     .WriteStream()
                     .Format("noop")
                     .QueryName(name)
                     .SetTrigger(Trigger::AvailableNow())
                     .Start();
    ASSERT_TRUE(query.ok()) << query.status();
    (void)query->AwaitTermination();
  };
  run("ferries", "boat");
  EXPECT_THAT(calls_.Take(), ElementsAre("started ferries 20", "progress of 2 rows", "terminated well "));
  run("sinking", "raise_error(pier)");
  EXPECT_THAT(calls_.Take(), ElementsAre("started sinking 20", "terminated badly USER_RAISED_EXCEPTION"));
  ASSERT_TRUE(session_->Streams().RemoveListener(listener).ok());
  run("unseen", "boat");
  EXPECT_THAT(calls_.Take(), IsEmpty());
}

TEST_F(StreamingApiTest, TheManagerKnowsTheQueriesThatRun) {
  StreamingQueryManager streams = session_->Streams();
  auto start = [&](const std::string& name) {
    return Boats().WriteStream().Format("memory").QueryName(name).SetTrigger(Trigger::ProcessingTime("1 hour")).Start();
  };
  auto first = start("first");
  ASSERT_TRUE(first.ok()) << first.status();
  auto second = start("second");
  ASSERT_TRUE(second.ok()) << second.status();
  std::vector<std::string> names;
  for (const StreamingQuery& query : streams.Active().ValueOrDie()) names.push_back(query.Name());
  EXPECT_THAT(names, UnorderedElementsAre("first", "second"));
  EXPECT_EQ(streams.Get(second->Id()).ValueOrDie()->Name(), "second");
  EXPECT_FALSE(streams.AwaitAnyTermination(std::chrono::milliseconds(1)).ValueOrDie());
  EXPECT_FALSE(second->Status().message.empty());
  ASSERT_TRUE(second->Stop().ok());
  EXPECT_EQ(second->Status().message, "Stopped");
  EXPECT_FALSE(second->Status().is_trigger_active);
  EXPECT_FALSE(streams.Get(second->Id()).ValueOrDie().has_value());
  EXPECT_TRUE(streams.AwaitAnyTermination(std::chrono::milliseconds(1)).ValueOrDie());
  ASSERT_TRUE(streams.ResetTerminated().ok());
  EXPECT_FALSE(streams.AwaitAnyTermination(std::chrono::milliseconds(1)).ValueOrDie());
  ASSERT_TRUE(first->Stop().ok());
}

TEST_F(StreamingApiTest, ReadersAndWritersTakeOptionsTogetherAndTablesByName) {
  Feed("1.json", R"({"boat": 7, "pier": "north"})"
                 "\n");
  auto copied = Boats()
                    .WriteStream()
                    .Format("parquet")
                    .Options({{"checkpointLocation", folder_ + "/copy"}, {"compression", "none"}})
                    .SetTrigger(Trigger::AvailableNow())
                    .Start(folder_ + "/out");
  ASSERT_TRUE(copied.ok()) << copied.status();
  ASSERT_TRUE(copied->AwaitTermination().ok());
  ASSERT_TRUE(session_->Read().Option("mergeSchema", true).Parquet(folder_ + "/out").CreateTempView("kept").ok());
  auto rows = session_->Read().Table("kept").Collect();
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_EQ((*rows)[0].ToString(), "Row(boat=7, pier='north')");
  auto bad = Boats().WriteStream().Format("noop").SetTrigger(Trigger::ProcessingTime("soon")).Start();
  EXPECT_FALSE(bad.ok());
  EXPECT_THAT(ErrorConditionOf(session_->ReadStream().Table("kept").SchemaDdl().status()),
              HasSubstr("_LEGACY_ERROR_TEMP_1008"));
}

}  // namespace
}  // namespace millrace
