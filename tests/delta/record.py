#!/usr/bin/env python3
"""Makes the tables of tests/delta/table with real Apache Spark and Delta Lake, and records what they answer to reads.

    python tests/delta/record.py [NAME...]      makes and records all tables, or those named

Needs Java 17, pyspark 4.2.0 and delta-spark 4.4.0 on its class path (SPARK_CONF_DIR may bring it). A table is a function here: it
writes `path` with Spark, and returns the reads to record. tests/delta/table/NAME then has the table and reads.jsonl, a read a line:

    {"options": {...}, "path": "@v1", "where": SQL, "select": [SQL...], "stream": true, "checkpoint": NAME     what is asked; all optional;
                                                        a stream goes on from (a copy of) the checkpoint NAME beside the table
     "schema": JSON, "rows": [JSON text of each row, sorted]}                                  what Spark answers
     or "error": CONDITION                                                                     … or how it fails
     "offsets": [...]                        streams, run with Trigger.AvailableNow: the source's offset of each micro-batch

tests/runner/delta_runner asks Millrace the same.
"""
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile

from pyspark.sql import SparkSession

HERE = pathlib.Path(__file__).resolve().parent
TABLES = {}


def table(make):
    TABLES[make.__name__] = make
    return make


@table
def partition_types(spark, path):
    """Partition columns of every type, with NULLs, empty strings and characters that paths must escape."""
    spark.sql(f"""CREATE TABLE delta.`{path}` (v INT, b BOOLEAN, t TINYINT, s SMALLINT, i INT, l BIGINT, f FLOAT, d DOUBLE,
        dec DECIMAL(10,2), str STRING, bin BINARY, dt DATE, ts TIMESTAMP, ntz TIMESTAMP_NTZ) USING delta
        PARTITIONED BY (b, t, s, i, l, f, d, dec, str, bin, dt, ts, ntz)""")
    spark.sql(f"""INSERT INTO delta.`{path}` VALUES
        (1, true, 1Y, 2S, 3, 4L, 1.5f, 2.5d, 12.30, 'a b/c=%:é?#', X'414243', DATE'2024-02-29', TIMESTAMP'2024-02-29 12:34:56.789012', TIMESTAMP_NTZ'2024-02-29 12:34:56.5'),
        (2, false, -1Y, -2S, -3, -4L, -1.5f, 1e300d, -0.01, '', X'C3A9', DATE'0001-01-01', TIMESTAMP'1969-12-31 23:59:59', TIMESTAMP_NTZ'1500-01-01 00:00:00'),
        (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)""")
    reads = [{}]
    for where in ["b", "NOT b", "b IS NULL", "i = 3", "i <> 3", "l IN (4, 5)", "d > 1e10", "dec < 0", "str = 'a b/c=%:é?#'", "str IS NULL",
                  "str LIKE 'a%'", "dt >= '2024-01-01'", "ts < '2000-01-01'", "ntz = '2024-02-29 12:34:56.5'", "f = -1.5", "bin = X'414243'"]:
        reads.append({"where": where, "select": ["v"]})
    return reads


