"""One round of a stateful query over rate-micro-batch sources, and its state afterwards: a PySpark job for either engine.

    job.py CHECKPOINT KIND PROVIDER

KIND: count, dedup, within, join, session. PROVIDER: hdfs, zip (RocksDB, a snapshot a version), changelog. Each call is one run with
availableNow: one micro-batch of data and those without that follow. Prints a JSON object a line: {"batch": N, "row": {…}} for what
came out, {"state": NAME, "row": {…}} for what the statestore source shows, sorted.
"""

import json
import pathlib
import shutil
import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

STATE = "org.apache.spark.sql.execution.streaming.state."


def confs(provider):
    return {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.streaming.stateStore.providerClass":
            STATE + ("HDFSBackedStateStoreProvider" if provider == "hdfs" else "RocksDBStateStoreProvider"),
        "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled": str(provider == "changelog").lower(),
        "spark.sql.streaming.stateStore.minDeltasForSnapshot": "2",
        "spark.sql.streaming.stateStore.maintenanceInterval": "100ms",
    }


def numbers(spark, rows=40):
    """Four seconds of event time a round, a few values late."""
    raw = (spark.readStream.format("rate-micro-batch").option("rowsPerBatch", rows).option("startTimestamp", 1704067200000)
           .option("advanceMillisPerBatch", 4000).load())
    time = "timestamp_millis(unix_millis(timestamp) + value % 40 * 100 - CASE WHEN value % 17 = 0 THEN 9000 ELSE 0 END)"
    return raw.selectExpr("value", f"{time} AS ts")


def query(spark, kind):
    if kind == "join":
        left = numbers(spark).selectExpr("value % 10 AS k", "value AS a", "ts AS left_ts").withWatermark("left_ts", "2 seconds")
        right = (numbers(spark, 30).where("value % 3 = 0").selectExpr("value % 10 AS other", "concat('r', value) AS b", "ts AS right_ts")
                 .withWatermark("right_ts", "1 second"))
        near = F.expr("k = other AND right_ts >= left_ts - INTERVAL 1 SECOND AND right_ts <= left_ts + INTERVAL 2 SECONDS")
        return left.join(right, near, "leftOuter")
    rows = numbers(spark)
    if kind in ("dedup", "within"):
        keyed = rows.selectExpr("concat('key ', value % 8) AS k", "date_trunc('SECOND', ts) AS ts", "value").withWatermark("ts", "2 seconds")
        return keyed.dropDuplicates(["k", "ts"]) if kind == "dedup" else keyed.dropDuplicatesWithinWatermark(["k"])
    rows = rows.withWatermark("ts", "2 seconds")
    if kind == "count":
        grouped = rows.groupBy(F.window("ts", "3 seconds"), (F.col("value") % 5).alias("k"))
        return grouped.agg(F.count("*").alias("n"), F.sum("value").alias("total"), F.max(F.col("value").cast("string")).alias("m"))
    grouped = rows.where("value % 4 = 1").groupBy(F.session_window("ts", "1 second"), (F.col("value") % 3).alias("k"))
    return grouped.agg(F.count("*").alias("n"))


def run(spark, checkpoint, kind, provider):
    """The lines of one round."""
    for key, value in confs(provider).items():
        spark.conf.set(key, value)
    # Through files: the function may run in another process.
    out = pathlib.Path(f"{checkpoint}.out")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)

    def texts(frame):
        return sorted(row.json for row in frame.select(F.to_json(F.struct("*")).alias("json")).collect())

    def keep(frame, batch_id):
        (out / f"{batch_id:06}").write_text("".join(text + "\n" for text in texts(frame)))

    (query(spark, kind).writeStream.outputMode("append").foreachBatch(keep).option("checkpointLocation", str(checkpoint))
     .trigger(availableNow=True).start().awaitTermination())
    lines = [{"batch": int(path.name), "row": json.loads(text)} for path in sorted(out.iterdir()) for text in path.read_text().splitlines()]
    for side in ("left", "right") if kind == "join" else ("none",):
        state = spark.read.format("statestore").option("joinSide", side).load(str(checkpoint))
        lines.extend({"state": side, "row": json.loads(text)} for text in texts(state))
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)


if __name__ == "__main__":
    print(run(SparkSession.builder.getOrCreate(), *sys.argv[1:4]), end="", flush=True)
