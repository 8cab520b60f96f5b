"""What a table keeps for itself (vectors, mapped columns, changes, ids of rows, checkpoints) never changes its rows: the same random
changes are made to tables of all kinds, which hold the same rows afterwards, and what the change feed tells adds up to them
(PROTOCOL.md of Delta: deletion vectors, column mapping, row tracking, change data files)."""

import collections
import json
import random

import pytest

KINDS = {
    "plain": {},
    "changes": {"delta.enableChangeDataFeed": "true"},
    "vectors": {"delta.enableDeletionVectors": "true", "delta.enableChangeDataFeed": "true", "delta.checkpointPolicy": "v2"},
    "mapped": {"delta.columnMapping.mode": "name", "delta.enableRowTracking": "true"},
    "everything": {"delta.enableChangeDataFeed": "true", "delta.enableDeletionVectors": "true", "delta.columnMapping.mode": "name",
                   "delta.enableRowTracking": "true", "delta.enableTypeWidening": "true", "delta.enableInCommitTimestamps": "true",
                   "delta.checkpoint.writeStatsAsStruct": "true"},
    "partitioned": {"delta.enableChangeDataFeed": "true"},
    "clustered": {"delta.enableChangeDataFeed": "true"},
}
LAYOUT = {"partitioned": "PARTITIONED BY (p)", "clustered": "CLUSTER BY (id)"}


class Changes:
    """Statements over a table of id, v, s and p; `columns` counts those that came."""

    def __init__(self, seed):
        self.random, self.columns = random.Random(seed), 0

    def next(self):
        low, high = sorted((self.random.randrange(40), self.random.randrange(40)))
        some = f"id BETWEEN {low} AND {high}"
        rows = (f"(SELECT CAST(id AS INT) AS id, concat('n', id) AS v, named_struct('x', CAST(id AS INT), 'y', concat('y', id)) AS s, "
                f"CAST(id % 3 AS INT) AS p FROM range({low}, {high + 1}))")
        evolving = f"MERGE WITH SCHEMA EVOLUTION INTO $t t USING (SELECT id, $new FROM {rows}) s ON t.id = s.id "
        self.columns += 1
        new = f"c{self.columns}"
        return self.random.choice([
            f"INSERT INTO $t BY NAME SELECT * FROM {rows}",
            f"INSERT INTO $t BY NAME SELECT id, p FROM {rows}",
            f"UPDATE $t SET v = concat(coalesce(v, ''), 'u') WHERE {some}",
            f"UPDATE $t SET s.x = coalesce(s.x, 0) + 1, p = (p + 1) % 3 WHERE {some}",
            f"UPDATE $t SET s = NULL WHERE {some} AND id % 2 = 0",
            f"DELETE FROM $t WHERE {some} AND length(v) > 2",
            f"DELETE FROM $t WHERE p = {low % 3} AND id > 20",
            f"MERGE INTO $t t USING {rows} s ON t.id = s.id WHEN MATCHED AND s.id % 2 = 0 THEN UPDATE SET t.v = s.v, t.p = s.p "
            "WHEN MATCHED AND s.id % 5 = 0 THEN DELETE WHEN NOT MATCHED THEN INSERT (id, v, p) VALUES (s.id, s.v, s.p)",
            f"MERGE INTO $t t USING {rows} s ON t.id = s.id WHEN NOT MATCHED BY SOURCE AND t.p = 1 THEN UPDATE SET v = 'alone' "
            "WHEN NOT MATCHED BY SOURCE AND t.id > 30 THEN DELETE",
            evolving.replace("$new", f"id * 2 AS {new}") + "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *",
            evolving.replace("$new", f"named_struct('y', 'evo', '{new}', id) AS s") + "WHEN MATCHED AND t.id % 3 = 0 THEN UPDATE SET t.s = s.s "
            "WHEN NOT MATCHED AND s.id % 7 = 0 THEN INSERT (id, s) VALUES (s.id, s.s) WHEN NOT MATCHED BY SOURCE AND t.id % 11 = 0 THEN DELETE",
            f"ALTER TABLE $t ADD COLUMN {new} STRING AFTER id",
            f"ALTER TABLE $t ADD COLUMN {new} VOID",
            "OPTIMIZE $t",
            "OPTIMIZE $t ZORDER BY (id, v)",
            "REORG TABLE $t APPLY (PURGE)",
        ])


@pytest.fixture(scope="module")
def session(start_module_server):
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.remote(start_module_server().url).getOrCreate()
    yield spark
    spark.stop()


def outcome(session, text):
    """Numbers of rows that changed, or what the statement is refused with."""
    from pyspark.errors import PySparkException

    try:
        rows = session.sql(text).collect()
    except PySparkException as error:
        return error.getCondition()
    return [tuple(row) for row in rows] if text.split()[0] in ("UPDATE", "DELETE", "MERGE") else None


def told(frame):
    return collections.Counter(json.dumps(row.asDict(True), sort_keys=True, default=str) for row in frame.collect())


@pytest.mark.parametrize("seed", range(4))
def test_tables_of_all_kinds_hold_the_same_rows(session, tmp_path, seed):
    tables = {kind: f"delta.`{tmp_path}/{kind}`" for kind in KINDS}
    for kind, properties in KINDS.items():
        listed = ", ".join(f"'{key}' = '{value}'" for key, value in {**properties, "delta.checkpointInterval": "4"}.items())
        session.sql(f"CREATE TABLE {tables[kind]} (id INT, v STRING, s STRUCT<x: INT, y: STRING>, p INT) USING delta "
                    f"{LAYOUT.get(kind, '')} TBLPROPERTIES ({listed})")
    changes = Changes(seed)
    for _ in range(12):
        statement = changes.next()
        outcomes = {}
        for kind, table in tables.items():
            text = statement.replace("$t", table)
            if kind == "clustered":
                text = text.replace(" ZORDER BY (id, v)", "")
            outcomes[kind] = outcome(session, text)
        assert all(one == outcomes["plain"] for one in outcomes.values()), (statement, outcomes)
        rows = {kind: told(session.sql(f"SELECT * FROM {table}")) for kind, table in tables.items()}
        for kind in KINDS:
            assert rows[kind] == rows["plain"], f"{kind}: {statement}"
    for kind, properties in KINDS.items():
        if "delta.enableChangeDataFeed" not in properties:
            continue
        feed = session.read.format("delta").option("readChangeFeed", "true").option("startingVersion", 0).load(f"{tmp_path}/{kind}")
        kept = feed.drop("_change_type", "_commit_version", "_commit_timestamp")
        come = told(kept.where("_change_type IN ('insert', 'update_postimage')"))
        gone = told(kept.where("_change_type IN ('delete', 'update_preimage')"))
        come.subtract(gone)
        assert {row: count for row, count in come.items() if count} == dict(rows["plain"]), kind
