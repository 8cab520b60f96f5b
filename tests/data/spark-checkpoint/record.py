#!/usr/bin/env python3
"""Makes the checkpoints of this folder with real Apache Spark 4.2: python record.py DATA_FOLDER KAFKA_SERVERS JARS OUT

DATA_FOLDER becomes part of the logged paths (the committed ones say /data/stream). JARS holds spark-sql-kafka-0-10 and its
dependencies. Every query leaves OUT/<name>/: checkpoint/ (as Spark wrote it, without the hidden .crc files), progress.jsonl (one
StreamingQueryProgress a line), output/ for file sinks, console.txt for the console sink.
"""
import contextlib
import json
import os
import shutil
import sys
import time

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

data, servers, jars, out = sys.argv[1:5]
spark = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
         .config("spark.driver.extraClassPath", jars + "/*").config("spark.sql.shuffle.partitions", "2")
         .config("spark.sql.session.timeZone", "UTC").config("spark.driver.extraJavaOptions", "-Duser.timezone=UTC")
         .config("spark.sql.warehouse.dir", data + "/warehouse").getOrCreate())
spark.sparkContext.setLogLevel("ERROR")


def place(name):
    folder = f"{data}/{name}"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    return folder


def write_file(path, lines, mtime):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write("".join(line + "\n" for line in lines))
    os.utime(path, (mtime, mtime))


def keep(name, query):
    """Copies what the query left."""
    target = f"{out}/{name}"
    os.makedirs(target, exist_ok=True)
    for part in ("checkpoint", "output"):
        if os.path.isdir(f"{data}/{name}/{part}"):
            shutil.copytree(f"{data}/{name}/{part}", f"{target}/{part}", dirs_exist_ok=True,
                            ignore=shutil.ignore_patterns(".*.crc", "*.tmp"))
    with open(f"{target}/progress.jsonl", "w") as file:
        file.writelines(progress.json() + "\n" for progress in query._jsq.recentProgress())
    with open(f"{target}/progress.pretty.json", "w") as file:
        file.write(query._jsq.lastProgress().prettyJson() + "\n")


def run(name, writer, **trigger):
    query = writer.option("checkpointLocation", f"{data}/{name}/checkpoint").trigger(**trigger or {"availableNow": True}).start()
    query.awaitTermination()
    keep(name, query)
    return query


def visits(folder, files, start=0):
    for i in range(start, start + files):
        rows = [{"id": i * 10 + k, "page": f"p{k}", "ts": f"2024-01-01T00:{i:02}:{k:02}Z"} for k in range(3)]
        write_file(f"{folder}/in/visits {i:03}.json", [json.dumps(r) for r in rows], 1704067200 + i)


SCHEMA = "id INT, page STRING, ts TIMESTAMP"


def files(name, count, **options):
    folder = place(name)
    visits(folder, count)
    return folder, spark.readStream.schema(SCHEMA).options(**options).json(f"{folder}/in")


# Files to files: source log and sink log pass their first compaction (9.compact), the path has a space.
folder, frame = files("file-to-file", 12, maxFilesPerTrigger="1")
run("file-to-file", frame.select("id", "page").writeStream.format("json").option("path", f"{folder}/output"))

# Two source files, then the query is started again with one more: the offsets go on.
folder, frame = files("file-restarted", 2)
run("file-restarted", frame.writeStream.format("parquet").option("path", f"{folder}/output").partitionBy("page"))
visits(folder, 1, start=2)
run("file-restarted", frame.writeStream.format("parquet").option("path", f"{folder}/output").partitionBy("page"))

# A sink that fails in batch 2: offsets/2 is there, commits/2 is not.
folder, frame = files("batch-not-committed", 4, maxFilesPerTrigger="1")


def fail_in_batch_2(rows, batch_id):
    rows.collect()
    if batch_id == 2:
        raise ValueError("batch 2 fails")


