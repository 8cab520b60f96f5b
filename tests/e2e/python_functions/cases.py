"""Jobs with Python functions, each a function of a session that returns rows or fails.

`record.py` runs them on real Spark and keeps what came out in expected.json; test_python_functions.py runs them here.
"""

import datetime
import decimal

import pandas as pd
import pyarrow as pa
from pyspark.sql import Row, Window
from pyspark.sql import functions as F
from pyspark.sql.types import (ArrayType, DecimalType, DoubleType, IntegerType, LongType, MapType, StringType,
                               StructField, StructType)

CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def numbers(spark, count=10, partitions=2):
    return spark.range(0, count, 1, partitions)


def people(spark):
    rows = [("anna", 31, "a", 1.5), ("bert", None, "b", 2.5), ("carl", 45, "a", None), ("dora", 27, None, 4.0),
            ("emil", 31, "b", -1.0)]
    return spark.createDataFrame(rows, "name string, age int, team string, score double")


def typed(spark):
    return spark.sql("""
        SELECT * FROM VALUES
          (true, 1Y, 2S, 3, 4L, 1.5F, 2.5D, 1.23BD, 'text', X'00FF', DATE'2024-02-29', TIMESTAMP_NTZ'2024-01-02 03:04:05.678901',
           array(1, 2), map('k', 1), named_struct('x', 1, 'y', 'z')),
          (null, null, null, null, null, null, null, null, null, null, null, null, null, null, null)
        AS t(b, i1, i2, i4, i8, f4, f8, d, s, bin, day, ntz, arr, m, st)""")


# --- scalar functions

@case
def row_udf(spark):
    plus = F.udf(lambda x: x + 1, "long")
    return numbers(spark).select("id", plus("id").alias("next")).orderBy("id").collect()


@case
def row_udf_has_the_functions_name(spark):
    @F.udf("string")
    def shout(text):
        return text.upper() + "!"

    frame = people(spark).select(shout("name"), shout(F.col("team")))
    return [frame.columns] + [[field.dataType.simpleString(), field.nullable] for field in frame.schema.fields]


@case
def row_udf_sees_none(spark):
    show = F.udf(lambda x: repr(x), "string")
    return people(spark).select("name", show("age").alias("age"), show("score").alias("score")).orderBy("name").collect()


@case
def row_udf_sees_types(spark):
    show = F.udf(lambda x: type(x).__name__ + ":" + str(x), "string")
    frame = typed(spark)
    return frame.select([show(name).alias(name) for name in frame.columns]).collect()


@case
def row_udf_by_pickle(spark):
    plus = F.udf(lambda x: x + 1, "long", useArrow=False)
    return numbers(spark, 250).select(plus("id").alias("n")).agg(F.sum("n")).collect()


@case
def row_udf_by_pickle_sees_types(spark):
    show = F.udf(lambda x: type(x).__name__ + ":" + str(x), "string", useArrow=False)
    frame = typed(spark)
    return frame.select([show(name).alias(name) for name in frame.columns]).collect()


@case
def row_udf_by_pickle_gives_types(spark):
    row = {"bool": True, "int": 7, "float": 2.5, "str": "seven", "list": [1, None, 3], "dict": {"a": 1},
           "tuple": (1, "x"), "none": None, "decimal": decimal.Decimal("12.345"), "bytes": b"\x01\x02",
           "date": datetime.date(2024, 2, 29)}
    types = {"boolean": "boolean", "int": "int", "bigint": "bigint", "double": "double", "string": "string",
             "decimal(10,2)": "dec", "array<int>": "arr", "map<string,int>": "map", "binary": "bin"}
    keys = ["bool", "int", "float", "str", "none", "decimal"]
    columns = []
    for type_name, label in types.items():
        give = F.udf(lambda key: row[key], type_name, useArrow=False)
        chosen = {"arr": "list", "map": "dict", "bin": "bytes"}.get(label)
        for key in [chosen] if chosen else keys:
            columns.append(give(F.lit(key)).alias(f"{label}_{key}"))
    date = F.udf(lambda: row["date"], "date", useArrow=False)
    pair = F.udf(lambda: row["tuple"], "n int, t string", useArrow=False)
    columns += [date().alias("date"), pair().alias("pair")]
    return [[str(value) for value in spark.range(1).select(columns).first()]]


