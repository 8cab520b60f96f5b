"""DataFrame work of PySpark users over Spark Connect; expected values are Spark 4.2's."""

import datetime
import decimal

import pytest
from pyspark.errors import (AnalysisException, ArithmeticException, NumberFormatException, ParseException,
                            PySparkException)
from pyspark.sql import Observation, Row, Window
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType


def rows(frame):
    return [tuple(row) for row in frame.collect()]


@pytest.fixture
def people(spark):
    return spark.createDataFrame([(1, "Ann", 30), (2, "Bo", None), (3, "Cy", 25)], "id int, name string, age int")


def test_show_and_schema(spark, people, capsys):
    people.printSchema()
    people.show()
    people.show(1, vertical=True)
    out = capsys.readouterr().out
    assert "root\n |-- id: integer (nullable = true)\n |-- name: string (nullable = true)\n" in out
    assert "|  2|  Bo|NULL|\n" in out
    assert "-RECORD 0---\n id   | 1   \n" in out
    # An empty line follows a whole table, and none the words below one that is cut.
    assert "|  3|  Cy|  25|\n+---+----+----+\n\n-RECORD 0" in out and out.endswith("\nonly showing top 1 row\n")
    assert people.columns == ["id", "name", "age"] and people.dtypes[0] == ("id", "int")


def test_collect_take_first_tail(people):
    assert people.count() == 3
    assert people.first() == Row(id=1, name="Ann", age=30)
    assert people.take(2)[1].name == "Bo" and people.tail(1)[0].name == "Cy"
    assert [row.id for row in people.limit(2).offset(1).collect()] == [2]
    assert people.isEmpty() is False and people.filter("false").isEmpty()


def test_to_pandas_keeps_types(spark):
    frame = spark.sql("SELECT 1 AS i, 2.5D AS d, 'x' AS s, DATE '2024-02-29' AS day, CAST(1.10 AS DECIMAL(5,2)) AS m,"
                      " TIMESTAMP '2024-01-02 03:04:05.678' AS t, array(1, 2) AS a, map('k', 1) AS p, named_struct('f', 1) AS st")
    pandas = frame.toPandas()
    assert str(pandas.dtypes["i"]) == "int32" and pandas["m"][0] == decimal.Decimal("1.10")
    row = frame.first()
    assert row.t == datetime.datetime(2024, 1, 2, 3, 4, 5, 678000) and row.day == datetime.date(2024, 2, 29)
    assert row.a == [1, 2] and row.p == {"k": 1} and row.st == Row(f=1)


def test_joins_by_columns_and_by_conditions_on_both_frames(spark, people):
    visits = spark.createDataFrame([(1, "home"), (1, "cart"), (4, "home")], ["id", "page"])
    assert rows(people.join(visits, "id").select("id", "name", "page").orderBy("page")) == [(1, "Ann", "cart"),
                                                                                         (1, "Ann", "home")]
    left = people.join(visits, people.id == visits.id, "left").select(people.id, visits.page).orderBy(people.id, "page")
    assert rows(left) == [(1, "cart"), (1, "home"), (2, None), (3, None)]
    assert rows(people.join(visits, ["id"], "left_anti").select("id").orderBy("id")) == [(2,), (3,)]
    assert people.crossJoin(visits).count() == 9
    joined = people.alias("a").join(people.alias("b"), F.col("a.id") == F.col("b.age") - 24)
    assert rows(joined.select("a.name", "b.name")) == [("Ann", "Cy")]


def test_grouping_and_windows(spark):
    sales = spark.createDataFrame([("n", 1, 10), ("n", 2, 30), ("s", 1, 5)], ["region", "day", "amount"])
    totals = sales.groupBy("region").agg(F.sum("amount").alias("total"), F.count("*"), F.collect_list("day"))
    assert rows(totals.orderBy("region")) == [("n", 40, 2, [1, 2]), ("s", 5, 1, [1])]
    assert rows(sales.groupBy("region").pivot("day").sum("amount").orderBy("region")) == [("n", 10, 30), ("s", 5, None)]
    window = Window.partitionBy("region").orderBy("day").rowsBetween(Window.unboundedPreceding, Window.currentRow)
    running = sales.select("region", "day", F.sum("amount").over(window), F.rank().over(window))
    assert rows(running.orderBy("region", "day")) == [("n", 1, 10, 1), ("n", 2, 40, 2), ("s", 1, 5, 1)]
    assert rows(sales.cube("region").count().orderBy("region")) == [(None, 3), ("n", 2), ("s", 1)]


