"""What a Spark driver has and a client of a server has not: foreachBatch in the job's process, accumulators, tables that
outlive the job.
"""

from test_submit import submit  # noqa: F401, a fixture

FOREACH_BATCH = """
import collections
import sqlite3
import threading

from pyspark.sql import SparkSession, functions as F

spark = SparkSession.builder.getOrCreate()
names = spark.createDataFrame([(0, "even"), (1, "odd")], "k long, name string")
names.createOrReplaceTempView("names")
database = sqlite3.connect(":memory:", check_same_thread=False)
database.execute("CREATE TABLE batches (id INT, n INT)")
lock = threading.Lock()
counts = collections.Counter()


class Writer:
    def __init__(self):
        self.batches = 0

    def __call__(self, frame, batch):
        with lock:
            self.batches += 1
            for row in frame.withColumn("k", F.col("n") % 2).join(names, "k").groupBy("name").count().collect():
                counts[row.name] += row["count"]
            database.execute("INSERT INTO batches VALUES (?, ?)", (batch, frame.count()))
        print("batch", batch, spark.sql("SELECT count(*) AS n FROM names").first().n, flush=True)


writer = Writer()
rows = spark.readStream.schema("n long").option("maxFilesPerTrigger", 1).json("in")
rows.writeStream.foreachBatch(writer).trigger(availableNow=True).start().awaitTermination()
print(writer.batches, sorted(counts.items()), database.execute("SELECT id, n FROM batches ORDER BY id").fetchall())


def fails(frame, batch):
    counts["failed"] += 1
    raise KeyError("the reason")


failing = rows.writeStream.foreachBatch(fails).trigger(availableNow=True).start()
try:
    failing.awaitTermination()
except Exception as error:
    print(str(failing.exception()).startswith("An exception was raised by the Python Proxy. Return Message: Traceback"))
    print(type(error).__name__, counts["failed"], "in fails" in str(error), "KeyError: 'the reason'" in str(error),
          "[FOREACH_BATCH_USER_FUNCTION_ERROR] An error occurred in the user provided function in foreach batch sink. "
          "Reason: An exception was raised by the Python Proxy. Return Message: Traceback" in str(error))
"""


def test_foreach_batch_runs_in_the_process_of_the_job(submit):
    submit.work.mkdir(exist_ok=True)
    (submit.work / "in").mkdir()
    (submit.work / "in" / "a.json").write_text('{"n": 1}\n{"n": 2}\n{"n": 3}\n')
    (submit.work / "in" / "b.json").write_text('{"n": 4}\n')
    job = submit(FOREACH_BATCH)
    assert job.returncode == 0, job.err
    assert job.out.splitlines() == ["batch 0 2", "batch 1 2", "2 [('even', 2), ('odd', 2)] [(0, 3), (1, 1)]",
                                    "True", "StreamingQueryException 1 True True True"]


ACCUMULATORS = """
from pyspark import AccumulatorParam
from pyspark.sql import SparkSession, functions as F

spark = SparkSession.builder.getOrCreate()
sc = spark.sparkContext
rows, total, odd = sc.accumulator(0), sc.accumulator(0.5), sc.accumulator(0)


class Lists(AccumulatorParam):
    def zero(self, value):
        return []

    def addInPlace(self, one, other):
        one.extend(other if isinstance(other, list) else [other])
        return one


seen = sc.accumulator([], Lists())


def count(row):
    rows.add(1)
    total.add(row.id / 2)
    seen.add(row.id)


spark.range(0, 6, 1, 3).foreach(count)
print(rows.value, total.value, sorted(seen.value), rows, repr(odd).startswith("Accumulator<id="))


@F.udf("boolean")
def keep(x):
    global odd
    if x % 2:
        odd += 1
    return x % 2 == 0


print(spark.range(0, 7, 1, 2).filter(keep("id")).count(), odd.value)
rows.value = 10
rows += 2
print(rows.value)


def write(frame, batch):
    inside = frame.sparkSession.sparkContext.accumulator(0)
    frame.foreach(lambda row: (inside.add(1), rows.add(row.n)))
    print(inside.value, rows.value)


spark.readStream.schema("n long").json("in").writeStream.foreachBatch(write).trigger(availableNow=True).start().awaitTermination()
for bad in (lambda: sc.accumulator("text"), lambda: spark.range(1).foreach(lambda row: rows.value)):
    try:
        bad()
    except Exception as error:
        print(type(error).__name__, "VALUE_NOT_ACCESSIBLE" in str(error), "No default accumulator param" in str(error))
"""


