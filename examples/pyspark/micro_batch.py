"""A stream in micro-batches: visits of a Kafka topic, printed by foreachBatch with the partition each comes from.

    ./run kafka start && ./run kafka create visits 2
    build/release/millrace generate visits --kafka localhost:9092 --topic visits &
    build/release/millrace submit examples/pyspark/micro_batch.py localhost:9092 /tmp/micro-batch

Stop it with Ctrl-C and start it again: it goes on after the last micro-batch that succeeded. Kill it in the middle of
one, and that one runs again, whole.
"""

import sys

from pyspark import TaskContext
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

VISIT = "visit_id STRING, event_time TIMESTAMP, page STRING"


def print_visits(visits: DataFrame, batch_id: int):
    def print_partition(rows):
        for row in rows:
            print(f"Partition[{TaskContext.get().partitionId()}] > {row.visit_id} {row.page}", flush=True)

    print(f"Micro-batch {batch_id}", flush=True)
    visits.foreachPartition(print_partition)


def main(servers, folder, *options):
    spark = SparkSession.builder.appName("micro-batch").getOrCreate()
    visits = (spark.readStream.format("kafka").option("kafka.bootstrap.servers", servers).option("subscribe", "visits")
              .option("startingOffsets", "earliest").option("maxOffsetsPerTrigger", 10).load()
              .select(F.from_json(F.col("value").cast("string"), VISIT).alias("visit")).select("visit.*"))
    writer = visits.writeStream.option("checkpointLocation", f"{folder}/checkpoint").foreachBatch(print_visits)
    # --once: what is there now, then end.
    trigger = {"availableNow": True} if "--once" in options else {"processingTime": "20 seconds"}
    writer.trigger(**trigger).start().awaitTermination()


if __name__ == "__main__":
    main(*sys.argv[1:])
