#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <millrace/millrace.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "base/failpoint.h"

/// What tests of C++ functions with state share: rows, rounds of files through one checkpoint, what came out. What is
/// expected are the answers that real Spark gave to the same programs in Python (tests/e2e/arbitrary_state).

namespace millrace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;
using Key = std::optional<std::string>;

struct Input {
  int32_t v = 0;
  std::optional<Timestamp> t;
  static constexpr auto kFields = Fields("v", &Input::v, "t", &Input::t);
};
struct Counted {
  Key k;
  int64_t total = 0;
  int64_t fresh = 0;
  static constexpr auto kFields = Fields("k", &Counted::k, "total", &Counted::total, "new", &Counted::fresh);
};
struct Event {
  Key k;
  std::string what;
  int64_t n = 0;
  static constexpr auto kFields = Fields("k", &Event::k, "what", &Event::what, "n", &Event::n);
};
struct Visits {
  int32_t n = 0;
  int64_t last = 0;
  static constexpr auto kFields = Fields("n", &Visits::n, "last", &Visits::last);
};
struct Total {
  int64_t total = 0;
  static constexpr auto kFields = Fields("total", &Total::total);
};

// "a 1 00:05, b 2" as rows of k, v and t; ~ is NULL.
inline std::string JsonRows(const std::string& text) {
  std::string lines;
  std::stringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    std::stringstream words(part);
    std::string k, v, t;
    words >> k >> v >> t;
    lines += "{" + (k == "~" ? "" : "\"k\":\"" + k + "\",") + "\"v\":" + v;
    lines += (t.empty() ? "" : ",\"t\":\"2024-01-01T00:" + t + "Z\"") + "}\n";
  }
  return lines;
}

using Rounds = std::vector<std::vector<std::string>>;
inline const Rounds kCounting = {{"a 1, b 2, a 3, ~ 4", "c 5, a 6"}, {"b 7, ~ 8, d 9, a 10, a 11"}, {"d 1"}};
inline const Rounds kSessions = {{"a 1 00:05, b 2 00:10", "a 3 00:20", "c 4 01:00, b 5 00:45"},
                                 {"a 6 00:10, d 7 01:30", "e 8 03:00"},
                                 {"a 1 05:00"}};

class TypedStateTest : public ::testing::Test {
 protected:
  using Build = std::function<DataFrame(const DataFrame&)>;

  void SetUp() override {
    folder_ = ::testing::TempDir() + "typed_state_" + ::testing::UnitTest::GetInstance()->current_test_info()->name();
    Restart();
  }
  void TearDown() override {
    DisarmFailpoints();
    ASSERT_TRUE(session_->Stop().ok());
    fs::remove_all(folder_);
  }

  void Restart() {
    fs::remove_all(folder_);
    fs::create_directories(folder_ + "/input");
    batches_.clear();
    num_files_ = 0;
    if (session_) {
      ASSERT_TRUE(session_->Stop().ok());
    }
    // Spark, started again, waits for data before what the watermark has passed comes out; here it is to come as
    // without the restart.
    auto session = Session::Builder()
                       .Config("spark.sql.shuffle.partitions", "3")
                       .Config("millrace.restart.evicts", "true")
                       .GetOrCreate();
    ASSERT_TRUE(session.ok()) << session.status();
    session_.emplace(*session);
    if (rocksdb_) {
      ASSERT_TRUE(session_
                      ->SetConf("spark.sql.streaming.stateStore.providerClass",
                                "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider")
                      .ok());
    }
  }

  void AddFile(const std::string& rows) {
    char name[32];
    std::snprintf(name, sizeof name, "%04d.json", num_files_);
    std::string path = folder_ + "/input/" + name;
    std::ofstream(folder_ + "/tmp") << JsonRows(rows);
    fs::last_write_time(folder_ + "/tmp",
                        fs::file_time_type::clock::now() - std::chrono::seconds(10000 - num_files_++));
    fs::rename(folder_ + "/tmp", path);
  }

  DataFrame ReadInput() const {
    return session_->ReadStream()
        .Schema("k STRING, v INT, t TIMESTAMP")
        .Option("maxFilesPerTrigger", "1")
        .Json(folder_ + "/input");
  }

  // Reads what is there and ends.
  arrow::Status RunOnce(const Build& build, const std::string& mode) {
    ARROW_ASSIGN_OR_RAISE(StreamingQuery query,
                          build(ReadInput())
                              .WriteStream()
                              .ForeachBatch([this](const DataFrame& rows, int64_t batch_id) -> arrow::Status {
                                ARROW_ASSIGN_OR_RAISE(std::vector<Row> collected, rows.Collect());
                                std::vector<std::string>& batch = batches_[batch_id];
                                batch.clear();
                                for (const Row& row : collected) batch.push_back(row.ToString());
                                return arrow::Status::OK();
                              })
                              .OutputMode(mode)
                              .SetTrigger(Trigger::AvailableNow())
                              .Option("checkpointLocation", folder_ + "/checkpoint")
                              .Start());
    return query.AwaitTermination();
  }

  void RunRounds(const Rounds& rounds, const Build& build, const std::string& mode) {
    for (const auto& round : rounds) {
      for (const std::string& rows : round) AddFile(rows);
      arrow::Status status = RunOnce(build, mode);
      ASSERT_TRUE(status.ok()) << status.message();
    }
  }

  // The same, dying at each place where state is written, once a round: what comes out is the same.
  void RunRoundsCrashing(const Rounds& rounds, const Build& build, const std::string& mode) {
    auto undisturbed = batches_;
    for (std::string_view failpoint : kFailpoints) {
      if (!failpoint.starts_with("state.") && !failpoint.starts_with("commit_log.") &&
          !failpoint.starts_with("batch.")) {
        continue;
      }
      Restart();
      for (const auto& round : rounds) {
        for (const std::string& rows : round) AddFile(rows);
        ASSERT_TRUE(ArmFailpoint(failpoint, FailpointAction::kError, 2).ok());
        (void)RunOnce(build, mode);
        DisarmFailpoints();
        arrow::Status status = RunOnce(build, mode);
        ASSERT_TRUE(status.ok()) << failpoint << ": " << status.message();
      }
      EXPECT_EQ(batches_, undisturbed) << failpoint;
    }
  }

  std::vector<std::string> State(const std::string& expression,
                                 const std::map<std::string, std::string>& options = {}) {
    DataFrameReader reader = session_->Read();
    reader.Format("statestore");
    for (const auto& [key, value] : options) reader.Option(key, value);
    auto rows = reader.Load(folder_ + "/checkpoint").SelectExpr({"to_json(struct(" + expression + ")) AS r"}).Collect();
    if (!rows.ok()) return {rows.status().message()};
    std::vector<std::string> texts;
    for (const Row& row : *rows) texts.push_back(row.GetString("r").ValueOrDie());
    return texts;
  }

  std::string folder_;
  bool rocksdb_ = false;
  int num_files_ = 0;
  std::optional<Session> session_;
  std::map<int64_t, std::vector<std::string>> batches_;
};

class TypedProcessorTest : public TypedStateTest {
 protected:
  TypedProcessorTest() { rocksdb_ = true; }
};

}  // namespace millrace
