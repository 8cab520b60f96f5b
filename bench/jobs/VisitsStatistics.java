// The pipelines of examples/cpp/visits_statistics.cc (windowed count) and visits_converter.cc on Apache Flink in this
// process, for ./run bench --peers. Ends when the topic, as it was at the start, is read.
//
//   java -cp 'JARS/*' VisitsStatistics.java KAFKA CHECKPOINT_DIR INPUT_TOPIC OUTPUT_TOPIC count|convert

import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;

public class VisitsStatistics {
  public static void main(String[] arguments) throws Exception {
    String kafka = arguments[0], checkpoint = arguments[1], source = arguments[2], target = arguments[3];
    boolean count = arguments[4].equals("count");
    TableEnvironment flink = TableEnvironment.create(EnvironmentSettings.inStreamingMode());
    flink.getConfig().set("parallelism.default", String.valueOf(Runtime.getRuntime().availableProcessors()));
    flink.getConfig().set("table.local-time-zone", "UTC");
    flink.getConfig().set("execution.checkpointing.interval", "10 s");
    flink.getConfig().set("restart-strategy.type", "none");
    flink.getConfig().set("execution.checkpointing.dir", "file://" + checkpoint);
    String topic = " WITH ('connector' = 'kafka', 'format' = 'json', 'properties.bootstrap.servers' = '" + kafka + "', 'topic' = '";
    flink.executeSql(
        // Flink's JSON format reads no time with an offset from UTC.
        "CREATE TABLE visits (event_id STRING, visit_id BIGINT, event_time STRING, page STRING,"
            + " visited_at AS CAST(REPLACE(SUBSTRING(event_time, 1, 19), 'T', ' ') AS TIMESTAMP(3)),"
            + " WATERMARK FOR visited_at AS visited_at - INTERVAL '10' MINUTE)" + topic + source
            + "', 'scan.startup.mode' = 'earliest-offset',"
            + " 'scan.bounded.mode' = 'latest-offset')");
    flink.executeSql("CREATE TABLE output ("
        + (count ? "`start` TIMESTAMP(3), page STRING, `count` BIGINT NOT NULL"
                 : "event_identifier STRING, visit_identifier BIGINT, event_time TIMESTAMP(3), visited_page STRING")
        + ")" + topic + target + "')");
    flink.executeSql("INSERT INTO output "
        + (count ? "SELECT window_start, page, COUNT(*) FROM TABLE(TUMBLE(TABLE visits, DESCRIPTOR(visited_at),"
                   + " INTERVAL '10' MINUTES)) GROUP BY window_start, window_end, page"
                 : "SELECT event_id, visit_id, visited_at, page FROM visits"))
        .await();
  }
}
