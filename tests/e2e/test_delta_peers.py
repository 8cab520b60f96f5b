"""Delta tables that real Spark and we write in turn, and what each says of the other's."""

import json
import os
import pathlib
import random
import subprocess

import pytest

import delta_tables
from conftest import ROOT
from writer import Millrace, Refused

# Empty unless the run asked for peers (tools/test.py).
PEERS = pathlib.Path(os.environ.get("MILLRACE_PEERS_DIR") or "/nonexistent")
pytestmark = pytest.mark.skipif(not (PEERS / "venv" / "bin" / "python").exists(),
                                reason="real Spark is not installed: ./run test --peers brings it")


class Spark(Millrace):
    def __init__(self):
        self.process = subprocess.Popen([PEERS / "venv/bin/python", ROOT / "tests/e2e/spark_tables.py"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                        env={**os.environ, "MILLRACE_PEERS": str(PEERS), "TZ": "Europe/Paris"})

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        while not (line := self.process.stdout.readline()).startswith("=> "):
            assert line, "Spark has ended"
        answer = json.loads(line[3:])
        if "error" in answer:
            raise Refused(answer["error"], answer["message"])
        return answer

    def sql(self, text):
        return [json.loads(row) for row in self.ask(sql=text)["rows"]]


@pytest.fixture(scope="module")
def engines():
    with Millrace() as millrace, Spark() as spark:
        yield millrace, spark


def by_text(rows):
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


EVERYTHING = """SELECT * FROM VALUES
 (1Y, 2S, 3, 4L, 1.5F, DOUBLE('NaN'), 1.50BD, 'aaaaaaaaaabbbbbbbbbbccccccccccdddddd', X'61', true, DATE'2024-01-02',
  TIMESTAMP'2024-01-02 03:04:05.123456', TIMESTAMP_NTZ'1960-01-02 03:04:05.999999', array(1), map('a', 1),
  named_struct('x', 1, 'y', named_struct('z', 'q'), 'e', array(1)), 'é'),
 (-1Y, -2S, -3, -4L, -1.5F, -0.0D, -1.50BD, repeat('é', 36), X'62', false, DATE'1500-01-02',
  TIMESTAMP'1500-01-02 03:04:05.123456', TIMESTAMP_NTZ'2024-01-02 03:04:05', array(1, NULL), map('a', NULL), NULL, repeat('😀', 18)),
 (NULL, NULL, NULL, NULL, NULL, 1e300D, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
 AS t(b, s, i, l, f, db, dc, str, bin, bo, da, ts, tn, ar, ma, st, u)"""


def test_the_same_rows_have_the_same_statistics(engines, tmp_path):
    millrace, spark = engines
    one_task = EVERYTHING + " LIMIT 10"
    millrace.write(one_task, tmp_path / "ours")
    spark.write(one_task, tmp_path / "theirs")
    ours, theirs = (delta_tables.commits(tmp_path / name)[0] for name in ("ours", "theirs"))
    assert [add["stats"] for add in delta_tables.actions(ours, "add")] == [add["stats"] for add in delta_tables.actions(theirs, "add")]
    assert delta_tables.actions(ours, "metaData")[0]["schemaString"] == delta_tables.actions(theirs, "metaData")[0]["schemaString"]
    for table in ("ours", "theirs"):
        assert by_text(spark.rows(tmp_path / table)) == by_text(millrace.rows(tmp_path / table))


@pytest.mark.parametrize("properties", [
    {}, {"delta.enableDeletionVectors": "true"}, {"delta.columnMapping.mode": "name"}, {"delta.columnMapping.mode": "id"},
    {"delta.checkpointPolicy": "v2"}, {"delta.enableInCommitTimestamps": "true"}, {"delta.enableChangeDataFeed": "true"},
    {"delta.dataSkippingNumIndexedCols": "1"}, {"delta.minReaderVersion": "2", "delta.minWriterVersion": "5"},
    {"delta.enableRowTracking": "true"}, {"delta.enableTypeWidening": "true"}, {"delta.feature.clustering": "supported"},
], ids=lambda properties: next(iter(properties), "plain"))
@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_a_table_is_continued_in_turn(engines, tmp_path, properties, first):
    """Either makes it; appends, evolution, overwrites and checkpoints of both; Spark checks our checksums as it goes."""
    millrace, spark = engines
    table, expected = tmp_path / "t", []
    options = {"delta.checkpointInterval": "2", **properties}
    order = [millrace, spark] * 3 if first == "ours" else [spark, millrace] * 3
    for turn, engine in enumerate(order):
        sql = f"SELECT CAST({turn} AS BIGINT) AS id, 'p{turn % 2}' AS p, named_struct('x', {turn}) AS st"
        engine.ask(sql=sql, path=str(table), mode="append", partitionBy=["p"] if turn == 0 else [],
                   options={**(options if turn == 0 else {}), "txnAppId": "app", "txnVersion": str(turn)})
        expected.append({"id": turn, "p": f"p{turn % 2}", "st": {"x": turn}})
        assert by_text(millrace.rows(table)) == by_text(spark.rows(table)) == by_text(expected)
    spark.ask(sql="SELECT CAST(9 AS BIGINT) AS id, 'p1' AS p, 2.5D AS more", path=str(table), mode="append",
              options={"mergeSchema": "true"})
    millrace.ask(sql="SELECT CAST(10 AS BIGINT) AS id, 'p0' AS p, 'x' AS other", path=str(table), mode="append",
                 options={"mergeSchema": "true"})
    expected += [{"id": 9, "p": "p1", "more": 2.5}, {"id": 10, "p": "p0", "other": "x"}]
    assert by_text(millrace.rows(table)) == by_text(spark.rows(table)) == by_text(expected)
    millrace.ask(sql="SELECT CAST(11 AS BIGINT) AS id, 'p1' AS p", path=str(table), mode="overwrite",
                 options={"replaceWhere": "p = 'p1'"})
    expected = [row for row in expected if row["p"] != "p1"] + [{"id": 11, "p": "p1"}]
    assert by_text(millrace.rows(table)) == by_text(spark.rows(table)) == by_text(expected)
    # The newest checkpoint alone.
    log = table / "_delta_log"
    checkpoint = max(int(name.name[:20]) for name in log.glob("*.checkpoint.*") if not name.name.startswith("."))
    for name in list(log.glob("*.json")) + list(log.glob("*.crc")) + list(log.glob(".*.crc")):
        digits = name.name.lstrip(".")[:20]
        if digits.isdigit() and int(digits) < checkpoint and ".checkpoint." not in name.name:
            name.unlink(missing_ok=True)
    assert by_text(millrace.rows(table)) == by_text(expected)
    spark.ask(forget=True)  # as one that has not read the table before
    assert by_text(spark.rows(table)) == by_text(expected)
    history = spark.sql(f"DESCRIBE HISTORY delta.`{table}`")
    assert {row["operation"] for row in history} == {"WRITE"}
    assert {row["engineInfo"].split("/")[0] for row in history} <= {"Millrace", "Apache-Spark"}


def test_constraints_and_generated_columns_of_spark(engines, tmp_path):
    millrace, spark = engines
    table = tmp_path / "t"
    spark.sql(f"""CREATE TABLE delta.`{table}` (id BIGINT NOT NULL, v INT, ts TIMESTAMP, d DATE GENERATED ALWAYS AS (CAST(ts AS DATE)),
              k INT DEFAULT 7) USING delta PARTITIONED BY (d) TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported')""")
    spark.sql(f"ALTER TABLE delta.`{table}` ADD CONSTRAINT positive CHECK (v > 0)")
    row = "SELECT 1L AS id, {} AS v, TIMESTAMP'2024-05-06 01:02:03' AS ts"
    for engine in engines:
        engine.write(row.format(1), table)
    condition, message = millrace.refused(row.format(-1), table)
    assert condition == "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES"
    with pytest.raises(Refused) as theirs:
        spark.write(row.format(-1), table)
    assert message in str(theirs.value)
    rows = spark.rows(table)
    assert rows[0] == rows[1] and rows[0]["k"] == 7 and by_text(rows) == by_text(millrace.rows(table))


@pytest.mark.parametrize("seed", range(3))
def test_random_histories_of_three_writers(engines, tmp_path, seed):
    import pyarrow
    from deltalake import write_deltalake

    millrace, spark = engines
    generator = random.Random(100 + seed)
    table, model, next_id = tmp_path / "t", {}, 0
    generator.choice(engines).ask(sql="SELECT CAST(0 AS BIGINT) AS id, CAST(0 AS BIGINT) AS p FROM range(0)", path=str(table),
                                  mode="append", partitionBy=["p"], options={"delta.checkpointInterval": "3"})
    for _ in range(12):
        writer, kind = generator.choice(["us", "spark", "rust"]), generator.choice(["append", "append", "overwrite", "partition"])
        count, part = generator.randrange(0, 4), generator.randrange(3)
        new = {next_id + i: part for i in range(count)}
        next_id += count
        mode = "append" if kind == "append" else "overwrite"
        if writer == "rust":
            data = pyarrow.table({"id": pyarrow.array(list(new), pyarrow.int64()), "p": pyarrow.array(list(new.values()), pyarrow.int64())})
            write_deltalake(str(table), data, mode=mode, **({"predicate": f"p = {part}"} if kind == "partition" else {}))
        else:
            sql = f"SELECT id + {next_id - count} AS id, CAST({part} AS BIGINT) AS p FROM range({count})"
            options = {"replaceWhere": f"p = {part}"} if kind == "partition" else {}
            (millrace if writer == "us" else spark).ask(sql=sql, path=str(table), mode=mode, options=options)
        if kind == "append":
            model.update(new)
        else:
            model = ({k: p for k, p in model.items() if p != part} if kind == "partition" else {}) | new
        expected = by_text([{"id": k, "p": p} for k, p in model.items()])
        assert by_text(millrace.rows(table)) == expected
        assert by_text(spark.rows(table)) == expected
    assert sorted((row["id"], row["p"]) for row in delta_tables.rows(table)) == sorted(model.items())
