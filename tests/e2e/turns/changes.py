"""Queries that go on in another form than they were begun in: what is kept of the beginning, what is refused."""

from turn_cases import EVENTS, SIDES, case, one

KEYED = [one("a 1, b 2, a 3", "c 5, a 6"), one("b 7, d 9, a 10"), one("a 1, e 2")]
STORES = "spark.sql.streaming.stateStore."


@case(rounds=KEYED, mode="update", by_round=True, fails=(1,))
def another_key(spark, frame, number):
    keys = ["k", "v"] if number == 1 else ["k"]
    return frame.groupBy(*keys).count()


@case(rounds=KEYED, mode="update", by_round=True, fails=(1,))
def another_operator(spark, frame, number):
    return frame.dropDuplicates(["k"]).select("k") if number == 1 else frame.groupBy("k").count().select("k")


@case(rounds=EVENTS, by_round=True, fails=(1,), reads=())
def without_its_operator(spark, frame, number):
    from pyspark.sql import functions as F

    frame = frame.withWatermark("t", "10 seconds")
    return frame.select("k") if number == 1 else frame.dropDuplicates(["k", "t"]).select("k")


@case(rounds=SIDES, by_round=True, fails=(1,), reads=({"joinSide": "left"}, {"joinSide": "right"}), providers=("join3",))
def another_column_in_a_join(spark, left, right, number):
    from pyspark.sql import functions as F

    more = ["v + 1 AS w"] if number == 1 else []
    left = left.withWatermark("t", "5 seconds").selectExpr("k AS lk", "v AS lv", "t AS lt", *more)
    right = right.withWatermark("t", "8 seconds").selectExpr("k AS rk", "v AS rv", "t AS rt")
    return left.join(right, F.expr("lk = rk AND rt BETWEEN lt AND lt + INTERVAL 6 SECONDS"), "leftOuter")


@case(rounds=KEYED, mode="update", confs={1: {STORES + "checkpointFormatVersion": "2"}}, fails=(1,), providers=("rocksdb",), reads=())
def ids_later(spark, frame):
    return frame.groupBy("k").count()


@case(rounds=KEYED, mode="update", confs={1: {STORES + "checkpointFormatVersion": "1"}}, fails=(1,), providers=("ids_changelog",), reads=())
def no_ids_later(spark, frame):
    return frame.groupBy("k").count()


@case(rounds=KEYED, mode="update", conf={STORES + "checkpointFormatVersion": "2"}, fails=(0, 1, 2), reads=())
def ids_of_the_default_store(spark, frame):
    return frame.groupBy("k").count()


@case(rounds=SIDES, conf={"spark.sql.streaming.join.stateFormatVersion": "3"}, fails=(0, 1, 2, 3), reads=())
def join_families_of_the_default_store(spark, left, right):
    return left.join(right.selectExpr("k", "v AS rv"), "k")
