"""Delta programs that read: time travel, change feed, streams, _metadata."""

from delta_cases import ROW, program, table, three


@program
def time_travel(r):
    three(r)
    for options in ({"versionAsOf": "0"}, {"versionAsOf": "1"}, {"versionAsOf": "9"}, {"versionAsOf": "-1"}, {"versionAsOf": "x"},
                    {"timestampAsOf": "2000-01-01"}, {"timestampAsOf": "2999-01-01"}, {"timestampAsOf": "nonsense"},
                    {"versionAsOf": "0", "timestampAsOf": "2999-01-01"}):
        r.read(**options)
    t = table(r)
    r.run(f"SELECT * FROM {t} VERSION AS OF 0")
    r.run(f"SELECT * FROM {t} VERSION AS OF 9")
    r.run(f"SELECT * FROM {t}@v1")
    r.run(f"SELECT * FROM delta.`{r.path()}@v1`")
    r.run(f"SELECT * FROM {t} TIMESTAMP AS OF '2000-01-01'")
    r.run(f"SELECT * FROM {t} TIMESTAMP AS OF current_timestamp()")
    r.run(lambda: r.spark.read.format("delta").load(r.path() + "@v1"))
    r.run(lambda: r.spark.read.format("delta").option("versionAsOf", "1").load(r.path() + "@v1"))
    r.run(lambda: r.spark.read.format("delta").schema("id BIGINT").load(r.path()))
    r.run(lambda: r.spark.read.format("delta").load(r.path() + "/p=p0"))
    r.run(lambda: r.spark.readStream.format("delta").option("versionAsOf", "0").load(r.path()) and None)
    name = f"r_{r.root.name}"
    r.run(f"CREATE TABLE {name} USING delta LOCATION '{r.path()}'")
    r.run(f"SELECT * FROM {name} VERSION AS OF 1")
    r.run(f"SELECT * FROM {name} VERSION AS OF 7")
    r.run(lambda: r.spark.read.option("versionAsOf", 0).table(name))
    r.run(f"DROP TABLE {name}")


@program
def history_that_is_gone(r):
    import pathlib

    r.write(ROW.format(0, 0), delta__checkpointInterval="2")
    for i in range(1, 5):
        r.write(ROW.format(i, 0))
    log = pathlib.Path(r.path(), "_delta_log")
    for name in ("00000000000000000000.json", "00000000000000000001.json"):
        (log / name).unlink()
    r.read(versionAsOf="0")
    r.read(versionAsOf="1")
    r.read(versionAsOf="2")
    r.read(timestampAsOf="2000-01-01")
    r.stream(startingVersion="0")
    r.read(readChangeFeed="true", startingVersion="0")


@program
def change_feed(r):
    r.write("SELECT id, id % 2 AS k FROM range(0, 4, 1, 1)", delta__enableChangeDataFeed="true")
    r.write("SELECT 10L AS id, 0L AS k")
    r.write("SELECT 20L AS id, 1L AS k", mode="overwrite")
    drop = lambda frame: frame.drop("_commit_timestamp")  # noqa: E731
    for options in ({"startingVersion": "0"}, {"startingVersion": "1", "endingVersion": "1"}, {"startingVersion": "2"}, {"startingVersion": "9"},
                    {"startingVersion": "2", "endingVersion": "1"}, {"startingVersion": "x"}, {"startingVersion": "-1"}, {}, {"endingVersion": "1"},
                    {"startingTimestamp": "2000-01-01"}, {"startingTimestamp": "2999-01-01"}, {"startingVersion": "0", "endingVersion": "99"},
                    {"startingVersion": "0", "startingTimestamp": "2000-01-01"}, {"startingVersion": "0", "versionAsOf": "1"}):
        r.run(lambda: drop(r.spark.read.format("delta").options(readChangeFeed="true", **options).load(r.path())))
    r.run(f"SELECT id, k, _change_type, _commit_version FROM table_changes_by_path('{r.path()}', 1)")
    name = f"r_{r.root.name}"
    r.run(f"CREATE TABLE {name} USING delta LOCATION '{r.path()}'")
    r.run(f"SELECT id, k, _change_type, _commit_version FROM table_changes('{name}', 1, 2)")
    r.run(lambda: drop(r.spark.read.option("readChangeFeed", "true").option("startingVersion", 1).table(name)))
    r.run(f"DROP TABLE {name}")
    r.stream(readChangeFeed="true", startingVersion="1", transform=drop)
    r.stream(readChangeFeed="true", sink="out2", checkpoint="c2", transform=drop)
    r.write(ROW.format(1, 0), name="plain")
    r.run(lambda: drop(r.spark.read.format("delta").options(readChangeFeed="true", startingVersion="0").load(r.path("plain"))))
    r.stream("plain", readChangeFeed="true", startingVersion="0", sink="out3", checkpoint="c3", transform=drop)
    r.write("SELECT 1L AS id, 'insert' AS _change_type", name="bad", delta__enableChangeDataFeed="true")
    r.run(lambda: r.spark.read.format("delta").options(readChangeFeed="true", startingVersion="0").load(r.path("bad")))


