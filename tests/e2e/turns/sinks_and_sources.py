"""Queries handed over with their source's or their sink's log."""

from turn_cases import EVENTS, case, one

PLAIN = [one("a 1, b 2", "a 3"), one("c 4, ~ 5", "", "d 6"), one("e 7"), one("f 8", "a 9, b ~")]
NO_STATE = ()


@case(rounds=PLAIN, sink="delta", reads=NO_STATE, uncommitted=(0, 1))
def files_to_delta(spark, frame):
    return frame.selectExpr("k", "v * 2 AS doubled")


@case(rounds=PLAIN, sink="delta", partition_by=("k",), reads=NO_STATE, uncommitted=(2,))
def files_to_partitioned_delta(spark, frame):
    return frame.select("k", "v")


@case(rounds=PLAIN, sink="delta", mode="complete", uncommitted=(1,))
def counts_to_delta(spark, frame):
    return frame.groupBy("k").count()


@case(rounds=EVENTS, sink="delta", uncommitted=(0, 1))
def windows_to_delta(spark, frame):
    from pyspark.sql import functions as F

    counted = frame.withWatermark("t", "10 seconds").groupBy(F.window("t", "10 seconds")).count()
    return counted.selectExpr("window.start AS start", "count")


@case(rounds=PLAIN, source="delta", source_options={"maxFilesPerTrigger": "1"}, sink="delta", reads=NO_STATE, uncommitted=(0, 2))
def delta_to_delta(spark, frame):
    return frame.selectExpr("k", "v + 1 AS more")


@case(rounds=PLAIN, source="delta", source_options={"maxBytesPerTrigger": "1b"}, reads=NO_STATE)
def delta_by_bytes(spark, frame):
    return frame


@case(rounds=PLAIN, source="delta", source_options={"startingVersion": "1"}, reads=NO_STATE, uncommitted=(1,))
def delta_from_a_version(spark, frame):
    return frame.select("k", "v")


@case(rounds=PLAIN, source="delta", source_options={"readChangeFeed": "true", "startingVersion": "0"}, reads=NO_STATE, uncommitted=(1,),
      conf={"spark.databricks.delta.properties.defaults.enableChangeDataFeed": "true"})
def delta_changes(spark, frame):
    return frame.select("k", "v", "_change_type", "_commit_version")


@case(rounds=EVENTS, source="delta", source_options={"maxFilesPerTrigger": "1"}, sink="delta", uncommitted=(0, 1))
def delta_to_windows_to_delta(spark, frame):
    from pyspark.sql import functions as F

    counted = frame.withWatermark("t", "10 seconds").groupBy(F.window("t", "20 seconds"), "k").count()
    return counted.selectExpr("window.end AS end", "k", "count")


@case(rounds=PLAIN, sink="tables", reads=NO_STATE, uncommitted=(0, 1))
def files_to_two_tables(spark, frame):
    return frame.select("k", "v")


@case(rounds=PLAIN, sink="parquet", reads=NO_STATE, uncommitted=(0, 1))
def files_to_parquet(spark, frame):
    return frame.select("k", "v")


@case(rounds=PLAIN, sink="json", partition_by=("k",), reads=NO_STATE, uncommitted=(1,))
def files_to_partitioned_json(spark, frame):
    return frame.select("k", "v")


@case(rounds=[one("a 1", "b 2", "c 3", "d 4"), one("e 5", "f 6", "g 7"), one("h 8", "i 9", "j 10", "k 11"), one("l 12", *"mnopqrstu")],
      sink="parquet", reads=NO_STATE)
def long_logs(spark, frame):
    """The logs of source and sink are compacted on the way."""
    return frame.select("k")


@case(rounds=PLAIN, reads=NO_STATE)
def with_a_static_table(spark, frame):
    other = spark.createDataFrame([("a", "first"), ("b", "second")], "k string, name string")
    return frame.join(other, "k", "left").select("k", "v", "name")


@case(rounds=[[], [], [], []], source="rate", source_options={"rowsPerSecond": "20"}, by_clock=True, uncommitted=(1, 2))
def pairs_by_the_second(spark, frame):
    pairs = frame.selectExpr("value div 2 AS pair", "value", "timestamp").withWatermark("timestamp", "1 hour")
    return pairs.dropDuplicatesWithinWatermark(["pair"]).selectExpr("pair", "value", "unix_millis(timestamp) AS at")
