#include <arrow/builder.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <millrace/millrace.h>

#include <filesystem>
#include <fstream>

#include "api/local_connection.h"
#include "connector/memory/memory_table.h"
#include "session/session.h"
#include "types/arrow_type.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A stream of numbers joined with a Delta table that is changed while the query runs.
class DeltaStaticSideTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "delta_static_side";
    fs::remove_all(folder_);
    fs::create_directories(table_path() + "/_delta_log");
    auto session = Session::Builder().Config("spark.sql.shuffle.partitions", "1").GetOrCreate();
    ASSERT_TRUE(session.ok()) << session.status();
    session_.emplace(*session);
    auto& engine = static_cast<api::LocalConnection&>(*session_->connection());
    numbers_ = engine.session()->memory_tables().Create("numbers", types::Struct({{"k", types::Integer(), true, ""}}));
  }
  void TearDown() override {
    ASSERT_TRUE(session_->Stop().ok());
    fs::remove_all(folder_);
  }

  std::string table_path() const { return folder_ + "/table"; }

  /// Commits a file with the rows of `query`; `more`: further lines of the commit.
  void Commit(int64_t version, const std::string& query, const std::string& more = "") {
    std::string data = table_path() + "/v" + std::to_string(version);
    ASSERT_TRUE(session_->Sql(query).Coalesce(1).Write().Format("parquet").Save(data).ok());
    std::string line = more;
    for (const auto& entry : fs::directory_iterator(data)) {
      if (entry.path().extension() != ".parquet") continue;
      line += R"({"add":{"path":"v)" + std::to_string(version) + "/" + entry.path().filename().string() +
              R"(","partitionValues":{},"size":)" + std::to_string(entry.file_size()) +
              R"(,"modificationTime":1,"dataChange":true}})" + "\n";
    }
    char name[32];
    std::snprintf(name, sizeof name, "%020d.json", static_cast<int>(version));
    std::ofstream(table_path() + "/_delta_log/" + name) << line;
  }

  void Feed(int32_t value) {
    arrow::Int32Builder builder;
    ASSERT_TRUE(builder.Append(value).ok());
    auto array = *builder.Finish();
    numbers_->Append({arrow::RecordBatch::Make(types::ToArrowSchema(*numbers_->schema()), 1, {array})});
  }

  static std::string MetadataLine(const std::string& value_type) {
    return R"({"metaData":{"id":"t","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"k\",\"type\":\"integer\",\"nullable\":true,\"metadata\":{}},{\"name\":\"v\",\"type\":\")" +
           value_type + R"(\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":[],"configuration":{}}})" + "\n";
  }

  std::string folder_;
  std::optional<Session> session_;
  std::shared_ptr<connector::MemoryTable> numbers_;
};

TEST_F(DeltaStaticSideTest, IsReadAgainWithTheNextMicroBatchAfterItChanged) {
  Commit(0, "SELECT 1 AS k, 'one' AS v",
         std::string(R"({"protocol":{"minReaderVersion":1,"minWriterVersion":2}})") + "\n" + MetadataLine("string"));
  DataFrame stream = session_->ReadStream().Format("memory").Option("table", "numbers").Load();
  DataFrame table = session_->Read().Format("delta").Load(table_path());
  DataFrame joined =
      stream.Alias("s").Join(table.Alias("t"), functions::Expr("s.k = t.k"), "left").SelectExpr({"s.k", "v"});
  std::vector<std::string> seen;
  auto query = joined.WriteStream()
                   .ForeachBatch([&](const DataFrame& rows, int64_t) -> arrow::Status {
                     ARROW_ASSIGN_OR_RAISE(std::vector<Row> collected, rows.Collect());
                     for (const Row& row : collected) seen.push_back(row.ToString());
                     return arrow::Status::OK();
                   })
                   .Option("checkpointLocation", folder_ + "/checkpoint")
                   .Start();
  ASSERT_TRUE(query.ok()) << query.status();
  Feed(1);
  ASSERT_TRUE(query->ProcessAllAvailable().ok());
  Feed(2);
  ASSERT_TRUE(query->ProcessAllAvailable().ok());
  Commit(1, "SELECT 2 AS k, 'two' AS v");
  Feed(2);
  ASSERT_TRUE(query->ProcessAllAvailable().ok());
  EXPECT_THAT(seen, ElementsAre("Row(k=1, v='one')", "Row(k=2, v=None)", "Row(k=2, v='two')"));
  // Another type of a column the query was planned with.
  Commit(2, "SELECT 3 AS k, 3 AS v", MetadataLine("integer"));
  Feed(3);
  arrow::Status status = query->ProcessAllAvailable();
  EXPECT_THAT(status.ToString(), HasSubstr("DELTA_SCHEMA_CHANGE_SINCE_ANALYSIS"));
}

}  // namespace
}  // namespace millrace
