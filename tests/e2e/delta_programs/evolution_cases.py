"""Schemas that evolve under what a table records, columns that hold nothing, CHAR inside of types, definitions taken over."""

from delta_cases import program, table


def changes(r, name="t", start=0):
    """What the change feed tells, without its times."""
    r.run(lambda: r.spark.read.format("delta").option("readChangeFeed", "true").option("startingVersion", start)
          .load(r.path(name)).drop("_commit_timestamp"))


def refused(r, text):
    """Runs what is refused, of which only the condition is remembered: the value and the check are told in an engine's own terms."""
    step = len(r.steps)
    r.run(text)
    r.steps[step] = {"error": r.steps[step].get("error")} if isinstance(r.steps[step], dict) else r.steps[step]


@program
def merge_evolves_recorded_changes(r):
    """New columns and new fields of structs, in a table that records its changes."""
    t = table(r)
    r.write("SELECT id AS k, 'o' AS v, named_struct('x', id) AS s, id % 2 AS p FROM range(0, 5, 1, 1)", partition_by=["p"],
            delta__enableChangeDataFeed="true")
    r.run(f"MERGE WITH SCHEMA EVOLUTION INTO {t} t USING (SELECT 1L AS k, 'n' AS v, named_struct('x', 9L, 'y', 'z') AS s, 1L AS p, "
          "7 AS extra UNION ALL SELECT 8L, 'n', named_struct('x', 9L, 'y', 'z'), 0L, 8) s ON t.k = s.k "
          "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *")
    r.run(f"MERGE WITH SCHEMA EVOLUTION INTO {t} t USING (SELECT 2L AS k, 'late' AS more) s ON t.k = s.k "
          "WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (k, more) VALUES (s.k, s.more) WHEN NOT MATCHED BY SOURCE AND t.k = 3 THEN DELETE")
    r.read()
    changes(r, start=1)
    r.log(last=2)


@program
def merge_evolves_numbered_rows(r):
    """The same in a table that numbers its rows, with columns mapped and not."""
    for name, mode in (("t", "none"), ("m", "name")):
        t = table(r, name)
        r.run(f"CREATE TABLE {t} (i BIGINT GENERATED ALWAYS AS IDENTITY, k INT) USING delta "
              f"TBLPROPERTIES ('delta.columnMapping.mode' = '{mode}')")
        r.run(f"INSERT INTO {t} (k) VALUES (1)")
        r.run(f"MERGE WITH SCHEMA EVOLUTION INTO {t} t USING (SELECT 1 AS k, 'a' AS w UNION ALL SELECT 2, 'b') s ON t.k = s.k "
              "WHEN MATCHED THEN UPDATE SET w = s.w WHEN NOT MATCHED THEN INSERT (k, w) VALUES (s.k, s.w)")
        r.read(name)
        r.run(f"INSERT INTO {t} (k) VALUES (3)")
        r.run(f"SELECT max(i) AS m FROM {t}")


@program
def columns_of_no_type(r):
    """VOID: shown, in no file, and another type later."""
    t = table(r)
    r.write("SELECT id AS a, NULL AS n, CAST(id AS STRING) AS c FROM range(0, 4, 1, 1)")
    r.read()
    r.schema()
    r.run(f"UPDATE {t} SET c = 'u' WHERE a = 1")
    r.run(f"DELETE FROM {t} WHERE a = 2")
    r.run(f"MERGE INTO {t} t USING (SELECT 3L AS a, 'm' AS c UNION ALL SELECT 30L, 'q') s ON t.a = s.a "
          "WHEN MATCHED THEN UPDATE SET c = s.c WHEN NOT MATCHED THEN INSERT (a, c) VALUES (s.a, s.c)")
    r.run(f"SELECT a, n, n IS NULL AS none FROM {t} WHERE n IS NULL")
    r.run(f"MERGE WITH SCHEMA EVOLUTION INTO {t} t USING (SELECT 5L AS a, NULL AS more) s ON t.a = s.a WHEN NOT MATCHED THEN INSERT *")
    r.run(lambda: r.spark.sql(f"OPTIMIZE {t}").select("metrics.numFilesAdded", "metrics.numFilesRemoved"))
    r.read()
    r.write("SELECT 9L AS a, 5 AS n", mergeSchema="true")
    r.read()
    r.schema()
    r.write("SELECT 1 AS a", "u")
    r.run(f"ALTER TABLE {table(r, 'u')} ADD COLUMN s STRUCT<x: VOID>")
    r.run(f"INSERT INTO {table(r, 'u')} BY NAME SELECT 2 AS a")
    r.read("u")
    r.write("SELECT NULL AS a", "w")
    r.run(f"CREATE TABLE {table(r, 'v')} (a VOID) USING delta")
    r.run(f"INSERT INTO {table(r, 'v')} VALUES (NULL)")