@program
def change_feed_over_schema_changes(r):
    r.write("SELECT 1 AS a", delta__enableChangeDataFeed="true")
    r.write("SELECT 2 AS a, 'x' AS b", mergeSchema="true")
    r.write("SELECT 'x' AS z", mode="overwrite", overwriteSchema="true")
    r.write("SELECT 'y' AS z")
    drop = lambda frame: frame.drop("_commit_timestamp")  # noqa: E731
    for options in ({"startingVersion": "0", "endingVersion": "1"}, {"startingVersion": "0"}, {"startingVersion": "2"}, {"startingVersion": "3"}):
        r.run(lambda: drop(r.spark.read.format("delta").options(readChangeFeed="true", **options).load(r.path())))


@program
def stream_of_appends(r):
    three(r)
    r.stream()
    r.write(ROW.format(5, 0))
    r.stream()
    r.stream(sink="o2", checkpoint="c2", startingVersion="1")
    r.stream(sink="o3", checkpoint="c3", startingVersion="latest")
    r.stream(sink="o4", checkpoint="c4", startingTimestamp="2000-01-01")
    r.stream(sink="o5", checkpoint="c5", startingTimestamp="2999-01-01")
    r.stream(sink="o6", checkpoint="c6", startingVersion="99")
    r.stream(sink="o7", checkpoint="c7", maxFilesPerTrigger="1")
    r.stream(sink="o8", checkpoint="c8", maxBytesPerTrigger="1b")
    r.stream(sink="o9", checkpoint="c9", excludeRegex="p=p0")
    r.log("o7")
    r.log("o8")


@program
def stream_option_errors(r):
    three(r)
    for i, options in enumerate(({"startingVersion": "x"}, {"startingVersion": "-1"}, {"startingTimestamp": "x"}, {"maxFilesPerTrigger": "0"},
                                 {"maxFilesPerTrigger": "x"}, {"maxBytesPerTrigger": "x"}, {"ignoreDeletes": "x"}, {"ignoreChanges": "x"},
                                 {"startingVersion": "1", "startingTimestamp": "2024-01-01"}, {"excludeRegex": "("}, {"failOnDataLoss": "x"},
                                 {"readChangeFeed": "x"}, {"skipChangeCommits": "1"}, {"nope": "1"})):
        r.stream(sink=f"o{i}", checkpoint=f"c{i}", **options)
    r.stream("nothing")
    r.run(lambda: r.spark.readStream.format("delta").schema("id INT").load(r.path()) and None)


@program
def stream_over_changes(r):
    three(r)
    r.stream()
    r.write(ROW.format(9, 0), mode="overwrite", replaceWhere="p = 'p0'")
    r.stream()
    r.stream(ignoreDeletes="true")
    r.stream(skipChangeCommits="true")
    r.stream(sink="o2", checkpoint="c2", startingVersion="0", ignoreChanges="true")
    r.stream(sink="o3", checkpoint="c3", startingVersion="0")
    r.write("SELECT CAST(1 AS BIGINT) AS id, 'p' AS p, 1 AS v WHERE false", mode="overwrite")
    r.stream(sink="o4", checkpoint="c4", startingVersion="3", skipChangeCommits="true")
    r.stream(sink="o5", checkpoint="c5", startingVersion="4")
    r.stream(sink="o6", checkpoint="c6", startingVersion="4", ignoreDeletes="true")


