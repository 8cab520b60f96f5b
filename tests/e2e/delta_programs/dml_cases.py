"""Delta programs that change rows: DELETE, UPDATE, MERGE, OPTIMIZE, VACUUM, RESTORE."""

from delta_cases import ROW, history, program, table, three


def numbered(r, name="t", count=6, files=1, **options):
    """id, k = id % 2, v = id * 10."""
    r.write(f"SELECT id, id % 2 AS k, CAST(id * 10 AS INT) AS v FROM range(0, {count}, 1, 1)", name,
            **options)
    for more in range(1, files):
        r.write(f"SELECT id, id % 2 AS k, CAST(id * 10 AS INT) AS v FROM range({more * count}, {(more + 1) * count}, 1, 1)", name)


def statements(r, *texts, read=True, log=True):
    t = table(r)
    for text in texts:
        r.run(text.replace("$t", t))
    if read:
        r.read()
    if log:
        r.log()


@program
def delete_rows(r):
    numbered(r, files=2)
    statements(r, "DELETE FROM $t WHERE id = 3", "DELETE FROM $t WHERE id = 77", "DELETE FROM $t AS x WHERE x.k = 1 AND x.id > 6",
               "DELETE FROM $t WHERE v IS NULL", "DELETE FROM $t WHERE nope = 1", "DELETE FROM $t WHERE id + 1",
               "DELETE FROM $t WHERE id IN (SELECT 1)", "DELETE FROM $t WHERE id = rand()", "DELETE FROM $t WHERE id >= 6", "DELETE FROM $t", "DELETE FROM $t")


@program
def delete_partitions(r):
    three(r)
    r.write("SELECT CAST(9 AS BIGINT) AS id, CAST(NULL AS STRING) AS p, 1 AS v", partition_by=["p"])
    statements(r, "DELETE FROM $t WHERE p = 'p1'", "DELETE FROM $t WHERE p IS NULL", "DELETE FROM $t WHERE p = 'p0' AND v = 0", "DELETE FROM $t WHERE p = 'zz'")


@program
def delete_of_nothing(r):
    r.run("DELETE FROM nowhere WHERE id = 1")
    r.run(f"DELETE FROM delta.`{r.path('none')}`")
    numbered(r, delta__appendOnly="true")
    statements(r, "DELETE FROM $t WHERE id = 1", "UPDATE $t SET v = 1", log=False)


@program
def delete_with_change_feed(r):
    numbered(r, delta__enableChangeDataFeed="true")
    statements(r, "DELETE FROM $t WHERE id < 2", "DELETE FROM $t WHERE k = 0")
    r.read(readChangeFeed="true", startingVersion="0")


@program
def update_rows(r):
    numbered(r, files=2)
    statements(r, "UPDATE $t SET v = v + 1 WHERE id = 3", "UPDATE $t SET v = 5, k = id WHERE id > 9", "UPDATE $t AS x SET x.v = NULL WHERE x.id = 0",
               "UPDATE $t SET nope = 1", "UPDATE $t SET v = nope", "UPDATE $t SET v = 'text' WHERE id = 1", "UPDATE $t SET v = '12' WHERE id = 1", "UPDATE $t SET v = 1, v = 2",
               "UPDATE $t SET v = 3 WHERE id = 99", "UPDATE $t SET v = 3000000000 WHERE id = 1", "UPDATE $t SET v = DEFAULT WHERE id = 2", "UPDATE $t SET k = 7")


@program
def update_partitions(r):
    three(r)
    statements(r, "UPDATE $t SET v = 7 WHERE p = 'p1'", "UPDATE $t SET p = 'p9' WHERE id = 0", "UPDATE $t SET v = v")


@program
def update_structs(r):
    r.write("SELECT 1 AS id, named_struct('x', 1, 'y', named_struct('z', 'q')) AS s")
    statements(r, "UPDATE $t SET s.x = 5", "UPDATE $t SET s.y.z = 'deep', id = 2", "UPDATE $t SET s.nope = 5", "UPDATE $t SET s = named_struct('x', 9, 'y', named_struct('z', 'w'))",
               "UPDATE $t SET s.x = 1, s = NULL", "UPDATE $t SET s = NULL")


@program
def update_with_change_feed(r):
    numbered(r, delta__enableChangeDataFeed="true")
    statements(r, "UPDATE $t SET v = -1 WHERE id < 2", "UPDATE $t SET v = v WHERE k = 0")
    r.read(readChangeFeed="true", startingVersion="1")