def test_accumulators(submit):
    submit.work.mkdir(exist_ok=True)
    (submit.work / "in").mkdir()
    (submit.work / "in" / "a.json").write_text('{"n": 1}\n{"n": 2}\n{"n": 3}\n')
    job = submit(ACCUMULATORS)
    assert job.returncode == 0, job.err
    assert job.out.splitlines() == ["6 8.0 [0, 1, 2, 3, 4, 5] 6 True", "4 3", "12", "3 18", "TypeError False True",
                                    "PythonException True False"]


HIVE = """
import sys

from pyspark.sql import SparkSession

spark = SparkSession.builder{support}.getOrCreate()
"""

CREATE = HIVE + """
spark.sql("CREATE DATABASE shop COMMENT 'all of it'")
spark.sql("CREATE TABLE visits (id INT NOT NULL COMMENT 'key', page STRING) USING delta")
spark.sql("INSERT INTO visits VALUES (1, 'index')")
spark.createDataFrame([(7, "x")], "n INT, day STRING").write.partitionBy("day").saveAsTable("shop.sales")
spark.sql("CREATE VIEW shop.pages AS SELECT page FROM default.visits")
spark.sql("CREATE FUNCTION shop.twice(x INT DEFAULT 4) RETURNS INT RETURN x * 2")
spark.sql("CREATE TABLE gone (x INT) USING parquet")
spark.sql("DROP TABLE gone")
spark.sql("CREATE TABLE before (x INT) USING json")
spark.sql("ALTER TABLE before RENAME TO after")
"""

USE = HIVE + """
spark.sql("INSERT INTO visits VALUES (2, 'about')")
print(sorted(row.page for row in spark.sql("SELECT * FROM shop.pages").collect()))
print(spark.table("shop.sales").collect(), spark.sql("SELECT shop.twice(), shop.twice(5)").first()[0:2])
print(sorted(table.name for table in spark.catalog.listTables("default")), spark.catalog.getDatabase("shop").description)
spark.sql("DROP DATABASE shop CASCADE")
"""


def test_tables_of_a_job_with_hive_support_are_there_for_the_next(submit):
    job = submit(CREATE.replace("{support}", ".enableHiveSupport()"))
    assert job.returncode == 0, job.err
    job = submit(USE.replace("{support}", ".config('spark.sql.catalogImplementation', 'hive')"))
    assert job.returncode == 0, job.err
    assert job.out.splitlines() == ["['about', 'index']", "[Row(n=7, day='x')] (8, 10)", "['after', 'visits'] all of it"]
    job = submit(HIVE.replace("{support}", "") + "print([d.name for d in spark.catalog.listDatabases()])\n",
                 options=["--conf", "spark.sql.catalogImplementation=hive"])
    assert job.out == "['default']\n", job.err


def test_tables_of_a_job_without_it_are_not(submit):
    assert submit(CREATE.replace("{support}", "")).returncode == 0
    job = submit(HIVE.replace("{support}", "") + "print(spark.catalog.listTables())\n")
    assert job.out == "[]\n", job.err
    assert not list(submit.work.glob("metastore*"))


def test_a_catalog_that_cannot_be_read_is_named(submit):
    (submit.work / "metastore_millrace" / "default").mkdir(parents=True)
    (submit.work / "metastore_millrace" / "default" / "_database.json").write_text("{")
    job = submit(HIVE.replace("{support}", ""), options=["--conf", "spark.sql.catalogImplementation=hive"])
    assert "_database.json" in job.err


OLD = """
import warnings

from pyspark import SparkConf, SparkContext
from pyspark.sql import HiveContext, SQLContext

warnings.simplefilter("ignore")
sc = SparkContext(conf=SparkConf().setAppName("old").set("spark.sql.shuffle.partitions", "3"))
context = SQLContext(sc)
frame = context.createDataFrame([(1, "a"), (2, "b")], ["id", "n"])
context.registerDataFrameAsTable(frame, "t")
print(context.sql("SELECT max(id) FROM t").first()[0], context.getConf("spark.sql.shuffle.partitions"), context.tableNames())
print(context.tables().collect(), SQLContext.getOrCreate(sc) is context, context.table("t").count(), context.streams.active)
context.dropTempTable("t")
print(HiveContext(sc).tableNames(), context.read.json(sc.parallelize(['{"x": 1}'])).columns)
try:
    from pyspark.streaming import StreamingContext
    StreamingContext(sc, 1)
except ImportError:  # of pyspark-client, which has no py4j
    print("[NOT_IMPLEMENTED] StreamingContext is not implemented.")
except NotImplementedError as error:
    print(error)
"""


def test_contexts_of_older_jobs(submit):
    job = submit(OLD)
    assert job.returncode == 0, job.err
    assert job.out.splitlines() == [
        "2 3 ['t']", "[Row(namespace='', tableName='t', isTemporary=True)] True 2 []", "[] ['x']",
        "[NOT_IMPLEMENTED] StreamingContext is not implemented."]


