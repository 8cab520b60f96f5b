"""Micro-batches given to a Python function that does nothing: prints the median milliseconds of a micro-batch, as JSON.

Usage: empty_foreach_batch.py BATCHES
"""

import json
import statistics
import sys
import time

from pyspark.sql import SparkSession

wanted = int(sys.argv[1])
spark = SparkSession.builder.appName("empty-foreach-batch").config("spark.sql.streaming.numRecentProgressUpdates", "1000").getOrCreate()
query = (spark.readStream.format("rate-micro-batch").option("rowsPerBatch", "100").option("numPartitions", "1").load()
         .writeStream.foreachBatch(lambda frame, batch_id: None).start())
while len(query.recentProgress) < wanted + 10:
    time.sleep(0.1)
query.stop()
print(json.dumps(statistics.median(progress["durationMs"]["triggerExecution"] for progress in query.recentProgress[10:])))
spark.stop()