@table
def statistics(spark, path):
    """Files told apart by their statistics: every type, nested fields, NULLs, long strings, NaN."""
    spark.sql(f"""CREATE TABLE delta.`{path}` (k INT, d DOUBLE, s STRING, dt DATE, ts TIMESTAMP, dec DECIMAL(20,4),
        n STRUCT<x: INT, y: STRING>, a ARRAY<INT>) USING delta""")
    for i in range(4):
        spark.sql(f"""INSERT INTO delta.`{path}` SELECT /*+ COALESCE(1) */ {i} * 10 + id, IF({i} = 2, double('NaN'), {i} + id / 10.0d),
            concat(repeat(chr(97 + {i}), 50), id), date_add('2024-01-01', int({i} * 100 + id)),
            timestamp_micros(1700000000123456 + {i} * 86400000000 + id), ({i} * 1000 + id) / 7.0,
            IF({i} = 3, NULL, named_struct('x', int({i} * 10 + id), 'y', string(id))), array(int(id)) FROM range(3)""")
    spark.sql(f"INSERT INTO delta.`{path}` VALUES (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)")
    reads = [{}]
    for where in ["k = 11", "k > 20", "k <= 2", "NOT (k > 2)", "k BETWEEN 10 AND 12 OR k = 32", "k IS NULL", "k IS NOT NULL AND k < 5", "d > 2",
                  "d = double('NaN')", "d < 0.15", f"s = '{'b' * 50}1'", "s > 'c'", "s LIKE 'dd%'", "dt = '2024-04-10'", "ts >= '2023-11-16 22:13:20.123457'",
                  "ts = timestamp_micros(1700000000123458)", "dec > 428.5", "n.x = 21", "n.y = '1' AND n.x < 12", "n IS NULL", "n.x IS NULL",
                  "k IN (1, 12, 100)", "k NOT IN (1, 12)", "k <=> NULL", "k + 1 = 12", "a[0] = 2", "k = 1 AND s IS NULL", "k > 2147483648"]:
        reads.append({"where": where, "select": ["k"]})
    return reads


@table
def stats_only_as_struct(spark, path):
    """A checkpoint without JSON statistics."""
    spark.sql(f"""CREATE TABLE delta.`{path}` (k INT, s STRING, ts TIMESTAMP, p STRING) USING delta PARTITIONED BY (p)
        TBLPROPERTIES ('delta.checkpoint.writeStatsAsStruct' = 'true', 'delta.checkpoint.writeStatsAsJson' = 'false', 'delta.checkpointInterval' = '3')""")
    for i in range(5):
        spark.sql(f"INSERT INTO delta.`{path}` SELECT int({i} * 10 + id), string(id), timestamp_seconds(1700000000 + {i}), 'p{i % 2}' FROM range(2)")
    drop_commits_before_checkpoint(path)
    return [{}, {"where": "k >= 40"}, {"where": "k < 10"}, {"where": "p = 'p1' AND k > 12"}, {"where": "ts = timestamp_seconds(1700000002)"}]


@table
def deletion_vectors(spark, path):
    """Rows deleted one by one, then a row restored by RESTORE; with a change feed of differences between vectors."""
    spark.sql(f"""CREATE TABLE delta.`{path}` (id BIGINT, s STRING) USING delta TBLPROPERTIES
        ('delta.enableDeletionVectors' = 'true', 'delta.enableChangeDataFeed' = 'true', 'delta.enableInCommitTimestamps' = 'true')""")
    spark.sql(f"INSERT INTO delta.`{path}` SELECT /*+ COALESCE(1) */ id, string(id % 7) FROM range(1000)")
    spark.sql(f"DELETE FROM delta.`{path}` WHERE id IN (0, 5, 999)")
    spark.sql(f"DELETE FROM delta.`{path}` WHERE id BETWEEN 100 AND 899")
    spark.sql(f"UPDATE delta.`{path}` SET s = 'updated' WHERE id = 7")
    spark.sql(f"RESTORE TABLE delta.`{path}` TO VERSION AS OF 2")
    feed = {"readChangeFeed": "true", "startingVersion": "0"}
    some = ["count(*)", "sum(id)", "min(id)", "max(id)", "count(distinct id)"]
    return [{"select": some}, {"where": "id < 20"}, {"options": {"versionAsOf": "1"}, "select": some}, {"options": {"versionAsOf": "2"}, "select": some},
            {"options": {"versionAsOf": "3"}, "select": some}, {"options": {"versionAsOf": "4"}, "where": "s = 'updated'"}, {"select": []},
            {"options": feed, "where": "id < 10 OR id > 995"},
            {"options": feed, "select": ["_change_type", "_commit_version"], "where": "id = 150"},
            {"options": {"readChangeFeed": "true", "startingVersion": "3", "endingVersion": "4"}, "where": "id % 50 = 0 OR s = 'updated'"},
            {"stream": True, "select": ["id"], "where": "id % 100 = 1"},
            {"stream": True, "options": feed, "where": "id < 10"},
            {"stream": True, "options": {"startingVersion": "1", "ignoreChanges": "true"}, "where": "id < 6", "select": ["id"]},
            {"stream": True, "options": {"startingVersion": "1", "skipChangeCommits": "true"}, "where": "id < 6", "select": ["id"]},
            {"stream": True, "options": {"startingVersion": "1"}}]


