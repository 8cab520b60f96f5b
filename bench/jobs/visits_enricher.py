"""Visits joined with a Delta table of devices, into Delta tables, for ./run bench enrichment; runs on Millrace and on real Spark.

    visits_enricher.py KAFKA DIR TOPIC table|foreach-batch [MAX_OFFSETS_PER_TRIGGER]

`table` writes the joined visits by the Delta sink; `foreach-batch` writes two tables a micro-batch, as the sidecar does.
"""

import os
import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

kafka, folder, topic, what, *rest = sys.argv[1:]
builder = SparkSession.builder.master("local[*]").config("spark.ui.enabled", "false")
if "MILLRACE_PEERS" in os.environ:
    builder = builder.config("spark.driver.extraClassPath", os.path.join(os.environ["MILLRACE_PEERS"], "jars", "*"))
builder = builder.config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
builder = builder.config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
builder = builder.config("spark.driver.memory", "3g").config("spark.sql.shuffle.partitions", 2)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("ERROR")

versions = {
    "lenovo": ["Windows 10", "Windows 11", "Ubuntu 22"],
    "galaxy": ["Android 11", "Android 13", "Android Pie"],
    "htc": ["Android 14", "Android 12L", "Android 10"],
    "lg": ["Android 10", "Android 13", "Android 14"],
    "iphone": ["iOS 13", "iOS 14", "iOS 17"],
    "mac": ["macOS Sonoma", "macOS Ventura", "macOS Monterey"],
}
devices = [(kind, version, f"{kind} with {version}") for kind in versions for version in versions[kind]]
devices = spark.createDataFrame(devices, "type STRING, version STRING, full_name STRING")
devices.write.format("delta").mode("overwrite").save(f"{folder}/devices")

visit = (
    "visit_id STRING, event_time TIMESTAMP, user_id STRING, page STRING, context STRUCT<referral: STRING, ad_id: STRING, "
    "user: STRUCT<ip: STRING, login: STRING, connected_since: TIMESTAMP>, technical: STRUCT<browser: STRING, "
    "browser_version: STRING, network_type: STRING, device_type: STRING, device_version: STRING>>"
)
reader = spark.readStream.format("kafka").option("kafka.bootstrap.servers", kafka).option("subscribe", topic)
reader = reader.option("startingOffsets", "EARLIEST")
if rest and rest[0]:
    reader = reader.option("maxOffsetsPerTrigger", rest[0])
visits = reader.load().select(F.from_json(F.col("value").cast("string"), visit).alias("value")).selectExpr("value.*")
enriched = visits.join(
    spark.read.format("delta").load(f"{folder}/devices"),
    F.expr("context.technical.device_type = type AND context.technical.device_version = version"),
    "left_outer",
)


def append(rows, number, table):
    rows.write.format("delta").mode("append").option("txnAppId", "app").option("txnVersion", number).save(table)


def write(rows, number):
    append(rows, number, f"{folder}/visits_enriched")
    append(rows.groupBy("type", "version").count().withColumn("batch_id", F.lit(number)), number, f"{folder}/devices_stats")


writer = enriched.writeStream.option("checkpointLocation", f"{folder}/checkpoint").trigger(availableNow=True)
if what == "table":
    query = writer.format("delta").start(f"{folder}/visits_enriched")
else:
    query = writer.foreachBatch(write).start()
query.awaitTermination()
