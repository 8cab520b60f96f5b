"""The pipelines of examples/cpp/visits_statistics.cc on real Spark, for ./run bench --peers.

    visits_statistics.py KAFKA CHECKPOINT_DIR INPUT_TOPIC OUTPUT_TOPIC count|deduplicate [available-now]
                         [MAX_OFFSETS_PER_TRIGGER] [STATE_PARTITIONS]
"""

import os
import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

kafka, checkpoint, source, target, what, *rest = sys.argv[1:] + [""] * 3
builder = SparkSession.builder.master("local[*]").config("spark.ui.enabled", "false")
builder = builder.config("spark.driver.extraClassPath", os.path.join(os.environ["MILLRACE_PEERS"], "jars", "*"))
builder = builder.config("spark.driver.memory", "2g").config("spark.sql.shuffle.partitions", rest[2] or "2")
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
reader = spark.readStream.format("kafka").option("kafka.bootstrap.servers", kafka).option("subscribe", source)
reader = reader.option("startingOffsets", "EARLIEST")
if rest[1]:
    reader = reader.option("maxOffsetsPerTrigger", rest[1])
visit = "event_id STRING, visit_id LONG, event_time TIMESTAMP, page STRING"
visits = (
    reader.load()
    .selectExpr(f"FROM_JSON(CAST(value AS STRING), '{visit}') AS visit")
    .selectExpr("visit.*")
    .withWatermark("event_time", "10 minutes")
)
if what == "count":
    result = (
        visits.groupBy(F.window("event_time", "10 minutes"), "page")
        .count()
        .selectExpr("page AS key", "TO_JSON(STRUCT(window.start AS start, page, count)) AS value")
    )
else:
    result = visits.dropDuplicates(["event_id", "event_time"]).selectExpr("TO_JSON(STRUCT(*)) AS value")
writer = result.writeStream.outputMode("update" if what == "count" else "append").format("kafka")
writer = writer.option("kafka.bootstrap.servers", kafka).option("topic", target).option("checkpointLocation", checkpoint)
if rest[0]:
    writer = writer.trigger(availableNow=True)
writer.start().awaitTermination()