TYPE_TEXTS = """
from pyspark.sql import SparkSession, functions as F

spark = SparkSession.builder.config("spark.sql.shuffle.partitions", "3").getOrCreate()


@F.udtf(returnType="num: int, squared: int")
class Squares:
    def eval(self, start: int, end: int):
        for num in range(start, end + 1):
            yield num, num * num


print(Squares(F.lit(1), F.lit(2)).collect())
spark.udtf.register("squares", Squares)
print(spark.sql("SELECT * FROM squares(3, 3)").collect())
pair = F.udf(lambda x: (x, str(x)), "a: int, b: string")
print(spark.range(1).select(pair(F.col("id").cast("int")).alias("p")).select("p.*").collect())
print(spark.range(2).mapInPandas(lambda frames: frames, "id: long").count())
print(spark.range(1).groupBy("id").applyInPandas(lambda frame: frame, "id: long").dtypes)

spark.conf.set("spark.sql.shuffle.partitions", "9")
spark.range(2).createOrReplaceTempView("local")
spark.range(3).createOrReplaceGlobalTempView("shared")
other = spark.newSession()
print(other.conf.get("spark.sql.shuffle.partitions"), other.catalog.tableExists("local"),
      other.sql("SELECT count(*) FROM global_temp.shared").first()[0], SparkSession.builder.getOrCreate() is spark)
sample = spark.sparkContext.parallelize(range(100), 4)
print(len(set(sample.takeSample(False, 5, 1))), len(sample.takeSample(False, 200)), len(sample.takeSample(True, 200)),
      0 < sample.sample(False, 0.5, 7).count() < 100)
"""


def test_types_as_text_and_further_sessions(submit):
    job = submit(TYPE_TEXTS)
    assert job.returncode == 0, job.err
    assert job.out.splitlines() == [
        "[Row(num=1, squared=1), Row(num=2, squared=4)]", "[Row(num=3, squared=9)]", "[Row(a=0, b='0')]", "2",
        "[('id', 'bigint')]", "3 False 3 True", "5 100 200 True"]


FRAMES = """
from pyspark.sql import SparkSession, functions as F

spark = SparkSession.builder.getOrCreate()
print(spark.createDataFrame([("main",)], "page string").withColumns({
    "category": F.expr("concat('cat_', page)"), "url": F.expr("concat('categories/', category)"),
    "length": F.length("url")}).first())
spark.range(2).coalesce(1).write.json("rows")
rows = spark.read.schema("id long").json("rows")
name = F.regexp_extract(F.input_file_name(), "/([^/-]+)-[^/]+$", 1)
print(rows.withColumn("name", name).withColumn("size", F.col("_metadata.file_size")).filter("size > 0")
      .withColumn("again", F.col("_metadata.file_name") == F.regexp_extract(F.input_file_name(), "[^/]+$", 0)).collect())
print(rows.withColumn("size", F.col("_metadata.file_size")).select("id", name.alias("name"), "_metadata.file_block_start").collect())
print(rows.select("id", "_metadata").withColumn("name", name).select("id", "name", "_metadata.file_size").count(),
      rows.withColumn("name", name).columns)
"""


def test_columns_that_read_each_other_and_the_file(submit):
    job = submit(FRAMES)
    assert job.returncode == 0, job.err
    assert job.out.splitlines() == [
        "Row(page='main', category='cat_main', url='categories/cat_main', length=19)",
        "[Row(id=0, name='part', size=18, again=True), Row(id=1, name='part', size=18, again=True)]",
        "[Row(id=0, name='part', file_block_start=0), Row(id=1, name='part', file_block_start=0)]",
        "2 ['id', 'name']"]


def test_a_detail_names_the_table_with_its_database(submit):
    job = submit("""
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
spark.sql("CREATE DATABASE shop")
spark.sql("USE shop")
spark.sql("CREATE TABLE Sales (id INT) USING delta")
for name in ("sales", "shop.sales", "spark_catalog.shop.SALES"):
    print(spark.sql("DESCRIBE DETAIL " + name).first().name)
""")
    assert job.out.splitlines() == ["spark_catalog.shop.sales"] * 3, job.err


DEEP = """
import functools
import operator

from pyspark.sql import SparkSession, functions as F

spark = SparkSession.builder.getOrCreate()
frame = spark.range(4)
for i in range(900):
    frame = frame.withColumn(f"c{i % 20}", F.col("id") + i)
print(frame.orderBy("id").collect()[1][20])
total = functools.reduce(operator.add, [F.col("id") * i for i in range(700)])
wanted = functools.reduce(operator.or_, [F.col("id") == 2 * i for i in range(700)])
print([tuple(row) for row in spark.range(1, 4).where(wanted).select("id", total).collect()])
"""


