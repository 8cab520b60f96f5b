"""Delta programs about table features: rows that are tracked, features that are dropped, clustering, manifests."""

import pathlib

from delta_cases import ROW, program, table
from dml_cases import numbered, statements

TRACKED = "SELECT id, v, _metadata.row_id AS row, _metadata.row_commit_version AS version FROM "


def tracked(r, *texts, properties="", partitioned="", log=True):
    """Six rows in two files of a table that tracks its rows, statements one by one, each row's id after each."""
    t = table(r)
    r.run(f"CREATE TABLE {t} (id BIGINT, v STRING) USING delta {partitioned} TBLPROPERTIES ('delta.enableRowTracking' = 'true'{properties})")
    r.write("SELECT id, 'a' AS v FROM range(0, 3, 1, 1)")
    r.write("SELECT id, 'b' AS v FROM range(3, 6, 1, 1)")
    for text in texts:
        r.run(text.replace("$t", t))
        r.run(TRACKED + t)
    if log:
        r.log()


@program
def rows_keep_their_ids(r):
    tracked(r, "UPDATE $t SET v = 'changed' WHERE id = 1", "DELETE FROM $t WHERE id = 3", "UPDATE $t SET v = concat(v, '!') WHERE id IN (1, 5)",
            "OPTIMIZE $t", "DELETE FROM $t WHERE id = 0")


@program
def rows_keep_their_ids_with_vectors(r):
    tracked(r, "DELETE FROM $t WHERE id = 3", "UPDATE $t SET v = 'changed' WHERE id IN (1, 4)", "UPDATE $t SET v = 'again' WHERE id = 4",
            "REORG TABLE $t APPLY (PURGE)", properties=", 'delta.enableDeletionVectors' = 'true'", log=False)


@program
def merged_rows_keep_their_ids(r):
    tracked(r, "MERGE INTO $t t USING (SELECT 1L AS id, 'x' AS v UNION ALL SELECT 5L, 'y') s ON t.id = s.id WHEN MATCHED AND s.id = 1 THEN "
            "UPDATE SET v = s.v WHEN MATCHED THEN DELETE",
            "MERGE INTO $t t USING (SELECT 2L AS id, 'z' AS v) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED BY SOURCE AND "
            "t.id = 4 THEN UPDATE SET v = 'left'")


@program
def replaced_rows_and_ids(r):
    t = table(r)
    tracked(r, "UPDATE $t SET v = 'c' WHERE id = 2", log=False)
    r.write("SELECT 4L AS id, 'n' AS v", mode="overwrite", replaceWhere="id = 4")
    r.run(f"SELECT id, _metadata.row_id AS row FROM {t} WHERE id <> 4")
    r.write("SELECT 9L AS id, 'n' AS v", mode="overwrite")
    r.run(TRACKED + t)


@program
def row_tracking_of_a_mapped_table(r):
    tracked(r, "ALTER TABLE $t RENAME COLUMN v TO w", log=False, properties=", 'delta.columnMapping.mode' = 'name'")
    t = table(r)
    r.run(f"UPDATE {t} SET w = 'x' WHERE id = 4")
    r.run(f"SELECT id, w, _metadata.row_id AS row, _metadata.row_commit_version AS version FROM {t}")


@program
def row_tracking_of_old_rows(r):
    t = table(r)
    r.write("SELECT id, 'a' AS v FROM range(0, 3, 1, 1)")
    r.write("SELECT id, 'b' AS v FROM range(3, 6, 1, 1)")
    r.run(f"ALTER TABLE {t} SET TBLPROPERTIES ('delta.enableRowTracking' = 'true')")
    r.run(f"SELECT count(DISTINCT _metadata.row_id) AS ids, min(_metadata.row_id) AS low, max(_metadata.row_id) AS high FROM {t}")
    r.run(f"ALTER TABLE {t} SET TBLPROPERTIES ('delta.rowTrackingSuspended' = 'true')")
    r.run(f"ALTER TABLE {t} DROP FEATURE domainMetadata")
    r.run(f"ALTER TABLE {t} DROP FEATURE rowTracking")
    r.run(f"ALTER TABLE {t} DROP FEATURE domainMetadata")
    r.write("SELECT 6L AS id, 'c' AS v")
    r.read()
    r.log()