query = frame.writeStream.foreachBatch(fail_in_batch_2).option("checkpointLocation", f"{folder}/checkpoint").trigger(availableNow=True).start()
with contextlib.suppress(Exception):
    query.awaitTermination()
keep("batch-not-committed", query)

# Rate: one second a batch, three batches, then an empty one may follow.
folder = place("rate")
query = (spark.readStream.format("rate").option("rowsPerSecond", 3).load().writeStream.format("json").option("path", f"{folder}/output")
         .option("checkpointLocation", f"{folder}/checkpoint").trigger(processingTime="1 second").start())
while len([p for p in query.recentProgress if p.numInputRows > 0]) < 3:
    time.sleep(0.2)
query.stop()
keep("rate", query)

folder = place("rate-micro-batch")
query = (spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 4).option("startTimestamp", 1704067200000)
         .option("advanceMillisPerBatch", 1000).load().writeStream.format("json").option("path", f"{folder}/output")
         .option("checkpointLocation", f"{folder}/checkpoint").trigger(processingTime="1 second").start())
while len([p for p in query.recentProgress if p.numInputRows > 0]) < 2:
    time.sleep(0.2)
query.stop()
keep("rate-micro-batch", query)

# Console: the text of every batch goes to standard output; the caller keeps it.
folder, frame = files("console", 2, maxFilesPerTrigger="1")
print("CONSOLE BEGIN", flush=True)
run("console", frame.writeStream.format("console").option("truncate", "false"))
print("CONSOLE END", flush=True)

# State: windows with a watermark in append mode, and running counts in update mode (two partitions each).
folder, frame = files("windowed-count", 6, maxFilesPerTrigger="2")
run("windowed-count", frame.withWatermark("ts", "1 minute").groupBy(F.window("ts", "1 minute"), "page").count()
    .writeStream.format("json").option("path", f"{folder}/output"))
folder, frame = files("running-count", 3, maxFilesPerTrigger="1")
run("running-count", frame.groupBy("page").count().writeStream.outputMode("update").format("noop"))
folder, frame = files("dedup", 3, maxFilesPerTrigger="1")
run("dedup", frame.withWatermark("ts", "1 minute").dropDuplicates(["page", "ts"]).writeStream.format("json").option("path", f"{folder}/output"))

# Two sources, one of them without data at first.
folder, frame = files("two-sources", 2, maxFilesPerTrigger="1")
os.makedirs(f"{folder}/in2")
other = spark.readStream.schema(SCHEMA).json(f"{folder}/in2")
run("two-sources", frame.union(other).writeStream.format("noop"))

if servers != "-":
    rows = spark.range(10).selectExpr("CAST(id AS STRING) AS key", "concat('{\"id\":', id, '}') AS value", "CAST(id % 2 AS INT) AS partition")
    rows.withColumn("topic", F.lit("numbers")).write.format("kafka").option("kafka.bootstrap.servers", servers).save()

    def kafka(**options):
        return (spark.readStream.format("kafka").option("kafka.bootstrap.servers", servers).option("subscribe", "numbers")
                .option("startingOffsets", "earliest").options(**options).load())

    place("kafka-to-kafka")
    run("kafka-to-kafka", kafka(maxOffsetsPerTrigger="4").selectExpr("key", "value").writeStream.format("kafka")
        .option("kafka.bootstrap.servers", servers).option("topic", "copies"))
    folder = place("kafka-to-file")
    frame = kafka(includeHeaders="true").selectExpr("CAST(value AS STRING) AS value", "partition", "offset")
    run("kafka-to-file", frame.writeStream.format("json").option("path", f"{folder}/output"))
    rows.withColumn("topic", F.lit("numbers")).limit(3).write.format("kafka").option("kafka.bootstrap.servers", servers).save()
    run("kafka-to-file", frame.writeStream.format("json").option("path", f"{folder}/output"))
spark.stop()
