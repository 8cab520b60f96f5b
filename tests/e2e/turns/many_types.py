"""State whose keys and values are of many types."""

from turn_cases import EVENTS, SIDES, case, one

TWO_ROUNDS = [one("a 1, b 2, a 3, ~ 4", "c 5, a 6, b ~"), one("b 7, ~ 8, d 9, a 10", "~ ~, e 1, a 2")]
TWO_OF_EVENTS = [EVENTS[0] + EVENTS[1], EVENTS[2]]
TWO_OF_SIDES = [SIDES[0] + SIDES[1], SIDES[2] + SIDES[3]]
# NULL where v is.
VALUES = {
    "s": "concat(k,'-',v)", "b": "CAST(concat(k,v) AS BINARY)", "d1": "CAST(v/3 AS DECIMAL(10,4))", "d2": "CAST(v/7 AS DECIMAL(30,10))",
    "ntz": "TIMESTAMP_NTZ'2024-01-01 00:00:00' + make_dt_interval(v)", "ts": "TIMESTAMP'2024-01-01 00:00:00' + make_dt_interval(v)",
    "dt": "DATE'2024-01-01' + v", "st": "named_struct('x', v, 'y', k, 'z', named_struct('w', CAST(v AS DOUBLE)))", "ar": "array(v, NULL, v+1)",
    "ars": "array(k, NULL, concat(k,'x'))", "m": "map(concat('k',v), v, 'z', NULL)", "f": "CAST(v AS FLOAT)/3", "dbl": "v/3D",
    "by": "CAST(v AS BYTE)", "sh": "CAST(v AS SHORT)", "lg": "CAST(v AS LONG)*1000000007", "bo": "v%2=0", "di": "make_dt_interval(0,v)"}
ORDERED = [name for name in VALUES if name != "m"]
NUMBERS = ("d1", "d2", "f", "dbl", "by", "sh", "lg", "di", "v")


def with_values(frame):
    return frame.selectExpr("k", "v", *[f"IF(v IS NULL, NULL, {value}) AS {name}" for name, value in VALUES.items()])


def aggregated(frame, *calls):
    from pyspark.sql import functions as F

    made = with_values(frame).groupBy("k").agg(*[F.expr(call).alias(f"c{i}") for i, call in enumerate(calls)])
    return made.selectExpr(*[f"CAST({field.name} AS STRING) AS {field.name}" if "interval" in field.dataType.simpleString() else field.name
                             for field in made.schema.fields])


@case(rounds=TWO_ROUNDS, mode="update", providers=("changelog",))
def least_and_most_of_many_types(spark, frame):
    return aggregated(frame, *[f"{call}({name})" for name in ORDERED for call in ("min", "max")])


@case(rounds=TWO_ROUNDS, mode="update", providers=("rocksdb",))
def first_and_last_of_many_types(spark, frame):
    return aggregated(frame, *[f"{call}({name})" for name in VALUES for call in ("first", "last")], *[f"last({name}, true)" for name in VALUES])


@case(rounds=TWO_ROUNDS, mode="update")
def many_types_by_others(spark, frame):
    return aggregated(frame, *[f"max_by({name}, v)" for name in VALUES], *[f"min_by(s, {name})" for name in ORDERED])


@case(rounds=TWO_ROUNDS, mode="update", providers=("rocksdb",))
def keys_with_nested_values(spark, frame):
    from pyspark.sql import functions as F

    return with_values(frame).groupBy(*ORDERED).agg(F.count("*").alias("n"), F.sum("v").alias("x"))


@case(rounds=TWO_ROUNDS, providers=("changelog",))
def duplicates_of_six_columns(spark, frame):
    """The keys of state come in the order of a Scala set, not in that of the call."""
    return with_values(frame).selectExpr(*ORDERED, "m").dropDuplicates(["st", "ar", "d2", "b", "ntz", "s"])


@case(rounds=TWO_OF_EVENTS)
def duplicates_of_all_columns(spark, frame):
    wider = frame.selectExpr("k", "v", "t", "k AS k2", "v AS other", "concat(k,v) AS last")
    return wider.withWatermark("t", "10 seconds").dropDuplicates()


@case(rounds=TWO_OF_EVENTS, providers=("changelog",))
def sessions_of_nested_keys(spark, frame):
    from pyspark.sql import functions as F

    return (frame.withWatermark("t", "10 seconds").groupBy(F.session_window("t", "12 seconds"), F.struct("k").alias("sk"), F.array("k").alias("ak"))
            .agg(F.collect_list("v").alias("l"), F.max(F.struct("v", "k")).alias("m"), F.sum(F.expr("CAST(v AS DECIMAL(20,2))")).alias("d"),
                 F.approx_count_distinct("v").alias("a"), F.first("k").alias("f"), F.avg("v").alias("av")))


@case(rounds=TWO_OF_SIDES, reads=({"joinSide": "left"}, {"joinSide": "right"}))
def left_outer_of_nested_keys(spark, left, right):
    from pyspark.sql import functions as F

    def side(frame, prefix):
        return frame.withWatermark("t", "5 seconds").selectExpr(
            f"named_struct('q',k) AS {prefix}s", f"concat(k,'!') AS {prefix}k", f"array(v,NULL) AS {prefix}a", f"map('m',v) AS {prefix}m",
            f"CAST(v AS DECIMAL(25,3)) AS {prefix}d", f"CAST(k AS BINARY) AS {prefix}b", f"t AS {prefix}t", f"v AS {prefix}v")

    near = ("ls = rs AND upper(lk) = upper(rk) AND lv <= 8 AND rv > 2 AND lv < rv "
            "AND rt BETWEEN lt - INTERVAL 2 SECONDS AND lt + INTERVAL 6 SECONDS")
    return side(left, "l").join(side(right, "r"), F.expr(near), "leftOuter")


@case(rounds=TWO_ROUNDS, mode="update")
def sums_of_many_types(spark, frame):
    return aggregated(frame, *[f"{call}({name})" for name in NUMBERS for call in ("sum", "avg", "try_sum")], *[f"count({name})" for name in VALUES],
                      "count(v, s)", "bit_and(v)", "bit_or(by)", "bit_xor(lg)", "bool_and(bo)", "bool_or(bo)", "stddev_samp(v)", "stddev_pop(d1)",
                      "skewness(v)", "kurtosis(v)", "any_value(s)", "sum(v) FILTER (WHERE bo)")


@case(rounds=TWO_ROUNDS, mode="update")
def pairs_of_numbers(spark, frame):
    calls = ("covar_pop", "covar_samp", "corr", "regr_count", "regr_r2", "regr_sxx", "regr_sxy", "regr_syy", "regr_avgx", "regr_avgy", "regr_slope",
             "regr_intercept")
    return aggregated(frame, *[f"{call}(v, lg)" for call in calls])


@case(rounds=TWO_ROUNDS, mode="update")
def collections_of_many_types(spark, frame):
    return aggregated(frame, *[f"sort_array(collect_set({name}))" for name in ORDERED if name != "ar"],
                      *[f"approx_count_distinct({name})" for name in ORDERED], "percentile(v, 0.3)", "median(v)", "mode(v % 2)",
                      "histogram_numeric(v, 3)", "bitmap_construct_agg(v)", "array_agg(m)")
