// The synchroniser of the reprocessor pipeline: every raw record of a topic goes into a Delta table, with the partition
// and offset it had, partitioned by the hour of its event.
//
//   data_synchronizer [KAFKA] [TABLE_DIR] [CHECKPOINT_DIR] [TOPIC] [available-now] [MAX_OFFSETS_PER_TRIGGER]

#include <millrace/millrace.h>

#include <iostream>

namespace {

arrow::Status Run(const std::string& kafka, const std::string& table, const std::string& checkpoint,
                  const std::string& topic, bool available_now, const std::string& max_offsets) {
  ARROW_ASSIGN_OR_RAISE(millrace::Session spark,
                        millrace::Session::Builder().AppName("data-synchronizer").GetOrCreate());
  spark.StopOnSignals();

  millrace::DataStreamReader reader = spark.ReadStream();
  reader.Format("kafka")
      .Option("kafka.bootstrap.servers", kafka)
      .Option("subscribe", topic)
      .Option("startingOffsets", "EARLIEST");
  if (!max_offsets.empty()) reader.Option("maxOffsetsPerTrigger", max_offsets);
  millrace::DataFrame visits =
      reader.Load()
          .SelectExpr({"CAST(value AS STRING)", "partition", "offset"})
          .SelectExpr({"value", "partition", "offset",
                       "FROM_JSON(value, 'event_id STRING, visit_id LONG, event_time TIMESTAMP, page STRING') AS data"})
          .SelectExpr({"value", "partition", "offset", "year(data.event_time) AS year",
                       "month(data.event_time) AS month", "dayofmonth(data.event_time) AS day",
                       "hour(data.event_time) AS hour"});

  millrace::DataStreamWriter writer = visits.WriteStream();
  writer.Format("delta").Option("checkpointLocation", checkpoint).PartitionBy({"year", "month", "day", "hour"});
  if (available_now) writer.SetTrigger(millrace::Trigger::AvailableNow());
  ARROW_ASSIGN_OR_RAISE(millrace::StreamingQuery query, writer.Start(table));
  return query.AwaitTermination();
}

}  // namespace

int main(int argc, char** argv) {
  auto argument = [&](int i, const char* fallback) { return std::string(i < argc ? argv[i] : fallback); };
  arrow::Status status = Run(argument(1, "localhost:9094"), argument(2, "/tmp/millrace/visits_table"),
                             argument(3, "/tmp/millrace/checkpoint-synchronizer"), argument(4, "visits"),
                             argument(5, "") == "available-now", argument(6, ""));
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