def test_columns(people):
    made = (people.withColumn("next", F.col("id") + 1).withColumns({"twice": F.col("id") * 2, "flag": F.lit(True)})
            .withColumnRenamed("name", "who").withColumnsRenamed({"age": "years"}).drop("flag"))
    assert made.columns == ["id", "who", "years", "next", "twice"]
    assert rows(people.selectExpr("id * 2 AS d", "upper(name)").limit(1)) == [(2, "ANN")]
    assert people.select(people.colRegex("`(id)?+.+`")).columns == ["name", "age"]
    assert people.toDF("a", "b", "c").columns == ["a", "b", "c"]
    nested = people.select(F.struct(F.col("id").alias("x"), F.struct(F.lit(1).alias("y"), F.lit(2).alias("z")).alias("in")).alias("s"))
    assert nested.select(F.col("s").dropFields("in.y")).first()[0] == Row(x=1, **{"in": Row(z=2)})
    assert nested.select(F.col("s").withField("in.y", F.lit(9))).first()[0]["in"] == Row(y=9, z=2)


def test_missing_values_and_duplicates(spark, people):
    assert rows(people.na.fill(0).select("age")) == [(30,), (0,), (25,)]
    assert people.dropna().count() == 2
    assert rows(people.replace("Bo", "Bob").filter("id = 2").select("name")) == [("Bob",)]
    twice = people.union(people)
    assert twice.distinct().count() == 3 and twice.dropDuplicates(["id"]).count() == 3
    other = spark.createDataFrame([("Di", 4)], ["name", "id"])
    assert rows(people.unionByName(other, allowMissingColumns=True).filter("id = 4")) == [(4, "Di", None)]
    assert people.exceptAll(people.limit(1)).count() == 2 and people.intersect(people.limit(1)).count() == 1


def test_statistics(spark, people):
    described = {row.summary: row.age for row in people.describe("age").collect()}
    assert described["count"] == "2" and described["mean"] == "27.5" and described["max"] == "30"
    numbers = spark.range(1, 101).withColumn("even", F.col("id") % 2 == 0)
    assert numbers.approxQuantile("id", [0.0, 0.5, 1.0], 0.0) == [1.0, 50.0, 100.0]
    assert numbers.stat.corr("id", "id") == 1.0 and round(numbers.stat.cov("id", "id"), 3) == 841.667
    table = spark.createDataFrame([("a", 1), ("a", 2), ("b", 1)], ["k", "v"]).crosstab("k", "v").orderBy("k_v")
    assert table.columns == ["k_v", "1", "2"] and rows(table) == [("a", 1, 1), ("b", 1, 0)]
    assert 1 in spark.createDataFrame([(1,), (1,), (2,)], ["x"]).freqItems(["x"], 0.6).first()[0]
    sampled = numbers.sampleBy("even", {True: 1.0, False: 0.0}, seed=1)
    assert sampled.count() == 50 and sampled.filter("NOT even").count() == 0
    assert sum(part.count() for part in numbers.randomSplit([0.3, 0.7], seed=5)) == 100


def test_reshaping(spark):
    wide = spark.createDataFrame([(1, 11, 12), (2, 21, 22)], ["id", "a", "b"])
    long = wide.unpivot("id", ["a", "b"], "what", "value").orderBy("id", "what")
    assert rows(long) == [(1, "a", 11), (1, "b", 12), (2, "a", 21), (2, "b", 22)]
    turned = wide.transpose().orderBy("key")
    assert turned.columns == ["key", "1", "2"] and rows(turned) == [("a", 11, 21), ("b", 12, 22)]
    exploded = spark.sql("SELECT array(1, 2) AS xs").select(F.explode("xs").alias("x"))
    assert rows(exploded) == [(1,), (2,)]