@program
def change_rows_under_rules(r):
    t = table(r)
    r.run(f"CREATE TABLE {t} (id BIGINT NOT NULL, v INT, g BIGINT GENERATED ALWAYS AS (id * 2), d STRING DEFAULT 'dd') USING delta "
          "TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported')")
    r.run(f"ALTER TABLE {t} ADD CONSTRAINT small CHECK (v < 100)")
    statements(r, "INSERT INTO $t (id, v) VALUES (1, 1), (2, 2)", "UPDATE $t SET v = 100 WHERE id = 1", "UPDATE $t SET id = NULL WHERE id = 1", "UPDATE $t SET id = 10 WHERE id = 1",
               "UPDATE $t SET g = 3 WHERE id = 2", "UPDATE $t SET g = 4 WHERE id = 2", "UPDATE $t SET d = DEFAULT, v = DEFAULT WHERE id = 2",
               "MERGE INTO $t t USING (SELECT 2L AS id, 7 AS v UNION ALL SELECT 3L, 8) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, s.v)",
               "MERGE INTO $t t USING (SELECT 4L AS id, 700 AS v) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, s.v)",
               "MERGE INTO $t t USING (SELECT 5L AS id, 7 AS v) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (v) VALUES (s.v)",
               "DELETE FROM $t WHERE id = 10")


@program
def change_rows_of_mapped_columns(r):
    t = table(r)
    r.run(f"CREATE TABLE {t} (id BIGINT, v INT, p STRING) USING delta PARTITIONED BY (p) TBLPROPERTIES ('delta.columnMapping.mode' = 'name')")
    statements(r, "INSERT INTO $t VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'b')", "ALTER TABLE $t RENAME COLUMN v TO w", "UPDATE $t SET w = 20 WHERE id = 2", "DELETE FROM $t WHERE w = 3",
               "DELETE FROM $t WHERE p = 'a'", "MERGE INTO $t USING (SELECT 2L AS id, 5 AS w, 'c' AS p) s ON $t.id = s.id WHEN MATCHED THEN UPDATE SET *",
               "MERGE INTO $t AS t USING (SELECT 2L AS id, 5 AS w, 'c' AS p) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET *", log=False)


@program
def change_rows_of_identity_columns(r):
    t = table(r)
    r.run(f"CREATE TABLE {t} (n BIGINT GENERATED ALWAYS AS IDENTITY, m BIGINT GENERATED BY DEFAULT AS IDENTITY, v INT) USING delta")
    statements(r, "INSERT INTO $t (v) VALUES (1)", "UPDATE $t SET v = 2", "UPDATE $t SET n = 2", "UPDATE $t SET m = 2",
               "MERGE INTO $t t USING (SELECT 2 AS v UNION ALL SELECT 9) s ON t.v = s.v WHEN MATCHED THEN UPDATE SET v = 3 WHEN NOT MATCHED THEN INSERT (v) VALUES (s.v)",
               "MERGE INTO $t t USING (SELECT 20 AS v) s ON t.v = s.v WHEN NOT MATCHED THEN INSERT (n, v) VALUES (5, s.v)", "DELETE FROM $t WHERE v = 3", log=False)


SOURCE = "(SELECT CAST(id AS BIGINT) AS id, CAST(id % 2 AS BIGINT) AS k, CAST(id * 100 AS INT) AS v FROM range(4, 8, 1, 1)) s"


@program
def merge_upsert(r):
    numbered(r)
    statements(r, f"MERGE INTO $t t USING {SOURCE} ON t.id = s.id WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *")


@program
def merge_clauses(r):
    numbered(r)
    statements(r, f"MERGE INTO $t t USING {SOURCE} ON t.id = s.id WHEN MATCHED AND s.v > 400 THEN UPDATE SET v = s.v + t.v, t.k = 9 WHEN MATCHED THEN DELETE "
                  "WHEN NOT MATCHED AND s.id = 6 THEN INSERT (id, v) VALUES (s.id, 6) WHEN NOT MATCHED BY TARGET THEN INSERT (id, k, v) VALUES (s.id, -1, s.v) "
                  "WHEN NOT MATCHED BY SOURCE AND t.id = 0 THEN DELETE WHEN NOT MATCHED BY SOURCE AND t.id = 1 THEN UPDATE SET v = -1")


