"""Table functions in Python: analyze(), TABLE arguments, functions without Arrow."""

import datetime
import decimal
import sys

from pyspark import cloudpickle
from pyspark.sql import Row
from pyspark.sql import functions as F
from pyspark.sql.functions import (AnalyzeResult, OrderingColumn, PartitioningColumn, SelectedColumn,
                                   SkipRestOfInputTableException, col, lit, udtf)
from pyspark.sql.types import IntegerType, StringType, StructField, StructType, VariantType

from cases import case

# Workers do not have this file.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


DIGITS = "k int, digits int, n int"


def pairs(spark):
    frame = spark.createDataFrame([(1, 2), (1, 3), (2, 5)], "k int, v int")
    frame.createOrReplaceTempView("pairs")
    return frame


# Plain classes: a client makes functions of them only once it has a session.

class Digits:
    def __init__(self):
        self.k = None
        self.digits = 0
        self.n = 0

    def eval(self, row):
        self.k = row["k"]
        self.digits = self.digits * 10 + row["v"]
        self.n += 1

    def terminate(self):
        yield self.k, self.digits, self.n


class Echo:
    @staticmethod
    def analyze(a):
        return AnalyzeResult(StructType().add("value", a.dataType).add("constant", StringType()))

    def eval(self, a):
        yield a, str(a)


class Columns:
    @staticmethod
    def analyze(n, *rest, **named):
        return AnalyzeResult(StructType([StructField(f"c{i}", IntegerType()) for i in range(n.value)]))

    def eval(self, n, *rest, **named):
        yield tuple(range(n))


class Whole:
    def __init__(self, analyzed):
        self.single = analyzed.withSinglePartition
        self.n = 0

    @staticmethod
    def analyze(table):
        return AnalyzeResult(StructType().add("n", IntegerType()).add("columns", StringType()), withSinglePartition=True)

    def eval(self, row):
        self.n += 1
        self.columns = ",".join(row.__fields__)

    def terminate(self):
        yield self.n, f"{self.columns} {self.single}"


def partitioned_by(key, **more):
    @udtf
    class Partitioned:
        def __init__(self):
            self.rows = []

        @staticmethod
        def analyze(table):
            return AnalyzeResult(StructType().add("rows", StringType()), partitionBy=[PartitioningColumn(key)], **more)

        def eval(self, row):
            self.rows.append(row)

        def terminate(self):
            yield ";".join(str(row) for row in self.rows),

    return Partitioned


@case
def udtf_table_in_partitions(spark):
    pairs(spark)
    spark.udtf.register("digits", udtf(Digits, returnType=DIGITS))
    return (spark.sql("SELECT * FROM digits(TABLE(pairs) PARTITION BY k ORDER BY v DESC) ORDER BY k").collect()
            + spark.sql("SELECT * FROM digits(row => TABLE pairs PARTITION BY (k + 1) ORDER BY (v)) ORDER BY k").collect()
            + spark.sql("SELECT * FROM digits(TABLE(SELECT k, v FROM pairs WHERE k = 1) PARTITION BY k ORDER BY v)").collect())


@case
def udtf_table_in_one_partition(spark):
    pairs(spark)
    spark.udtf.register("digits", udtf(Digits, returnType=DIGITS))
    return spark.sql("SELECT * FROM digits(TABLE(pairs) WITH SINGLE PARTITION ORDER BY v)").collect()


@case
def udtf_frame_as_table(spark):
    frame = pairs(spark)
    digits = udtf(Digits, returnType=DIGITS)
    return (digits(frame.asTable().partitionBy("k").orderBy(frame.v.desc())).orderBy("k").collect()
            + digits(row=frame.asTable().withSinglePartition().orderBy("v")).collect())


@case
def udtf_analyze_sees_types(spark):
    spark.udtf.register("echo", udtf(Echo))
    rows = []
    for value in ["1", "'x'", "1.5D", "1.20BD", "array(1, 2)", "DATE'2020-01-02'", "TIMESTAMP_NTZ'2020-01-02 03:04:05'",
                  "named_struct('a', 1)", "true", "NULL"]:
        frame = spark.sql(f"SELECT * FROM echo({value})")
        rows += [frame.schema.simpleString()] + frame.collect()
    return rows


@case
def udtf_analyze_sees_constants(spark):
    spark.udtf.register("columns", udtf(Columns))
    return (spark.sql("SELECT * FROM columns(3)").collect() + spark.sql("SELECT * FROM columns(n => 2, z => 'q')").collect()
            + spark.sql("SELECT * FROM columns(1 + 1, 5)").collect() + udtf(Columns)(lit(1)).collect())


@case
def udtf_analyze_asks_for_one_partition(spark):
    frame = pairs(spark)
    spark.udtf.register("whole", udtf(Whole))
    return spark.sql("SELECT * FROM whole(TABLE(pairs))").collect() + udtf(Whole)(frame.asTable()).collect()


@case
def udtf_analyze_asks_for_partitions(spark):
    pairs(spark)
    spark.udtf.register("parts", partitioned_by("k", orderBy=[OrderingColumn("v", ascending=False)]))
    spark.udtf.register("computed", partitioned_by("k + 1", orderBy=[OrderingColumn("v")]))
    return (spark.sql("SELECT * FROM parts(TABLE(pairs)) ORDER BY 1").collect()
            + spark.sql("SELECT * FROM computed(TABLE(pairs)) ORDER BY 1").collect())


@case
def udtf_analyze_selects(spark):
    pairs(spark)
    spark.udtf.register("selected", partitioned_by("k", select=[SelectedColumn("v"), SelectedColumn("k * 10", alias="t")]))
    return spark.sql("SELECT * FROM selected(TABLE(pairs)) ORDER BY 1").collect()