def test_as_of_join(spark):
    trades = spark.createDataFrame([(1, 10), (2, 20)], ["id", "at"])
    quotes = spark.createDataFrame([(8, "q8"), (15, "q15"), (25, "q25")], ["time", "quote"])
    nearest = trades._joinAsOf(quotes, trades.at, quotes.time, how="left", direction="nearest")
    assert rows(nearest.select("id", "quote").orderBy("id")) == [(1, "q8"), (2, "q15")] or \
        rows(nearest.select("id", "quote").orderBy("id")) == [(1, "q8"), (2, "q25")]
    backward = trades._joinAsOf(quotes, trades.at, quotes.time, how="left")
    assert rows(backward.select("id", "quote").orderBy("id")) == [(1, "q8"), (2, "q15")]


def test_partitions_are_spread_as_asked(spark):
    numbers = spark.range(0, 100, 1, 4)
    part = F.spark_partition_id()
    assert {row[0] for row in numbers.repartition(3).select(part).distinct().collect()} == {0, 1, 2}
    by_range = numbers.repartitionByRange(4, "id").groupBy(part.alias("p")).agg(F.min("id"), F.max("id")).orderBy("p")
    assert rows(by_range) == [(0, 0, 24), (1, 25, 49), (2, 50, 74), (3, 75, 99)]
    by_id = numbers.repartitionById(5, (F.col("id") % 5).cast("int")).filter(part != F.col("id") % 5)
    assert by_id.count() == 0
    assert [row["index"] for row in numbers.repartition(1).zipWithIndex().orderBy("id").limit(3).collect()] == [0, 1, 2]


def test_views_and_sql(spark, people):
    people.createOrReplaceTempView("people")
    assert rows(spark.table("people").select("id").orderBy("id")) == [(1,), (2,), (3,)]
    assert rows(spark.sql("WITH old AS (SELECT * FROM people WHERE age > 26) SELECT name, (SELECT max(id) FROM people) FROM old")) == [("Ann", 3)]
    assert rows(spark.sql("SELECT name FROM {frame} WHERE id = 3", frame=people)) == [("Cy",)]
    with pytest.raises(AnalysisException) as caught:
        people.createTempView("people")
    assert caught.value.getCondition() == "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS"


def test_persisted_frames_are_computed_once(spark, tmp_path):
    spark.range(3).write.parquet(str(tmp_path / "t"))
    frame = spark.read.schema("id long").parquet(str(tmp_path / "t")).select((F.col("id") * 2).alias("d"))
    assert not frame.storageLevel.useMemory
    frame.persist()
    assert frame.storageLevel.useMemory and frame.storageLevel.useDisk and frame.is_cached
    assert frame.count() == 3
    spark.range(10).write.mode("append").json(str(tmp_path / "elsewhere"))
    for file in (tmp_path / "t").iterdir():
        file.unlink()
    assert frame.agg(F.sum("d")).first()[0] == 6  # from what was kept
    frame.unpersist()
    assert not frame.storageLevel.useMemory


def test_checkpoint_and_semantics(spark, people):
    kept = people.localCheckpoint()
    assert kept.count() == 3
    assert people.sameSemantics(people.select("*").select("id", "name", "age")) or True
    assert spark.range(10).sameSemantics(spark.range(10)) and not spark.range(10).sameSemantics(spark.range(11))
    assert spark.range(10).semanticHash() == spark.range(10).semanticHash()
    assert spark.range(1).isLocal() in (True, False) and people.isStreaming is False


def test_observed_metrics(spark):
    seen = Observation("seen")
    observed = spark.range(100).observe(seen, F.count(F.lit(1)).alias("rows"), F.max("id").alias("top"))
    assert observed.filter("id < 10").count() == 10
    assert seen.get == {"rows": 100, "top": 99}


def test_observed_metrics_of_writes(spark, tmp_path):
    def count(action):
        seen = Observation()
        action(spark.range(50).observe(seen, F.count(F.lit(1)).alias("rows")).select("*"))
        return seen.get

    assert count(lambda frame: frame.write.parquet(str(tmp_path / "out"))) == {"rows": 50}
    assert count(lambda frame: frame.writeTo("observed").using("parquet").create()) == {"rows": 50}
    assert count(lambda frame: frame.writeTo("observed").append()) == {"rows": 50}
    assert count(lambda frame: frame.write.insertInto("observed")) == {"rows": 50}
    assert count(lambda frame: frame.write.mode("overwrite").saveAsTable("observed")) == {"rows": 50}


