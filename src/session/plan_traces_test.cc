#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/error.h"
#include "session/session.h"
#include "spark/connect/base.pb.h"
#include "spark/connect/commands.pb.h"
#include "spark/connect/relations.pb.h"

/// Plans as the real PySpark client sends them: written here, and recorded ones where their folder is at hand.

namespace millrace::session {
namespace {

namespace connect = spark::connect;

std::shared_ptr<Session> NewSession() {
  auto session = Session::Create(std::make_shared<Engine>(1));
  (void)session->conf().Set("spark.sql.session.timeZone", "UTC");
  return session;
}

std::string SchemaOf(const std::string& relation_text) {
  connect::Relation relation;
  if (!google::protobuf::TextFormat::ParseFromString(relation_text, &relation)) return "not a relation";
  auto schema = NewSession()->Schema(relation);
  return schema.ok() ? (*schema)->ToDdl() : schema.status().message();
}

TEST(PlanTest, GroupByWindowNamesItsColumn) {
  EXPECT_EQ(SchemaOf(R"pb(
              aggregate {
                group_type: GROUP_TYPE_GROUPBY
                input { sql { query: "SELECT timestamp'2024-01-01 00:00:00' AS ts, 1 AS v" } }
                grouping_expressions {
                  unresolved_function {
                    function_name: "window"
                    arguments { unresolved_attribute { unparsed_identifier: "ts" } }
                    arguments { literal { string: "10 minutes" } }
                    arguments { literal { string: "5 minutes" } }
                  }
                }
                grouping_expressions { unresolved_attribute { unparsed_identifier: "v" } }
                aggregate_expressions {
                  alias {
                    name: "n"
                    expr {
                      unresolved_function {
                        function_name: "count"
                        arguments { literal { integer: 1 } }
                      }
                    }
                  }
                }
              })pb"),
            "window STRUCT<start: TIMESTAMP, end: TIMESTAMP>,v INT NOT NULL,n BIGINT NOT NULL");
}

TEST(PlanTest, WatermarkMarksTheColumn) {
  connect::Relation relation;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(with_watermark {
             input {
               read {
                 is_streaming: true
                 data_source { format: "rate" }
               }
             }
             event_time: "timestamp"
             delay_threshold: "10 seconds"
           })pb",
      &relation));
  auto plan = NewSession()->Analyze(relation);
  ASSERT_TRUE(plan.ok()) << plan.status().ToString();
  EXPECT_EQ((*plan)->output()[0]->metadata_json(), R"({"spark.watermarkDelayMs":10000})");
}

TEST(PlanTest, PivotMakesAColumnAValue) {
  EXPECT_EQ(SchemaOf(R"pb(
              aggregate {
                group_type: GROUP_TYPE_PIVOT
                input { sql { query: "SELECT 'a' AS k, 'x' AS c, 1 AS v" } }
                grouping_expressions { unresolved_attribute { unparsed_identifier: "k" } }
                pivot {
                  col { unresolved_attribute { unparsed_identifier: "c" } }
                  values { string: "x" }
                  values { string: "y" }
                }
                aggregate_expressions {
                  unresolved_function {
                    function_name: "count"
                    arguments { unresolved_attribute { unparsed_identifier: "v" } }
                  }
                }
              })pb"),
            "k STRING NOT NULL,x BIGINT,y BIGINT");
}

// The relations in one recorded conversation, in order.
std::vector<connect::Relation> RecordedPlans(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  std::vector<connect::Relation> plans;
  for (size_t at = text.find("### "); at != std::string::npos;) {
    size_t next = text.find("\n### ", at);
    std::string block = text.substr(at, next == std::string::npos ? next : next - at);
    at = next == std::string::npos ? next : next + 1;
    if (block.find(" REQ ExecutePlan ") == std::string::npos) continue;
    connect::ExecutePlanRequest request;
    if (!google::protobuf::TextFormat::ParseFromString(block.substr(block.find('\n')), &request)) continue;
    const connect::Plan& plan = request.plan();
    if (plan.has_root()) plans.push_back(plan.root());
    if (plan.command().has_write_stream_operation_start()) {
      plans.push_back(plan.command().write_stream_operation_start().input());
    }
    if (plan.command().has_write_operation()) plans.push_back(plan.command().write_operation().input());
  }
  return plans;
}

// What a plan may need that is not there: tables on the recorder's disk, frames of a running batch, Python workers.
bool NeedsItsPlace(const connect::Relation& relation) {
  std::string text = relation.ShortDebugString();
  for (const char* word :
       {"cached_remote_relation", "map_partitions", "\"delta\"", "\"json\"", "\"parquet\"", "\"csv\""}) {
    if (text.find(word) != std::string::npos) return true;
  }
  return false;
}

TEST(PlanTest, RecordedPlansOfRealJobsResolve) {
  std::filesystem::path folder = "../shared/connect-traces";
  if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << "no recorded plans";
  auto session = NewSession();
  int resolved = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".textproto") continue;
    for (const connect::Relation& plan : RecordedPlans(entry.path())) {
      if (NeedsItsPlace(plan)) continue;
      const connect::Relation& shown = plan.has_show_string() ? plan.show_string().input() : plan;
      auto analyzed = session->Analyze(shown);
      EXPECT_TRUE(analyzed.ok()) << entry.path() << "\n"
                                 << analyzed.status().ToString() << "\n"
                                 << shown.ShortDebugString();
      resolved += analyzed.ok() ? 1 : 0;
    }
  }
  EXPECT_GT(resolved, 0);
}

}  // namespace
}  // namespace millrace::session
