"""The joiner of examples/cpp/dynamic_joiner.cc on real Spark, for tests with peers and ./run bench --peers.

    dynamic_joiner.py KAFKA CHECKPOINT_DIR VISITS_TOPIC ADS_TOPIC OUTPUT_TOPIC [available-now] [STARTING_OFFSETS]
                      [MAX_OFFSETS_PER_TRIGGER]
"""

import os
import sys

from pyspark.sql import SparkSession, functions as F

kafka, checkpoint, visits_topic, ads_topic, target, *rest = sys.argv[1:]
builder = SparkSession.builder.master("local[*]").config("spark.ui.enabled", "false")
builder = builder.config("spark.driver.extraClassPath", os.path.join(os.environ["MILLRACE_PEERS"], "jars", "*"))
builder = builder.config("spark.driver.memory", "2g").config("spark.sql.shuffle.partitions", 2)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("ERROR")


def read(topic, schema):
    reader = spark.readStream.format("kafka").option("kafka.bootstrap.servers", kafka).option("subscribe", topic)
    reader = reader.option("startingOffsets", rest[1] if len(rest) > 1 else "LATEST")
    if len(rest) > 2 and rest[2]:
        reader = reader.option("maxOffsetsPerTrigger", rest[2])
    return reader.load().selectExpr(f"FROM_JSON(CAST(value AS STRING), '{schema}') AS record").selectExpr("record.*")


visits = read(visits_topic, "visit_id STRING, event_time TIMESTAMP, page STRING")
visits = visits.withColumnRenamed("page", "visit_page").withWatermark("event_time", "10 minutes")
ads = read(ads_topic, "page STRING, display_time TIMESTAMP, campaign_name STRING").withWatermark("display_time", "10 minutes")
shown = F.expr("page = visit_page AND display_time BETWEEN event_time AND event_time + INTERVAL 2 minutes")
joined = visits.join(ads, shown, "left_outer").selectExpr("TO_JSON(STRUCT(*)) AS value")
writer = joined.writeStream.format("kafka").option("kafka.bootstrap.servers", kafka).option("topic", target)
writer = writer.option("checkpointLocation", checkpoint)
if rest and rest[0]:
    writer = writer.trigger(availableNow=True)
writer.start().awaitTermination()
