"""Operators with state, alone and in chains."""

from turn_cases import ALL, EVENTS, SIDES, case, one

KEYED = [one("a 1, b 2, a 3, ~ 4", "c 5, a 6"), one("b 7, ~ 8, d 9, a 10"), one("d ~, e 1")]


def watermarked(frame, delay="10 seconds"):
    return frame.withWatermark("t", delay)


@case(rounds=EVENTS, uncommitted=(1,), providers=("memory", "changelog"))
def windows(spark, frame):
    from pyspark.sql import functions as F

    return (watermarked(frame).groupBy(F.window("t", "20 seconds", "10 seconds"), "k")
            .agg(F.count("*").alias("n"), F.sum("v").alias("total"), F.max("v").alias("most")))


@case(rounds=EVENTS, mode="update", uncommitted=(0, 2), providers=("rocksdb",))
def windows_update(spark, frame):
    from pyspark.sql import functions as F

    return watermarked(frame).groupBy(F.window("t", "20 seconds")).agg(F.avg("v").alias("mean"), F.min("k").alias("first"))


@case(rounds=KEYED, mode="complete", uncommitted=(0,), providers=("memory", "rocksdb"))
def many_aggregates(spark, frame):
    return frame.groupBy("k").agg(*AGGREGATES()).orderBy("k")


def AGGREGATES():
    from pyspark.sql import functions as F

    number, decimal = F.col("v"), F.expr("CAST(v / 3 AS DECIMAL(20, 6))")
    return [F.count("v").alias("n"), F.sum("v").alias("total"), F.avg("v").alias("mean"), F.sum(decimal).alias("exact"),
            F.avg(decimal).alias("exact_mean"), F.sum(F.expr("CAST(v AS DECIMAL(5, 1))")).alias("small"), F.first("v").alias("first"),
            F.last("v", True).alias("last"), F.stddev("v").alias("deviation"), F.var_pop("v").alias("variance"), F.skewness("v").alias("skew"),
            F.corr(number, number * number).alias("corr"), F.max(F.struct("v", "k")).alias("most"), F.min_by("k", "v").alias("least"),
            F.bool_and(number > 2).alias("every"), F.bit_xor("v").alias("bits"), F.expr("count_if(v > 3)").alias("large"),
            F.sum(F.expr("try_divide(v, v - 3)")).alias("ratio"), F.expr("regr_slope(v, v + 1)").alias("slope"),
            F.expr("any_value(k)").alias("any"), F.expr("sum(make_dt_interval(0, v))").alias("time")]


@case(rounds=KEYED, mode="update", uncommitted=(1,))
def keys_of_many_types(spark, frame):
    from pyspark.sql import functions as F

    keys = ["CAST(v % 2 AS DOUBLE) * -0.0 AS zero", "IF(v > 4, DOUBLE('NaN'), 1.5) AS d", "CAST(v % 3 AS DECIMAL(30, 2)) AS dc", "k AS s",
            "CAST(k AS BINARY) AS b", "DATE'2024-01-01' + v % 2 AS day", "named_struct('x', k, 'y', v % 2) AS st",
            "array(v % 2, NULL) AS ar", "CAST(v % 2 AS BYTE) AS i1", "v % 2 = 0 AS even", "make_dt_interval(v % 2) AS dt"]
    return frame.groupBy(*[F.expr(key) for key in keys]).count()


@case(rounds=KEYED, mode="complete")
def totals(spark, frame):
    return frame.selectExpr("count(*) AS n", "sum(v) AS total")


@case(rounds=KEYED, mode="update")
def cube(spark, frame):
    from pyspark.sql import functions as F

    return frame.cube("k", (F.col("v") % 2).alias("odd")).count()


@case(rounds=KEYED, uncommitted=(0,))
def duplicates(spark, frame):
    return frame.dropDuplicates(["k"]).select("k")


@case(rounds=EVENTS, uncommitted=(1,), providers=("changelog",))
def duplicates_by_time(spark, frame):
    from pyspark.sql import functions as F

    return watermarked(frame.withColumn("t", F.expr("date_trunc('MINUTE', t)"))).dropDuplicates(["k", "t"]).select("k", "t")


@case(rounds=EVENTS, uncommitted=(0, 1), providers=ALL)
def duplicates_within_watermark(spark, frame):
    return watermarked(frame).dropDuplicatesWithinWatermark(["k"])


@case(rounds=EVENTS, uncommitted=(1,), providers=ALL)
def sessions(spark, frame):
    from pyspark.sql import functions as F

    return watermarked(frame).groupBy(F.session_window("t", "12 seconds"), "k").agg(F.count("*").alias("n"), F.sum("v").alias("total"))


