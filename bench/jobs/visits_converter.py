"""The converter of examples/cpp/visits_converter.cc on real Spark, for ./run bench --peers.

    visits_converter.py KAFKA CHECKPOINT_DIR INPUT_TOPIC OUTPUT_TOPIC [available-now] [MAX_OFFSETS_PER_TRIGGER]
"""

import os
import sys

from pyspark.sql import SparkSession

kafka, checkpoint, source, target, *rest = sys.argv[1:]
builder = SparkSession.builder.master("local[*]").config("spark.ui.enabled", "false")
builder = builder.config("spark.driver.extraClassPath", os.path.join(os.environ["MILLRACE_PEERS"], "jars", "*"))
builder = builder.config("spark.driver.memory", "2g")
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
reader = spark.readStream.format("kafka").option("kafka.bootstrap.servers", kafka).option("subscribe", source)
reader = reader.option("startingOffsets", "EARLIEST")
if len(rest) > 1 and rest[1]:
    reader = reader.option("maxOffsetsPerTrigger", rest[1])
visit = "event_id STRING, visit_id LONG, event_time TIMESTAMP, page STRING"
converted = (
    reader.load()
    .selectExpr(f"FROM_JSON(CAST(value AS STRING), '{visit}') AS visit")
    .selectExpr("visit.event_id AS event_identifier", "visit.visit_id AS visit_identifier", "visit.event_time",
                "visit.page AS visited_page")
    .selectExpr("TO_JSON(STRUCT(*)) AS value")
)
writer = converted.writeStream.format("kafka").option("kafka.bootstrap.servers", kafka).option("topic", target)
writer = writer.option("checkpointLocation", checkpoint)
if rest and rest[0]:
    writer = writer.trigger(availableNow=True)
writer.start().awaitTermination()