@program
def merge_insert_only(r):
    numbered(r)
    statements(r, f"MERGE INTO $t t USING {SOURCE} ON t.id = s.id WHEN NOT MATCHED THEN INSERT *", f"MERGE INTO $t t USING {SOURCE} ON t.id = s.id WHEN NOT MATCHED AND s.id > 100 THEN INSERT *")


@program
def merge_delete_only(r):
    numbered(r, files=2)
    statements(r, f"MERGE INTO $t t USING {SOURCE} ON t.id = s.id AND t.k = 1 WHEN MATCHED THEN DELETE",
               "MERGE INTO $t t USING (SELECT 1L AS id UNION ALL SELECT 1L) s ON t.id = s.id WHEN MATCHED THEN DELETE",
               "MERGE INTO $t t USING (SELECT 77L AS id) s ON t.id = s.id WHEN MATCHED THEN DELETE")


@program
def merge_by_source_only(r):
    numbered(r, files=2)
    statements(r, f"MERGE INTO $t t USING {SOURCE} ON t.id = s.id WHEN NOT MATCHED BY SOURCE AND t.id > 3 THEN DELETE",
               f"MERGE INTO $t t USING {SOURCE} ON t.id = s.id WHEN NOT MATCHED BY SOURCE THEN UPDATE SET v = 0")


@program
def merge_duplicates(r):
    numbered(r)
    twice = "(SELECT 1L AS id, 5 AS v UNION ALL SELECT 1L, 6) s"
    statements(r, f"MERGE INTO $t t USING {twice} ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = s.v",
               f"MERGE INTO $t t USING {twice} ON t.id = s.id WHEN MATCHED AND s.v = 5 THEN UPDATE SET v = s.v",
               f"MERGE INTO $t t USING {twice} ON t.id = s.id WHEN MATCHED AND s.v = 5 THEN DELETE WHEN MATCHED THEN UPDATE SET v = 1",
               f"MERGE INTO $t t USING {twice} ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, s.v)",
               "MERGE INTO $t t USING (SELECT 50L AS id, 5 AS v UNION ALL SELECT 50L, 6) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, s.v)")


@program
def merge_errors(r):
    numbered(r)
    s = "(SELECT 1L AS id, 5 AS w) s"
    statements(r, f"MERGE INTO $t t USING {s} ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = s.nope", f"MERGE INTO $t t USING {s} ON t.id = s.nope WHEN MATCHED THEN DELETE",
               f"MERGE INTO $t t USING {s} ON t.id = s.id WHEN MATCHED THEN UPDATE SET nope = s.w", f"MERGE INTO $t t USING {s} ON id = s.id WHEN MATCHED THEN DELETE",
               f"MERGE INTO $t t USING {s} ON t.id = s.id WHEN MATCHED THEN UPDATE SET *", f"MERGE INTO $t t USING {s} ON t.id = s.id WHEN NOT MATCHED THEN INSERT *",
               f"MERGE INTO $t t USING {s} ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id) VALUES (t.id)", f"MERGE INTO $t t USING {s} ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id)",
               f"MERGE INTO $t t USING {s} ON t.id = s.id WHEN NOT MATCHED THEN INSERT (nope) VALUES (s.id)", f"MERGE INTO $t t USING {s} ON t.id = s.id WHEN NOT MATCHED BY SOURCE THEN UPDATE SET v = s.w",
               f"MERGE INTO $t t USING {s} ON t.id = s.id WHEN MATCHED THEN DELETE WHEN MATCHED THEN UPDATE SET v = 1", f"MERGE INTO $t t USING {s} ON t.id = s.id",
               f"MERGE INTO $t t USING {s} ON t.id = s.id WHEN NOT MATCHED THEN INSERT * WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)",
               f"MERGE INTO $t t USING {s} ON t.id + s.id WHEN MATCHED THEN DELETE", f"MERGE INTO $t t USING {s} ON t.id IN (SELECT 1L) WHEN MATCHED THEN DELETE",
               f"MERGE INTO $t t USING {s} ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = 1, v = 2", f"MERGE INTO $t t USING {s} ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = 'text'",
               f"MERGE INTO $t t USING {s} ON t.id = s.id AND rand() > 2 WHEN MATCHED THEN DELETE", "MERGE INTO nowhere t USING (SELECT 1 AS id) s ON t.id = s.id WHEN MATCHED THEN DELETE",
               "MERGE INTO $t t USING nowhere s ON t.id = s.id WHEN MATCHED THEN DELETE")