def test_frames_and_columns_of_many_steps(submit):
    job = submit(DEEP)
    assert job.returncode == 0, job.err
    assert job.out.splitlines() == ["900", "[(2, 489300)]"]


SAVE_MODES = """
from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
rows = spark.range(2)
for word in ("errorifexists", "default", "ErrorIfExists"):
    rows.write.mode(word).parquet("out_" + word)
try:
    rows.write.save("out_default", mode="errorifexists")
except AnalysisException as error:
    print(error.getCondition())
for word in ("nope", ""):
    try:
        rows.write.mode(word)
    except AnalysisException as error:
        print(error.getCondition(), error.getSqlState(), str(error))
"""


def test_save_modes_are_those_of_a_driver(submit):
    job = submit(SAVE_MODES)
    assert job.returncode == 0, job.err
    # as PySpark 4.2 prints it with real Spark
    valid = 'Valid save modes include "append", "overwrite", "ignore", "error", "errorifexists", and "default".'
    assert job.out.splitlines() == ["PATH_ALREADY_EXISTS"] + [
        f'INVALID_SAVE_MODE 42000 [INVALID_SAVE_MODE] The specified save mode "{word}" is invalid. {valid} SQLSTATE: 42000'
        for word in ("nope", "")]


MALFORMED_TEXT = """
from pyspark.sql import SparkSession, functions as F

spark = SparkSession.builder.getOrCreate()
rows = spark.sql("SELECT cast(unhex('61c3') AS STRING) AS s, cast(unhex('e28241ff') AS STRING) AS t, 1 AS i")
rows.show()
print([[str(cell).encode("unicode_escape") for cell in row] for row in rows.collect()])
print(rows.select(F.hex("s"), F.length("s")).first())
with open("lines.txt", "wb") as file:
    file.write(b"ok\\nS\\xe3o\\n")
lines = spark.read.text("lines.txt")
print([row.value.encode("unicode_escape") for row in lines.collect()], [row[0] for row in lines.select(F.hex("value")).collect()])
"""


def test_text_that_is_no_utf8_is_shown_as_a_driver_shows_it(submit):
    job = submit(MALFORMED_TEXT)
    assert job.returncode == 0, job.err
    # as PySpark 4.2 prints it with real Spark: the bytes stay as they are until they are shown
    assert job.out.splitlines() == [
        "+---+---+---+", "|  s|  t|  i|", "+---+---+---+", "| a\ufffd|\ufffdA\ufffd|  1|", "+---+---+---+", "",
        r"[[b'a\\ufffd', b'\\ufffdA\\ufffd', b'1']]", "Row(hex(s)='61C3', length(s)=2)",
        r"[b'ok', b'S\\ufffdo'] ['6F6B', '53E36F']"]


STREAM_ARGUMENTS = """
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()


def told(step):
    try:
        return step()
    except Exception as error:
        return f"{type(error).__name__} {error.getCondition()} {str(error).splitlines()[0]}"


rates = spark.readStream.format("rate").load()
query = rates.writeStream.format("noop").start()
print(told(lambda: query.awaitTermination(0)))
query.stop()
print(told(lambda: spark.streams.awaitAnyTermination(0)))
print(told(lambda: spark.streams.awaitAnyTermination(-5)))
print(told(lambda: rates.writeStream.outputMode("foo")))
print(told(lambda: rates.writeStream.outputMode("")))
print(type(rates.writeStream.outputMode("Append")).__name__)
print(told(lambda: spark.range(3).dropDuplicates(["nope"]).count()))
"""


def test_arguments_of_streams_are_judged_as_a_driver_judges_them(submit):
    job = submit(STREAM_ARGUMENTS)
    assert job.returncode == 0, job.err
    not_positive = ("PySparkValueError VALUE_NOT_POSITIVE [VALUE_NOT_POSITIVE] Value for `timeout` must be positive, "
                    "got 'int'.")
    # as PySpark 4.2 prints it with real Spark
    assert job.out.splitlines() == [
        not_positive, "True", not_positive,
        "IllegalArgumentException STREAMING_OUTPUT_MODE.INVALID [STREAMING_OUTPUT_MODE.INVALID] Invalid streaming output "
        "mode: foo. Accepted output modes are 'Append', 'Complete', 'Update'. SQLSTATE: 42KDE",
        "PySparkValueError VALUE_NOT_NON_EMPTY_STR [VALUE_NOT_NON_EMPTY_STR] Value for `outputMode` must be a non-empty "
        "string, got ''.",
        "DataStreamWriter",
        "AnalysisException UNRESOLVED_COLUMN_AMONG_FIELD_NAMES [UNRESOLVED_COLUMN_AMONG_FIELD_NAMES] Cannot resolve column "
        'name "nope" among (id). SQLSTATE: 42703']
