// Prints every record of a topic: its value, partition and offset.
//
//   topic_reader [KAFKA] [TOPIC]

#include <millrace/millrace.h>

#include <iostream>

namespace {

arrow::Status Run(const std::string& kafka, const std::string& topic) {
  ARROW_ASSIGN_OR_RAISE(millrace::Session spark, millrace::Session::Builder().AppName("topic-reader").GetOrCreate());
  return spark.Read()
      .Format("kafka")
      .Option("kafka.bootstrap.servers", kafka)
      .Option("subscribe", topic)
      .Option("startingOffsets", "earliest")
      .Option("endingOffsets", "latest")
      .Load()
      .SelectExpr({"CAST(value AS STRING)", "partition", "offset"})
      .Show(1000, 0);
}

}  // namespace

int main(int argc, char** argv) {
  arrow::Status status = Run(argc > 1 ? argv[1] : "localhost:9094", argc > 2 ? argv[2] : "visits_transformed");
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