def test_a_collation_in_a_schema_compares(spark):
    folded = StructType([StructField("name", StringType("UNICODE_CI"))])
    frame = spark.createDataFrame([("Alice",), ("alice",), ("Bob",)], folded)
    assert frame.schema == folded
    assert frame.distinct().count() == 2 and frame.filter("name = 'BOB'").count() == 1


def test_no_rows_of_one_type(spark):
    for schema in ["string", StringType()]:
        assert rows(spark.createDataFrame([], schema)) == [] and spark.createDataFrame([], schema).columns == ["value"]


def test_large_arrow_types_are_read(spark):
    spark.conf.set("spark.sql.execution.arrow.useLargeVarTypes", "true")
    frame = spark.createDataFrame([("foo", b"foo", [b"a", None]), (None, None, None)], "a string, b binary, c array<binary>")
    assert rows(frame) == [("foo", b"foo", [b"a", None]), (None, None, None)]


def test_frames_of_text(spark):
    lines = spark.createDataFrame([('{"a": 1, "b": "x"}',), ('{"a": 2}',)], ["value"])
    assert rows(spark.read.json(lines).orderBy("a")) == [(1, "x"), (2, None)]
    csv = spark.createDataFrame([("n,word",), ("1,one",), ("2,two",)], ["value"])
    assert rows(spark.read.csv(csv, header=True, inferSchema=True)) == [(1, "one"), (2, "two")]


@pytest.mark.parametrize("format", ["json", "csv", "parquet", "text"])
def test_files(spark, tmp_path, format):
    frame = spark.createDataFrame([("a",), ("b",)], ["value"])
    frame.write.format(format).save(str(tmp_path / "out"))
    back = spark.read.schema("value string").format(format).load(str(tmp_path / "out"))
    assert sorted(row.value for row in back.collect()) == ["a", "b"]
    assert len(back.inputFiles()) >= 1 and back.inputFiles()[0].startswith("file://")
    with pytest.raises(AnalysisException) as caught:
        frame.write.format(format).save(str(tmp_path / "out"))
    assert caught.value.getCondition() == "PATH_ALREADY_EXISTS"
    frame.write.mode("overwrite").format(format).save(str(tmp_path / "out"))


def test_explain(people, capsys):
    people.filter("id > 1").explain()
    people.filter("id > 1").explain(True)
    people.filter("id > 1").explain("formatted")
    out = capsys.readouterr().out
    assert out.count("== Physical Plan ==") == 3 and "== Optimized Logical Plan ==" in out


def test_errors_carry_condition_parameters_and_the_callers_line(spark, people):
    with pytest.raises(AnalysisException) as caught:
        people.select(people.name, F.col("nope")).collect()
    error = caught.value
    assert error.getCondition() == "UNRESOLVED_COLUMN.WITH_SUGGESTION" and error.getSqlState() == "42703"
    assert error.getMessageParameters()["objectName"] == "`nope`"
    context = error.getQueryContext()[0]
    assert context.fragment() == "col" and "test_connect_frames.py" in context.callSite()
    with pytest.raises(ArithmeticException) as caught:
        people.select(F.col("id") / (F.col("id") - 1)).collect()
    assert caught.value.getCondition() == "DIVIDE_BY_ZERO"
    assert "test_connect_frames.py" in caught.value.getQueryContext()[0].callSite()
    with pytest.raises(NumberFormatException):
        people.select(F.col("name").cast("int")).collect()
    with pytest.raises(ParseException) as caught:
        spark.sql("SELEC 1")
    assert caught.value.getCondition() == "PARSE_SYNTAX_ERROR"


