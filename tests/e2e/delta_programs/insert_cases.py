"""Delta programs that insert: with schema evolution, replacing what matches; and how the log tells conditions."""

import json
import pathlib

from delta_cases import program, table
from dml_cases import statements


def rows(r, values, columns="id, p, v", name="t", mode="overwrite", **options):
    r.write(f"SELECT * FROM VALUES {values} AS s({columns})", name, mode=mode, **options)


def predicates(r, name="t"):
    """The conditions that commits tell."""
    told = []
    for file in sorted(pathlib.Path(r.path(name), "_delta_log").glob("[0-9]*.json")):
        for line in file.read_text().splitlines():
            parameters = json.loads(line).get("commitInfo", {}).get("operationParameters", {})
            told += [r.clean(f"{key}: {value}") for key, value in sorted(parameters.items()) if "redicate" in key]
    r.steps.append(told)


@program
def inserts_that_evolve_the_schema(r):
    r.write("SELECT 1 AS id, named_struct('a', 1) AS s")
    statements(r, "INSERT WITH SCHEMA EVOLUTION INTO $t SELECT 2 AS id, named_struct('a', 1) AS s, 'x' AS extra",
               "INSERT WITH SCHEMA EVOLUTION INTO $t BY NAME SELECT 'n' AS extra, 3 AS id, DATE'2024-01-01' AS d",
               "INSERT WITH SCHEMA EVOLUTION INTO $t (id) SELECT 4", "INSERT INTO $t WITH SCHEMA EVOLUTION SELECT 5",
               "INSERT WITH SCHEMA INTO $t SELECT 5", "WITH c AS (SELECT 6 AS id, 1.5 AS m) INSERT WITH SCHEMA EVOLUTION INTO $t BY NAME SELECT * FROM c",
               "INSERT WITH SCHEMA EVOLUTION OVERWRITE $t BY NAME SELECT 7 AS id, 8 AS w")
    r.schema()


@program
def inserts_that_replace_matches(r):
    r.write("SELECT 1 AS id, 'a' AS p")
    statements(r, "INSERT INTO $t REPLACE USING (id) SELECT 1, 'b'", "INSERT INTO $t AS t REPLACE ON t.id = s.id (SELECT 1 AS id, 'b' AS p) AS s",
               "INSERT INTO $t BY NAME REPLACE USING (id) SELECT 1 AS id, 'b' AS p", "INSERT INTO $t REPLACE ON true SELECT 1, 'b'",
               "INSERT INTO $t REPLACE USING id SELECT 1, 'b'")


@program
def replace_using(r):
    rows(r, "(1, 'a', 1), (2, 'b', 2), (3, NULL, 3), (4, 'a', NULL)", partition_by=["p"])
    rows(r, "(1, 'a', 100), (9, 'c', 9)", replaceUsing="id")
    rows(r, "(1, 'a', 100), (9, 'c', 9)", replaceUsing="p")
    rows(r, "(9, 'c', 90), (8, NULL, 80)", replaceUsing="id,P")
    rows(r, "(9, 'c', 91)", replaceUsing="nope")
    for using in ("", "id,", " id , p "):
        rows(r, "(9, 'c', 92)", replaceUsing=using)
    rows(r, "(9, 'c', 93)", replaceUsing="id", replaceWhere="id = 9")
    rows(r, "(9, 'c', 93)", replaceUsing="id", replaceOn="true")
    rows(r, "(9, 'c', 93)", replaceUsing="id", partitionOverwriteMode="dynamic")
    rows(r, "(9, 'c', 93)", replaceUsing="id", overwriteSchema="true")
    rows(r, "(9, 'c', 94)", mode="append", replaceUsing="id")
    rows(r, "(CAST(NULL AS INT), 'c', 95)", replaceUsing="id")
    rows(r, "(9, 'c', 'new')", "id, p, w", replaceUsing="id", mergeSchema="true")
    rows(r, "(1, 'c', 1)", name="none", replaceUsing="id")
    r.read()
    r.log()


@program
def replace_using_of_a_change_feed_table(r):
    rows(r, "(1, 'a', -0.0D), (2, 'b', double('NaN')), (3, 'c', 3D)", delta__enableChangeDataFeed="true")
    rows(r, "(5, 'x', 0.0D), (6, 'y', double('NaN'))", replaceUsing="v")
    r.read()
    r.read(readChangeFeed="true", startingVersion="1")
    r.log()