@program
def merge_schema_evolution(r):
    numbered(r)
    statements(r, "MERGE WITH SCHEMA EVOLUTION INTO $t t USING (SELECT 1L AS id, 'new' AS extra, 5 AS v UNION ALL SELECT 9L, 'more', 6) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *",
               "MERGE WITH SCHEMA EVOLUTION INTO $t t USING (SELECT 1L AS id, 'q' AS other) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET extra = s.other",
               "MERGE WITH SCHEMA EVOLUTION INTO $t t USING (SELECT 1L AS id, 'q' AS other) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET other = s.other")
    r.schema()


@program
def merge_types_and_structs(r):
    r.write("SELECT 1 AS id, CAST(1 AS SMALLINT) AS n, named_struct('x', 1, 'y', 'a') AS s")
    statements(r, "MERGE INTO $t t USING (SELECT 1L AS id, 7L AS n, named_struct('x', 2L, 'y', 'b') AS s) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET *",
               "MERGE INTO $t t USING (SELECT 1L AS id, 70000L AS n) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET n = s.n",
               "MERGE INTO $t t USING (SELECT 1L AS id) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET s.x = 9",
               "MERGE INTO $t t USING (SELECT 3 AS id, '8' AS n, NULL AS s) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT *")


@program
def merge_change_feed(r):
    numbered(r, delta__enableChangeDataFeed="true")
    statements(r, f"MERGE INTO $t t USING {SOURCE} ON t.id = s.id WHEN MATCHED AND s.id = 4 THEN UPDATE SET * WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT *",
               "MERGE INTO $t t USING (SELECT 100L AS id, 1L AS k, 1 AS v) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT *")
    r.read(readChangeFeed="true", startingVersion="1")


@program
def merge_partitioned(r):
    three(r)
    statements(r, "MERGE INTO $t t USING (SELECT 1L AS id, 'p1' AS p, 5 AS v UNION ALL SELECT 7L, 'p7', 6) s ON t.id = s.id AND t.p = s.p WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *",
               "MERGE INTO $t t USING (SELECT 0L AS id, 'p5' AS p, 5 AS v) s ON t.id = s.id AND t.p = 'p0' WHEN MATCHED THEN UPDATE SET p = s.p")


@program
def merge_self(r):
    numbered(r)
    statements(r, "MERGE INTO $t t USING $t s ON t.id = s.id + 1 WHEN MATCHED THEN UPDATE SET v = s.v", "MERGE INTO $t USING (SELECT 1L AS id) s ON $t.id = s.id WHEN MATCHED THEN DELETE")


@program
def delta_table_changes(r):
    from delta.tables import DeltaTable
    from pyspark.sql.functions import col, expr, lit

    numbered(r)
    t = DeltaTable.forPath(r.spark, r.path())
    r.run(lambda: t.delete("id = 1"))
    r.run(lambda: t.delete(col("id") == 2))
    r.run(lambda: t.update("id = 3", {"v": "v + 1"}))
    r.run(lambda: t.update(col("id") == 3, {"k": lit(8)}))
    r.run(lambda: t.update(set={"v": expr("v * 2")}))
    source = r.spark.sql("SELECT 3L AS id, 1L AS k, 3 AS v UNION ALL SELECT 30L, 1L, 30")
    r.run(lambda: t.alias("t").merge(source.alias("s"), "t.id = s.id").whenMatchedUpdateAll().whenNotMatchedInsertAll().execute())
    r.run(lambda: t.alias("t").merge(source.alias("s"), col("t.id") == col("s.id")).whenMatchedUpdate(condition="s.v = 3", set={"v": "t.v + s.v"})
          .whenMatchedDelete().whenNotMatchedInsert(values={"id": "s.id"}).whenNotMatchedBySourceUpdate(condition="t.id = 0", set={"v": "-5"})
          .whenNotMatchedBySourceDelete(condition="t.id = 5").execute())
    more = r.spark.sql("SELECT 40L AS id, 'e' AS extra")
    r.run(lambda: t.alias("t").merge(more.alias("s"), "t.id = s.id").withSchemaEvolution().whenNotMatchedInsertAll().execute())
    r.run(lambda: t.alias("t").merge(source.alias("s"), "t.id = s.id").execute())
    r.read()
    r.log()