@table
def column_mapping_name(spark, path):
    """Columns renamed, dropped and added again, nested ones too."""
    spark.sql(f"""CREATE TABLE delta.`{path}` (a INT, `b c` STRING, n STRUCT<x: INT, y: STRUCT<z: STRING, w: INT>>, l ARRAY<STRUCT<e: INT, f: STRING>>,
        m MAP<STRING, STRUCT<v: INT>>, p STRING) USING delta PARTITIONED BY (p) TBLPROPERTIES ('delta.columnMapping.mode' = 'name')""")
    spark.sql(f"INSERT INTO delta.`{path}` VALUES (1, 'one', struct(1, struct('z1', 10)), array(struct(1, 'f1')), map('k', struct(1)), 'x')")
    spark.sql(f"ALTER TABLE delta.`{path}` RENAME COLUMN a TO aa")
    spark.sql(f"ALTER TABLE delta.`{path}` RENAME COLUMN n.y.z TO zz")
    spark.sql(f"ALTER TABLE delta.`{path}` RENAME COLUMN l.element.e TO ee")
    spark.sql(f"ALTER TABLE delta.`{path}` RENAME COLUMN p TO part")
    spark.sql(f"ALTER TABLE delta.`{path}` DROP COLUMN `b c`")
    spark.sql(f"ALTER TABLE delta.`{path}` ADD COLUMN (`b c` STRING, n.q INT)")
    spark.sql(f"INSERT INTO delta.`{path}` VALUES (2, struct(2, struct('z2', 20), 200), array(struct(2, 'f2')), map('k', struct(2)), 'y', 'two')")
    return [{}, {"where": "aa = 2", "select": ["n.y.zz", "l[0].ee", "m['k'].v", "`b c`"]}, {"where": "aa < 2", "select": ["n", "part"]},
            {"where": "part = 'y'", "select": ["aa"]}, {"where": "n.x = 1", "select": ["n.q"]}, {"options": {"versionAsOf": "1"}}]


@table
def column_mapping_id(spark, path):
    """Columns found by the field ids of the files, whatever the files call them."""
    spark.sql(f"""CREATE TABLE delta.`{path}` (a INT, n STRUCT<x: INT, y: STRING>, p INT) USING delta PARTITIONED BY (p)
        TBLPROPERTIES ('delta.columnMapping.mode' = 'id')""")
    spark.sql(f"INSERT INTO delta.`{path}` VALUES (1, struct(1, 'a'), 1), (2, NULL, 2)")
    spark.sql(f"ALTER TABLE delta.`{path}` RENAME COLUMN n.x TO xx")
    spark.sql(f"INSERT INTO delta.`{path}` VALUES (3, struct(3, 'c'), 3)")
    return [{}, {"where": "n.xx >= 2"}, {"select": ["n.y", "a"], "where": "p < 3"}]