@program
def files_with_partition_columns(r):
    t = table(r)
    r.run(f"CREATE TABLE {t} (id INT, p STRING, v INT) USING delta PARTITIONED BY (p) "
          "TBLPROPERTIES ('delta.feature.materializePartitionColumns' = 'supported')")
    statements(r, "INSERT INTO $t VALUES (1, 'a', 1), (2, '', 2), (3, 'a', 3)", "UPDATE $t SET p = 'z' WHERE id = 1", "DELETE FROM $t WHERE id = 3")
    import pyarrow.parquet

    files = sorted(pathlib.Path(r.path()).glob("p=*/*.parquet"), key=lambda file: file.stat().st_mtime_ns)
    r.steps.append([sorted(pyarrow.parquet.ParquetFile(file).schema_arrow.names) for file in files])
    statements(r, "ALTER TABLE $t DROP FEATURE materializePartitionColumns")


@program
def conditions_in_the_log(r):
    r.write("SELECT CAST(id AS BIGINT) AS id, DATE'2025-01-01' AS d, CAST(2 AS DECIMAL(10, 2)) AS q, CAST(1.5 AS FLOAT) AS f, 'a' AS s FROM range(0, 6, 1, 1)")
    statements(r, "DELETE FROM $t WHERE id + 1 > 10 + 1 AND CAST(q AS INT) = 2", "UPDATE $t SET q = 3 WHERE d = '2025-01-01' AND id BETWEEN 0 AND 1",
               "UPDATE $t SET q = 1 WHERE f = CAST(1.5 AS FLOAT)", "DELETE FROM $t WHERE upper('x') = 'X' AND id IN (5, 6)",
               "INSERT INTO $t REPLACE WHERE id != 4 AND id < 1 SELECT 0, DATE'2025-01-01', 2, 1, 'a'",
               "INSERT INTO $t REPLACE WHERE 1 = 1 SELECT 0, DATE'2025-01-01', 2, 1, 'a'",
               "MERGE INTO $t t USING (SELECT 0 AS id) s ON s.id = t.id AND t.d > '2020-01-01' WHEN MATCHED AND t.q > 1 THEN UPDATE SET q = 2", log=False)
    predicates(r)


@program
def violations_of_conditions_with_casts(r):
    t = table(r)
    r.run(f"CREATE TABLE {t} (id BIGINT, d DATE, q DECIMAL(10, 2)) USING delta")
    statements(r, "ALTER TABLE $t ADD CONSTRAINT positive CHECK (id > 0)", "INSERT INTO $t VALUES (0, NULL, 1)",
               "ALTER TABLE $t DROP CONSTRAINT positive", "ALTER TABLE $t ADD CONSTRAINT recent CHECK (d > '2024-01-01' OR q IN (1, 2))",
               "INSERT INTO $t VALUES (3, DATE'2020-01-01', 7)", read=False, log=False)


@program
def restored_definitions(r):
    r.write("SELECT 1 AS id")
    r.write("SELECT 2 AS id")
    statements(r, "RESTORE TABLE $t TO VERSION AS OF 0")
    r.write("SELECT 3 AS id, 'n' AS n", mergeSchema="true")
    statements(r, "RESTORE TABLE $t TO VERSION AS OF 1")


@program
def properties_told_twice(r):
    for text in ("TBLPROPERTIES ('a.b' = '1', a.b = '2')", "TBLPROPERTIES ('delta.appendOnly' = 'true', 'delta.appendOnly' = 'true')",
                 "TBLPROPERTIES ('delta.NoSuch' = '1')", "TBLPROPERTIES ('delta.universalFormat.enabledFormats' = 'iceberg')"):
        r.run(f"CREATE TABLE {table(r)} (a INT) USING delta {text}")
    r.write("SELECT 1 AS a", delta__NoSuch="1")
    r.write("SELECT 1 AS a")
    r.write("SELECT 1 AS a, 2 AS b", mergeSchema="true", dataChange="false")
    statements(r, "INSERT INTO $t SELECT array(1)", "INSERT INTO $t SELECT named_struct('a', 1)", log=False)
