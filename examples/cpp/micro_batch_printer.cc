// The micro-batch demo: every 20 seconds a micro-batch of at most 10 visits, each printed with the partition whose task
// had it. Stop it and start it again: it goes on after its last successful micro-batch; kill it inside one, and that
// micro-batch runs again whole.
//
//   micro_batch_printer [KAFKA] [CHECKPOINT_DIR] [TOPIC] [TRIGGER_SECONDS]

#include <millrace/millrace.h>

#include <iostream>
#include <mutex>

namespace {

arrow::Status PrintVisits(const millrace::DataFrame& visits, int64_t) {
  std::cout << "✍️ Printing visits" << std::endl;
  std::mutex printing;
  return visits.ForeachPartition([&](int partition_id, const std::vector<millrace::Row>& rows) {
    std::lock_guard lock(printing);
    for (const millrace::Row& visit : rows) {
      std::cout << "Partition[" << partition_id << "] > Printing visit=" << visit.ToString() << std::endl;
    }
    return arrow::Status::OK();
  });
}

arrow::Status Run(const std::string& kafka, const std::string& checkpoint, const std::string& topic, int seconds) {
  ARROW_ASSIGN_OR_RAISE(millrace::Session spark, millrace::Session::Builder().AppName("micro-batch").GetOrCreate());
  spark.StopOnSignals();
  millrace::DataFrame visits =
      spark.ReadStream()
          .Format("kafka")
          .Option("kafka.bootstrap.servers", kafka)
          .Option("subscribe", topic)
          .Option("startingOffsets", "EARLIEST")
          .Option("maxOffsetsPerTrigger", "10")
          .Load()
          .SelectExpr(
              {"FROM_JSON(CAST(value AS STRING), 'visit_id STRING, event_time TIMESTAMP, page STRING') AS visit"})
          .SelectExpr({"visit.*"});
  ARROW_ASSIGN_OR_RAISE(millrace::StreamingQuery query,
                        visits.WriteStream()
                            .Option("checkpointLocation", checkpoint)
                            .SetTrigger(millrace::Trigger::ProcessingTime(std::chrono::seconds(seconds)))
                            .ForeachBatch(PrintVisits)
                            .Start());
  return query.AwaitTermination();
}

}  // namespace

int main(int argc, char** argv) {
  auto argument = [&](int i, const char* fallback) { return std::string(i < argc ? argv[i] : fallback); };
  arrow::Status status = Run(argument(1, "localhost:9094"), argument(2, "/tmp/millrace/micro-batch"),
                             argument(3, "visits"), std::stoi(argument(4, "20")));
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
