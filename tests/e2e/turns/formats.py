"""State in the formats that are not Spark's defaults, purged and torn."""

from turn_cases import EVENTS, SIDES, case, one, two

MANY = [one(*[f"{'abcde'[at % 5]} {at} 00:{at:02}, {'fgh'[at % 3]} {at} 00:{at:02}" for at in range(first, first + 6)]) for first in (0, 6, 12, 18)]


def watermarked(frame, delay="10 seconds"):
    return frame.withWatermark("t", delay)


@case(rounds=MANY, torn=(1,), uncommitted=(2,), providers=("ids_changelog", "rocksdb_checksums"), tells_log=False,
      conf={"spark.sql.streaming.minBatchesToRetain": "3", "spark.sql.streaming.stateStore.minDeltasForSnapshot": "2"})
def many_batches_few_retained(spark, frame):
    from pyspark.sql import functions as F

    return watermarked(frame, "3 seconds").groupBy(F.window("t", "4 seconds"), "k").agg(F.sum("v").alias("total"))


@case(rounds=EVENTS, uncommitted=(1,), torn=(2,), providers=("ids_changelog",))
def windows_torn(spark, frame):
    from with_state import windows

    return windows(spark, frame)


@case(rounds=SIDES, reads=({"joinSide": "left"}, {"joinSide": "right"}), uncommitted=(1,), torn=(2,),
      providers=("join3", "ids_changelog"))
def left_outer_torn(spark, left, right):
    from joins import joined

    return joined(left, right, "leftOuter")


# Sessions that later rows join to one, over rounds and late.
BRIDGED = [one("a 1 00:05, a 2 00:25, a 3 00:45, b 4 00:05", "a 5 00:15, b 6 00:22"), one("a 7 00:35, b 8 00:13", "a 9 00:55, c 10 00:50"),
           one("c 11 00:58, c 12 00:42, ~ 13 00:57", "c 14 01:05"), one("d 15 03:00", "e 16 05:00")]


@case(rounds=BRIDGED, uncommitted=(0,), torn=(1,), providers=("ids", "checksums"))
def sessions_that_merge(spark, frame):
    from pyspark.sql import functions as F

    return (watermarked(frame, "40 seconds").groupBy("k", F.session_window("t", "12 seconds"))
            .agg(F.count("*").alias("n"), F.sum("v").alias("total"), F.sort_array(F.collect_list("v")).alias("all")))


# Keys that are NULL, rows that come twice, on both sides.
TWICE = [two(("~ 1 00:05, a 2 00:10, a 2 00:10", "~ 3 00:06, a 4 00:11, a 4 00:11"), ("b 5 00:14, ~ 6 00:15", "~ 7 00:13, b 8 00:15, b 8 00:15")),
         two(("b 5 00:14, a 9 00:12", "a 10 00:13, ~ 11 00:16")), two(("c 12 00:50, c ~ 00:51", "c ~ 00:52, ~ ~ 00:51"), ("d 13 02:00", "d 14 02:00")),
         two(("e 15 04:00", "e 16 04:01"))]


@case(rounds=TWICE, uncommitted=(0, 2), torn=(1,), providers=("join3", "every_format"), reads=({"joinSide": "left"}, {"joinSide": "right"}))
def joined_with_nulls_and_duplicates(spark, left, right):
    from joins import joined

    return joined(left, right, "fullOuter")


@case(rounds=TWICE, uncommitted=(1,), providers=("join3_changelog",), reads=({"joinSide": "left"}, {"joinSide": "right"}))
def joined_by_null_safe_equality(spark, left, right):
    from pyspark.sql import functions as F

    left = left.withWatermark("t", "5 seconds").selectExpr("k AS lk", "v AS lv", "t AS lt")
    right = right.withWatermark("t", "8 seconds").selectExpr("k AS rk", "v AS rv", "t AS rt")
    near = F.expr("lk <=> rk AND rt BETWEEN lt - INTERVAL 2 SECONDS AND lt + INTERVAL 6 SECONDS")
    return left.join(right, near, "leftOuter")


STORES = ("left-keyToNumValues", "left-keyWithIndexToValue", "right-keyToNumValues", "right-keyWithIndexToValue")


@case(rounds=SIDES, providers=("join3", "join3_changelog"), reads=tuple({"storeName": name} for name in STORES))
def stores_of_a_join(spark, left, right):
    from joins import joined

    return joined(left, right, "leftOuter")


NUMBERS = [one("a 1, a 2, a 3, b 4, ~ 5", "a 6, b 7, b 7, a ~"), one("a 8, b 9, c ~", "a 10, c 11"), one("c 12, a 1")]


def counted(key, frames, state):
    import pandas as pd

    seen = state.getOption or (0, "")
    seen = (seen[0] + sum(len(frame) for frame in frames), seen[1] + (key[0] or "-"))
    state.update(seen)
    yield pd.DataFrame({"k": [key[0]], "n": [seen[0]], "text": [seen[1]]})


@case(rounds=NUMBERS, mode="update", uncommitted=(0,), torn=(1,), providers=("ids_changelog", "checksums"))
def function_with_state(spark, frame):
    return frame.groupBy("k").applyInPandasWithState(counted, "k string, n long, text string", "n long, text string", "update", "NoTimeout")


@case(rounds=EVENTS, uncommitted=(1,), providers=("ids_changelog", "checksums"))
def stream_of_keys_that_are_null(spark, frame):
    return watermarked(frame).dropDuplicates(["k"]).select("k")