@case
def row_udf_gives_struct_array_map(spark):
    @F.udf(StructType([StructField("n", LongType()), StructField("all", ArrayType(LongType())),
                       StructField("by", MapType(StringType(), LongType()))]))
    def nest(x):
        return {"n": x, "all": list(range(x)), "by": {str(x): x}}

    return numbers(spark, 3, 1).select(nest("id").alias("v")).select("v.*").collect()


@case
def row_udf_without_arguments(spark):
    return numbers(spark, 3, 1).select("id", F.udf(lambda: 42, "int")().alias("answer")).collect()


@case
def row_udf_with_named_arguments(spark):
    join = F.udf(lambda a, b: f"{a}-{b}", "string")
    return people(spark).select(join(b="name", a="team").alias("v")).orderBy("v").collect()


@case
def row_udf_dates_and_decimals(spark):
    later = F.udf(lambda d: d + datetime.timedelta(days=1), "date")
    twice = F.udf(lambda d: d * 2, DecimalType(12, 2))
    frame = spark.sql("SELECT DATE'2024-02-28' AS d, CAST(12.34 AS DECIMAL(10,2)) AS n")
    return frame.select(later("d").alias("d"), twice("n").alias("n")).collect()


@case
def several_udfs_in_one_select(spark):
    plus = F.udf(lambda x: x + 1, "long")
    times = F.udf(lambda x, y: x * y, "long")
    return (numbers(spark).select(plus("id").alias("a"), times("id", "id").alias("b"), (plus("id") + 1).alias("c"))
            .orderBy("a").collect())


@case
def chained_udfs(spark):
    plus = F.udf(lambda x: x + 1, "long")
    text = F.udf(lambda x: f"<{x}>", "string")
    return numbers(spark, 3, 1).select(text(plus(plus("id"))).alias("v"), plus(F.length(text("id"))).alias("w")).collect()


@case
def udf_in_filter(spark):
    even = F.udf(lambda x: x % 2 == 0, "boolean")
    return numbers(spark).filter(even("id") & (F.col("id") > 2)).orderBy("id").collect()


@case
def udf_in_order_by(spark):
    back = F.udf(lambda x: -x, "long")
    return numbers(spark, 5).orderBy(back("id")).collect()


@case
def udf_in_group_by(spark):
    parity = F.udf(lambda x: x % 3, "long")
    return (numbers(spark, 20).groupBy(parity("id").alias("p")).agg(F.count("*").alias("n"), F.sum("id").alias("s"))
            .orderBy("p").collect())


@case
def udf_over_an_aggregate(spark):
    text = F.udf(lambda x: f"={x}", "string")
    frame = people(spark).groupBy("team").agg(text(F.sum("age")).alias("t"), F.max(text("name")).alias("m"))
    return frame.orderBy("team").collect()


@case
def udf_of_a_grouping_key(spark):
    text = F.udf(lambda x: f"={x}", "string")
    return people(spark).groupBy("team").agg(text("team").alias("t"), F.count("*").alias("n")).orderBy("team").collect()