@program
def stream_over_schema_changes(r):
    r.write("SELECT 1 AS a")
    r.stream()
    r.write("SELECT 2 AS a, 'x' AS b", mergeSchema="true")
    r.stream()
    r.stream(sink_options={"mergeSchema": "true"})
    r.stream(sink="o2", checkpoint="c2", startingVersion="0")
    r.write("SELECT 'x' AS z", mode="overwrite", overwriteSchema="true")
    r.stream()
    r.stream(sink="o3", checkpoint="c3", startingVersion="0")


@program
def stream_schema_tracking(r):
    r.write("SELECT 1 AS a, 'x' AS b", delta__columnMapping__mode="name")
    options = {"schemaTrackingLocation": r.path("checkpoint/_schema")}
    r.stream(**options)
    r.run(f"ALTER TABLE {table(r)} RENAME COLUMN b TO c")
    r.stream(**options)
    r.stream(**options)
    r.run(lambda: r.spark.conf.set("spark.databricks.delta.streaming.allowSourceColumnRename", "always"))
    try:
        r.stream(sink_options={"mergeSchema": "true"}, **options)
        r.write("SELECT 2 AS a, 'y' AS c")
        r.stream(sink_options={"mergeSchema": "true"}, **options)
    finally:
        r.spark.conf.unset("spark.databricks.delta.streaming.allowSourceColumnRename")
    r.stream(sink="o2", checkpoint="c2", schemaTrackingLocation=r.path("elsewhere"))


@program
def stream_of_renamed_columns(r):
    r.write("SELECT 1 AS a, 'x' AS b", delta__columnMapping__mode="name")
    r.stream()
    r.run(f"ALTER TABLE {table(r)} RENAME COLUMN b TO c")
    r.write("SELECT 2 AS a, 'y' AS c")
    r.stream()
    r.stream(sink="o2", checkpoint="c2")
    r.stream(sink="o3", checkpoint="c3", startingVersion="0")
    r.run(f"ALTER TABLE {table(r)} DROP COLUMN c")
    r.stream(sink="o2", checkpoint="c2")


@program
def sinks(r):
    three(r)
    r.stream(mode="complete", transform=lambda f: f.groupBy("p").count())
    r.write(ROW.format(9, 1))
    r.stream(mode="complete", transform=lambda f: f.groupBy("p").count())
    r.log("out")
    r.stream(sink="o2", checkpoint="c2", mode="update", transform=lambda f: f.groupBy("p").count())
    r.stream(sink="o3", checkpoint="c3", transform=lambda f: f.selectExpr("id", "NULL AS n"))
    r.write("SELECT 1 AS id", name="typed")
    r.stream(sink="typed", checkpoint="c4", transform=lambda f: f.selectExpr("id"))
    r.stream(sink="typed", checkpoint="c5", transform=lambda f: f.selectExpr("'x' AS id"))
    r.stream(sink="typed", checkpoint="c6", transform=lambda f: f.selectExpr("id", "v"))
    r.stream(sink="typed", checkpoint="c7", transform=lambda f: f.selectExpr("id", "v"), sink_options={"mergeSchema": "true"})
    r.stream(sink="typed", checkpoint="c8", mode="complete", transform=lambda f: f.groupBy("p").count(), sink_options={"overwriteSchema": "true"})
    r.log("typed")


@program
def metadata_columns(r):
    three(r)
    for column in ("_metadata.file_name IS NOT NULL AS a", "_metadata.file_size > 0 AS a", "_metadata.file_path LIKE 'file:%.parquet' AS a",
                   "_metadata.file_block_start AS a", "_metadata.file_block_length > 0 AS a", "_metadata.file_modification_time > '2020-01-01' AS a",
                   "_metadata.row_index AS a", "_metadata.base_row_id AS a", "_metadata.row_id AS a", "_metadata.row_commit_version AS a",
                   "input_file_name() LIKE '%.parquet' AS a"):
        r.run(lambda: r.spark.read.format("delta").load(r.path()).selectExpr("id", column))
    r.run(lambda: r.spark.read.format("delta").load(r.path()).select("_metadata").schema.simpleString())
    r.run(lambda: r.spark.read.format("delta").load(r.path()).where("_metadata.file_size > 0 AND id = 1"))
    r.write("SELECT id FROM range(0, 3, 1, 1)", name="tracked", delta__enableRowTracking="true")
    r.write("SELECT 10L AS id", name="tracked")
    r.run(lambda: r.spark.read.format("delta").load(r.path("tracked")).selectExpr("id", "_metadata.row_id", "_metadata.row_commit_version",
                                                                                  "_metadata.base_row_id", "_metadata.default_row_commit_version"))
    r.run(lambda: r.spark.read.format("delta").load(r.path("tracked")).select("_metadata").schema.simpleString())
    r.stream(transform=lambda f: f.selectExpr("id", "_metadata.file_name IS NOT NULL AS named"))


