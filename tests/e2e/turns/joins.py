"""Joins of two streams."""

from turn_cases import ALL, SIDES, case, one

SIDE_READS = ({"joinSide": "left"}, {"joinSide": "right"})


def joined(left, right, how):
    from pyspark.sql import functions as F

    left = left.withWatermark("t", "5 seconds").selectExpr("k AS lk", "v AS lv", "t AS lt")
    right = right.withWatermark("t", "8 seconds").selectExpr("k AS rk", "v AS rv", "t AS rt")
    near = F.expr("lk = rk AND rt BETWEEN lt - INTERVAL 2 SECONDS AND lt + INTERVAL 6 SECONDS")
    return left.join(right, near, how)


@case(rounds=SIDES, reads=SIDE_READS, uncommitted=(1,))
def inner(spark, left, right):
    return joined(left, right, "inner")


@case(rounds=SIDES, reads=SIDE_READS, uncommitted=(1,), providers=("memory", "rocksdb"))
def left_outer(spark, left, right):
    return joined(left, right, "leftOuter")


@case(rounds=SIDES, reads=SIDE_READS, uncommitted=(0,), providers=("rocksdb",))
def right_outer(spark, left, right):
    return joined(left, right, "rightOuter")


@case(rounds=SIDES, reads=SIDE_READS, uncommitted=(0, 1), providers=ALL)
def full_outer(spark, left, right):
    return joined(left, right, "fullOuter")


@case(rounds=SIDES, reads=SIDE_READS, uncommitted=(2,), providers=("memory", "changelog"))
def left_semi(spark, left, right):
    return joined(left, right, "leftSemi")


@case(rounds=SIDES, reads=SIDE_READS, conf={"spark.sql.streaming.multipleWatermarkPolicy": "max"})
def full_outer_with_the_larger_watermark(spark, left, right):
    return joined(left, right, "fullOuter")


@case(rounds=SIDES, reads=SIDE_READS)
def full_outer_of_windows(spark, left, right):
    from pyspark.sql import functions as F

    def windowed(frame, name):
        return frame.withWatermark("t", "5 seconds").select(F.window("t", "10 seconds").alias("w"), "k", F.col("v").alias(name))

    return windowed(left, "lv").join(windowed(right, "rv"), ["w", "k"], "fullOuter")


@case(rounds=SIDES, reads=SIDE_READS)
def inner_without_watermark(spark, left, right):
    return left.join(right.selectExpr("k", "v AS rv"), "k")


@case(rounds=SIDES, reads=tuple({**side, "operatorId": at} for at in ("0", "1") for side in SIDE_READS), providers=("changelog",))
def of_three(spark, left, right):
    """The third is the second once more."""
    from pyspark.sql import functions as F

    third = right.withWatermark("t", "8 seconds").selectExpr("k AS tk", "v AS tv", "t AS tt")
    near = F.expr("lk = tk AND tt BETWEEN lt AND lt + INTERVAL 9 SECONDS")
    return joined(left, right, "leftOuter").select("lk", "lv", "lt", "rv").join(third, near, "leftOuter")


@case(rounds=[one("a 1 00:05, b 2 00:10"), one("a 3 00:07, b 4 00:12"), one("a 5 01:00"), one("a 6 03:00")], reads=SIDE_READS)
def of_one_input_with_itself(spark, frame):
    return joined(frame, frame, "leftOuter")
