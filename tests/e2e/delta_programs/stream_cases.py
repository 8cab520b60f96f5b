"""Delta programs about streams: what is admitted into a batch, change streams, deletion vectors, sinks and their transactions; and
statements of the catalog and the classes of errors."""

import json
import pathlib
import shutil

from delta_cases import program, table
from dml_cases import numbered


def offsets(r, checkpoint):
    """The source's part of each offset a checkpoint holds."""
    def told():
        files = [file for file in pathlib.Path(r.path(checkpoint), "offsets").iterdir() if file.name.isdigit()]
        out = []
        for file in sorted(files, key=lambda file: int(file.name)):
            offset = json.loads(file.read_text().splitlines()[2])
            offset.pop("reservoirId")
            out.append([file.name, offset])
        return {"offsets": out}
    r.run(told)


def without_time(frame):
    return frame.drop("_commit_timestamp")


@program
def stream_admission(r):
    for i in range(5):
        r.write(f"SELECT {i} AS a")
    for number, options in enumerate(({"maxFilesPerTrigger": "2"}, {"maxBytesPerTrigger": "1b"})):
        r.stream(sink=f"o{number}", checkpoint=f"c{number}", **options)
        offsets(r, f"c{number}")
    r.write("SELECT 9 AS a")
    for number, options in enumerate(({"maxFilesPerTrigger": "2"}, {}, {"startingVersion": "2", "maxFilesPerTrigger": "1"},
                                      {"startingVersion": "latest"}, {"startingTimestamp": "2001-01-01"})):
        r.stream(sink=f"o{number}", checkpoint=f"c{number}", **options)
        offsets(r, f"c{number}")


@program
def stream_of_changes(r):
    t, options = table(r), {"transform": without_time, "readChangeFeed": "true"}
    r.write("SELECT 1L AS id, 'a' AS v", delta__enableChangeDataFeed="true")
    r.write("SELECT 2L AS id, 'b' AS v")
    r.run(f"UPDATE {t} SET v = 'z' WHERE id = 1")
    r.run(f"DELETE FROM {t} WHERE id = 2")
    for number, more in enumerate(({}, {"startingVersion": "0"}, {"startingVersion": "0", "maxFilesPerTrigger": "1"})):
        r.stream(sink=f"o{number}", checkpoint=f"c{number}", **options, **more)
        offsets(r, f"c{number}")
    r.stream(sink="o3", checkpoint="c3", transform=without_time, readChangeData="true", startingVersion="2")
    r.run(f"MERGE INTO {t} t USING (SELECT 1L AS id, 'm' AS v UNION ALL SELECT 7L, 'n') s ON t.id = s.id "
          "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *")
    r.stream(sink="o0", checkpoint="c0", **options)
    offsets(r, "c0")
    r.write("SELECT 8L AS id, 'o' AS v", mode="overwrite")
    r.stream(sink="o0", checkpoint="c0", **options)
    r.run(f"ALTER TABLE {t} ADD COLUMN n INT")
    r.write("SELECT 9L AS id, 'p' AS v, 5 AS n")
    r.stream(sink="o0", checkpoint="c0", **options)
    r.stream(sink="o0", checkpoint="c0", sink_options={"mergeSchema": "true"}, **options)


@program
def stream_of_deletion_vectors(r):
    r.write("SELECT id FROM range(0, 6, 1, 1)", delta__enableDeletionVectors="true")
    r.run(f"DELETE FROM {table(r)} WHERE id = 2")
    r.stream()
    r.run(f"DELETE FROM {table(r)} WHERE id = 3")
    r.stream()
    r.stream(skipChangeCommits="true")
    offsets(r, "checkpoint")
    r.stream(sink="o2", checkpoint="c2", startingVersion="0", ignoreDeletes="true")
    r.stream(sink="o3", checkpoint="c3", startingVersion="0", ignoreChanges="true")
    r.run(f"DELETE FROM {table(r)}")
    r.stream()
    r.stream(ignoreDeletes="true")


@program
def stream_of_changes_with_deletion_vectors(r):
    t = table(r)
    r.write("SELECT id, 'a' AS v FROM range(0, 6, 1, 1)", delta__enableDeletionVectors="true", delta__enableChangeDataFeed="true")
    r.run(f"DELETE FROM {t} WHERE id = 2")
    r.run(f"UPDATE {t} SET v = 'b' WHERE id > 3")
    r.stream(transform=without_time, readChangeFeed="true")
    r.stream(sink="o2", checkpoint="c2", transform=without_time, readChangeFeed="true", startingVersion="1")
    r.run(f"DELETE FROM {t}")
    r.stream(transform=without_time, readChangeFeed="true")


