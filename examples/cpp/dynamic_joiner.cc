// The dynamic joiner: visits of pages get the advertisement shown on the page within two minutes of the visit,
// whichever of the two arrives first. A visit that no advertisement can come for any more leaves without one.
//
//   dynamic_joiner [KAFKA] [CHECKPOINT_DIR] [VISITS_TOPIC] [ADS_TOPIC] [OUTPUT_TOPIC]

#include <millrace/millrace.h>

#include <iostream>

namespace {

millrace::DataFrame ReadTopic(const millrace::Session& spark, const std::string& kafka, const std::string& topic,
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
                  const std::string& ads_topic, const std::string& output) {
  ARROW_ASSIGN_OR_RAISE(
      millrace::Session spark,
      millrace::Session::Builder().AppName("dynamic-joiner").Config("spark.sql.shuffle.partitions", "2").GetOrCreate());
  spark.StopOnSignals();
  millrace::DataFrame visits =
      ReadTopic(spark, kafka, visits_topic, "visit_id STRING, event_time TIMESTAMP, page STRING")
          .WithColumnRenamed("page", "visit_page")
          .WithWatermark("event_time", "10 minutes");
  millrace::DataFrame ads =
      ReadTopic(spark, kafka, ads_topic, "page STRING, display_time TIMESTAMP, campaign_name STRING")
          .WithWatermark("display_time", "10 minutes");
  millrace::Column shown_during_visit = millrace::functions::Expr(
      "page = visit_page AND display_time BETWEEN event_time AND event_time + INTERVAL 2 minutes");
  ARROW_ASSIGN_OR_RAISE(millrace::StreamingQuery query, visits.Join(ads, shown_during_visit, "left_outer")
                                                            .SelectExpr({"TO_JSON(STRUCT(*)) AS value"})
                                                            .WriteStream()
                                                            .Format("kafka")
                                                            .Option("kafka.bootstrap.servers", kafka)
                                                            .Option("topic", output)
                                                            .Option("checkpointLocation", checkpoint)
                                                            .Start());
  return query.AwaitTermination();
}

}  // namespace

int main(int argc, char** argv) {
  auto argument = [&](int i, const char* fallback) { return std::string(i < argc ? argv[i] : fallback); };
  arrow::Status status = Run(argument(1, "localhost:9094"), argument(2, "/tmp/millrace/dynamic-joiner"),
                             argument(3, "visits"), argument(4, "ads"), argument(5, "visits-enriched"));
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
