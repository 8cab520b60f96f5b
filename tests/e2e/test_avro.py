"""Avro: schemas given, damaged files, streams of files and values in Kafka's place. Files of Spark's: test_spark_files.py."""

import json
import pathlib

import pytest
from pyspark.errors.exceptions.base import PySparkException as SparkException
from pyspark.sql import functions as F
from pyspark.sql.avro.functions import from_avro, to_avro

DATA = pathlib.Path(__file__).parent.parent / "data/spark-files"


def test_a_schema_given_reads_by_name_and_fills_in(spark):
    schema = json.dumps({"type": "record", "name": "topLevelRecord", "fields": [
        {"name": "new", "type": "string", "default": "none"}, {"name": "id", "type": ["long", "null"]}]})
    frame = spark.read.format("avro").option("avroSchema", schema).load(str(DATA / "snappy.avro"))
    assert [tuple(row) for row in frame.limit(2).collect()] == [("none", 0), ("none", 1)]


@pytest.mark.parametrize("damage, message", [
    (lambda file: file[:-40], "the file ends before its time"),
    (lambda file: file[:-1] + bytes([file[-1] ^ 1]), "Invalid sync!"),
    (lambda file: b"no" + file, "Not an Avro data file"),
    (lambda file: file[:-40] + bytes([file[-40] ^ 0x55]) + file[-39:], ""),
])
def test_damaged_files_are_named(spark, tmp_path, damage, message):
    path = tmp_path / "bad.avro"
    path.write_bytes(damage((DATA / "snappy.avro").read_bytes()))
    with pytest.raises(SparkException, match="FAILED_READ_FILE") as raised:
        spark.read.schema("id LONG").format("avro").load(str(path)).collect()
    assert "bad.avro" in str(raised.value) and message in str(raised.value)


def test_streams_of_files(spark, tmp_path):
    source = tmp_path / "in"
    (spark.range(5).selectExpr("id", "concat('v', id) AS v").coalesce(1).write.format("avro").save(str(source)))
    query = (spark.readStream.schema("id LONG, v STRING").format("avro").load(str(source)).filter("id % 2 = 0")
             .writeStream.format("avro").option("checkpointLocation", str(tmp_path / "checkpoint"))
             .trigger(availableNow=True).start(str(tmp_path / "out")))
    assert query.awaitTermination(60)
    assert sorted(tuple(row) for row in spark.read.format("avro").load(str(tmp_path / "out")).collect()) == [
        (0, "v0"), (2, "v2"), (4, "v4")]


def test_values_behind_a_registrys_header(spark):
    """What a schema registry's serializers leave: five bytes, then Avro."""
    schema = '{"type":"record","name":"Visit","fields":[{"name":"page","type":"string"},{"name":"user","type":["null","long"]}]}'
    visits = spark.sql("SELECT named_struct('page', 'home', 'user', 7L) AS visit UNION ALL SELECT named_struct('page', 'cart', 'user', NULL)")
    values = visits.select(F.concat(F.unhex(F.lit("0000000001")), to_avro("visit", schema)).alias("value"))
    read = values.select(from_avro(F.expr("substring(value, 6)"), schema).alias("v")).select("v.*")
    assert [tuple(row) for row in read.collect()] == [("home", 7), ("cart", None)]
    assert read.schema.simpleString() == "struct<page:string,user:bigint>"


def test_a_malformed_value(spark):
    frame = spark.sql("SELECT X'0A' AS value")
    schema = '{"type":"record","name":"r","fields":[{"name":"a","type":"int"},{"name":"b","type":"string"}]}'
    with pytest.raises(SparkException, match="Malformed records are detected in record parsing"):
        frame.select(from_avro("value", schema)).collect()
    [row] = frame.select(from_avro("value", schema, {"mode": "PERMISSIVE"}).alias("v")).collect()
    assert row.v.asDict() == {"a": None, "b": None}
