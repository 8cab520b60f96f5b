"""Avro and ORC files: those of real Spark (tests/data/spark-files/record.py) are read, ours say the same again."""

import json
import pathlib

import pytest
from pyspark.errors.exceptions.base import PySparkException

DATA = pathlib.Path(__file__).parent.parent / "data/spark-files"
EXPECTED = json.loads((DATA / "expected.json").read_text())
FILES = sorted(path.name for path in DATA.iterdir() if path.suffix in (".avro", ".orc"))


def texts(frame):
    return [row[0] for row in frame.selectExpr("to_json(struct(*))").collect()]


@pytest.mark.parametrize("name", FILES)
def test_files_of_spark_are_read(spark, name):
    format = name.rsplit(".")[-1]
    frame = spark.read.format(format).load(str(DATA / name))
    assert frame.schema.simpleString() == EXPECTED[format]["schema"]
    assert texts(frame) == EXPECTED[format]["rows"]
    # A part of the columns, of the nested ones too.
    assert [row.x for row in frame.select("st.x").collect()] == list(range(12))
    assert frame.count() == 12


@pytest.mark.parametrize("name", FILES)
def test_what_is_written_is_read_again(spark, tmp_path, name):
    codec, format = name.rsplit(".")
    frame = spark.read.format(format).load(str(DATA / f"snappy.{format}"))
    frame.coalesce(1).write.format(format).option("compression", codec).save(str(tmp_path / "out"))
    suffix = f".{format}" if codec in ("uncompressed", "none") else f".{codec}.{format}"
    [file] = (tmp_path / "out").glob("part-*")
    assert file.name.endswith(f"-c000{suffix}")
    again = spark.read.format(format).load(str(tmp_path / "out"))
    assert again.schema == frame.schema and texts(again) == EXPECTED[format]["rows"]


@pytest.mark.parametrize("format, option", [("parquet", "parquet.compression"), ("orc", "orc.compress"), ("avro", None)])
def test_the_sessions_codec_counts_where_no_option_does(spark, tmp_path, format, option):
    def suffix_of(**options):
        spark.range(1).coalesce(1).write.format(format).options(**options).mode("overwrite").save(str(tmp_path / "out"))
        [file] = (tmp_path / "out").glob("part-*")
        return file.name.split("-c000")[1]

    key = f"spark.sql.{format}.compression.codec"
    spark.conf.set(key, "uncompressed")
    try:
        assert suffix_of() == f".{format}"
        assert suffix_of(compression="snappy") == f".snappy.{format}"
        if option:
            assert suffix_of(**{option: "SNAPPY"}) == f".snappy.{format}"
    finally:
        spark.conf.unset(key)


@pytest.mark.parametrize("format", ["avro", "orc"])
def test_columns_by_name_missing_ones_null(spark, format):
    frame = spark.read.schema("new STRING, ID LONG, st STRUCT<x: LONG, gone: INT>").format(format).load(str(DATA / f"snappy.{format}"))
    assert [tuple(row) for row in frame.limit(2).collect()] == [(None, 0, (0, None)), (None, 1, (1, None))]


@pytest.mark.parametrize("damage", [lambda file: file[:100], lambda file: b"no file of that kind", lambda file: file[:-1] + b"?"])
def test_a_damaged_orc_file_is_named(spark, tmp_path, damage):
    path = tmp_path / "bad.orc"
    path.write_bytes(damage((DATA / "snappy.orc").read_bytes()))
    with pytest.raises(PySparkException, match="FAILED_READ_FILE.*bad.orc"):
        spark.read.schema("id LONG").orc(str(path)).collect()


def test_streams_of_orc_files(spark, tmp_path):
    spark.range(5).selectExpr("id", "timestamp_seconds(id) AS t").coalesce(1).write.orc(str(tmp_path / "in"))
    query = (spark.readStream.schema("id LONG, t TIMESTAMP").orc(str(tmp_path / "in")).filter("id % 2 = 0")
             .writeStream.format("orc").option("checkpointLocation", str(tmp_path / "checkpoint"))
             .trigger(availableNow=True).start(str(tmp_path / "out")))
    assert query.awaitTermination(60)
    rows = spark.read.orc(str(tmp_path / "out")).selectExpr("id", "unix_seconds(t)").collect()
    assert sorted(tuple(row) for row in rows) == [(0, 0), (2, 2), (4, 4)]


def test_whole_files(spark, tmp_path):
    tmp_path = tmp_path / "files"
    tmp_path.mkdir()
    (tmp_path / "a.txt").write_bytes(b"hello")
    (tmp_path / "b.txt").write_bytes(b"")
    (tmp_path / "c.bin").write_bytes(b"\0")
    frame = spark.read.format("binaryFile").option("pathGlobFilter", "*.txt").load(str(tmp_path))
    assert frame.schema.simpleString() == "struct<path:string,modificationTime:timestamp,length:bigint,content:binary>"
    assert [tuple(row) for row in frame.select("path", "length", "content").orderBy("path").collect()] == [
        (f"file:{tmp_path}/a.txt", 5, b"hello"), (f"file:{tmp_path}/b.txt", 0, b"")]
    assert spark.read.format("binaryfile").load(str(tmp_path)).count() == 3
    with pytest.raises(PySparkException, match="UNSUPPORTED_FEATURE.WRITE_FOR_BINARY_SOURCE"):
        frame.write.format("binaryFile").save(str(tmp_path / "out"))
    with pytest.raises(PySparkException, match="Binary file data source expects dataSchema"):
        spark.read.schema("a INT").format("binaryFile").load(str(tmp_path)).collect()