def dropped(r, *texts, properties="", columns="id BIGINT, v STRING"):
    t = table(r)
    r.run(f"CREATE TABLE {t} ({columns}) USING delta TBLPROPERTIES ('mine' = '1'{properties})")
    r.run(f"INSERT INTO {t} VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    for text in texts:
        r.run(text.replace("$t", t))
    r.run(f"SELECT * FROM {t}")
    r.log()
    names = [file.name for file in pathlib.Path(r.path(), "_delta_log").iterdir()]
    r.steps.append({"checkpoints": sorted(name[:20] for name in names if ".checkpoint" in name and not name.startswith("."))})


@program
def drop_feature_errors(r):
    dropped(r, "ALTER TABLE $t DROP FEATURE nope", "ALTER TABLE $t DROP FEATURE deletionVectors", "ALTER TABLE $t DROP FEATURE appendOnly",
            "ALTER TABLE $t DROP FEATURE 'delta.appendOnly'", "ALTER TABLE $t DROP FEATURE invariants TRUNCATE HISTORY",
            "ALTER TABLE $t DROP FEATURE checkConstraints", "ALTER TABLE $t ADD CONSTRAINT c CHECK (id > 0)",
            "ALTER TABLE $t DROP FEATURE checkConstraints", "ALTER TABLE $t DROP FEATURE checkConstraints TRUNCATE HISTORY",
            "ALTER TABLE $t DROP CONSTRAINT c", "ALTER TABLE $t DROP FEATURE checkConstraints")


@program
def drop_deletion_vectors(r):
    dropped(r, "DELETE FROM $t WHERE id = 2", "ALTER TABLE $t DROP FEATURE deletionVectors", "INSERT INTO $t VALUES (4, 'd')",
            "ALTER TABLE $t DROP FEATURE checkpointProtection", "ALTER TABLE $t DROP FEATURE checkpointProtection TRUNCATE HISTORY",
            "DESCRIBE DETAIL $t", properties=", 'delta.enableDeletionVectors' = 'true'")


@program
def drop_unused_deletion_vectors(r):
    dropped(r, "ALTER TABLE $t SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'false')", "ALTER TABLE $t DROP FEATURE deletionVectors TRUNCATE HISTORY",
            "ALTER TABLE $t DROP FEATURE deletionVectors", properties=", 'delta.enableDeletionVectors' = 'true'")


@program
def drop_column_mapping(r):
    dropped(r, "ALTER TABLE $t RENAME COLUMN v TO w", "ALTER TABLE $t ADD COLUMN `a b` INT", "ALTER TABLE $t DROP FEATURE columnMapping",
            "ALTER TABLE $t DROP COLUMN `a b`", "ALTER TABLE $t DROP FEATURE columnMapping", "INSERT INTO $t VALUES (4, 'd')",
            properties=", 'delta.columnMapping.mode' = 'name'")


@program
def drop_column_mapping_with_truncation(r):
    dropped(r, "ALTER TABLE $t DROP FEATURE columnMapping TRUNCATE HISTORY", "ALTER TABLE $t DROP FEATURE columnMapping TRUNCATE HISTORY",
            properties=", 'delta.columnMapping.mode' = 'id'")


@program
def drop_type_widening(r):
    dropped(r, "ALTER TABLE $t ALTER COLUMN id TYPE BIGINT", "INSERT INTO $t VALUES (4, 'd')", "ALTER TABLE $t DROP FEATURE typeWidening",
            columns="id INT, v STRING", properties=", 'delta.enableTypeWidening' = 'true'")


@program
def drop_in_commit_timestamps(r):
    dropped(r, "ALTER TABLE $t DROP FEATURE inCommitTimestamp", "INSERT INTO $t VALUES (4, 'd')", properties=", 'delta.enableInCommitTimestamps' = 'true'")


@program
def drop_v2_checkpoints(r):
    dropped(r, "ALTER TABLE $t DROP FEATURE v2Checkpoint", "INSERT INTO $t VALUES (4, 'd')", properties=", 'delta.checkpointPolicy' = 'v2'")


@program
def drop_vacuum_protocol_check(r):
    dropped(r, "ALTER TABLE $t DROP FEATURE vacuumProtocolCheck", properties=", 'delta.feature.vacuumProtocolCheck' = 'supported'")


@program
def mapping_is_taken_away(r):
    numbered(r, count=3)
    statements(r, "ALTER TABLE $t SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.minReaderVersion' = '2', 'delta.minWriterVersion' = '5')",
               "ALTER TABLE $t RENAME COLUMN v TO w", "ALTER TABLE $t SET TBLPROPERTIES ('delta.columnMapping.mode' = 'none')",
               "SELECT * FROM $t", "ALTER TABLE $t UNSET TBLPROPERTIES ('delta.columnMapping.mode')")


@program
def clustered_tables(r):
    t = table(r)
    r.run(f"CREATE TABLE {t} (id BIGINT, v STRING, s STRUCT<x: INT, y: STRING>) USING delta CLUSTER BY (id, s.x)")
    r.run(f"INSERT INTO {t} VALUES (1, 'a', named_struct('x', 1, 'y', 'q')), (2, 'b', NULL)")
    r.run(f"INSERT INTO {t} VALUES (3, 'c', NULL)")
    r.run(f"DESCRIBE DETAIL {t}")
    r.run(f"DESCRIBE TABLE {t}")
    r.run(f"OPTIMIZE {t} WHERE id = 1")
    r.run(f"OPTIMIZE {t} ZORDER BY (v)")
    r.run(f"ALTER TABLE {t} CLUSTER BY (v)")
    r.run(f"ALTER TABLE {t} CLUSTER BY (nope)")
    r.run(f"ALTER TABLE {t} CLUSTER BY (s)")
    r.run(f"ALTER TABLE {t} DROP COLUMN v")
    r.run(f"ALTER TABLE {t} CLUSTER BY NONE")
    r.run(f"DESCRIBE DETAIL {t}")
    r.run(f"OPTIMIZE {t} FULL")
    r.run(f"ALTER TABLE {t} SET TBLPROPERTIES ('delta.feature.clustering' = 'supported')")
    r.run(f"SELECT * FROM {t}")
    r.log()


@program
def clustered_table_definitions(r):
    t = table(r)
    r.run(f"CREATE TABLE {t} (id BIGINT, p STRING) USING delta PARTITIONED BY (p) CLUSTER BY (id)")
    r.run(f"CREATE TABLE {t} (a INT, b INT, c INT, d INT, e INT) USING delta CLUSTER BY (a, b, c, d, e)")
    r.run(f"CREATE TABLE {t} (a INT, b INT) USING delta CLUSTER BY (a) TBLPROPERTIES ('delta.feature.clustering' = 'supported')")
    r.run(f"CREATE TABLE {t} USING delta CLUSTER BY (a) AS SELECT 1 AS a, 2 AS b")
    r.run(f"CREATE OR REPLACE TABLE {t} (a INT, b INT) USING delta CLUSTER BY (b)")
    r.run(f"CREATE OR REPLACE TABLE {t} (a INT, b INT) USING delta PARTITIONED BY (b)")
    r.run(f"CREATE OR REPLACE TABLE {t} (a INT, b INT) USING delta")
    r.write("SELECT 1 AS a", mode="overwrite", overwriteSchema="true")
    r.log()
    r.run(f"CREATE TABLE {table(r, 'u')} (a INT, b INT) USING delta")
    r.run(f"ALTER TABLE {table(r, 'u')} CLUSTER BY NONE")
    r.run(f"ALTER TABLE {table(r, 'u')} CLUSTER BY (a)")
    r.log("u")
    r.run(f"CREATE TABLE {table(r, 'w')} (a INT, b INT) USING delta PARTITIONED BY (b)")
    r.run(f"ALTER TABLE {table(r, 'w')} CLUSTER BY (a)")


@program
def optimize_of_a_clustered_table(r):
    t = table(r)
    r.run(f"CREATE TABLE {t} (id BIGINT, v STRING) USING delta CLUSTER BY (id)")
    for i in range(3):
        r.write(f"SELECT {i}L AS id, 'v' AS v")
    files = "numRemovedFiles", "numAddedFiles"

    def optimized(text):
        r.spark.sql(text)
        last = r.spark.sql(f"DESCRIBE HISTORY {t} LIMIT 1").collect()[0]
        return [last.operation, {k: last.operationMetrics.get(k) for k in files}, last.operationParameters]

    r.run(lambda: optimized(f"OPTIMIZE {t}"))
    r.run(lambda: optimized(f"OPTIMIZE {t}"))
    r.write("SELECT 9L AS id, 'v' AS v")
    r.run(lambda: optimized(f"OPTIMIZE {t}"))
    r.run(f"ALTER TABLE {t} CLUSTER BY (v)")
    r.run(lambda: optimized(f"OPTIMIZE {t}"))
    r.run(lambda: optimized(f"OPTIMIZE {t} FULL"))
    r.read()


def manifests(r, name="t"):
    root = pathlib.Path(r.path(name), "_symlink_format_manifest")
    found = []
    for file in sorted(root.rglob("manifest")):
        lines = sorted(line.rsplit("/", 1)[0] for line in file.read_text().splitlines())
        found.append([str(file.relative_to(root)), lines])
    r.steps.append(r.value(found))


@program
def symlink_manifests(r):
    t = table(r)
    r.write(ROW.format(1, 0))
    r.run(f"GENERATE symlink_format_manifest FOR TABLE {t}")
    manifests(r)
    r.run(f"GENERATE nope FOR TABLE {t}")
    r.run("GENERATE symlink_format_manifest FOR TABLE nope")
    for i in range(3):
        r.write(f"SELECT {i} AS v, {i % 2} AS p, 'x y' AS q", "u", partition_by=["p", "q"])
    r.write("SELECT 9 AS v, CAST(NULL AS INT) AS p, 'x y' AS q", "u")
    r.run(f"GENERATE symlink_format_manifest FOR TABLE {table(r, 'u')}")
    manifests(r, "u")
    r.run(f"DELETE FROM {table(r, 'u')} WHERE p = 1")
    r.run(f"GENERATE symlink_format_manifest FOR TABLE {table(r, 'u')}")
    manifests(r, "u")
    r.run(f"ALTER TABLE {table(r, 'u')} SET TBLPROPERTIES ('delta.compatibility.symlinkFormatManifest.enabled' = 'true')")
    r.write("SELECT 10 AS v, 5 AS p, 'x y' AS q", "u")
    manifests(r, "u")
    r.run(f"DELETE FROM {table(r, 'u')} WHERE p = 5")
    manifests(r, "u")


@program
def sync_identity(r):
    t = table(r)
    r.run(f"CREATE TABLE {t} (id BIGINT GENERATED BY DEFAULT AS IDENTITY (START WITH 10 INCREMENT BY 5), v STRING) USING delta")
    r.run(f"INSERT INTO {t} VALUES (3, 'a'), (42, 'b')")
    r.run(f"ALTER TABLE {t} ALTER COLUMN id SYNC IDENTITY")
    r.run(f"INSERT INTO {t} (v) VALUES ('c')")
    r.run(f"ALTER TABLE {t} ALTER COLUMN v SYNC IDENTITY")
    r.run(f"ALTER TABLE {t} ALTER COLUMN id SYNC IDENTITY")
    r.run(f"SELECT * FROM {t}")
    r.log()


@program
def reorg_tables(r):
    numbered(r, count=3)
    statements(r, "REORG TABLE $t APPLY (PURGE)", "ALTER TABLE $t SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')",
               "DELETE FROM $t WHERE id = 1", "REORG TABLE $t WHERE id = 1 APPLY (PURGE)", "REORG TABLE $t APPLY (PURGE)", "REORG TABLE $t APPLY (NOPE)",
               read=False, log=False)
    r.log(last=2)
    r.read()


@program
def inserts_by_position(r):
    r.run("CREATE TABLE ins (a INT, b STRING, c DECIMAL(5,2), p INT, s STRUCT<x: INT, y: STRING>) USING delta PARTITIONED BY (p)")
    r.run("INSERT INTO ins SELECT 1, 'b', 12345.678, 2, NULL")
    r.run("INSERT INTO ins SELECT 1, 'b', 1.005, 2, named_struct('y','k','x',5)")
    r.run("INSERT INTO ins SELECT 1, 'b', 1.005, 2, named_struct('a',5,'b','k')")
    r.run("INSERT INTO ins BY NAME SELECT 1 AS a, 2 AS p, named_struct('y','k','x',5) AS s")
    r.run("DROP TABLE ins")


@program
def commands_of_other_tables(r):
    r.run("CREATE TABLE sh2 (id BIGINT, p STRING NOT NULL) USING delta PARTITIONED BY (p)")
    for text in ("ANALYZE TABLE sh2 COMPUTE STATISTICS", "MSCK REPAIR TABLE sh2", "ALTER TABLE sh2 ADD PARTITION (p='z')",
                 "ALTER TABLE sh2 DROP PARTITION (p='z')"):
        r.run(text)
    r.run("DROP TABLE sh2")
