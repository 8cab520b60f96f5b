"""Bucketed and clustered tables through PySpark's writer; expected values are Spark 4.2's."""

import pathlib
import re

import pytest
from pyspark.errors import AnalysisException, ParseException, UnsupportedOperationException
from pyspark.errors.exceptions.connect import SparkException
from pyspark.sql.functions import partitioning


def rows(frame):
    return sorted(tuple(row) for row in frame.collect())


@pytest.fixture
def people(spark):
    return spark.createDataFrame([(1, "a", 3.0), (2, "b", 5.0), (3, "a", -1.0), (4, "c", 6.0)], "x int, y string, z double")


def files_of(spark, table):
    location = [row for row in spark.sql(f"DESCRIBE EXTENDED {table}").collect() if row[0] == "Location"][0][1]
    return sorted(path.name for path in pathlib.Path(location.removeprefix("file:")).glob("*.parquet"))


def test_rows_lie_in_the_files_of_their_buckets(spark, people):
    people.coalesce(1).write.bucketBy(3, "x").sortBy("z").mode("overwrite").saveAsTable("buckets_a")
    assert rows(spark.table("buckets_a")) == rows(people)
    columns = {column.name: column.isBucket for column in spark.catalog.listColumns("buckets_a")}
    assert columns == {"x": True, "y": False, "z": False}
    names = [re.sub(r"-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "", name) for name in files_of(spark, "buckets_a")]
    assert names == ["part-00000_00000.c000.snappy.parquet", "part-00000_00001.c000.snappy.parquet"]
    described = {row[0]: row[1] for row in spark.sql("DESCRIBE EXTENDED buckets_a").collect()}
    assert [described[key] for key in ("Num Buckets", "Bucket Columns", "Sort Columns")] == ["3", "[`x`]", "[`z`]"]
    people.write.bucketBy(3, "x").sortBy("z").mode("append").saveAsTable("buckets_a")
    assert spark.table("buckets_a").count() == 8
    with pytest.raises(AnalysisException, match="existing table spark_catalog.default.buckets_a.(.|\\n)*Specified bucketing: 2 buckets, bucket columns: \\[y\\]"):
        people.write.bucketBy(2, "y").mode("append").saveAsTable("buckets_a")


def test_buckets_in_sql(spark, people):
    spark.sql("DROP TABLE IF EXISTS buckets_b")
    spark.sql("CREATE TABLE buckets_b (x INT, y STRING, p INT) USING parquet PARTITIONED BY (p) "
              "CLUSTERED BY (x, y) SORTED BY (y ASC) INTO 4 BUCKETS")
    spark.sql("INSERT INTO buckets_b VALUES (1, 'a', 7), (2, 'b', 8), (3, 'c', 7)")
    assert rows(spark.table("buckets_b")) == [(1, "a", 7), (2, "b", 8), (3, "c", 7)]
    ddl = spark.sql("SHOW CREATE TABLE buckets_b").first()[0]
    assert "CLUSTERED BY (x, y)\nSORTED BY (y)\nINTO 4 BUCKETS\n" in ddl


def test_what_buckets_refuse(people):
    for write, message in [
        (lambda: people.write.sortBy("x").saveAsTable("buckets_c"), "sortBy must be used together with bucketBy"),
        (lambda: people.write.bucketBy(2, "x").parquet("/tmp/never-written"), "'save' does not support bucketBy right now"),
        (lambda: people.write.bucketBy(2, "nope").saveAsTable("buckets_c"), "COLUMN_NOT_DEFINED_IN_TABLE"),
        (lambda: people.write.bucketBy(2, "x").partitionBy("x").saveAsTable("buckets_c"),
         "should not be part of partition columns"),
    ]:
        with pytest.raises(Exception, match=message):
            write()


def test_clustering_columns_are_kept(spark, people):
    people.write.clusterBy("x", "y").mode("overwrite").saveAsTable("buckets_d")
    assert [column.name for column in spark.catalog.listColumns("buckets_d") if column.isCluster] == ["x", "y"]
    assert rows(spark.table("buckets_d")) == rows(people)
    described = [tuple(row)[:2] for row in spark.sql("DESCRIBE buckets_d").collect()]
    assert described[3:] == [("# Clustering Information", ""), ("# col_name", "data_type"), ("x", "int"), ("y", "string")]


def test_write_to_takes_functions_of_columns(spark, people):
    spark.sql("DROP TABLE IF EXISTS buckets_e")
    people.writeTo("buckets_e").partitionedBy("y", partitioning.bucket(2, "x")).create()
    assert rows(spark.table("buckets_e").select("x", "y")) == [(1, "a"), (2, "b"), (3, "a"), (4, "c")]
    columns = {column.name: (column.isPartition, column.isBucket) for column in spark.catalog.listColumns("buckets_e")}
    assert columns == {"x": (False, True), "z": (False, False), "y": (True, False)}
    days = people.selectExpr("x", "current_date() AS day")
    with pytest.raises(UnsupportedOperationException, match="UNSUPPORTED_PARTITION_TRANSFORM.*`years\\(day\\)`"):
        days.writeTo("buckets_f").partitionedBy(partitioning.years("day")).create()
    with pytest.raises(UnsupportedOperationException, match="MULTIPLE_BUCKET_TRANSFORMS"):
        people.writeTo("buckets_f").partitionedBy(partitioning.bucket(2, "x"), partitioning.bucket(2, "y")).create()


def test_functions_of_partitioning_have_no_values(spark, people):
    with pytest.raises(SparkException, match="PARTITION_TRANSFORM_EXPRESSION_NOT_IN_PARTITIONED_BY.*years"):
        people.select(partitioning.years("z")).collect()
    with pytest.raises(AnalysisException, match="UNRESOLVED_ROUTINE"):
        spark.sql("SELECT years(current_date())").collect()


def test_what_the_grammar_alone_refuses_is_a_parse_exception(spark):
    """Conditions of Spark's parser that have no name of their own yet."""
    for text, message in [
        ("CREATE TABLE t (a INT) USING parquet CLUSTERED BY (a) SORTED BY (a DESC) INTO 2 BUCKETS", "must be ASC, was 'DESC'"),
        ("CREATE TABLE t (a INT) USING parquet AS SELECT 1", "Schema may not be specified in a Create Table As Select"),
        ("CREATE TABLE t (a INT) USING parquet PARTITIONED BY (bucket(a))", "Invalid number of buckets: a"),
    ]:
        with pytest.raises(ParseException, match=message):
            spark.sql(text)