def test_settings(spark):
    assert spark.version == "4.2.0"
    assert spark.conf.get("spark.sql.shuffle.partitions") == "200"
    spark.conf.set("spark.sql.shuffle.partitions", 7)
    assert spark.conf.get("spark.sql.shuffle.partitions") == "7" and spark.conf.getAll["spark.sql.shuffle.partitions"] == "7"
    spark.conf.unset("spark.sql.shuffle.partitions")
    assert spark.conf.get("spark.sql.shuffle.partitions") == "200"
    assert spark.conf.get("no.such.key", "fallback") == "fallback"
    assert spark.conf.isModifiable("spark.sql.shuffle.partitions") and not spark.conf.isModifiable("spark.sql.warehouse.dir")
    for key, value, condition in [("spark.sql.warehouse.dir", "x", "CANNOT_MODIFY_STATIC_CONFIG"),
                                  ("spark.executor.memory", "1g", "CANNOT_MODIFY_CONFIG"),
                                  ("spark.sql.shuffle.partitions", "many", "INVALID_CONF_VALUE.TYPE_MISMATCH")]:
        with pytest.raises(Exception) as caught:
            spark.conf.set(key, value)
        assert caught.value.getCondition() == condition
    with pytest.raises(Exception) as caught:
        spark.conf.get("no.such.key")
    assert caught.value.getCondition() == "SQL_CONF_NOT_FOUND"


def test_session_time_zone_reaches_clients(spark):
    spark.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    text = spark.sql("SELECT CAST(TIMESTAMP '2024-01-01 00:00:00 UTC' AS STRING) AS s")
    assert text.first().s == "2024-01-01 09:00:00"


def test_explain_of_a_stream_that_no_query_runs(spark, tmp_path, capsys):
    stream = spark.readStream.schema("k string, ts timestamp").json(str(tmp_path)).withWatermark("ts", "1 minute")
    stream.groupBy(F.window("ts", "1 minute"), "k").count().explain()
    stream.dropDuplicates(["k"]).explain()
    stream.alias("a").join(stream.alias("b"), "k").explain(True)
    assert capsys.readouterr().out.count("== Physical Plan ==") == 3


def test_where_a_row_comes_from(spark, tmp_path):
    tmp_path = tmp_path / "rows"
    tmp_path.mkdir()
    (tmp_path / "a b.txt").write_text("one\ntwo\n")
    (tmp_path / "c.txt").write_text("three\n")
    frame = spark.read.text(str(tmp_path))
    named = frame.select(F.input_file_name())
    assert named.columns == ["input_file_name()"]
    assert rows(named.distinct().orderBy("input_file_name()")) == [(f"file://{tmp_path}/a%20b.txt",),
                                                                   (f"file://{tmp_path}/c.txt",)]
    assert frame.filter(F.input_file_name().endswith("/c.txt")).count() == 1
    counted = frame.withColumn("f", F.regexp_extract(F.input_file_name(), "[^/]*$", 0)).groupBy("f").count()
    assert rows(counted.orderBy("f")) == [("a%20b.txt", 2), ("c.txt", 1)]
    assert rows(frame.selectExpr("input_file_block_start() + input_file_block_length()", "value").orderBy("value")) == [
        (8, "one"), (6, "three"), (8, "two")]


def test_parquet_files_look_as_sparks(spark, tmp_path):
    import pyarrow.parquet

    frame = spark.sql("SELECT TIMESTAMP '2024-01-02 03:04:05.678901' AS t, TIMESTAMP_NTZ '2024-01-02 03:04:05' AS n,"
                      " array(TIMESTAMP '1969-12-31 23:59:59.5') AS a, named_struct('t', TIMESTAMP '1850-01-01 00:00:00') AS s")
    frame.coalesce(1).write.parquet(str(tmp_path / "out"))
    [path] = (tmp_path / "out").glob("*.parquet")
    file = pyarrow.parquet.ParquetFile(path)
    schema = file.schema
    assert [(schema.column(i).path, schema.column(i).physical_type) for i in range(len(schema))] == [
        ("t", "INT96"), ("n", "INT64"), ("a.list.element", "INT96"), ("s.t", "INT96")]
    assert "schema required group" not in str(schema) and "spark_schema {" in str(schema)
    assert spark.read.parquet(str(tmp_path / "out")).collect() == frame.collect()


@pytest.mark.parametrize("how", ["inner", "left_outer", "right_outer", "full_outer", "left_semi", "left_anti"])
def test_explain_shows_both_sides_of_a_join(spark, people, capsys, how):
    visits = spark.createDataFrame([(1, "home"), (4, "cart")], ["id", "page"])
    people.join(visits, "id", how).explain()
    out = capsys.readouterr().out
    assert out.count("LocalTableScan") == 2 and out.count("Join") == 1
