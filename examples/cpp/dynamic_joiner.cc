// The dynamic joiner: visits of pages get the advertisement shown on the page within two minutes of the visit,
// whichever of the two arrives first. A visit that no advertisement can come for any more leaves without one.
//
//   dynamic_joiner [KAFKA] [CHECKPOINT_DIR] [VISITS_TOPIC] [ADS_TOPIC] [OUTPUT_TOPIC] [available-now]

#include <millrace/millrace.h>

#include <iostream>

using namespace millrace;
namespace {

DataFrame ReadTopic(const Session& spark, const std::string& kafka, const std::string& topic,
                    const std::string& schema) {
  return spark.ReadStream()
      .Format("kafka")
      .Option("kafka.bootstrap.servers", kafka)
      .Option("subscribe", topic)
      .Option("startingOffsets", "LATEST")
      .Load()
      .SelectExpr({"FROM_JSON(CAST(value AS STRING), '" + schema + "') AS record"})
      .SelectExpr({"record.*"});
}

arrow::Status Run(const std::string& kafka, const std::string& checkpoint, const std::string& visits_topic,
                  const std::string& ads_topic, const std::string& output, bool available_now) {
  ARROW_ASSIGN_OR_RAISE(
      Session spark,
      Session::Builder().AppName("dynamic-joiner").Config("spark.sql.shuffle.partitions", "2").GetOrCreate());
  spark.StopOnSignals();
  DataFrame visits = ReadTopic(spark, kafka, visits_topic, "visit_id STRING, event_time TIMESTAMP, page STRING")
                         .WithColumnRenamed("page", "visit_page")
                         .WithWatermark("event_time", "10 minutes");
  DataFrame ads = ReadTopic(spark, kafka, ads_topic, "page STRING, display_time TIMESTAMP, campaign_name STRING")
                      .WithWatermark("display_time", "10 minutes");
  Column shown_during_visit =
      functions::Expr("page = visit_page AND display_time BETWEEN event_time AND event_time + INTERVAL 2 minutes");
  ARROW_ASSIGN_OR_RAISE(
      StreamingQuery query,
      visits.Join(ads, shown_during_visit, "left_outer")
          .SelectExpr({"TO_JSON(STRUCT(*)) AS value"})
          .WriteStream()
          .Format("kafka")
          .Option("kafka.bootstrap.servers", kafka)
          .Option("topic", output)
          .Option("checkpointLocation", checkpoint)
          .SetTrigger(available_now ? Trigger::AvailableNow() : Trigger::ProcessingTime(std::chrono::seconds(0)))
          .Start());
  return query.AwaitTermination();
}

}  // namespace

int main(int argc, char** argv) {
  auto argument = [&](int i, const char* fallback) { return std::string(i < argc ? argv[i] : fallback); };
  arrow::Status status = Run(argument(1, "localhost:9094"), argument(2, "/tmp/dynamic-joiner"), argument(3, "visits"),
                             argument(4, "ads"), argument(5, "visits-enriched"), argument(6, "") == "available-now");
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