@program
def delta_table_merge_in_foreach_batch(r):
    from delta.tables import DeltaTable

    r.write("SELECT 0L AS id, 0 AS v")
    for i in range(3):
        r.write(f"SELECT CAST({i} AS BIGINT) AS id, {i * 10} AS v", "source")
    path = r.path()

    def upsert(frame, batch):
        (DeltaTable.forPath(frame.sparkSession, path).alias("t").merge(frame.alias("s"), "t.id = s.id")
         .whenMatchedUpdateAll().whenNotMatchedInsertAll().execute())

    def start():
        query = (r.spark.readStream.format("delta").option("maxFilesPerTrigger", 1).load(r.path("source")).writeStream.foreachBatch(upsert)
                 .option("checkpointLocation", r.path("checkpoint")).trigger(availableNow=True).start())
        query.awaitTermination()

    r.run(start)
    r.read()
    r.log()


@program
def frame_merge_into(r):
    numbered(r)
    name = f"r_{r.root.name}"
    r.run(f"CREATE TABLE {name} USING delta LOCATION '{r.path()}'")
    from pyspark.sql.functions import col, expr

    source = r.spark.sql("SELECT 3L AS id, 1L AS k, 3 AS v UNION ALL SELECT 30L, 1L, 30")
    r.run(lambda: source.alias("s").mergeInto(name, expr(f"{name}.id = s.id")).whenMatched().updateAll().whenNotMatched().insertAll().merge())
    r.run(lambda: source.alias("s").mergeInto(name, expr(f"{name}.id = s.id")).whenMatched(col("s.v") > 3).delete()
          .whenNotMatchedBySource(expr(f"{name}.id = 0")).update({"v": expr("-1")}).merge())
    r.read()
    r.log()
    r.run(f"DROP TABLE {name}")


@program
def optimize_files(r):
    numbered(r, files=4)
    statements(r, "OPTIMIZE $t", "OPTIMIZE $t", "OPTIMIZE $t WHERE k = 1", "OPTIMIZE nowhere")


@program
def optimize_partitions(r):
    three(r)
    for i in range(3, 6):
        r.write(ROW.format(i, i % 2), partition_by=["p"])
    statements(r, "OPTIMIZE $t WHERE p = 'p1'", "OPTIMIZE $t WHERE v = 1", "OPTIMIZE $t ZORDER BY (id)", "OPTIMIZE $t ZORDER BY (p)", "OPTIMIZE $t ZORDER BY (nope)", "OPTIMIZE $t")


@program
def vacuum_files(r):
    import os
    import pathlib
    import time

    numbered(r, files=2)
    statements(r, "DELETE FROM $t WHERE id < 8", "VACUUM $t", "VACUUM $t RETAIN 0 HOURS", "VACUUM $t RETAIN 168 HOURS DRY RUN", "VACUUM $t RETAIN -1 HOURS", "VACUUM nowhere", log=False)
    r.spark.conf.set("spark.databricks.delta.retentionDurationCheck.enabled", "false")
    try:
        stray = pathlib.Path(r.path(), "stray.txt")
        stray.write_text("x")
        pathlib.Path(r.path(), "_hidden").write_text("x")
        os.utime(stray, (time.time() - 86400 * 30,) * 2)
        time.sleep(0.1)
        t = table(r)
        r.run(lambda: [str(len(r.spark.sql(f"VACUUM {t} RETAIN 0 HOURS DRY RUN").collect()))])
        r.run(f"VACUUM {t} RETAIN 0 HOURS")
        r.run(lambda: [str(len([p for p in pathlib.Path(r.path()).iterdir() if p.name.endswith(".parquet")])), str(stray.exists())])
    finally:
        r.spark.conf.unset("spark.databricks.delta.retentionDurationCheck.enabled")
    r.read()
    r.log()