@case
def udtf_analyze_against_the_call(spark):
    pairs(spark)
    spark.udtf.register("parts", partitioned_by("k"))
    return spark.sql("SELECT * FROM parts(TABLE(pairs) PARTITION BY v)").collect()


@case
def udtf_analyze_fails(spark):
    @udtf
    class Fails:
        @staticmethod
        def analyze(a):
            raise ValueError("no")

        def eval(self, a):
            yield a,

    return Fails(lit(1)).collect()


@case
def udtf_analyze_wants_a_table(spark):
    @udtf
    class Alone:
        @staticmethod
        def analyze(a):
            return AnalyzeResult(StructType().add("a", IntegerType()), withSinglePartition=True)

        def eval(self, a):
            yield a,

    return Alone(lit(1)).collect()


@case
def udtf_skips_the_rest(spark):
    @udtf(returnType="n int")
    class Small:
        def eval(self, row):
            if row["v"] >= 3:
                raise SkipRestOfInputTableException("enough")
            yield row["v"],

    pairs(spark)
    spark.udtf.register("small", Small)
    return spark.sql("SELECT * FROM small(TABLE(pairs) WITH SINGLE PARTITION ORDER BY v)").collect()


@case
def udtf_two_tables(spark):
    @udtf(returnType="n int")
    class Two:
        def eval(self, a, b):
            yield 1,

    spark.udtf.register("two", Two)
    return spark.sql("SELECT * FROM two(TABLE(SELECT 1), TABLE(SELECT 2))").collect()


@case
def udtf_beside_each_row(spark):
    @udtf(returnType="a int")
    class Up:
        def eval(self, x):
            for i in range(x):
                yield i,

    spark.udtf.register("up", Up)
    spark.udtf.register("echo", udtf(Echo))
    return (spark.sql("SELECT t.x, u.a FROM VALUES (1), (2) t(x), LATERAL up(t.x) u ORDER BY 1, 2").collect()
            + spark.sql("SELECT t.x, e.* FROM VALUES (1), (2) t(x), LATERAL echo(t.x) e ORDER BY 1, 2").collect()
            + spark.createDataFrame([(2,)], "x int").lateralJoin(Up(col("x").outer())).orderBy("a").collect())


@case
def udtf_by_pickle(spark):
    @udtf(returnType="a int, b array<string>, c struct<x:int>, d date, e decimal(10,2)", useArrow=False)
    class Pickled:
        def __init__(self):
            self.n = 0

        def eval(self, x):
            self.n += 1
            yield x, ["a"], Row(x=2), datetime.date(2020, 1, 2), decimal.Decimal("1.20")
            yield x, None, None, None, None

        def terminate(self):
            yield self.n, [], None, None, None

    spark.udtf.register("pickled", Pickled)
    return Pickled(lit(1)).collect() + spark.sql(
        "SELECT t.x, p.a, p.b FROM VALUES (1), (2) t(x), LATERAL pickled(t.x) p ORDER BY 1, 2").collect()


class Ends:
    """What one instance has seen, told when it ends."""

    def __init__(self):
        self.seen = []

    def eval(self, n):
        self.seen.append(n)
        return iter(())

    def terminate(self):
        yield ",".join(map(str, sorted(self.seen))),


@case
def udtf_lateral_in_the_partitions_of_its_rows(spark):
    spark.udtf.register("ends", udtf(Ends, returnType="seen string"))
    return (spark.sql("SELECT seen FROM range(1, 9, 1, 2), LATERAL ends(id) ORDER BY seen").collect()
            + spark.sql("SELECT seen FROM range(1, 9, 1, 4) JOIN LATERAL ends(id % 2) ORDER BY seen").collect()
            + spark.sql("SELECT seen FROM range(0, 6, 1, 2), LATERAL ends(7)").collect())


@case
def udtf_frame_as_table_by_its_columns(spark):
    frame = pairs(spark)
    digits = udtf(Digits, returnType=DIGITS)
    other = frame.withColumn("w", -frame.v)
    return (digits(frame.asTable().partitionBy(frame.k).orderBy(frame.v.desc())).orderBy("k").collect()
            + digits(other.asTable().partitionBy(other.k).orderBy(other.w)).orderBy("k").collect()
            + digits(frame.asTable().partitionBy("k").orderBy(frame["v"])).orderBy("k").collect())


def as_json(value):
    return None if value is None else value.toJson()


def keep(value):
    return value


class Keep:
    def eval(self, value):
        yield 0, value
        yield 1, None


@case
def variants_by_pickle_and_by_arrow(spark):
    frame = spark.sql("""SELECT id, IF(id = 2, NULL, parse_json(concat('{"n":[', id, ',true]}'))) AS v FROM range(4)""")
    shown = []
    for arrow in (False, True):
        text = F.udf(as_json, "string", useArrow=arrow)
        same = F.udf(keep, VariantType(), useArrow=arrow)
        nested = F.udf(keep, "struct<a: array<variant>>", useArrow=arrow)
        shown += frame.select("id", text("v"), F.to_json(same("v"))).orderBy("id").collect()
        shown += (frame.where("id < 2").select(nested(F.struct(F.array("v").alias("a"))).alias("s"))
                  .select(F.to_json("s.a").alias("a")).orderBy("a").collect())
    return shown


@case
def udtf_of_variants(spark):
    shown = []
    for arrow in (False, True):
        spark.udtf.register("keep_variant", udtf(Keep, returnType="i int, v variant", useArrow=arrow))
        shown += spark.sql("""SELECT i, to_json(v) FROM keep_variant(parse_json('{"a":"b"}'))""").collect()
    return shown