@case
def udf_in_join_condition(spark):
    left = numbers(spark, 6).withColumnRenamed("id", "a")
    right = numbers(spark, 6).withColumnRenamed("id", "b")
    half = F.udf(lambda x: x // 2, "long")
    near = F.udf(lambda x, y: abs(x - y) <= 1, "boolean")
    by_key = left.join(right, half("a") == F.col("b")).orderBy("a", "b").collect()
    by_both = left.join(right, near("a", "b")).agg(F.count("*").alias("n"), F.sum("a").alias("s")).collect()
    return by_key + by_both


@case
def udf_in_outer_join_condition_is_refused(spark):
    near = F.udf(lambda x, y: abs(x - y) <= 1, "boolean")
    left = numbers(spark, 3).withColumnRenamed("id", "a")
    right = numbers(spark, 3).withColumnRenamed("id", "b")
    return left.join(right, near("a", "b"), "left").collect()


@case
def udf_in_case_when(spark):
    invert = F.udf(lambda x: 0 if x == 0 else 100 // x, "long")
    return numbers(spark, 4, 1).select(F.when(F.col("id") > 0, invert("id")).otherwise(-1).alias("v")).collect()


@case
def registered_udf_in_sql(spark):
    spark.udf.register("py_double", lambda x: x * 2, "long")
    numbers(spark, 5).createOrReplaceTempView("py_numbers")
    rows = spark.sql("SELECT id, py_double(id) AS d FROM py_numbers WHERE py_double(id) > 2 ORDER BY id").collect()
    return rows + numbers(spark, 2, 1).selectExpr("PY_DOUBLE(id + 1) AS e").collect()


# --- pandas and Arrow functions

@case
def pandas_udf(spark):
    @F.pandas_udf("double")
    def half(s: pd.Series) -> pd.Series:
        return s / 2

    return numbers(spark).select(half("id").alias("h")).orderBy("h").collect()


@case
def pandas_udf_sees_batches_of_the_configured_size(spark):
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "4")
    try:
        size = F.pandas_udf(lambda s: pd.Series([len(s)] * len(s)), "int")
        return numbers(spark, 10, 1).select("id", size("id").alias("size")).orderBy("id").collect()
    finally:
        spark.conf.unset("spark.sql.execution.arrow.maxRecordsPerBatch")


@case
def pandas_udf_of_a_struct(spark):
    @F.pandas_udf("string")
    def show(frame: pd.DataFrame) -> pd.Series:
        return frame["name"] + ":" + frame["team"].fillna("-")

    return people(spark).select(show(F.struct("name", "team")).alias("v")).orderBy("v").collect()


@case
def pandas_udf_gives_a_struct(spark):
    @F.pandas_udf("lower string, length int")
    def parts(s: pd.Series) -> pd.DataFrame:
        return pd.DataFrame({"lower": s.str.lower(), "length": s.str.len()})

    return people(spark).select(parts("name").alias("v")).select("v.*").orderBy("lower").collect()


@case
def pandas_iterator_udf(spark):
    from typing import Iterator

    @F.pandas_udf("long")
    def running(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
        for batch in batches:
            yield batch + 100

    return numbers(spark).select(running("id").alias("v")).orderBy("v").collect()


@case
def pandas_iterator_udf_of_two_columns(spark):
    from typing import Iterator, Tuple

    @F.pandas_udf("long")
    def product(batches: Iterator[Tuple[pd.Series, pd.Series]]) -> Iterator[pd.Series]:
        for left, right in batches:
            yield left * right

    return numbers(spark).select(product("id", F.col("id") + 1).alias("v")).orderBy("v").collect()


@case
def arrow_udf(spark):
    @F.arrow_udf("long")
    def plus(v: pa.Array) -> pa.Array:
        return pa.compute.add(v, 1)

    return numbers(spark).select(plus("id").alias("v")).orderBy("v").collect()


@case
def pandas_udf_timestamps(spark):
    @F.pandas_udf("timestamp")
    def later(s: pd.Series) -> pd.Series:
        return s + pd.Timedelta(hours=1)

    frame = spark.sql("SELECT TIMESTAMP'2024-03-30 23:30:00' AS t UNION ALL SELECT NULL")
    return frame.select(F.date_format(later("t"), "yyyy-MM-dd HH:mm:ss").alias("v")).orderBy("v").collect()


@case
def pandas_udf_wrong_length(spark):
    short = F.pandas_udf(lambda s: s.head(1), "long")
    return numbers(spark, 5, 1).select(short("id")).collect()


@case
def pandas_udf_raises(spark):
    def boom(s):
        raise ValueError("no such luck")

    return numbers(spark, 5, 1).select(F.pandas_udf(boom, "long")("id")).collect()


@case
def row_udf_raises(spark):
    return numbers(spark, 5, 1).select(F.udf(lambda x: 1 // (x - 3), "long")("id")).collect()


@case
def row_udf_raises_by_pickle(spark):
    return numbers(spark, 5, 1).select(F.udf(lambda x: {}["gone"], "long", useArrow=False)("id")).collect()


# --- whole partitions and groups

@case
def map_in_pandas(spark):
    def keep(frames):
        for frame in frames:
            yield frame[frame.id % 2 == 0].assign(twice=frame.id * 2)

    return numbers(spark).mapInPandas(keep, "id long, twice long").orderBy("id").collect()


@case
def map_in_arrow(spark):
    def keep(batches):
        for batch in batches:
            yield batch.filter(pa.compute.greater(batch["id"], 6))

    return numbers(spark).mapInArrow(keep, "id long").orderBy("id").collect()


@case
def map_in_arrow_of_nothing(spark):
    def count(batches):
        yield pa.RecordBatch.from_pydict({"n": [sum(batch.num_rows for batch in batches)]})

    return numbers(spark, 10, 3).filter("id < 0").mapInArrow(count, "n long").collect()


@case
def map_in_pandas_wrong_columns(spark):
    def wrong(frames):
        for frame in frames:
            yield frame.rename(columns={"id": "other"})

    return numbers(spark, 3, 1).mapInPandas(wrong, "id long").collect()


@case
def map_in_pandas_not_frames(spark):
    return numbers(spark, 3, 1).mapInPandas(lambda frames: [1, 2], "id long").collect()


@case
def map_in_pandas_barrier(spark):
    return numbers(spark, 4, 1).mapInPandas(lambda frames: frames, "id long", barrier=False).orderBy("id").collect()


@case
def partition_ids(spark):
    def tell(frames):
        from pyspark import TaskContext

        for frame in frames:
            yield frame.assign(p=TaskContext.get().partitionId())

    return (numbers(spark, 9, 3).mapInPandas(tell, "id long, p int").groupBy("p").agg(F.count("*").alias("n"))
            .orderBy("p").collect())


@case
def apply_in_pandas(spark):
    def centre(frame):
        return frame.assign(score=frame.score - frame.score.mean())

    return people(spark).groupBy("team").applyInPandas(centre, "name string, team string, score double").orderBy(
        "name").collect()


@case
def apply_in_pandas_with_key(spark):
    def summary(key, frame):
        return pd.DataFrame([[key[0], len(frame), frame.age.sum()]])

    return people(spark).groupBy("team").applyInPandas(summary, "team string, n long, ages double").orderBy(
        "team").collect()


@case
def apply_in_pandas_by_an_expression(spark):
    def summary(key, frame):
        return pd.DataFrame({"k": [key[0]], "rows": [len(frame)], "columns": [",".join(frame.columns)]})

    return (numbers(spark, 10, 2).groupBy((F.col("id") % 3).alias("k")).applyInPandas(
        summary, "k long, rows long, columns string").orderBy("k").collect())


@case
def apply_in_arrow(spark):
    def count(key, table):
        return pa.table({"team": [key[0].as_py()], "n": [table.num_rows]})

    return people(spark).groupBy("team").applyInArrow(count, "team string, n long").orderBy("team").collect()


@case
def many_small_groups(spark):
    def one(frame):
        return frame.head(1)

    return (numbers(spark, 1000, 2).withColumn("k", F.col("id") % 100).groupBy("k").applyInPandas(
        one, "id long, k long").agg(F.count("*").alias("n"), F.sum("k").alias("s")).collect())


@case
def group_larger_than_a_batch(spark):
    def size(frame):
        return pd.DataFrame({"n": [len(frame)]})

    return (numbers(spark, 25000, 2).withColumn("k", F.col("id") * 0).groupBy("k").applyInPandas(size, "n long")
            .collect())


@case
def cogroup_in_pandas(spark):
    left = spark.createDataFrame([(1, "a"), (2, "b"), (2, "c")], "k int, l string")
    right = spark.createDataFrame([(2, 10), (3, 30)], "k int, r int")

    def both(key, a, b):
        return pd.DataFrame({"k": [key[0]], "left": [len(a)], "right": [len(b)]})

    return left.groupBy("k").cogroup(right.groupBy("k")).applyInPandas(both, "k int, left long, right long").orderBy(
        "k").collect()


@case
def cogroup_in_arrow(spark):
    left = spark.createDataFrame([(1, "a"), (2, "b")], "k int, l string")
    right = spark.createDataFrame([(2, 10), (2, 20)], "k int, r int")

    def both(a, b):
        return pa.table({"left": [a.num_rows], "right": [b.num_rows]})

    return left.groupBy("k").cogroup(right.groupBy("k")).applyInArrow(both, "left long, right long").orderBy(
        "left", "right").collect()


@case
def grouped_aggregate(spark):
    @F.pandas_udf("double")
    def spread(s: pd.Series) -> float:
        return s.max() - s.min()

    return people(spark).groupBy("team").agg(spread("age").alias("spread")).orderBy("team").collect()


@case
def two_grouped_aggregates(spark):
    @F.pandas_udf("double")
    def weighted(v: pd.Series, w: pd.Series) -> float:
        return float((v * w).sum())

    @F.pandas_udf("long")
    def size(s: pd.Series) -> int:
        return len(s)

    return people(spark).groupBy("team").agg(weighted("age", "score").alias("w"), size("name").alias("n")).orderBy(
        "team").collect()


@case
def grouped_aggregate_of_everything(spark):
    @F.pandas_udf("double")
    def mean(s: pd.Series) -> float:
        return s.mean()

    return numbers(spark, 100).agg(mean("id").alias("m")).collect()


@case
def grouped_aggregate_over_a_window(spark):
    @F.pandas_udf("double")
    def mean(s: pd.Series) -> float:
        return s.mean()

    frame = numbers(spark, 6).withColumn("k", F.col("id") % 2)
    whole = mean("id").over(Window.partitionBy("k"))
    running = mean("id").over(Window.partitionBy("k").orderBy("id").rowsBetween(-1, 0))
    return frame.select("id", whole.alias("whole"), running.alias("running")).orderBy("id").collect()


@case
def udf_that_is_not_deterministic(spark):
    import random

    draw = F.udf(lambda: random.random(), "double").asNondeterministic()
    row = numbers(spark, 5, 1).select(draw().alias("r")).agg(F.count("r").alias("n"), F.min("r").alias("low")).first()
    return [[row.n, 0 <= row.low < 1]]


@case
def unused_udf_is_not_computed(spark):
    def boom(x):
        raise ValueError("computed")

    return numbers(spark, 3, 1).withColumn("bad", F.udf(boom, "long")("id")).select("id").collect()


@case
def union_of_udfs(spark):
    plus = F.udf(lambda x: x + 1, "long")
    frame = numbers(spark, 3, 1).select(plus("id").alias("v"))
    return frame.union(frame).orderBy("v").collect()


@case
def self_join_after_udf(spark):
    plus = F.udf(lambda x: x + 1, "long")
    frame = numbers(spark, 4, 1).withColumn("n", plus("id"))
    return frame.alias("a").join(frame.alias("b"), F.col("a.n") == F.col("b.id")).select("a.id", "b.n").orderBy(
        "a.id").collect()


# --- table functions

def squares():
    class Squares:
        def eval(self, count: int):
            for n in range(count):
                yield n, n * n

    return F.udtf(Squares, returnType="n int, square int")


@case
def table_function(spark):
    return squares()(F.lit(3)).orderBy("n").collect()


@case
def table_function_in_sql(spark):
    spark.udtf.register("py_squares", squares())
    rows = spark.sql("SELECT * FROM py_squares(3) ORDER BY n").collect()
    return rows + spark.sql(
        "SELECT t.id, s.n FROM VALUES (1), (2) AS t(id), LATERAL py_squares(t.id) s ORDER BY 1, 2").collect()


@case
def table_function_with_terminate(spark):
    class Total:
        def __init__(self):
            self.total = 0

        def eval(self, n: int):
            self.total += n

        def terminate(self):
            yield self.total,

    spark.udtf.register("py_total", F.udtf(Total, returnType="total int"))
    return spark.sql("SELECT total FROM py_total(7)").collect()


@case
def table_function_raises(spark):
    class Boom:
        def eval(self, n: int):
            raise ValueError("no rows today")

    return F.udtf(Boom, returnType="n int")(F.lit(1)).collect()


# --- streams

def stream_of(spark, folder, rows):
    import json
    import os

    os.makedirs(os.path.join(folder, "in"), exist_ok=True)
    with open(os.path.join(folder, "in", "rows.json"), "w") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)
    return spark.readStream.schema("n long, s string").json(os.path.join(folder, "in"))


def run_stream(writer, folder):
    import os

    query = writer.option("checkpointLocation", os.path.join(folder, "checkpoint")).trigger(availableNow=True).start()
    query.awaitTermination()


def lines_of(path):
    with open(path) as lines:
        return sorted(lines.read().splitlines())


@case
def udf_on_a_stream(spark):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        plus = F.udf(lambda x: x + 1, "long")
        frame = stream_of(spark, folder, [{"n": 1}, {"n": 5}]).select(plus("n").alias("v")).filter("v > 2")
        run_stream(frame.writeStream.format("memory").queryName("py_udf_stream"), folder)
        return spark.table("py_udf_stream").collect()


@case
def foreach_function(spark):
    import os
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out.txt")

        def keep(row):
            with open(out, "a") as target:
                target.write(f"{row.n} {row['s']} {type(row).__name__}\n")

        frame = stream_of(spark, folder, [{"n": 1, "s": "a"}, {"n": 2, "s": None}])
        run_stream(frame.writeStream.foreach(keep), folder)
        return lines_of(out)


@case
def foreach_object(spark):
    import os
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out.txt")

        class Keep:
            def open(self, partition_id, epoch_id):
                self.seen = [f"open {partition_id} {epoch_id}"]
                return True

            def process(self, row):
                self.seen.append(f"row {row.n}")

            def close(self, error):
                with open(out, "a") as target:
                    target.write("\n".join(self.seen + [f"close {error}"]) + "\n")

        frame = stream_of(spark, folder, [{"n": 1, "s": "a"}, {"n": 2, "s": None}])
        run_stream(frame.writeStream.foreach(Keep()), folder)
        return lines_of(out)


@case
def foreach_that_raises(spark):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        def refuse(row):
            raise ValueError("not this row")

        run_stream(stream_of(spark, folder, [{"n": 1}]).writeStream.foreach(refuse), folder)
        return []


@case
def foreach_batch(spark):
    import os
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out.txt")

        def keep(frame, batch):
            with open(out, "a") as target:
                target.write(f"{batch} {frame.count()} {sorted(row.n for row in frame.collect())} {frame.columns}\n")

        run_stream(stream_of(spark, folder, [{"n": 1}, {"n": 2}]).writeStream.foreachBatch(keep), folder)
        return lines_of(out)


@case
def foreach_batch_that_raises(spark):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        def refuse(frame, batch):
            raise ValueError(f"not batch {batch}")

        run_stream(stream_of(spark, folder, [{"n": 1}]).writeStream.foreachBatch(refuse), folder)
        return []
