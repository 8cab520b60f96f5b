"""Into which partitions a Spark driver puts rows that it holds, and what shows it: files, numbers of partitions, the order of
rows that were moved. Expected values are those of real Spark 4.2 with two cores.
"""
from test_submit import submit  # noqa: F401, a fixture

FRAMES = """
import glob

import pandas as pd
from pyspark.sql import SparkSession, functions as F

spark = SparkSession.builder.master("local[2]").config("spark.sql.shuffle.partitions", 4).getOrCreate()
df = spark.createDataFrame([(i, "k%d" % (i % 3)) for i in range(11)], ["id", "k"])
one = spark.createDataFrame([(1,)], ["x"])
columns = spark.createDataFrame(pd.DataFrame({"x": [1, 2, 3, 4, 5]}))
values = spark.sql("SELECT * FROM VALUES (1), (2), (3) AS t(x)")


def sizes(frame):
    return frame.rdd.glom().map(len).collect()


def files(frame, name, format="json"):
    frame.write.format(format).save(name)
    return len(glob.glob(name + "/part-*"))


print(spark.sparkContext.master, spark.sparkContext.defaultParallelism)
print(sizes(df), sizes(one), sizes(spark.range(5)), sizes(df.filter("id < 3")))
print([r.m for r in df.select(F.monotonically_increasing_id().alias("m")).collect()])
print(files(df, "a"), files(one, "b"), files(columns, "c"), files(values, "d"), files(spark.range(3), "e"),
      files(df.groupBy("k").count(), "f"), files(df, "g", "delta"))
print([(r.id, r.p) for r in df.repartition(3).withColumn("p", F.spark_partition_id()).collect()])
print([r.k for r in df.dropDuplicates(["k"]).collect()], [r.k for r in df.select("k").distinct().collect()])
"""


def test_rows_of_the_driver(submit):
    job = submit(FRAMES)
    assert job.returncode == 0, job.err
    assert job.out.splitlines() == [
        "local[2] 2", "[5, 6] [0, 1] [2, 3] [3, 0]",
        "[0, 1, 2, 3, 4, 8589934592, 8589934593, 8589934594, 8589934595, 8589934596, 8589934597]", "2 2 2 2 2 1 2",
        "[(2, 0), (0, 0), (10, 0), (8, 0), (3, 1), (4, 1), (7, 1), (6, 1), (1, 2), (9, 2), (5, 2)]",
        "['k1', 'k2', 'k0'] ['k1', 'k2', 'k0']"]


RDDS = """
from pyspark.sql import SparkSession

spark = SparkSession.builder.master("local[2]").getOrCreate()
sc = spark.sparkContext
open("w.txt", "w").write("to be or not to be\\nthat is the question\\n\\nbe it so\\n")
counts = sc.textFile("w.txt").flatMap(str.split).map(lambda w: (w, 1)).reduceByKey(lambda a, b: a + b)
print(sc.textFile("w.txt").glom().collect(), counts.getNumPartitions())
print(counts.collect())
r = sc.parallelize(range(20), 4)
pairs = sc.parallelize([("a", 1), ("b", 2), ("c", 3), ("a", 4), ("d", 5)])
other = sc.parallelize([("a", "x"), ("d", "y"), ("e", "z")], 3)
print(pairs.glom().collect(), pairs.join(other).collect(), pairs.subtractByKey(other).collect())
print(r.repartition(3).glom().collect(), r.coalesce(3).glom().map(len).collect())
print(r.sample(False, 0.3, 5).collect(), r.takeSample(False, 4, 7), [s.count() for s in r.randomSplit([0.6, 0.4], 9)])
print(r.map(lambda x: ((x % 3, x % 2), x)).reduceByKey(max).collect(), r.histogram(3)[1])
print(r.sortBy(lambda x: -x).glom().map(len).collect(), pairs.toDF(["k", "v"]).rdd.glom().map(len).collect())
"""


def test_values_of_rdds(submit):
    job = submit(RDDS)
    assert job.returncode == 0, job.err
    assert job.out.splitlines() == [
        "[['to be or not to be', 'that is the question'], ['', 'be it so']] 2",
        "[('to', 2), ('question', 1), ('it', 1), ('so', 1), ('be', 3), ('or', 1), ('not', 1), ('that', 1), ('is', 1), ('the', 1)]",
        "[[('a', 1), ('b', 2)], [('c', 3), ('a', 4), ('d', 5)]] [('d', (5, 'y')), ('a', (1, 'x')), ('a', (4, 'x'))] "
        "[('b', 2), ('c', 3)]",
        "[[0, 1, 2, 3, 4, 15, 16, 17, 18, 19], [5, 6, 7, 8, 9], [10, 11, 12, 13, 14]] [5, 5, 10]",
        "[2, 3, 6, 8, 10, 12, 14, 15] [17, 15, 11, 18] [14, 6]",
        "[((1, 1), 19), ((2, 0), 14), ((0, 1), 15), ((0, 0), 18), ((1, 0), 16), ((2, 1), 17)] [7, 6, 7]",
        "[6, 5, 5, 4] [2, 3]"]