@case(rounds=EVENTS, uncommitted=(0,), providers=("changelog",))
def sessions_of_dynamic_gap(spark, frame):
    from pyspark.sql import functions as F

    gap = F.expr("IF(k = 'a', '20 seconds', '3 seconds')")
    return watermarked(frame).groupBy("k", F.session_window("t", gap)).agg(F.avg("v").alias("mean"), F.max("v").alias("most"))


@case(rounds=EVENTS, mode="complete")
def sessions_complete(spark, frame):
    from pyspark.sql import functions as F

    return watermarked(frame).groupBy(F.session_window("t", "12 seconds"), "k").count()


@case(rounds=KEYED)
def limit(spark, frame):
    return frame.limit(6)


@case(rounds=EVENTS)
def distinct(spark, frame):
    return watermarked(frame).selectExpr("k", "date_trunc('MINUTE', t) AS minute", "t").distinct()


def both(*operators):
    return tuple({"operatorId": str(one)} for one in operators)


@case(rounds=EVENTS, reads=both(0, 1), uncommitted=(1,), providers=("memory", "changelog"))
def windows_of_windows(spark, frame):
    from pyspark.sql import functions as F

    small = watermarked(frame).groupBy(F.window("t", "5 seconds"), "k").agg(F.count("*").alias("n"))
    return small.groupBy(F.window(F.window_time("window"), "20 seconds")).agg(F.sum("n").alias("n"), F.count("*").alias("windows"))


@case(rounds=EVENTS, reads=both(0, 1), uncommitted=(0,), providers=("rocksdb",))
def duplicates_then_windows(spark, frame):
    from pyspark.sql import functions as F

    return watermarked(frame).dropDuplicatesWithinWatermark(["k"]).groupBy(F.window("t", "20 seconds")).agg(F.sum("v").alias("total"))


@case(rounds=EVENTS, reads=both(0, 1, 2))
def three_in_a_chain(spark, frame):
    from pyspark.sql import functions as F

    sessions = (watermarked(frame).dropDuplicates(["k", "t"]).groupBy(F.session_window("t", "12 seconds"), "k")
                .agg(F.count("*").alias("n")))
    return sessions.groupBy(F.window(F.window_time("session_window"), "1 minute")).agg(F.sum("n").alias("n"))


@case(rounds=SIDES,
      reads=({"operatorId": "0"}, {"operatorId": "1", "joinSide": "left"}, {"operatorId": "1", "joinSide": "right"}), uncommitted=(1,), providers=("memory", "changelog"))
def join_then_windows(spark, left, right):
    from pyspark.sql import functions as F
    from joins import joined

    return joined(left, right, "leftOuter").groupBy(F.window("lt", "10 seconds")).agg(F.count("rv").alias("found"), F.count("*").alias("n"))


@case(rounds=SIDES, reads=({"joinSide": "left"}, {"operatorId": "1"}, {"operatorId": "2"}))
def windows_joined(spark, left, right):
    from pyspark.sql import functions as F

    def counted(frame, name):
        return watermarked(frame, "5 seconds").groupBy(F.window("t", "10 seconds"), "k").agg(F.count("*").alias(name))

    return counted(left, "ln").join(counted(right, "rn"), ["window", "k"], "fullOuter")


@case(rounds=SIDES, reads=both(0))
def union_counted(spark, left, right):
    from pyspark.sql import functions as F

    return left.withWatermark("t", "5 seconds").union(right.withWatermark("t", "8 seconds")).groupBy(F.window("t", "10 seconds")).count()


@case(rounds=KEYED, mode="update", providers=("memory", "rocksdb"), uncommitted=(0, 1))
def objects_in_state(spark, frame):
    """Aggregates whose buffers are objects in Spark; of those whose result depends on the order of values, one value a group."""
    from pyspark.sql import functions as F

    return frame.groupBy("k").agg(
        F.size(F.collect_list("v")).alias("listed"), F.sort_array(F.collect_set(F.col("v") % 3)).alias("rest"),
        F.approx_count_distinct("v").alias("distinct"), F.percentile("v", F.lit(0.3)).alias("third"), F.median("v").alias("middle"),
        F.percentile(F.expr("CAST(v / 4 AS DECIMAL(10, 2))"), [0.0, 0.5, 1.0]).alias("three"), F.expr("mode(v % 2, true)").alias("often"),
        F.expr("mode(k)").alias("key"), F.expr("listagg(k, '-')").alias("keys"), F.expr("histogram_numeric(v, 2)").alias("bins"))