@table
def type_widening(spark, path):
    """Every widening of types that Delta allows, with files of before and after."""
    spark.sql(f"""CREATE TABLE delta.`{path}` (b TINYINT, s SMALLINT, i INT, f FLOAT, d DATE, dec DECIMAL(6,2), i2 INT, n STRUCT<x: SMALLINT>, a ARRAY<INT>, i3 SMALLINT)
        USING delta TBLPROPERTIES ('delta.enableTypeWidening' = 'true', 'delta.feature.timestampNtz' = 'supported')""")
    spark.sql(f"INSERT INTO delta.`{path}` VALUES (1, 2, 3, 1.5, DATE'2024-01-31', 12.34, 7, struct(5S), array(1, 2), 9), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)")
    for change in ["b TYPE INT", "s TYPE BIGINT", "i TYPE BIGINT", "f TYPE DOUBLE", "d TYPE TIMESTAMP_NTZ", "dec TYPE DECIMAL(12,4)", "i2 TYPE DOUBLE",
                   "n.x TYPE INT", "a.element TYPE BIGINT", "i3 TYPE DECIMAL(12,2)"]:
        spark.sql(f"ALTER TABLE delta.`{path}` ALTER COLUMN {change}")
    spark.sql(f"INSERT INTO delta.`{path}` VALUES (100000, 5000000000, 6000000000, 1e300, TIMESTAMP_NTZ'2024-06-01 12:00:00', 12345678.1234, 1e10, struct(70000), array(5000000000), 1234567.89)")
    return [{}, {"where": "b > 1", "select": ["b"]}, {"where": "i = 3", "select": ["i"]}, {"where": "dec < 100", "select": ["dec"]},
            {"where": "d < '2024-02-01'", "select": ["d"]}, {"where": "f > 1e10", "select": ["f"]}, {"where": "i2 = 7", "select": ["i2"]}, {"where": "n.x = 5", "select": ["n"]}]


@table
def v2_checkpoint_parquet(spark, path):
    v2(spark, path, "parquet")
    return [{}, {"options": {"versionAsOf": "4"}}, {"where": "k = 31"}, {"options": {"versionAsOf": "0"}}]


@table
def v2_checkpoint_json(spark, path):
    v2(spark, path, "json")
    return [{}, {"options": {"versionAsOf": "4"}}, {"where": "k = 31"}]


def v2(spark, path, top_level):
    spark.conf.set("spark.databricks.delta.checkpointV2.topLevelFileFormat", top_level)
    spark.sql(f"""CREATE TABLE delta.`{path}` (k INT, p INT) USING delta PARTITIONED BY (p)
        TBLPROPERTIES ('delta.checkpointPolicy' = 'v2', 'delta.checkpointInterval' = '4', 'delta.feature.v2Checkpoint' = 'supported')""")
    for i in range(6):
        spark.sql(f"INSERT INTO delta.`{path}` SELECT int({i} * 10 + id), {i % 2} FROM range(2)")
    spark.sql(f"DELETE FROM delta.`{path}` WHERE k = 10")
    drop_commits_before_checkpoint(path)


@table
def multi_part_checkpoint(spark, path):
    spark.conf.set("spark.databricks.delta.checkpoint.partSize", "2")
    spark.sql(f"CREATE TABLE delta.`{path}` (k INT) USING delta TBLPROPERTIES ('delta.checkpointInterval' = '5')")
    for i in range(7):
        spark.sql(f"INSERT INTO delta.`{path}` VALUES ({i})")
    spark.conf.unset("spark.databricks.delta.checkpoint.partSize")
    drop_commits_before_checkpoint(path)
    return [{}, {"options": {"versionAsOf": "5"}}, {"options": {"versionAsOf": "3"}}, {"options": {"versionAsOf": "9"}}]


