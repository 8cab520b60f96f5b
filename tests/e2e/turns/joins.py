"""Joins of two streams."""

from turn_cases import ALL, SIDES, case, one

SIDE_READS = ({"joinSide": "left"}, {"joinSide": "right"})


def joined(left, right, how):
    from pyspark.sql import functions as F

    left = left.withWatermark("t", "5 seconds").selectExpr("k AS lk", "v AS lv", "t AS lt")
    right = right.withWatermark("t", "8 seconds").selectExpr("k AS rk", "v AS rv", "t AS rt")
    near = F.expr("lk = rk AND rt BETWEEN lt - INTERVAL 2 SECONDS AND lt + INTERVAL 6 SECONDS")
    return left.join(right, near, how)


@case(rounds=SIDES, reads=SIDE_READS, uncommitted=(1,), providers=("memory", "join3", "join3_changelog", "every_format"))
def inner(spark, left, right):
    return joined(left, right, "inner")


@case(rounds=SIDES, reads=SIDE_READS, uncommitted=(1,), providers=("memory", "rocksdb"))
def left_outer(spark, left, right):
    return joined(left, right, "leftOuter")


@case(rounds=SIDES, reads=SIDE_READS, uncommitted=(0,), providers=("rocksdb",))
def right_outer(spark, left, right):
    return joined(left, right, "rightOuter")


@case(rounds=SIDES, reads=SIDE_READS, uncommitted=(0, 1), providers=ALL + ("ids", "ids_changelog"))
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


@case(rounds=SIDES, reads=SIDE_READS, uncommitted=(1,))
def left_semi_over_computed_columns(spark, left, right):
    """What is computed keeps the join above it."""
    from pyspark.sql import functions as F

    left = left.withWatermark("t", "5 seconds").selectExpr("k AS lk", "v * 2 AS lv", "t AS lt", "v")
    right = right.withWatermark("t", "8 seconds").selectExpr("k AS rk", "t AS rt")
    near = F.expr("lk = rk AND rt BETWEEN lt - INTERVAL 2 SECONDS AND lt + INTERVAL 6 SECONDS")
    return left.join(right, near, "leftSemi").select("lk", "lv")


@case(rounds=SIDES, reads=tuple({**side, "operatorId": at} for at in ("0", "1") for side in SIDE_READS))
def left_semi_over_a_union(spark, left, right):
    """A join for each input of the union."""
    from pyspark.sql import functions as F

    every = left.withWatermark("t", "5 seconds")
    every = every.where("v % 2 = 0").select("k", "t").union(every.where("v % 2 = 1").select("k", "t"))
    right = right.withWatermark("t", "8 seconds").selectExpr("k AS rk", "t AS rt")
    return every.join(right, F.expr("k = rk AND rt BETWEEN t - INTERVAL 2 SECONDS AND t + INTERVAL 6 SECONDS"), "leftSemi")


@case(rounds=SIDES, reads=SIDE_READS)
def left_semi_over_a_join(spark, left, right):
    from pyspark.sql import functions as F

    third = right.withWatermark("t", "8 seconds").selectExpr("k AS tk", "t AS tt")
    near = F.expr("lk = tk AND tt BETWEEN lt AND lt + INTERVAL 9 SECONDS")
    return joined(left, right, "inner").join(third, near, "leftSemi")


@case(rounds=SIDES, reads=SIDE_READS, uncommitted=(1,))
def left_outer_over_filters(spark, left, right):
    """Columns that only the filters below the join read are not in state."""
    from pyspark.sql import functions as F

    left = left.withWatermark("t", "5 seconds").where("coalesce(v, 0) % 5 <> 3").withColumnRenamed("k", "lk").withColumnRenamed("t", "lt")
    right = right.withWatermark("t", "8 seconds").withColumnRenamed("k", "rk").withColumnRenamed("t", "rt").where("length(concat(rk, v)) < 4")
    near = F.expr("lk = rk AND rt BETWEEN lt - INTERVAL 2 SECONDS AND lt + INTERVAL 6 SECONDS")
    return left.join(right, near, "leftOuter").select("lk", "rt")
