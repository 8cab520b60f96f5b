// The reprocessing job: rows that the synchroniser kept are converted again, as the streaming converter does, and sent
// to its output topic. The first two arguments are the first and last offset.
//
//   visits_reprocessor FIRST_OFFSET LAST_OFFSET [KAFKA] [TABLE_DIR] [OUTPUT_TOPIC]

#include <millrace/millrace.h>

#include <iostream>

namespace {

arrow::Status Run(const std::string& first, const std::string& last, const std::string& kafka, const std::string& table,
                  const std::string& output) {
  ARROW_ASSIGN_OR_RAISE(millrace::Session spark,
                        millrace::Session::Builder().AppName("visits-reprocessor").GetOrCreate());
  return spark.Read()
      .Format("delta")
      .Load(table)
      .Where("offset >= " + first + " AND offset <= " + last)
      .SelectExpr({"FROM_JSON(CAST(value AS STRING), "
                   "'event_id STRING, visit_id LONG, event_time TIMESTAMP, page STRING') AS visit"})
      .SelectExpr({"visit.event_id AS event_identifier", "visit.visit_id AS visit_identifier", "visit.event_time",
                   "visit.page AS visited_page"})
      .SelectExpr({"TO_JSON(STRUCT(*)) AS value"})
      .Write()
      .Format("kafka")
      .Option("kafka.bootstrap.servers", kafka)
      .Option("topic", output)
      .Save();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: visits_reprocessor FIRST_OFFSET LAST_OFFSET [KAFKA] [TABLE_DIR] [OUTPUT_TOPIC]\n";
    return 2;
  }
  auto argument = [&](int i, const char* fallback) { return std::string(i < argc ? argv[i] : fallback); };
  arrow::Status status = Run(argv[1], argv[2], argument(3, "localhost:9094"), argument(4, "/tmp/millrace/visits_table"),
                             argument(5, "visits_transformed"));
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
