"""What a batch job shows of frames, files and its own sources: cases of test_job_programs.py. Each takes a session and an
empty folder, and gives what JSON can hold."""

import decimal
import glob
import json
import os
import re

import driver_cases
from pyspark.sql import functions as F
from pyspark.sql.window import Window


def outcome(call):
    """What it gives, or the condition it fails with and the first line of its message."""
    try:
        return call()
    except Exception as error:
        condition = error.getCondition() if hasattr(error, "getCondition") else None
        return {"error": type(error).__name__, "condition": condition, "message": str(error).strip().split("\n")[0]}


def rows(frame):
    return [[str(value) if isinstance(value, decimal.Decimal) else value for value in row] for row in frame.collect()]


def samples_with_replacement(spark, folder):
    frame = spark.range(0, 60, 1, 4)
    answers = {}
    for fraction in (0.5, 1.7):
        for seed in (1, 42, -7):
            answers[f"{fraction} {seed}"] = [row.id for row in frame.sample(True, fraction, seed).collect()]
    answers["none"] = frame.sample(True, 0.0, 3).count()
    answers["without"] = [row.id for row in frame.sample(False, 0.2, 5).collect()]
    return answers


def random_numbers_over_values(spark, folder):
    queries = ["SELECT rand(11) r, a FROM VALUES 1, 2, 3, 4 AS t(a)",
               "SELECT a, r FROM (SELECT a, randn(3) r FROM VALUES 1, 2, 3, 4, 5 AS t(a) WHERE a > 2) WHERE r < 100",
               "SELECT monotonically_increasing_id() i, spark_partition_id() p, a FROM VALUES 5, 6, 7 AS t(a)",
               "SELECT a FROM VALUES 1, 2, 3, 4, 5, 6 AS t(a) WHERE rand(8) < 0.5",
               "SELECT a, rand(2) r FROM VALUES 1, 2 AS t(a) UNION ALL SELECT a, rand(2) FROM VALUES 3, 4 AS t(a)",
               "SELECT id, rand(4) r FROM range(3)"]
    return {query: rows(spark.sql(query)) for query in queries}


def decimal_literals(spark, folder):
    values = [decimal.Decimal(text) for text in ("1.5", "2.50", "3", "1E+3", "-0.0007", "123456789012.5")]
    one = spark.range(1)
    product = one.select(*[(F.lit(decimal.Decimal("7.25")) * value).alias(f"c{i}") for i, value in enumerate(values)])
    return [one.select(*map(F.lit, values)).schema.simpleString(), product.schema.simpleString(), rows(product)]


def names_of_window_functions(spark, folder):
    by_value = Window.orderBy("id")
    return spark.range(4).select(F.cume_dist().over(by_value), F.percent_rank().over(by_value),
                                 F.rank().over(by_value)).columns


def rows_of_sliding_windows(spark, folder):
    visits = spark.sql("SELECT timestamp_seconds(s) ts, n FROM VALUES (3, 'a'), (9, 'b'), (12, 'c'), (21, 'd') AS t(s, n)")
    visits = visits.repartition(1)
    window = F.window("ts", "10 seconds", "5 seconds")
    each = visits.select(window.start.cast("long").alias("s"), "n")
    together = visits.groupBy(window).agg(F.first("n"), F.last("n"), F.collect_list("n"))
    return [rows(each), sorted(rows(together.select(F.col("window.start").cast("long"), "first(n)", "last(n)",
                                                     "collect_list(n)"))),
            rows(spark.sql("SELECT a, b, sum(c) FROM VALUES (1, 2, 3), (1, 3, 4), (2, 2, 5) t(a, b, c) "
                           "GROUP BY GROUPING SETS ((a), (b), ())"))]


def columns_of_one_name(spark, folder):
    frame = spark.sql("SELECT 1 AS visit, 2 AS Visit")
    answers = {}
    for format in ("parquet", "orc", "json", "csv"):
        answers[format] = outcome(lambda: frame.write.format(format).save(f"{folder}/{format}"))
    spark.conf.set("spark.sql.caseSensitive", "true")
    answers["case counts"] = outcome(lambda: frame.write.parquet(f"{folder}/cased"))
    spark.conf.unset("spark.sql.caseSensitive")
    return answers