@program
def texts_inside_of_types(r):
    """CHAR and VARCHAR in structs, arrays and maps."""
    t = table(r)
    r.run(f"CREATE TABLE {t} (c CHAR(3), s STRUCT<x: VARCHAR(2), y: CHAR(4)>, l ARRAY<CHAR(2)>, m MAP<STRING, CHAR(3)>) USING delta")
    r.log()
    r.run(f"INSERT INTO {t} VALUES ('a', named_struct('x', 'q', 'y', 'w'), array('z', NULL), map('k', 'v')), (NULL, NULL, NULL, NULL)")
    r.read()
    r.run(f"SELECT concat(s.y, '|') AS y, concat(l[0], '|') AS l, concat(m['k'], '|') AS m FROM {t}")
    for values in ("'a', named_struct('x', 'qqq', 'y', 'w'), NULL, NULL", "'a', NULL, array('zzz'), NULL", "'a', NULL, NULL, map('k', 'long')"):
        refused(r, f"INSERT INTO {t} VALUES ({values})")
    r.run(f"SELECT count(*) AS c FROM {t}")


@program
def tables_like_others(r):
    t, u, w = (table(r, name) for name in "tuw")
    r.run(f"CREATE TABLE {t} (k INT NOT NULL COMMENT 'kk', g INT GENERATED ALWAYS AS (k + 1), p INT) USING delta PARTITIONED BY (p) "
          "COMMENT 'com' TBLPROPERTIES ('mine' = 'm', 'delta.enableDeletionVectors' = 'true')")
    r.run(f"ALTER TABLE {t} ADD CONSTRAINT c CHECK (k > 0)")
    r.run(f"CREATE TABLE {u} LIKE {t}")
    r.log("u")
    r.run(f"INSERT INTO {u} (k, p) VALUES (5, 2)")
    r.run(f"INSERT INTO {u} (k, p) VALUES (-5, 2)")
    r.read("u")
    r.run(f"CREATE TABLE {w} LIKE {t} USING delta TBLPROPERTIES ('mine' = 'other', 'new' = 'n')")
    r.log("w")
    r.run(f"CREATE TABLE {u} LIKE {t}")
    r.run(f"CREATE TABLE IF NOT EXISTS {u} LIKE {t}")


@program
def definitions_of_partitions(r):
    """What Spark and Delta see in a definition before there is a table."""
    for number, text in enumerate((
            "(a INT, b STRUCT<x: INT>) USING delta PARTITIONED BY (b.x)", "(a INT, b INT) USING delta PARTITIONED BY (bucket(4, a))",
            "(a INT, b DATE) USING delta PARTITIONED BY (years(b))", "(a INT, b INT) USING delta CLUSTER BY (a, a)",
            "(a INT, b INT) USING delta CLUSTER BY (nope)", "USING delta PARTITIONED BY (b INT) AS SELECT 1 AS a",
            "USING delta PARTITIONED BY (nope) AS SELECT 1 AS a", "USING delta AS SELECT 1 AS a, 2 AS A", "(a INTERVAL DAY) USING delta",
            "(a INT, s STRUCT<i: INTERVAL YEAR TO MONTH>) USING delta", "USING delta AS SELECT INTERVAL '1' DAY AS a")):
        r.run(f"CREATE TABLE {table(r, f'd{number}')} {text}")
    r.write("SELECT INTERVAL '1' DAY AS a", "i")


@program
def ordered_by_several_columns(r):
    for start in (0, 50, 100):
        r.write(f"SELECT id AS a, id % 7 AS b, CAST(id * 31 % 10 AS STRING) AS c FROM range({start}, {start + 50}, 1, 1)")
    r.run(lambda: r.spark.sql(f"OPTIMIZE {table(r)} ZORDER BY (b, c)").select("metrics.numFilesAdded", "metrics.numFilesRemoved"))
    r.run(f"SELECT count(*) AS n, sum(a) AS a, sum(b) AS b, sum(CAST(c AS INT)) AS c FROM {table(r)}")


@program
def values_that_raise(r):
    t = table(r)
    r.write("SELECT 1 AS a, 'x' AS b")
    for text in (f"UPDATE {t} SET a = raise_error('no')",
                 f"MERGE INTO {t} t USING (SELECT 1 AS a) s ON t.a = s.a WHEN MATCHED THEN UPDATE SET b = raise_error('no')",
                 f"INSERT INTO {t} SELECT raise_error('no'), 'y'"):
        step = len(r.steps)
        r.run(text)
        # Spark tells of the task too, where there is one.
        r.steps[step] = {"failed": isinstance(r.steps[step], dict) and "error" in r.steps[step]}
    r.read()


