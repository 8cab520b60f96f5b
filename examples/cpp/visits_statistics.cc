// Visits from a topic, with state: how many each page had in windows of ten minutes, or each visit once.
//
//   visits_statistics [KAFKA] [CHECKPOINT_DIR] [INPUT_TOPIC] [OUTPUT_TOPIC] [count|deduplicate] [available-now]
//                     [MAX_OFFSETS_PER_TRIGGER] [STATE_PARTITIONS]

#include <millrace/millrace.h>

#include <iostream>

namespace {

using millrace::DataFrame;
using millrace::functions::Col;

// Every window as it stands after each micro-batch that changed it.
DataFrame CountByPage(const DataFrame& visits) {
  return visits.GroupBy({millrace::functions::Window(Col("event_time"), "10 minutes"), Col("page")})
      .Count()
      .SelectExpr({"page AS key", "TO_JSON(STRUCT(window.start AS start, page, count)) AS value"});
}

DataFrame EachOnce(const DataFrame& visits) {
  return visits.DropDuplicates({"event_id", "event_time"}).SelectExpr({"TO_JSON(STRUCT(*)) AS value"});
}

arrow::Status Run(const std::vector<std::string>& arguments) {
  ARROW_ASSIGN_OR_RAISE(millrace::Session spark,
                        millrace::Session::Builder().AppName("visits-statistics").GetOrCreate());
  spark.StopOnSignals();
  ARROW_RETURN_NOT_OK(spark.SetConf("spark.sql.shuffle.partitions", arguments[7]));
  millrace::DataStreamReader reader = spark.ReadStream();
  reader.Format("kafka")
      .Option("kafka.bootstrap.servers", arguments[0])
      .Option("subscribe", arguments[2])
      .Option("startingOffsets", "EARLIEST");
  if (!arguments[6].empty()) reader.Option("maxOffsetsPerTrigger", arguments[6]);
  DataFrame visits = reader.Load()
                         .SelectExpr({"FROM_JSON(CAST(value AS STRING), "
                                      "'event_id STRING, visit_id LONG, event_time TIMESTAMP, page STRING') AS visit"})
                         .SelectExpr({"visit.*"})
                         .WithWatermark("event_time", "10 minutes");
  bool count = arguments[4] == "count";
  millrace::DataStreamWriter writer = (count ? CountByPage(visits) : EachOnce(visits)).WriteStream();
  writer.OutputMode(count ? "update" : "append")
      .Format("kafka")
      .Option("kafka.bootstrap.servers", arguments[0])
      .Option("topic", arguments[3])
      .Option("checkpointLocation", arguments[1]);
  if (arguments[5] == "available-now") writer.SetTrigger(millrace::Trigger::AvailableNow());
  ARROW_ASSIGN_OR_RAISE(millrace::StreamingQuery query, writer.Start());
  return query.AwaitTermination();
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> arguments = {
      "localhost:9094", "/tmp/millrace/visits-statistics", "visits", "visits_statistics", "count", "", "", "2"};
  for (int i = 1; i < argc && i <= 8; ++i) arguments[static_cast<size_t>(i) - 1] = argv[i];
  arrow::Status status = Run(arguments);
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