def files_without_adaptive_execution(spark, folder):
    """The rows of each task's file."""
    visits = spark.range(0, 40, 1, 3).withColumn("k", F.col("id") % 7).withColumn("s", F.concat(F.lit("s"), "k"))
    frames = {"grouped": visits.groupBy("k").count(), "by text": visits.groupBy("s").count(),
              "filtered": visits.groupBy("k").count().where("k < 3"), "distinct": visits.select("k").distinct(),
              "without doubles": visits.dropDuplicates(["s"]), "in one": visits.agg(F.sum("id")),
              "ranked": visits.withColumn("r", F.row_number().over(Window.partitionBy("k").orderBy("id"))),
              "by keys": visits.repartition("k"), "of three": visits.where("id > 30")}
    answers = {}
    for adaptive in ("true", "false"):
        spark.conf.set("spark.sql.adaptive.enabled", adaptive)
        spark.conf.set("spark.sql.shuffle.partitions", "5")
        for name, frame in frames.items():
            target = f"{folder}/{adaptive}.{name}".replace(" ", "_")
            frame.write.json(target)
            files = sorted(glob.glob(f"{target}/part-*"))
            answers[f"{name} {adaptive}"] = [[os.path.basename(file)[5:10], len(open(file).readlines())] for file in files]
    spark.conf.unset("spark.sql.adaptive.enabled")
    spark.conf.set("spark.sql.shuffle.partitions", "2")
    return answers


def void_in_parquet(spark, folder):
    answers = {}
    for name, column in [("plain", "null"), ("nested", "named_struct('q', null, 'w', id)")]:
        spark.range(0, 3, 1, 1).selectExpr("id", f"{column} AS extra").write.parquet(f"{folder}/{name}")
        read = spark.read.parquet(f"{folder}/{name}")
        answers[name] = [read.schema.simpleString(), outcome(lambda: sorted(map(str, read.collect()))),
                         outcome(lambda: read.where("extra IS NULL").count())]
    return answers


def types_that_streams_cannot_write(spark, folder):
    os.makedirs(f"{folder}/in")
    with open(f"{folder}/in/one.json", "w") as out:
        out.write('{"n": 1}\n')
    answers = {}
    for format, column in [("csv", "array(n)"), ("json", "make_interval(n)"), ("orc", "null"), ("parquet", "null")]:
        frame = spark.readStream.schema("n int").json(f"{folder}/in").selectExpr("n", f"{column} AS extra")

        def run():
            query = (frame.writeStream.format(format).option("checkpointLocation", f"{folder}/{format}.checkpoint")
                     .trigger(availableNow=True).start(f"{folder}/{format}"))
            try:
                query.awaitTermination()
            except Exception as error:
                found = re.search(r"\[UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE\][^\n]*?SQLSTATE: \w+", str(error))
                return [type(error).__name__, found and found.group(0)]
            return "written"

        answers[format] = [outcome(run), sorted(os.path.basename(name) for name in glob.glob(
            f"{folder}/{format}.checkpoint/offsets/*"))]
    return answers


def encodings_of_json(spark, folder):
    text = '{"town": "Zoë", "n": 1}\n{"town": "Łódź", "n": 2}\n'

    def lay(name, content):
        os.makedirs(f"{folder}/{name}")
        with open(f"{folder}/{name}/one.json", "wb") as out:
            out.write(content)

    lay("utf16le", text.encode("utf-16-le"))
    lay("utf16be", text.encode("utf-16-be"))
    lay("latin", '{"town": "Zoë", "n": 1}\n{"town": "Évry", "n": 2}\n'.encode("latin-1"))
    lay("marked", text.split("\n")[1].encode("utf-16"))
    lay("wide", text.split("\n")[1].encode("utf-32-be"))
    lay("utf8", b"\xef\xbb\xbf" + text.encode())
    answers = {}
    for name, options in [("utf16le", {"encoding": "UTF-16LE", "lineSep": "\n"}), ("utf16le", {"encoding": "UTF-16LE"}),
                          ("utf16be", {"charset": "utf-16be", "lineSep": "\n"}),
                          ("latin", {"encoding": "ISO-8859-1", "lineSep": "\n"}), ("latin", {"encoding": "ISO-8859-1"}),
                          ("marked", {"encoding": "UTF-16", "multiLine": "true"}), ("marked", {"multiLine": "true"}),
                          ("marked", {"encoding": "UTF-16", "lineSep": "\n"}), ("wide", {"multiLine": "true"}),
                          ("wide", {}), ("utf8", {}), ("utf8", {"encoding": "UTF-8"}), ("utf8", {"encoding": "utf8"}),
                          ("utf8", {"encoding": "US-ASCII"}), ("utf8", {"encoding": "windows-1252", "lineSep": "\n"})]:
        def read():
            frame = spark.read.options(**options).json(f"{folder}/{name}")
            return [frame.schema.simpleString(), rows(frame)]

        answers[f"{name} {json.dumps(options)}"] = outcome(read)
    frame = spark.createDataFrame([("Zoë", 1), ("Łódź", 2)], "town string, n int").coalesce(1)
    for encoding in ("UTF-16LE", "UTF-16", "ISO-8859-1", "US-ASCII", "windows-1252"):
        for separator in ("\n", "|"):
            def write():
                target = f"{folder}/{encoding}.{ord(separator)}"
                frame.write.option("encoding", encoding).option("lineSep", separator).json(target)
                return "".join(open(name, "rb").read().hex() for name in glob.glob(f"{target}/*.json"))

            answers[f"written {encoding} {separator!r}"] = outcome(write)
    return answers