@program
def stream_of_mapped_columns(r):
    t = table(r)
    r.write("SELECT 1L AS id, named_struct('x', 'q') AS s", delta__columnMapping__mode="name")
    r.stream()
    r.run(f"INSERT INTO {t} VALUES (2, named_struct('x', 'r'))")
    r.stream()
    r.run(f"ALTER TABLE {t} RENAME COLUMN s.x TO y")
    r.run(f"INSERT INTO {t} VALUES (3, named_struct('y', 's'))")
    r.stream()
    r.run(f"ALTER TABLE {t} DROP COLUMN s")
    r.stream()
    r.stream(sink="o2", checkpoint="c2")
    offsets(r, "c2")


@program
def stream_of_another_table(r):
    r.write("SELECT 1 AS a")
    r.stream()
    shutil.rmtree(r.path())
    r.write("SELECT 100 AS a")
    r.stream()


@program
def stream_sink_modes(r):
    def counted(frame):
        return frame.groupBy("k").count()

    r.write("SELECT id % 3 AS k, id FROM range(0, 9, 1, 1)")
    for number, mode in enumerate(("complete", "update", "append")):
        r.stream(sink=f"o{number}", checkpoint=f"c{number}", transform=counted, mode=mode)
    r.write("SELECT 1L AS k, 10L AS id")
    r.stream(sink="o0", checkpoint="c0", transform=counted, mode="complete")
    r.log("o0")
    r.stream(sink="o4", checkpoint="c4", sink_options={"overwriteSchema": "true"})
    r.stream(sink="o4", checkpoint="c5", transform=lambda f: f.selectExpr("k", "id", "1 AS more"))
    r.stream(sink="o4", checkpoint="c5", transform=lambda f: f.selectExpr("k", "id", "1 AS more"), sink_options={"mergeSchema": "true"})
    r.stream(sink="o4", checkpoint="c6", transform=lambda f: f.selectExpr("k", "CAST(id AS STRING) AS id"))
    r.log("o4")
    r.stream(sink="o5", checkpoint="c7", sink_options={"userMetadata": "told", "txnAppId": "x", "txnVersion": "1"})
    r.log("o5")


@program
def stream_batches_written_once(r):
    """foreachBatch with the identity of a transaction: a batch that was written is not written again."""
    out = r.path("out")  # what the function is sent with

    def twice(batch, number):
        for _ in range(2):
            batch.write.format("delta").mode("append").option("txnAppId", "app").option("txnVersion", number).save(out)

    def run(checkpoint):
        query = (r.spark.readStream.format("delta").option("maxFilesPerTrigger", 1).load(r.path()).coalesce(1).writeStream.foreachBatch(twice)
                 .option("checkpointLocation", r.path(checkpoint)).trigger(availableNow=True).start())
        query.awaitTermination()

    r.write("SELECT 1 AS a")
    r.write("SELECT 2 AS a")
    r.run(lambda: run("c1"))
    r.read("out")
    r.write("SELECT 3 AS a")
    r.run(lambda: run("c1"))
    r.run(lambda: run("c2"))
    r.read("out")
    r.log("out")


@program
def merge_with_a_common_table(r):
    numbered(r, count=4)
    t = table(r)
    r.run(f"WITH s AS (SELECT 2L AS id) MERGE INTO {t} t USING s ON t.id = s.id WHEN MATCHED THEN DELETE")
    r.run(f"WITH a AS (SELECT 3L AS id), s AS (SELECT id, 99 AS v FROM a) MERGE INTO {t} t USING (SELECT * FROM s) q ON t.id = q.id "
          "WHEN MATCHED THEN UPDATE SET v = q.v")
    r.run(f"WITH s AS (SELECT 1L AS id) MERGE INTO {t} t USING nowhere ON t.id = nowhere.id WHEN MATCHED THEN DELETE")
    r.run(f"WITH s AS (SELECT 1L AS id) MERGE INTO {t} t USING s ON t.id = s.nope WHEN MATCHED THEN DELETE")
    r.run(f"SELECT * FROM {t}")
    r.log(last=2)


