// The taxi rides demo: rides come from Kafka as lines of text; the program prints them, prints how many each vendor
// had, and sends to a topic how many each vendor had in windows of ten minutes that begin every five.
//
//   rides_counter [KAFKA] [CHECKPOINT_DIR] [RIDES_TOPIC] [COUNTS_TOPIC] [TRIGGER_SECONDS]

#include <millrace/millrace.h>

#include <iostream>

namespace {

namespace f = millrace::functions;
using millrace::DataFrame;
using millrace::functions::Col;

millrace::Trigger Every(int seconds) { return millrace::Trigger::ProcessingTime(std::chrono::seconds(seconds)); }

DataFrame ParseRides(const DataFrame& records) {
  const std::vector<std::pair<std::string, std::string>> fields = {{"vendor_id", "int"},
                                                                   {"tpep_pickup_datetime", "timestamp"},
                                                                   {"tpep_dropoff_datetime", "timestamp"},
                                                                   {"passenger_count", "int"},
                                                                   {"trip_distance", "float"},
                                                                   {"payment_type", "int"},
                                                                   {"total_amount", "float"}};
  DataFrame lines = records.SelectExpr({"CAST(key AS STRING)", "split(CAST(value AS STRING), ', ') AS cells"});
  std::vector<std::string> columns;
  for (size_t i = 0; i < fields.size(); ++i) {
    columns.push_back("CAST(cells[" + std::to_string(i) + "] AS " + fields[i].second + ") AS " + fields[i].first);
  }
  return lines.SelectExpr(columns);
}

arrow::Result<millrace::StreamingQuery> Print(const DataFrame& rows, std::string_view mode, int seconds) {
  return rows.WriteStream()
      .OutputMode(mode)
      .SetTrigger(Every(seconds))
      .Format("console")
      .Option("truncate", "false")
      .Start();
}

arrow::Status Run(const std::string& kafka, const std::string& checkpoint, const std::string& rides_topic,
                  const std::string& counts_topic, int seconds) {
  ARROW_ASSIGN_OR_RAISE(millrace::Session spark, millrace::Session::Builder().AppName("rides").GetOrCreate());
  spark.StopOnSignals();
  DataFrame rides = ParseRides(spark.ReadStream()
                                   .Format("kafka")
                                   .Option("kafka.bootstrap.servers", kafka)
                                   .Option("subscribe", rides_topic)
                                   .Option("startingOffsets", "earliest")
                                   .Load());
  ARROW_ASSIGN_OR_RAISE(auto printed_rides, Print(rides, "append", seconds));
  ARROW_ASSIGN_OR_RAISE(auto printed_counts, Print(rides.GroupBy({Col("vendor_id")}).Count(), "complete", seconds));

  DataFrame windowed =
      rides.GroupBy({f::Window(Col("tpep_pickup_datetime"), "10 minutes", "5 minutes"), Col("vendor_id")}).Count();
  ARROW_ASSIGN_OR_RAISE(
      millrace::StreamingQuery sent,
      windowed.SelectExpr({"CAST(vendor_id AS STRING) AS key", "concat_ws(', ', CAST(count AS STRING)) AS value"})
          .WriteStream()
          .OutputMode("complete")
          .SetTrigger(Every(seconds))
          .Format("kafka")
          .Option("kafka.bootstrap.servers", kafka)
          .Option("topic", counts_topic)
          .Option("checkpointLocation", checkpoint)
          .Start());
  return spark.AwaitAnyTermination();
}

}  // namespace

int main(int argc, char** argv) {
  auto argument = [&](int i, const char* fallback) { return std::string(i < argc ? argv[i] : fallback); };
  arrow::Status status =
      Run(argument(1, "localhost:9094"), argument(2, "/tmp/millrace/rides"), argument(3, "rides_csv"),
          argument(4, "vendor_counts_windowed"), std::stoi(argument(5, "5")));
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