@program
def vacuum_lite(r):
    import os
    import pathlib
    import time

    numbered(r, files=2, partition_by=("k",))
    statements(r, "DELETE FROM $t WHERE id < 4", "UPDATE $t SET v = 0 WHERE id = 5", log=False, read=False)
    r.spark.conf.set("spark.databricks.delta.retentionDurationCheck.enabled", "false")
    root, t = pathlib.Path(r.path()), table(r)

    def left():
        info = root / "_delta_log" / "_last_vacuum_info"
        data = [p for p in root.rglob("*.parquet") if "_delta_log" not in p.parts]
        return [str(len(data)), str((root / "k=9").exists()), info.read_text().strip() if info.exists() else "no info"]

    def after(text):
        time.sleep(0.1)
        try:
            rows = r.spark.sql(text).collect()
            return [str(len(rows)), *left()]
        except Exception as error:
            known = ("DUPLICATE_CLAUSES", "DELTA_CANNOT_VACUUM_LITE")
            return [*(name for name in known if name in str(error)), *left()]

    try:
        (root / "k=9").mkdir()
        stray = root / "stray.parquet"
        stray.write_text("x")
        os.utime(stray, (time.time() - 86400 * 30,) * 2)
        for text in ("LITE RETAIN 0 HOURS DRY RUN", "RETAIN 0 HOURS LITE", "LITE RETAIN 0 HOURS", "LITE", "RETAIN 0 HOURS DRY RUN",
                     "FULL RETAIN 0 HOURS", "LITE RETAIN 0 HOURS", "LITE DRY RUN FULL", "RETAIN 0 HOURS RETAIN 0 HOURS"):
            r.run(lambda: after(f"VACUUM {t} {text}"))
        # A commit that is gone may have had files to delete.
        (root / "_delta_log" / "_last_vacuum_info").unlink()
        r.run(lambda: after(f"VACUUM {t} LITE RETAIN 0 HOURS"))
        r.spark.sql(f"OPTIMIZE {t}")
        first = root / "_delta_log" / f"{0:020}.json"
        for file in (first, first.with_name(f".{first.name}.crc")):
            if file.exists():
                file.unlink()
        (root / "_delta_log" / "_last_vacuum_info").write_text("{}")
        r.run(lambda: after(f"VACUUM {t} LITE RETAIN 0 HOURS"))
    finally:
        r.spark.conf.unset("spark.databricks.delta.retentionDurationCheck.enabled")
    r.log()


@program
def restore_versions(r):
    numbered(r)
    statements(r, "DELETE FROM $t WHERE id < 3", "UPDATE $t SET v = 0 WHERE id = 4", "RESTORE TABLE $t TO VERSION AS OF 1", "SELECT * FROM $t", "RESTORE $t VERSION AS OF 0", "RESTORE TABLE $t TO VERSION AS OF 99",
               "RESTORE TABLE $t TO TIMESTAMP AS OF '2000-01-01'", "RESTORE TABLE $t TO VERSION AS OF 0", "RESTORE TABLE nowhere TO VERSION AS OF 0")


@program
def shallow_clone(r):
    numbered(r, partition_by=("k",), delta__enableDeletionVectors="true", mine="x")
    name, source = f"r_{r.root.name}", table(r)

    def clone(text):
        r.run(lambda: r.spark.sql(text).drop("source_table_size"))

    statements(r, "DELETE FROM $t WHERE id = 3", log=False, read=False)
    clone(f"CREATE TABLE {table(r, 'c')} SHALLOW CLONE {source}")
    r.read("c")
    clone(f"CREATE TABLE {table(r, 'old')} SHALLOW CLONE {source} VERSION AS OF 0 TBLPROPERTIES ('mine' = 'y', 'delta.appendOnly' = 'true')")
    r.read("old")
    for text in (f"CREATE TABLE {table(r, 'c')} SHALLOW CLONE {source}", f"CREATE TABLE IF NOT EXISTS {table(r, 'c')} SHALLOW CLONE {source}",
                 f"CREATE OR REPLACE TABLE {table(r, 'c')} SHALLOW CLONE {source}", f"CREATE TABLE {name} SHALLOW CLONE {source} VERSION AS OF 9",
                 f"CREATE TABLE {name} SHALLOW CLONE {source}", f"CREATE TABLE {name} SHALLOW CLONE {source}",
                 f"CREATE TABLE IF NOT EXISTS {name} SHALLOW CLONE {source}", f"CREATE TABLE {name}_2 DEEP CLONE {source}"):
        clone(text)
    r.run(f"UPDATE {table(r, 'c')} SET v = 0 WHERE id = 1")
    r.run(f"DELETE FROM {name}")
    clone(f"CREATE OR REPLACE TABLE {name} SHALLOW CLONE {table(r, 'c')}")
    r.run(f"SELECT * FROM {name}")
    history(r, name)
    statements(r, "SELECT * FROM $t")
    for place in ("c", "old"):
        r.log(place)
    r.run(f"DROP TABLE {name}")


@program
def changes_of_deletion_vector_tables(r):
    numbered(r, delta__enableDeletionVectors="true")
    statements(r, "DELETE FROM $t WHERE id = 3", "DELETE FROM $t WHERE id = 4", "UPDATE $t SET v = 1 WHERE id = 0",
               "MERGE INTO $t t USING (SELECT 1L AS id, 5L AS k, 5 AS v UNION ALL SELECT 100L, 1L, 1) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *",
               "DELETE FROM $t WHERE id > 3")