VERIFIED = """
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
for rows, schema in (([(1, "a"), ("x", "b")], "a INT, b STRING"), ([(1, 2)], "a INT, b STRING"), ([1, "x"], "int"), ([(1, 2), (3,)], "a INT, b INT")):
    try:
        print(spark.createDataFrame(rows, schema).collect())
    except Exception as error:
        print(type(error).__name__, error)
try:
    spark.sql("SELECT * FROM nowhere")
    print("not yet")
except Exception as error:
    print(error.getCondition())
"""


def test_a_driver_finds_out_at_once(submit):
    job = submit(VERIFIED)
    assert job.returncode == 0, job.err
    assert job.out.splitlines() == [
        "PySparkTypeError [FIELD_DATA_TYPE_UNACCEPTABLE_WITH_NAME] field a: IntegerType() can not accept object 'x' in type "
        "<class 'str'>.",
        "[Row(a=1, b='2')]",
        "PySparkTypeError [FIELD_DATA_TYPE_UNACCEPTABLE_WITH_NAME] field value: IntegerType() can not accept object 'x' in type "
        "<class 'str'>.",
        "PySparkValueError [FIELD_STRUCT_LENGTH_MISMATCH] Length of object (1) does not match with length of fields (2).",
        "TABLE_OR_VIEW_NOT_FOUND"]


HINTS = """
from pyspark.errors import AnalysisException, ParseException
from pyspark.sql import SparkSession, functions as F

spark = SparkSession.builder.master("local[2]").config("spark.sql.shuffle.partitions", 4).getOrCreate()
visits = spark.range(0, 20, 1, 5).withColumn("page", F.col("id") % 3)
visits.createOrReplaceTempView("visits")


def sizes(make):
    try:
        return [len(part) for part in make().rdd.glom().collect()]
    except (AnalysisException, ParseException) as refused:
        return refused.getCondition() or str(refused).split(";")[0]


for hint in ["COALESCE(2)", "REPARTITION(3)", "repartition(3, page)", "REPARTITION(page)", "REPARTITION",
             "REPARTITION_BY_RANGE(3, id)", "REPARTITION_BY_RANGE(id)", "REBALANCE", "REBALANCE(3, page)",
             "REPARTITION(7), COALESCE(2)", "BROADCAST(visits), REPARTITION(3)",
             "COALESCE", "COALESCE(page)", "REPARTITION(3, 2)", "REPARTITION(nowhere)"]:
    print(hint, sizes(lambda: spark.sql(f"SELECT /*+ {hint} */ * FROM visits")))
print(sizes(lambda: spark.sql("SELECT /*+ REPARTITION(3) */ v.id FROM visits v JOIN visits w ON v.id = w.id ORDER BY w.page")))
print(sizes(lambda: spark.sql("SELECT /*+ COALESCE(2) */ DISTINCT page FROM visits")),
      sizes(lambda: spark.sql("SELECT /*+ COALESCE(1) */ id FROM visits UNION ALL SELECT /*+ COALESCE(2) */ id FROM visits")))
print(sizes(lambda: visits.hint("repartition", 3, "page")), sizes(lambda: visits.hint("coalesce", 2)),
      sizes(lambda: visits.hint("rebalance", "page")), sizes(lambda: visits.hint("repartition", "id+1")),
      sizes(lambda: visits.repartitionByRange("id")), sizes(lambda: visits.repartitionByRange(3, "id")))
"""


def test_partitioning_hints(submit):
    job = submit(HINTS)
    assert job.returncode == 0, job.err
    assert job.out.splitlines() == [
        "COALESCE(2) [8, 12]",
        "REPARTITION(3) [7, 6, 7]",
        "repartition(3, page) [0, 7, 13]",
        "REPARTITION(page) [20]",
        "REPARTITION [20]",
        "REPARTITION_BY_RANGE(3, id) [7, 7, 6]",
        "REPARTITION_BY_RANGE(id) [20]",
        "REBALANCE [20]",
        "REBALANCE(3, page) [20]",
        "REPARTITION(7), COALESCE(2) [2, 2, 4, 4, 3, 3, 2]",
        "BROADCAST(visits), REPARTITION(3) [7, 6, 7]",
        "COALESCE _LEGACY_ERROR_TEMP_1048",
        "COALESCE(page) _LEGACY_ERROR_TEMP_1048",
        "REPARTITION(3, 2) _LEGACY_ERROR_TEMP_1047",
        "REPARTITION(nowhere) UNRESOLVED_COLUMN.WITH_SUGGESTION",
        "[20]",
        "[3] [20, 8, 12]",
        "[0, 7, 13] [8, 12] [20] PARSE_SYNTAX_ERROR [20] [7, 7, 6]"]