def filters_of_python_sources(spark, folder):
    from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition

    class Reader(DataSourceReader):
        def __init__(self, options):
            self.folder, self.takes = options["folder"], options.get("takes", "")
            self.filters = []

        def pushFilters(self, filters):
            self.filters = list(filters)
            for one in self.filters:
                if type(one).__name__ not in self.takes.split(","):
                    yield one

        def partitions(self):
            with open(self.folder + "/filters", "w") as out:
                out.write("\n".join(sorted(map(repr, self.filters))))
            return [InputPartition(0)]

        def read(self, partition):
            yield 1, "lamp", 0.5, True, [1]
            yield 2, "desk", 1.5, False, [2, 3]
            yield None, None, None, None, None

    class Shop(DataSource):
        @classmethod
        def name(cls):
            return "shop"

        def schema(self):
            return "id int, thing string, price float, sold boolean, tags array<int>"

        def reader(self, schema):
            return Reader(self.options)

    spark.dataSource.register(Shop)
    spark.conf.set("spark.sql.python.filterPushdown.enabled", "true")
    answers = {}
    conditions = ["id = 1", "1 < id", "id <> 1 AND thing = 'lamp'", "thing LIKE 'la%'", "thing LIKE '%s%'", "NOT sold",
                  "id IN (1, 2)", "id IS NULL", "NOT (id > 1)", "price = 1.5", "tags = array(2, 3)", "id = 1 OR id = 2"]
    asked = [(condition, "") for condition in conditions]
    asked += [(condition, "EqualTo,IsNotNull") for condition in ("id = 1", "sold", "id = 2 AND length(thing) = 4")]
    for condition, takes in asked:
        with open(folder + "/filters", "w") as out:
            out.write("not asked")
        frame = spark.read.format("shop").options(folder=folder, takes=takes).load().where(condition)
        answers[f"{condition} | {takes}"] = [outcome(lambda: rows(frame.select("id"))),
                                             open(folder + "/filters").read().split("\n")]
    spark.conf.unset("spark.sql.python.filterPushdown.enabled")
    return answers


def failures_of_python_functions(spark, folder):
    @F.udf("int")
    def broken(value):
        raise ValueError(f"no {value}")

    def messages(frame):
        try:
            frame.collect()
        except Exception as error:
            # What each client says in front of the worker's words, and behind them, is its own.
            text = re.split(r"Python worker:\s*", str(error).split("\n\nJVM")[0])[-1]
            text = re.sub(r"\s*SQLSTATE: \w+", "", text).strip()
            return re.sub(r'File "[^"]*[/<]([^"]*)", line \d+', r'File "\1"', text).split("\n")
        return None

    def broken_batches(batches):
        for batch in batches:
            raise KeyError("batch")
            yield batch

    answers = {"udf": messages(spark.range(1).select(broken("id"))),
               "mapInPandas": messages(spark.range(1).mapInPandas(broken_batches, "id long"))}
    spark.conf.set("spark.sql.execution.pyspark.udf.hideTraceback.enabled", "true")
    answers["hidden"] = messages(spark.range(1).select(broken("id")))
    spark.conf.unset("spark.sql.execution.pyspark.udf.hideTraceback.enabled")
    return answers


CASES = {case.__name__: case for case in (
    samples_with_replacement, random_numbers_over_values, decimal_literals, names_of_window_functions,
    rows_of_sliding_windows, columns_of_one_name, files_without_adaptive_execution, void_in_parquet,
    types_that_streams_cannot_write, encodings_of_json, filters_of_python_sources, failures_of_python_functions,
    *driver_cases.CASES)}
