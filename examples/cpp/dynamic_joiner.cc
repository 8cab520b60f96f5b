// The dynamic joiner: visits of pages get the advertisement shown on the page within two minutes of the visit,
// whichever of the two arrives first. A visit that no advertisement can come for any more leaves without one.
//
//   dynamic_joiner [KAFKA] [CHECKPOINT_DIR] [VISITS_TOPIC] [ADS_TOPIC] [OUTPUT_TOPIC] [available-now]
//                  [STARTING_OFFSETS] [MAX_OFFSETS_PER_TRIGGER: of each topic]

#include <millrace/millrace.h>

#include <iostream>

using namespace millrace;
namespace {

using Arguments = std::vector<std::string>;

DataFrame ReadTopic(const Session& spark, const Arguments& arguments, const std::string& topic, const char* schema) {
  DataStreamReader reader = spark.ReadStream();
  reader.Format("kafka").Option("kafka.bootstrap.servers", arguments[0]).Option("subscribe", topic);
  reader.Option("startingOffsets", arguments[6]);
  if (!arguments[7].empty()) reader.Option("maxOffsetsPerTrigger", arguments[7]);
  return reader.Load()
      .SelectExpr({"FROM_JSON(CAST(value AS STRING), '" + std::string(schema) + "') AS record"})
      .SelectExpr({"record.*"});
}

arrow::Status Run(const Arguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(
      Session spark,
      Session::Builder().AppName("dynamic-joiner").Config("spark.sql.shuffle.partitions", "2").GetOrCreate());
  spark.StopOnSignals();
  DataFrame visits = ReadTopic(spark, arguments, arguments[2], "visit_id STRING, event_time TIMESTAMP, page STRING")
                         .WithColumnRenamed("page", "visit_page")
                         .WithWatermark("event_time", "10 minutes");
  DataFrame ads = ReadTopic(spark, arguments, arguments[3], "page STRING, display_time TIMESTAMP, campaign_name STRING")
                      .WithWatermark("display_time", "10 minutes");
  Column shown_during_visit =
      functions::Expr("page = visit_page AND display_time BETWEEN event_time AND event_time + INTERVAL 2 minutes");
  DataStreamWriter writer =
      visits.Join(ads, shown_during_visit, "left_outer").SelectExpr({"TO_JSON(STRUCT(*)) AS value"}).WriteStream();
  writer.Format("kafka").Option("kafka.bootstrap.servers", arguments[0]).Option("topic", arguments[4]);
  if (arguments[5] == "available-now") writer.SetTrigger(Trigger::AvailableNow());
  ARROW_ASSIGN_OR_RAISE(StreamingQuery query, writer.Option("checkpointLocation", arguments[1]).Start());
  return query.AwaitTermination();
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments = {"localhost:9094", "/tmp/dynamic-joiner", "visits", "ads", "visits-enriched", "", "LATEST", ""};
  for (int i = 1; i < argc && i <= 8; ++i) arguments[static_cast<size_t>(i) - 1] = argv[i];
  arrow::Status status = Run(arguments);
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