@table
def change_feed(spark, path):
    """cdc files, inserts, deletes of whole files, MERGE, UPDATE; in-commit timestamps make the times part of the table."""
    spark.sql(f"""CREATE TABLE delta.`{path}` (id INT, s STRING, p STRING) USING delta PARTITIONED BY (p)
        TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true', 'delta.enableInCommitTimestamps' = 'true')""")
    spark.sql(f"INSERT INTO delta.`{path}` VALUES (1, 'a', 'x'), (2, 'b', 'x'), (3, 'c', 'y')")
    spark.sql(f"UPDATE delta.`{path}` SET s = 'bb' WHERE id = 2")
    spark.sql(f"DELETE FROM delta.`{path}` WHERE p = 'y'")
    spark.sql(f"""MERGE INTO delta.`{path}` t USING (SELECT * FROM VALUES (1, 'A', 'x'), (9, 'n', 'z') AS s(id, s, p)) s ON t.id = s.id
        WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *""")
    spark.sql(f"OPTIMIZE delta.`{path}`")
    spark.sql(f"INSERT OVERWRITE delta.`{path}` VALUES (5, 'e', 'x')")
    history = {row.version: row.timestamp for row in spark.sql(f"DESCRIBE HISTORY delta.`{path}`").collect()}
    at = lambda version: history[version].strftime("%Y-%m-%d %H:%M:%S.%f")  # noqa: E731
    feed = lambda **more: {"readChangeFeed": "true", **more}  # noqa: E731
    return [{}, {"options": feed(startingVersion="0")}, {"options": feed(startingVersion="2", endingVersion="3")}, {"options": feed(startingVersion="4", endingVersion="4")},
            {"options": feed(startingVersion="0"), "where": "_change_type = 'update_postimage' OR id = 5", "select": ["id", "_commit_version"]},
            {"options": feed(startingTimestamp=at(3), endingTimestamp=at(4))}, {"options": feed(startingVersion="3", endingVersion="2")},
            {"options": feed()}, {"options": feed(startingVersion="99")}, {"options": feed(startingVersion="1", endingVersion="99")},
            {"options": feed(startingVersion="0", startingTimestamp=at(2))}, {"options": feed(startingVersion="x")}, {"options": feed(startingTimestamp="2100-01-01")},
            {"options": {"timestampAsOf": at(2)}}, {"options": {"timestampAsOf": at(4)}}, {"options": {"timestampAsOf": "2001-01-01"}}, {"options": {"timestampAsOf": "2100-01-01"}},
            {"options": {"timestampAsOf": "x"}}, {"options": {"versionAsOf": "x"}}, {"options": {"versionAsOf": "-1"}}, {"options": {"versionAsOf": "77"}},
            {"options": {"versionAsOf": "1", "timestampAsOf": at(2)}}, {"path": "@v1"}, {"path": "@v1", "options": {"versionAsOf": "1"}},
            {"path": history[2].strftime("@%Y%m%d%H%M%S") + f"{history[2].microsecond // 1000:03d}"},
            {"stream": True, "options": feed()}, {"stream": True, "options": feed(startingVersion="2")}, {"stream": True, "options": feed(startingVersion="0", maxFilesPerTrigger="1")},
            {"stream": True, "options": feed(startingTimestamp=at(4))}, {"stream": True, "options": feed(startingVersion="latest")},
            {"stream": True, "options": {"startingVersion": "0"}}, {"stream": True, "options": {"startingVersion": "0", "skipChangeCommits": "true"}},
            {"stream": True, "options": {"startingVersion": "0", "ignoreChanges": "true"}}, {"stream": True, "options": {"startingVersion": "3", "ignoreDeletes": "true"}},
            {"stream": True, "options": {"startingVersion": "3"}}, {"stream": True}]


@table
def change_feed_late(spark, path):
    """The feed is only there from the version on that turned it on."""
    spark.sql(f"CREATE TABLE delta.`{path}` (id INT) USING delta")
    spark.sql(f"INSERT INTO delta.`{path}` VALUES (1)")
    spark.sql(f"ALTER TABLE delta.`{path}` SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')")
    spark.sql(f"INSERT INTO delta.`{path}` VALUES (2)")
    spark.sql(f"ALTER TABLE delta.`{path}` ADD COLUMN (more STRING)")
    spark.sql(f"INSERT INTO delta.`{path}` VALUES (3, 'x')")
    feed = lambda version: {"readChangeFeed": "true", "startingVersion": version}  # noqa: E731
    some = ["id", "more", "_change_type", "_commit_version"]
    return [{"options": feed("0"), "select": some}, {"options": feed("1"), "select": some}, {"options": feed("2"), "select": some}, {"options": feed("4"), "select": some},
            {"options": {"versionAsOf": "3"}}, {"stream": True}, {"stream": True, "options": {"startingVersion": "0"}}, {"stream": True, "options": {"startingVersion": "5"}}]


