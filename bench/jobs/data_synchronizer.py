"""The synchroniser of examples/cpp/data_synchronizer.cc on real Spark, for ./run bench --peers.

    data_synchronizer.py KAFKA TABLE_DIR CHECKPOINT_DIR TOPIC [available-now] [MAX_OFFSETS_PER_TRIGGER]
"""

import os
import sys

from pyspark.sql import SparkSession

kafka, table, checkpoint, topic, *rest = sys.argv[1:]
builder = SparkSession.builder.master("local[*]").config("spark.ui.enabled", "false")
builder = builder.config("spark.driver.extraClassPath", os.path.join(os.environ["MILLRACE_PEERS"], "jars", "*"))
builder = builder.config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
builder = builder.config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
builder = builder.config("spark.driver.memory", "2g")
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
reader = spark.readStream.format("kafka").option("kafka.bootstrap.servers", kafka).option("subscribe", topic)
reader = reader.option("startingOffsets", "EARLIEST")
if len(rest) > 1 and rest[1]:
    reader = reader.option("maxOffsetsPerTrigger", rest[1])
visit = "event_id STRING, visit_id LONG, event_time TIMESTAMP, page STRING"
visits = (
    reader.load()
    .selectExpr("CAST(value AS STRING)", "partition", "offset")
    .selectExpr("value", "partition", "offset", f"FROM_JSON(value, '{visit}') AS data")
    .selectExpr("value", "partition", "offset", "year(data.event_time) AS year", "month(data.event_time) AS month",
                "dayofmonth(data.event_time) AS day", "hour(data.event_time) AS hour")
)
writer = visits.writeStream.format("delta").option("checkpointLocation", checkpoint)
writer = writer.partitionBy("year", "month", "day", "hour")
if rest and rest[0]:
    writer = writer.trigger(availableNow=True)
writer.start(table).awaitTermination()
