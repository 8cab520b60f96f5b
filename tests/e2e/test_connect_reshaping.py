"""Frames turned round, shown and explained; expected values are Spark 4.2's."""

import pytest
from pyspark.errors import AnalysisException, PySparkNotImplementedError
from pyspark.sql import functions as F
from pyspark.sql.types import StructType


def rows(frame):
    return [tuple(row) for row in frame.collect()]


@pytest.fixture
def wide(spark):
    return spark.createDataFrame([(1, 10, 1.0, "one"), (2, 20, 2.0, "two")], ["id", "int", "double", "str"])


def test_unpivot_keeps_what_comes_of_a_row_together(wide):
    assert rows(wide.unpivot("id", ["int", "double"], "var", "val")) == [
        (1, "int", 10.0), (1, "double", 1.0), (2, "int", 20.0), (2, "double", 2.0)]
    assert rows(wide.unpivot(["id", F.col("int") + 1], ["double", F.col("int").alias("x")], "var", "val")) == [
        (1, 11, "double", 1.0), (1, 11, "x", 10.0), (2, 21, "double", 2.0), (2, 21, "x", 20.0)]


def test_unpivot_keeps_nulls(spark):
    frame = spark.createDataFrame([(1, 10, None), (2, None, None)], "id int, a int, b int")
    assert rows(frame.unpivot("id", ["a", "b"], "var", "val")) == [
        (1, "a", 10), (1, "b", None), (2, "a", None), (2, "b", None)]
    assert rows(frame.melt("id", ["b"], "var", "val")) == [(1, "b", None), (2, "b", None)]


def test_unpivot_wants_one_type_without_text(wide):
    with pytest.raises(AnalysisException) as caught:
        wide.unpivot("id", ["int", "double", "str"], "var", "val").collect()
    assert caught.value.getCondition() == "UNPIVOT_VALUE_DATA_TYPE_MISMATCH"
    assert caught.value.getMessageParameters() == {
        "types": '"BIGINT" (`int`), "DOUBLE" (`double`), "STRING" (`str`)'}


def test_transpose_names_the_type_of_a_bad_index(spark):
    with pytest.raises(AnalysisException) as caught:
        spark.createDataFrame([([1], "x")], ["a", "b"]).transpose().collect()
    assert "must be of atomic type, but found: ArrayType(LongType,true)" in str(caught.value)


def test_a_persisted_frame_shows_in_the_plans_that_read_it(spark, capsys):
    frame = spark.range(3).cache()
    frame.filter("id > 1").explain()
    frame.unpersist()
    frame.explain()
    lines = [line for line in capsys.readouterr().out.splitlines() if line]
    assert [line.split(" [")[0] for line in lines[:3]] == [
        "== Physical Plan ==", lines[1].split(" [")[0], "+- InMemoryTableScan"]
    assert lines[3].startswith("      +- InMemoryRelation [id#")
    assert lines[3].endswith("], StorageLevel(disk, memory, deserialized, 1 replicas)")
    assert "Range (0, 3, step=1" in lines[4] and "InMemory" not in "".join(lines[5:])


def test_types_as_pyspark_writes_them(spark):
    assert spark.createDataFrame([(1, "x")], "a: int, b: string").dtypes == [("a", "int"), ("b", "string")]
    twice = F.udf(lambda x: {"n": x, "t": str(x)}, "n: long, t: string")
    assert rows(spark.range(1, 2).select(twice("id").alias("s")).select("s.*")) == [(1, "1")]
    assert rows(spark.range(1).mapInPandas(lambda frames: frames, "id: long")) == [(0,)]
    with pytest.raises(Exception) as caught:
        spark.read.schema("a: int").json("/nowhere").schema
    assert caught.value.getCondition() == "PARSE_SYNTAX_ERROR"


def test_texts_of_declared_length(spark):
    fields = StructType.fromDDL("a char(1), b array<varchar(2)>, c string")
    assert fields.simpleString() == "struct<a:char(1),b:array<varchar(2)>,c:string>"
    with pytest.raises(PySparkNotImplementedError):  # so says the client of such a result
        spark.range(1).select(F.udf(lambda x: "a", "char(10)")("id")).collect()


def test_formats_by_their_old_names(spark, tmp_path):
    path = str(tmp_path / "old")
    spark.range(2).write.format("org.apache.spark.sql.json").save(path)
    assert spark.read.format("org.apache.spark.sql.execution.datasources.json").load(path).count() == 2
    spark.range(2).write.format("com.databricks.spark.csv").mode("overwrite").save(path)
    assert spark.read.format("csv").load(path).count() == 2


def test_a_setting_asked_for_with_a_default(spark):
    assert spark.conf.get("spark.sql.shuffle.partitions", None) is None
    assert spark.conf.get("spark.sql.shuffle.partitions", "77") == "77"
    spark.conf.set("spark.sql.execution.arrow.enabled", "false")
    assert spark.conf.get("spark.sql.execution.arrow.pyspark.enabled") == "false"
    spark.conf.unset("spark.sql.execution.arrow.enabled")
    assert spark.conf.get("spark.app.id", None).startswith("local-")


def test_a_null_where_a_function_promised_none(spark):
    import pandas as pd

    def broken(frames):
        for _ in frames:
            yield pd.DataFrame({"a": [1, None]})

    with pytest.raises(Exception, match="Value at index is null"):
        spark.range(1).mapInPandas(broken, "a long not null").collect()


def test_java_functions_have_no_class_path(spark):
    with pytest.raises(AnalysisException, match="Can not load class no.such.Udf, please make sure it is on the classpath."):
        spark.udf.registerJavaFunction("f", "no.such.Udf")


def test_a_python_aggregate_over_a_growing_frame(spark):
    import pandas as pd
    from pyspark.sql import Window

    def total(v: pd.Series) -> int:
        return v.sum()

    total = F.pandas_udf(total, "long")
    window = Window.partitionBy("key").orderBy("id")
    frame = spark.range(300).select((F.col("id") % 2).alias("key"), "id")
    both = frame.select(total("id").over(window).alias("p"), F.sum("id").over(window).alias("s"))
    assert both.filter("p <> s").count() == 0 and both.count() == 300