@table
def stream_limits(spark, path):
    """A stream's micro-batches and offsets under limits."""
    spark.sql(f"CREATE TABLE delta.`{path}` (k INT) USING delta")
    for i in range(5):
        spark.sql(f"INSERT INTO delta.`{path}` SELECT /*+ REPARTITION(2) */ int({i} * 10 + id) FROM range(4)")
    spark.sql(f"ALTER TABLE delta.`{path}` SET TBLPROPERTIES ('x' = 'y')")
    spark.sql(f"INSERT INTO delta.`{path}` VALUES (99)")
    read = lambda **options: {"stream": True, "options": options}  # noqa: E731
    return [read(), read(maxFilesPerTrigger="1"), read(maxFilesPerTrigger="3"), read(maxBytesPerTrigger="1"), read(maxBytesPerTrigger="1k"), read(startingVersion="0", maxFilesPerTrigger="2"),
            read(startingVersion="3"), read(startingVersion="latest"), read(startingVersion="7", maxFilesPerTrigger="1"), read(startingVersion="8"), read(startingVersion="9"),
            read(startingVersion="-1"), read(maxFilesPerTrigger="0"), read(maxBytesPerTrigger="x"), read(startingVersion="1", startingTimestamp="2024-01-01"),
            read(excludeRegex="part-00001.*"), read(versionAsOf="1"), read(ignoreDeletes="maybe"), read(startingTimestamp="2100-01-01"), read(startingTimestamp="2001-01-01")]


@table
def stream_handover(spark, path):
    """Checkpoints that Spark left: of a query that had read all there was, and of one that failed among the files of the first state."""
    spark.sql(f"CREATE TABLE delta.`{path}` (k INT) USING delta")
    for i in range(3):
        spark.sql(f"INSERT INTO delta.`{path}` SELECT /*+ REPARTITION(2) */ int({i} * 10 + id) FROM range(4)")

    def run(name, work, **options):
        query = spark.readStream.format("delta").options(**options).load(path).writeStream.foreachBatch(work) \
            .option("checkpointLocation", str(pathlib.Path(path).parent / name)).start()
        try:
            query.processAllAvailable()
        except Exception:
            pass
        query.stop()

    def fail(_, batch_id):
        if batch_id == 2:
            raise ValueError("told to")

    run("finished", lambda *_: None)
    run("broken", fail, maxFilesPerTrigger="1")
    spark.sql(f"INSERT INTO delta.`{path}` SELECT /*+ REPARTITION(2) */ int(30 + id) FROM range(4)")
    spark.sql(f"INSERT INTO delta.`{path}` VALUES (40)")
    resume = lambda name, **options: {"stream": True, "checkpoint": name, "options": options}  # noqa: E731
    return [resume("finished"), resume("finished", maxFilesPerTrigger="1"), resume("broken", maxFilesPerTrigger="1"), resume("broken"),
            resume("broken", startingVersion="4")]


@table
def schema_changes(spark, path):
    """NOT NULL, comments, CHAR and VARCHAR; then overwritten with another schema."""
    spark.sql(f"CREATE TABLE delta.`{path}` (id BIGINT NOT NULL COMMENT 'the key', d DATE, c CHAR(5), v VARCHAR(9)) USING delta")
    spark.sql(f"INSERT INTO delta.`{path}` VALUES (1, DATE'2024-05-05', 'ab', 'abc')")
    spark.sql("SELECT 7 AS other, 'x' AS s").write.format("delta").mode("overwrite").option("overwriteSchema", "true").save(path)
    return [{}, {"options": {"versionAsOf": "1"}}, {"stream": True, "options": {"startingVersion": "0"}}, {"stream": True}]