@program
def sql_surface(r):
    three(r)
    t = table(r)
    for sql in (f"DESCRIBE DETAIL {t}", f"DESCRIBE DETAIL '{r.path()}'", f"DESCRIBE TABLE {t}", f"DESCRIBE TABLE EXTENDED {t}", f"SHOW COLUMNS IN {t}",
                f"DESCRIBE HISTORY '{r.path()}' LIMIT 1", f"SELECT count(*) FROM delta.`{r.path('nope')}`", f"DESCRIBE DETAIL delta.`{r.path('nope')}`",
                f"DESCRIBE HISTORY delta.`{r.path('nope')}`", f"INSERT INTO delta.`{r.path('nope')}` VALUES (1)", f"SHOW PARTITIONS {t}",
                f"INSERT INTO {t} VALUES (1L, 'a', 2)", f"INSERT INTO {t} SELECT * FROM {t} WHERE id = 1", f"INSERT OVERWRITE {t} SELECT * FROM {t} WHERE id > 0",
                f"SELECT * FROM {t} WHERE p = 'p1' AND v > 5", f"SELECT max(id), min(v), count(*) FROM {t}", f"CREATE TABLE {table(r, 'like')} LIKE {t}",
                f"SELECT * FROM {table(r, 'like')}", f"CREATE TABLE delta.`{r.path('x')}` SHALLOW CLONE {t}", f"VACUUM {t}", f"OPTIMIZE {t}",
                f"RESTORE TABLE {t} TO VERSION AS OF 0", f"DELETE FROM {t} WHERE id = 0", f"UPDATE {t} SET v = 1",
                f"MERGE INTO {t} USING {t} AS s ON false WHEN NOT MATCHED THEN INSERT *"):
        if any(word in sql for word in ("VACUUM", "OPTIMIZE", "RESTORE", "DELETE", "UPDATE", "MERGE", "CLONE", "EXTENDED")):
            continue
        r.run(sql)
    r.log(last=2)


@program
def described_tables(r):
    """What DESCRIBE and SHOW TABLE EXTENDED tell of a table that a catalog knows, and of one that none knows."""
    three(r)
    r.run(f"DESCRIBE EXTENDED {table(r)}")
    r.run(f"CREATE TABLE described (a INT NOT NULL COMMENT 'key', b STRING DEFAULT 'x', c INT) USING delta PARTITIONED BY (c) COMMENT 'kept elsewhere' "
          f"LOCATION '{r.path('described')}' TBLPROPERTIES ('who'='us', 'delta.feature.allowColumnDefaults'='supported')")
    for sql in ("DESCRIBE described", "DESCRIBE EXTENDED described", "DESCRIBE EXTENDED described a", "DESCRIBE EXTENDED described AS JSON"):
        r.run(sql)
    rows = r.spark.sql("SHOW TABLE EXTENDED LIKE 'described'").collect()
    r.run(lambda: [[row.tableName, row.isTemporary] + [line for line in row.information.split("\n") if not line.startswith("Created Time")] for row in rows])
    r.run("DROP TABLE described")


@program
def text_that_is_no_utf8(r):
    """Statistics are JSON, which such text must not get into. (Looked for by such a text, Spark does not find the row.)"""
    rows = "SELECT id, CAST(unhex(h) AS STRING) AS s FROM VALUES (0L, '61FF62'), (1L, 'C328'), (2L, 'EDA080'), (3L, '6F6B') AS t(id, h)"
    r.write(rows)
    r.run(f"SELECT id, hex(s) FROM {table(r)}")
    r.run(f"SELECT id FROM {table(r)} WHERE s = 'ok'")
    r.run(f"UPDATE {table(r)} SET s = CAST(X'FF' AS STRING) WHERE id = 3")
    r.run(f"SELECT id, hex(s) FROM {table(r)}")