@program
def null_and_its_directory(r):
    """A text that looks like the directory of NULL."""
    r.write("SELECT * FROM VALUES (1, NULL), (2, ''), (3, '__HIVE_DEFAULT_PARTITION__'), (4, 'x') AS v(a, p)", partition_by=["p"])
    r.read()
    r.run(f"SELECT a FROM {table(r)} WHERE p IS NULL")
    r.log()


@program
def texts_that_were_declared(r):
    """CHAR and VARCHAR at any depth: written, read, compared, and altered."""
    t = table(r)
    r.run(f"CREATE TABLE {t} (c CHAR(3), s STRUCT<x: VARCHAR(2), y: CHAR(4)>, l ARRAY<CHAR(2)>, m MAP<VARCHAR(2), STRUCT<z: CHAR(3)>>) USING delta")
    r.run(f"INSERT INTO {t} VALUES ('a', named_struct('x', 'q', 'y', 'w'), array('z', NULL), map('k', named_struct('z', 'v')))")
    for values in ("named_struct('x', 'qqq', 'y', 'w'), NULL, NULL", "NULL, array('zzz'), NULL", "NULL, NULL, map('kkk', NULL)",
                   "NULL, NULL, map('k', named_struct('z', 'toolong'))"):
        refused(r, f"INSERT INTO {t} VALUES ('a', {values})")
    for text in (f"INSERT INTO {t} VALUES (NULL, NULL, NULL, NULL)", f"SELECT * FROM {t}", f"SELECT c FROM {t} WHERE s.y = 'w'",
                 f"SELECT c FROM {t} WHERE l[0] = 'z'", f"SELECT s.y || '|' AS y, m['k'].z || '|' AS z FROM {t}"):
        r.run(text)
    refused(r, f"UPDATE {t} SET s.y = 'long text' WHERE c IS NOT NULL")
    for text in (f"UPDATE {t} SET s.y = 'ok' WHERE c IS NOT NULL", f"SELECT * FROM {t}", f"ALTER TABLE {t} ADD COLUMN n ARRAY<VARCHAR(3)>",
                 f"ALTER TABLE {t} ADD COLUMN s.k VARCHAR(2)", f"DESCRIBE {t}", f"CREATE OR REPLACE TABLE {t} USING delta AS SELECT * FROM {t}",
                 f"SELECT * FROM {t}", f"ALTER TABLE {t} ADD COLUMN v VARCHAR(5)"):
        r.run(text)
    for kind in ("VARCHAR(9)", "VARCHAR(3)", "CHAR(9)", "STRING", "VARCHAR(3)"):
        r.run(f"ALTER TABLE {t} ALTER COLUMN v TYPE {kind}")
    r.run(f"ALTER TABLE {t} ADD COLUMN w CHAR(2)")
    for kind in ("CHAR(3)", "VARCHAR(3)", "STRING"):
        r.run(f"ALTER TABLE {t} ALTER COLUMN w TYPE {kind}")
    r.run(f"DESCRIBE {t}")
    r.log()


@program
def columns_added_may_be_null(r):
    t, e = table(r), table(r, "e")
    r.write("SELECT 1 AS a, named_struct('x', 1) AS s")
    for text in (f"ALTER TABLE {t} ADD COLUMN n INT NOT NULL", f"ALTER TABLE {t} ADD COLUMN s.y INT NOT NULL",
                 f"ALTER TABLE {t} ADD COLUMN q STRUCT<z: INT NOT NULL>", f"ALTER TABLE {t} ADD COLUMN l ARRAY<STRUCT<z: INT NOT NULL>>",
                 f"SELECT * FROM {t}", f"INSERT INTO {t} BY NAME SELECT 2 AS a", f"INSERT INTO {t} BY NAME SELECT 3 AS a, 5 AS n",
                 f"SELECT * FROM {t}", f"ALTER TABLE {t} ALTER COLUMN n DROP NOT NULL", f"ALTER TABLE {t} ALTER COLUMN a SET NOT NULL",
                 f"DELETE FROM {t} WHERE a IS NULL", f"ALTER TABLE {t} ALTER COLUMN s.x SET NOT NULL"):
        r.run(text)
    r.log()
    r.schema()
    r.write("SELECT 1 AS a", "e")
    r.run(f"DELETE FROM {e}")
    r.run(f"ALTER TABLE {e} ADD COLUMN n INT NOT NULL")
    r.run(f"ALTER TABLE {e} ADD COLUMNS (m INT COMMENT 'x' NOT NULL, o INT DEFAULT 5)")
    r.log("e")