@table
def compacted_log(spark, path):
    """A log compaction file stands for the commits it covers."""
    spark.sql(f"CREATE TABLE delta.`{path}` (k INT) USING delta")
    for i in range(4):
        spark.sql(f"INSERT INTO delta.`{path}` VALUES ({i})")
    spark.sql(f"DELETE FROM delta.`{path}` WHERE k = 1")
    folder = pathlib.Path(path) / "_delta_log"
    live = []
    for version in (1, 2, 3):
        for line in (folder / f"{version:020}.json").read_text().splitlines():
            if "commitInfo" not in line:
                live.append(line)
    (folder / f"{1:020}.{3:020}.compacted.json").write_text("\n".join(live) + "\n")
    return [{}, {"options": {"versionAsOf": "3"}}, {"options": {"versionAsOf": "2"}}]


def small(spark, path, commits=4, **properties):
    given = ", ".join(f"'{key}' = '{value}'" for key, value in {"delta.checkpointInterval": "100", **properties}.items())
    spark.sql(f"CREATE TABLE delta.`{path}` (k INT) USING delta TBLPROPERTIES ({given})")
    for i in range(1, commits):
        spark.sql(f"INSERT INTO delta.`{path}` VALUES ({i})")
    return pathlib.Path(path)


BATCH_AND_STREAM = [{}, {"stream": True}]


@table
def damage_no_table(spark, path):
    """A directory without a log."""
    pathlib.Path(path).mkdir()
    (pathlib.Path(path) / "nothing.txt").write_text("x")
    return BATCH_AND_STREAM + [{"path": "/missing"}, {"options": {"versionAsOf": "0"}}]


@table
def damage_missing_data_file(spark, path):
    next(small(spark, path).glob("*.parquet")).unlink()
    return [{}, {"stream": True, "options": {"startingVersion": "0"}}]


@table
def damage_truncated_data_file(spark, path):
    file = next(small(spark, path).glob("*.parquet"))
    file.write_bytes(file.read_bytes()[:-20])
    return [{}]


@table
def damage_missing_commit(spark, path):
    (small(spark, path) / "_delta_log" / f"{2:020}.json").unlink()
    return BATCH_AND_STREAM + [{"options": {"versionAsOf": "1"}}, {"options": {"versionAsOf": "3"}}]


@table
def damage_truncated_commit(spark, path):
    file = small(spark, path) / "_delta_log" / f"{3:020}.json"
    file.write_text(file.read_text()[:-30])
    return [{}, {"options": {"versionAsOf": "2"}}]


@table
def damage_first_commits_gone(spark, path):
    for version in (0, 1):
        (small(spark, path) if version == 0 else pathlib.Path(path)).joinpath("_delta_log", f"{version:020}.json").unlink()
    return BATCH_AND_STREAM


