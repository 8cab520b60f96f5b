// The sidecar pipeline: visits are enriched with a Delta table of devices, which may change while the query runs. Each
// micro-batch goes into two tables, rows and counts; each write is numbered, so that it is done once.
//
//   visits_enricher [KAFKA] [DIR: holds devices, gets the tables and the checkpoint] [TOPIC] [STARTING_OFFSETS]

#include <millrace/millrace.h>

#include <iostream>

namespace {

constexpr const char* kSchema =
    "visit_id STRING, event_time TIMESTAMP, user_id STRING, page STRING, context STRUCT<referral: STRING, ad_id: "
    "STRING, user: STRUCT<ip: STRING, login: STRING, connected_since: TIMESTAMP>, technical: STRUCT<browser: STRING, "
    "browser_version: STRING, network_type: STRING, device_type: STRING, device_version: STRING>>";

arrow::Status Append(const millrace::DataFrame& rows, int64_t batch_id, const std::string& table) {
  millrace::DataFrameWriter writer = rows.Write();
  writer.Format("delta").Mode("append").Option("txnAppId", "app-1").Option("txnVersion", std::to_string(batch_id));
  return writer.Save(table);
}

arrow::Status Run(const std::string& kafka, const std::string& directory, const std::string& topic,
                  const std::string& starting) {
  ARROW_ASSIGN_OR_RAISE(millrace::Session spark, millrace::Session::Builder().AppName("visits-enricher").GetOrCreate());
  spark.StopOnSignals();
  millrace::DataFrame visits =
      spark.ReadStream()
          .Format("kafka")
          .Option("kafka.bootstrap.servers", kafka)
          .Option("subscribe", topic)
          .Option("startingOffsets", starting)
          .Load()
          .SelectExpr({std::string("from_json(CAST(value AS STRING), '") + kSchema + "') AS value"})
          .SelectExpr({"value.*"});
  millrace::DataFrame enriched = visits.Join(
      spark.Read().Format("delta").Load(directory + "/devices"),
      millrace::functions::Expr("context.technical.device_type = type AND context.technical.device_version = version"),
      "left_outer");
  auto write = [directory](const millrace::DataFrame& rows, int64_t batch_id) {
    ARROW_RETURN_NOT_OK(Append(rows, batch_id, directory + "/visits_enriched_raw"));
    auto counts = rows.GroupBy({millrace::Column("type"), millrace::Column("version")}).Count();
    auto stats = counts.WithColumn("batch_id", millrace::Lit(static_cast<int32_t>(batch_id)));
    return Append(stats, batch_id, directory + "/devices_stats2");
  };
  millrace::DataStreamWriter writer = enriched.WriteStream();
  writer.Option("checkpointLocation", directory + "/checkpoint").ForeachBatch(write);
  ARROW_ASSIGN_OR_RAISE(millrace::StreamingQuery query, writer.Start());
  return query.AwaitTermination();
}

}  // namespace

int main(int argc, char** argv) {
  auto argument = [&](int i, const char* fallback) { return std::string(i < argc ? argv[i] : fallback); };
  arrow::Status status = Run(argument(1, "localhost:9094"), argument(2, "/tmp/millrace/sidecar"), argument(3, "visits"),
                             argument(4, "LATEST"));
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
