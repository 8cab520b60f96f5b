// The streaming converter of the reprocessor pipeline: visits arrive as JSON in one topic and leave, with other column
// names, in another. Stopped or killed and started again, it goes on where it was.
//
//   visits_converter [KAFKA] [CHECKPOINT_DIR] [INPUT_TOPIC] [OUTPUT_TOPIC] [available-now] [MAX_OFFSETS_PER_TRIGGER]

#include <millrace/millrace.h>

#include <iostream>

namespace {

arrow::Status Run(const std::string& kafka, const std::string& checkpoint, const std::string& input,
                  const std::string& output, bool available_now, const std::string& max_offsets) {
  ARROW_ASSIGN_OR_RAISE(millrace::Session spark,
                        millrace::Session::Builder().AppName("visits-converter").GetOrCreate());
  spark.StopOnSignals();

  millrace::DataStreamReader reader = spark.ReadStream();
  reader.Format("kafka")
      .Option("kafka.bootstrap.servers", kafka)
      .Option("subscribe", input)
      .Option("startingOffsets", "EARLIEST");
  if (!max_offsets.empty()) reader.Option("maxOffsetsPerTrigger", max_offsets);
  millrace::DataFrame converted =
      reader.Load()
          .SelectExpr({"FROM_JSON(CAST(value AS STRING), "
                       "'event_id STRING, visit_id LONG, event_time TIMESTAMP, page STRING') AS visit"})
          .SelectExpr({"visit.event_id AS event_identifier", "visit.visit_id AS visit_identifier", "visit.event_time",
                       "visit.page AS visited_page"})
          .SelectExpr({"TO_JSON(STRUCT(*)) AS value"});

  millrace::DataStreamWriter writer = converted.WriteStream();
  writer.Format("kafka")
      .Option("kafka.bootstrap.servers", kafka)
      .Option("topic", output)
      .Option("checkpointLocation", checkpoint);
  if (available_now) writer.SetTrigger(millrace::Trigger::AvailableNow());
  ARROW_ASSIGN_OR_RAISE(millrace::StreamingQuery query, writer.Start());
  return query.AwaitTermination();
}

}  // namespace

int main(int argc, char** argv) {
  auto argument = [&](int i, const char* fallback) { return std::string(i < argc ? argv[i] : fallback); };
  arrow::Status status =
      Run(argument(1, "localhost:9094"), argument(2, "/tmp/millrace/visits-converter"), argument(3, "visits"),
          argument(4, "visits_transformed"), argument(5, "") == "available-now", argument(6, ""));
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