@table
def damage_unknown_feature(spark, path):
    file = small(spark, path, 2) / "_delta_log" / f"{2:020}.json"
    file.write_text(json.dumps({"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["zebra"], "writerFeatures": ["zebra"]}}) + "\n")
    return BATCH_AND_STREAM + [{"options": {"versionAsOf": "1"}}]


@table
def damage_unknown_version(spark, path):
    file = small(spark, path, 2) / "_delta_log" / f"{2:020}.json"
    file.write_text(json.dumps({"protocol": {"minReaderVersion": 9, "minWriterVersion": 9}}) + "\n")
    return [{}]


@table
def unknown_writer_feature(spark, path):
    """Readers need not know it."""
    file = small(spark, path, 2) / "_delta_log" / f"{2:020}.json"
    file.write_text(json.dumps({"protocol": {"minReaderVersion": 1, "minWriterVersion": 7, "writerFeatures": ["zebra"]}}) + "\n")
    return [{}]


def drop_commits_before_checkpoint(path):
    """What the log's clean-up leaves: the newest checkpoint and the commits after it."""
    folder = pathlib.Path(path) / "_delta_log"
    newest = json.loads((folder / "_last_checkpoint").read_text())["version"]
    for file in folder.glob("0*"):
        if file.name[:20].isdigit() and int(file.name[:20]) < newest:
            file.unlink()


# What only says that something failed on the way.
WRAPPERS = {"STREAM_FAILED", "FOREACH_BATCH_USER_FUNCTION_ERROR", "EXPRESSION_DECODING_FAILED"}


def condition_of(error):
    """The condition that says most: the error's own, Delta's below a wrapper, else the first in its text; or "unnamed"."""
    own = getattr(error, "getCondition", lambda: None)()
    if own and own not in WRAPPERS:
        return own
    found = [name for name in re.findall(r"\[([A-Z][A-Z0-9_.]{6,})\]", str(error)) if name not in WRAPPERS]
    return next((name for name in found if name.startswith("DELTA_")), found[0] if found else "unnamed")


def answer(spark, path, read):
    reader = (spark.readStream if read.get("stream") else spark.read).format("delta").options(**read.get("options", {}))
    result = {}
    try:
        frame = reader.load(path + read.get("path", ""))
        if "where" in read:
            frame = frame.where(read["where"])
        if "select" in read:
            frame = frame.selectExpr(*(read["select"] or ["count(*)"]))
        result["schema"] = json.loads(frame.schema.json())
        text = frame.selectExpr("to_json(struct(*), map('ignoreNullFields', 'false')) AS row")
        if read.get("stream"):
            checkpoint = tempfile.mkdtemp()
            if "checkpoint" in read:
                shutil.copytree(pathlib.Path(path).parent / read["checkpoint"], checkpoint, dirs_exist_ok=True)
            rows = []
            query = text.writeStream.foreachBatch(lambda batch, _: rows.extend(row.row for row in batch.collect())) \
                .option("checkpointLocation", checkpoint).trigger(availableNow=True).start()
            query.awaitTermination()
            offsets = sorted((int(file.name), file) for file in pathlib.Path(checkpoint, "offsets").glob("[0-9]*"))
            result["offsets"] = [json.loads(file.read_text().splitlines()[2]) for _, file in offsets]
            shutil.rmtree(checkpoint)
        else:
            rows = [row.row for row in text.collect()]
        result["rows"] = sorted(rows)
    except Exception as error:  # whatever Spark says is the answer
        result = {"error": condition_of(error)}
    return result


def main():
    names = sys.argv[1:] or list(TABLES)
    spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC") \
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension") \
        .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog") \
        .config("spark.sql.shuffle.partitions", "2").config("spark.databricks.delta.snapshotPartitions", "2").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    failed = []
    for name in names:
        folder = HERE / "table" / name
        shutil.rmtree(folder, ignore_errors=True)
        path = folder / "delta"
        folder.mkdir(parents=True)
        try:
            reads = TABLES[name](spark, str(path))
        except Exception as error:
            failed.append(f"{name}: {str(error)[:600]}")
            continue
        spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()  # what it remembers of the table from before it was damaged
        with open(folder / "reads.jsonl", "w", encoding="utf-8") as out:
            for read in reads:
                out.write(json.dumps({**read, **answer(spark, str(path), read)}, ensure_ascii=False) + "\n")
        # Files of Hadoop's checksums, which nobody needs; walked by name, as some directories have characters that globs know.
        for directory, _, files in os.walk(folder):
            for file in files:
                if file.startswith(".") and file.endswith(".crc"):
                    os.unlink(os.path.join(directory, file))
        print(name, "done", flush=True)
    print("\n".join(failed))
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