@program
def shallow_clone_of_parquet(r):
    r.spark.sql("SELECT 1 AS a, 'x' AS p UNION ALL SELECT 2, 'y'").coalesce(1).write.partitionBy("p").parquet(r.path("parted"))
    r.spark.sql("SELECT 1 AS a UNION ALL SELECT 2").coalesce(1).write.parquet(r.path("flat"))
    r.run(f"CREATE TABLE {table(r)} SHALLOW CLONE parquet.`{r.path('flat')}`")
    r.read()
    r.log()
    r.run(f"DELETE FROM {table(r)} WHERE a = 1")
    r.read()
    r.run(lambda: r.spark.read.parquet(r.path("flat")))
    r.run(f"CREATE TABLE {table(r, 'q')} SHALLOW CLONE parquet.`{r.path('parted')}`")
    r.run(f"CREATE TABLE {table(r, 'n')} SHALLOW CLONE parquet.`{r.path('nothing')}`")
    r.run("CREATE TABLE parquet_source USING parquet PARTITIONED BY (p) AS SELECT 1 AS a, 'x' AS p")
    r.run(f"CREATE TABLE {table(r, 'z')} SHALLOW CLONE parquet_source")
    r.read("z")
    r.run("DROP TABLE parquet_source")


@program
def comment_on_a_table(r):
    r.run("CREATE TABLE commented (id BIGINT COMMENT 'a number') USING delta COMMENT 'first'")
    for text in ("'second'", "NULL"):
        r.run(f"COMMENT ON TABLE commented IS {text}")
        r.run(lambda: r.spark.sql("DESCRIBE DETAIL commented").select("description"))
    r.run("COMMENT ON TABLE not_there IS 'x'")
    r.run("COMMENT ON COLUMN commented.id IS 'other'")
    r.run("DESCRIBE commented")
    r.run(lambda: r.spark.sql("DESCRIBE HISTORY commented").select("version", "operation", "operationParameters"))
    r.run("DROP TABLE commented")


def name_of(error):
    """Of Java errors that the classic client knows no class for: of the class a Connect client raises."""
    java = error.java_exception.getClass() if type(error).__name__ == "Py4JJavaError" else None
    while java is not None and not java.getSimpleName().startswith("Spark") and java.getSuperclass().getSimpleName() != "Exception":
        java = java.getSuperclass()
    return type(error).__name__ if java is None else java.getSimpleName()


@program
def classes_of_errors(r):
    """The Python classes that errors are of: what `except` finds."""
    t = table(r)
    r.write("SELECT 1 AS a", delta__appendOnly="true")
    numbered(r, "n", count=2)

    def class_of(step):
        def caught():
            try:
                step() if callable(step) else r.spark.sql(step).collect()
            except Exception as error:  # noqa: BLE001: its class is what is asked
                return [name_of(error)]
            return ["none"]
        r.run(caught)

    for text in (f"DELETE FROM {t}", f"ALTER TABLE {t} SET TBLPROPERTIES ('delta.checkpointInterval' = '0')",
                 f"ALTER TABLE {t} SET TBLPROPERTIES ('delta.nope' = '1')", f"SELECT * FROM {t} VERSION AS OF 9",
                 f"ALTER TABLE {t} ADD COLUMNS (a INT)", f"ALTER TABLE {t} DROP COLUMN a", f"VACUUM {t} RETAIN 0 HOURS",
                 f"RESTORE TABLE {t} TO VERSION AS OF 7", f"ALTER TABLE {t} DROP FEATURE nope", f"OPTIMIZE {t} ZORDER BY (nope)",
                 f"ALTER TABLE {t} ADD CONSTRAINT c CHECK (a > 5)",
                 f"MERGE INTO {table(r, 'n')} t USING (SELECT 1L AS id UNION ALL SELECT 1L) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = 1",
                 f"INSERT INTO {t} SELECT 'x'", f"INSERT INTO {t} SELECT 1, 2", f"CONVERT TO DELTA parquet.`{r.path('nothing')}`"):
        class_of(text)
    class_of(lambda: r.spark.read.format("delta").load(r.path("nothing")).collect())
    class_of(lambda: r.spark.read.format("delta").option("versionAsOf", "x").load(r.path()).collect())
    class_of(lambda: r.spark.read.format("delta").option("readChangeFeed", "true").option("startingVersion", 0).load(r.path()).collect())
    class_of(lambda: r.spark.sql("SELECT 'x' AS b").write.format("delta").mode("append").save(r.path()))
