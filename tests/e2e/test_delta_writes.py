"""Batch writes of Delta tables: modes, schemas, constraints, options. Expected: delta-spark 4.4 on Spark 4.2."""

import json
import random

import pytest

import delta_tables
from writer import Millrace


@pytest.fixture(scope="module")
def millrace():
    with Millrace() as session:
        yield session


def commit_info(table, version=-1):
    return delta_tables.actions(delta_tables.commits(table)[version], "commitInfo")[0]


FOUR = "SELECT id, CAST(id % 2 AS INT) AS p, CAST(id AS STRING) AS n FROM range(0, 4, 1, 2)"


def values(table, column="id"):
    return sorted(row[column] for row in delta_tables.rows(table))


def test_save_modes(millrace, tmp_path):
    table = tmp_path / "t"
    millrace.write(FOUR, table, mode="errorifexists", partition_by=["p"])
    info = commit_info(table)
    assert info["operation"] == "WRITE"
    assert info["operationParameters"] == {"mode": "ErrorIfExists", "partitionBy": '["p"]'}
    assert info["isBlindAppend"] and info["isolationLevel"] == "Serializable"
    assert {k: v for k, v in info["operationMetrics"].items() if "Bytes" not in k} == {"numFiles": "4", "numOutputRows": "4"}
    condition, message = millrace.refused(FOUR, table, mode="errorifexists", partition_by=["p"])
    assert condition == "DELTA_PATH_EXISTS"
    assert message == (f"[DELTA_PATH_EXISTS] Cannot write to already existent path file:{table} without setting "
                       "OVERWRITE = 'true'.")
    millrace.write(FOUR, table, mode="ignore", partition_by=["p"])
    assert delta_tables.version(table) == 0
    millrace.write("SELECT 10L AS id, 1 AS p, 'x' AS n", table, userMetadata="um", txnAppId="a", txnVersion=3)
    assert commit_info(table)["userMetadata"] == "um"
    millrace.write("SELECT 11L AS id, 1 AS p, 'x' AS n", table, txnAppId="a", txnVersion=3)
    assert delta_tables.version(table) == 1
    millrace.write("SELECT 20L AS id, 1 AS p, 'dyn' AS n", table, mode="overwrite", partitionOverwriteMode="dynamic")
    assert values(table) == [0, 2, 20]
    info = commit_info(table)
    assert info["operationParameters"]["isDynamicPartitionOverwrite"] is True
    assert info["operationMetrics"]["numRemovedFiles"] == "3" and not info["isBlindAppend"]
    millrace.write("SELECT 40L AS id, 0 AS p, 'ow' AS n", table, mode="overwrite")
    assert values(table) == [40]


def test_replace_where(millrace, tmp_path):
    table = tmp_path / "t"
    millrace.write(FOUR, table, partition_by=["p"])
    millrace.write("SELECT 30L AS id, 0 AS p, 'rw' AS n", table, mode="overwrite", replaceWhere="p = 0")
    assert values(table) == [1, 3, 30]
    info = commit_info(table)
    assert info["operationParameters"]["predicate"] == "p = 0"
    assert info["operationMetrics"]["numDeletedRows"] == "2" and info["operationMetrics"]["numCopiedRows"] == "0"
    condition, message = millrace.refused("SELECT 30L AS id, 5 AS p, 'rw' AS n", table, mode="overwrite", replaceWhere="p = 0")
    assert condition == "DELTA_REPLACE_WHERE_MISMATCH"
    assert "- p : 5" in message and "constraint 'p = 0'" in message
    # A condition on data: the rest of the file is written anew.
    millrace.write("SELECT 30L AS id, 0 AS p, 'q1' AS n UNION ALL SELECT 32L, 0, 'q2' ORDER BY id", table)
    millrace.write("SELECT 35L AS id, 0 AS p, 'q1' AS n", table, mode="overwrite", replaceWhere="n = 'q1'")
    assert values(table) == [1, 3, 30, 32, 35]
    metrics = commit_info(table)["operationMetrics"]
    assert (metrics["numCopiedRows"], metrics["numDeletedRows"], metrics["numRemovedFiles"]) == ("1", "1", "1")
    assert (metrics["numFiles"], metrics["numOutputRows"]) == ("2", "2")
    condition, _ = millrace.refused("SELECT 1L AS id, 0 AS p, 'q1' AS n", table, mode="overwrite", replaceWhere="p = 0",
                                    partitionOverwriteMode="dynamic")
    assert condition == "DELTA_REPLACE_WHERE_WITH_DYNAMIC_PARTITION_OVERWRITE"


SCHEMA = "SELECT 1L AS id, 'a' AS n, 1 AS v, named_struct('x', 1, 'y', 'q') AS st, array(1) AS ar, DATE'2024-01-01' AS dt"


@pytest.mark.parametrize("query,condition", [
    ("SELECT 1L AS id, 2 AS zz", "DELTA_METADATA_MISMATCH"),
    ("SELECT 1L AS id, 'a' AS n", None),
    ("SELECT 1 AS id", "DELTA_FAILED_TO_MERGE_FIELDS"),
    ("SELECT 5L AS v", "DELTA_FAILED_TO_MERGE_FIELDS"),
    ("SELECT 'abc' AS v", "DELTA_FAILED_TO_MERGE_FIELDS"),
    ("SELECT 1 AS n", "DELTA_FAILED_TO_MERGE_FIELDS"),
    ("SELECT CAST(1 AS SMALLINT) AS v", None),
    ("SELECT named_struct('x', 1) AS st", None),
    ("SELECT named_struct('x', 1, 'z', 2) AS st", "DELTA_METADATA_MISMATCH"),
    ("SELECT named_struct('y', 'q', 'x', 1) AS st", None),
    ("SELECT 1L AS ID, 'a' AS N", None),
    ("SELECT 1L AS id, 'a' AS Id", "DELTA_DUPLICATE_COLUMNS_FOUND.DATA"),
    ("SELECT TIMESTAMP'2020-01-01 10:00:00' AS dt", "DELTA_FAILED_TO_MERGE_FIELDS"),
    ("SELECT array(1L) AS ar", "DELTA_FAILED_TO_MERGE_FIELDS"),
])
def test_schema_enforcement(millrace, tmp_path, query, condition):
    table = tmp_path / "t"
    millrace.write(SCHEMA, table)
    if condition:
        assert millrace.refused(query, table)[0] == condition
        assert delta_tables.version(table) == 0
    else:
        millrace.write(query, table)
        assert len(delta_tables.rows(table)) == 2
        assert len(millrace.rows(table)) == 2


def test_what_a_mismatch_says(millrace, tmp_path):
    table = tmp_path / "t"
    millrace.write("SELECT 1L AS id", table)
    table_id = delta_tables.actions(delta_tables.commits(table)[0], "metaData")[0]["id"]
    _, message = millrace.refused("SELECT 1L AS id, 2 AS zz", table)
    assert message == (
        "[DELTA_METADATA_MISMATCH] A metadata mismatch was detected when writing to the Delta table.\n"
        f"- A schema mismatch detected when writing to the Delta table (Table ID: {table_id}).\n"
        "To enable schema migration using DataFrameWriter or DataStreamWriter, please set: '.option(\"mergeSchema\", "
        "\"true\")'.\nFor other operations, set the session configuration spark.databricks.delta.schema.autoMerge.enabled "
        "to \"true\". See the documentation specific to the operation for details.\n\n"
        "Table schema:\nroot\n |-- id: long (nullable = true)\n\n\n"
        "Data schema:\nroot\n |-- id: long (nullable = true)\n |-- zz: integer (nullable = true)\n\n")
    condition, message = millrace.refused("SELECT 1L AS id", table, partition_by=["id"])
    assert condition in ("DELTA_METADATA_MISMATCH", "DELTA_CANNOT_USE_ALL_COLUMNS_FOR_PARTITION")


def test_schema_evolution(millrace, tmp_path):
    table = tmp_path / "t"
    millrace.write("SELECT 1L AS id, named_struct('x', 1) AS st", table)
    millrace.write("SELECT 2L AS id, named_struct('x', 2, 'z', 3) AS st, 1.5D AS extra", table, mergeSchema="true")
    info = commit_info(table)
    assert info["operationParameters"]["canMergeSchema"] is True and info["isBlindAppend"]
    rows = sorted(millrace.rows(table), key=lambda row: row["id"])
    assert rows == [{"id": 1, "st": {"x": 1}}, {"id": 2, "st": {"x": 2, "z": 3}, "extra": 1.5}]
    millrace.write("SELECT 1 AS a, 'x' AS b", table, mode="overwrite", overwriteSchema="true", partition_by=["b"])
    assert delta_tables.rows(table) == [{"a": 1, "b": "x"}]
    assert delta_tables.actions(delta_tables.commits(table)[-1], "metaData")[0]["partitionColumns"] == ["b"]


def test_constraints(millrace, tmp_path):
    table = tmp_path / "t"
    millrace.write("SELECT 1L AS id, 'a' AS n, 1 AS v", table, delta__constraints__vpos="v > 0",
                   delta__constraints__c2="n <> 'bad' AND length(n) < 10")
    condition, message = millrace.refused("SELECT 1L AS id, 'a' AS n, -1 AS v", table)
    assert condition == "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES"
    assert message == ("[DELTA_VIOLATE_CONSTRAINT_WITH_VALUES] CHECK constraint vpos (v > 0) violated by row with values:\n"
                       " - v : -1")
    assert millrace.refused("SELECT 1L AS id, 'bad' AS n, 1 AS v", table)[0] == "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES"
    # NULL does not meet a constraint, and a column that is not there is NULL.
    assert millrace.refused("SELECT 1L AS id, 'a' AS n, CAST(NULL AS INT) AS v", table)[0] == "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES"
    assert millrace.refused("SELECT 1L AS id, 'a' AS n", table)[0] == "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES"
    millrace.write("SELECT 2L AS id, 'ok' AS n, 5 AS v", table)
    assert values(table) == [1, 2]


def write_log(table, schema, protocol, **metadata):
    """A table as somebody else made it: one commit without files."""
    log = table / "_delta_log"
    log.mkdir(parents=True)
    body = {"id": "t", "format": {"provider": "parquet", "options": {}}, "schemaString": json.dumps(schema),
            "partitionColumns": [], "configuration": {}, "createdTime": 0, **metadata}
    (log / f"{0:020}.json").write_text("\n".join(json.dumps(action) for action in (
        {"protocol": protocol}, {"metaData": body})) + "\n")


def field(name, kind, nullable=True, **metadata):
    return {"name": name, "type": kind, "nullable": nullable, "metadata": metadata}


def test_not_null(millrace, tmp_path):
    table = tmp_path / "t"
    inner = {"type": "struct", "fields": [field("x", "integer", False), field("y", "string")]}
    write_log(table, {"type": "struct", "fields": [field("id", "long", False), field("st", inner)]},
              {"minReaderVersion": 1, "minWriterVersion": 2})
    assert millrace.refused("SELECT CAST(NULL AS BIGINT) AS id, named_struct('x', 1) AS st", table)[0] == "DELTA_NOT_NULL_CONSTRAINT_VIOLATED"
    assert millrace.refused("SELECT named_struct('x', 1) AS st", table)[0] == "DELTA_MISSING_NOT_NULL_COLUMN_VALUE"
    condition, message = millrace.refused("SELECT 1L AS id", table)
    assert condition == "DELTA_MISSING_NOT_NULL_COLUMN_VALUE" and "Column st.x" in message
    assert millrace.refused("SELECT 1L AS id, named_struct('x', CAST(NULL AS INT)) AS st", table)[0] == "DELTA_NOT_NULL_CONSTRAINT_VIOLATED"
    millrace.write("SELECT 1L AS id, named_struct('x', 1) AS st", table)
    assert values(table) == [1]


def test_generated_and_default_columns(millrace, tmp_path):
    table = tmp_path / "t"
    write_log(table, {"type": "struct", "fields": [
        field("id", "long"), field("ts", "timestamp"), field("d", "date", **{"delta.generationExpression": "cast(ts as date)"}),
        field("y", "integer", **{"delta.generationExpression": "year(ts)"}), field("k", "integer", CURRENT_DEFAULT="7")]},
        {"minReaderVersion": 1, "minWriterVersion": 7,
         "writerFeatures": ["generatedColumns", "invariants", "appendOnly", "allowColumnDefaults"]}, partitionColumns=["y"])
    row = "SELECT 1L AS id, TIMESTAMP'2024-05-06 01:02:03' AS ts"
    millrace.write(row, table)
    millrace.write(row + ", DATE'2024-05-06' AS d", table)
    condition, message = millrace.refused(row + ", DATE'2024-05-07' AS d", table)
    assert condition == "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES"
    assert message == ("[DELTA_VIOLATE_CONSTRAINT_WITH_VALUES] CHECK constraint Generated Column (d <=> CAST(ts AS DATE)) "
                       "violated by row with values:\n - d : 19850\n - ts : 1714950123000000")
    add = delta_tables.actions(delta_tables.commits(table)[1], "add")[0]
    assert add["partitionValues"] == {"y": "2024"} and json.loads(add["stats"])["minValues"]["k"] == 7
    assert [row["d"] for row in millrace.rows(table)] == ["2024-05-06"] * 2


@pytest.mark.parametrize("features,name", [(["icebergCompatV2", "columnMapping"], "icebergCompatV2"),
                                           (["someFutureFeature"], "someFutureFeature")])
def test_features_we_do_not_write_are_refused_by_name(millrace, tmp_path, features, name):
    table = tmp_path / "t"
    write_log(table, {"type": "struct", "fields": [field("id", "long")]},
              {"minReaderVersion": 1, "minWriterVersion": 7, "writerFeatures": features})
    condition, message = millrace.refused("SELECT 1L AS id", table)
    assert condition == "DELTA_UNSUPPORTED_FEATURES_FOR_WRITE" and name in message
    assert sorted(path.name for path in table.iterdir()) == ["_delta_log"]


def test_row_tracking(millrace, tmp_path):
    """Files number their rows, without a gap, whichever way they come."""
    table = tmp_path / "t"
    millrace.write("SELECT id, id % 3 AS p FROM range(7)", table, partition_by=["p"], delta__enableRowTracking="true")
    millrace.write("SELECT id, id % 2 AS p FROM range(5)", table)
    millrace.write("SELECT id, 0L AS p FROM range(4)", table, mode="overwrite", replaceWhere="p = 0")
    commits = delta_tables.commits(table)
    ids = []
    for version, commit in enumerate(commits):
        for add in delta_tables.actions(commit, "add"):
            assert add["defaultRowCommitVersion"] == version
            ids += range(add["baseRowId"], add["baseRowId"] + json.loads(add["stats"])["numRecords"])
        domain, = delta_tables.actions(commit, "domainMetadata")
        assert json.loads(domain["configuration"]) == {"rowIdHighWaterMark": ids[-1], "domainName": "delta.rowTracking"}
    assert ids == list(range(16))
    assert "tags" not in delta_tables.actions(commits[1], "commitInfo")[0]
    assert len(millrace.rows(table)) == 2 + 2 + 2 + 4


def test_column_mapping(millrace, tmp_path):
    for mode in ("name", "id"):
        table = tmp_path / mode
        millrace.write("SELECT 1L AS id, 'a b' AS `n n`, named_struct('x', 1) AS st, 7 AS p", table, partition_by=["p"],
                       delta__columnMapping__mode=mode)
        millrace.write("SELECT 2L AS id, 'c' AS `n n`, named_struct('x', 2) AS st, 8 AS p", table)
        add = delta_tables.actions(delta_tables.commits(table)[1], "add")[0]
        assert list(add["partitionValues"])[0].startswith("col-") and "p=" not in add["path"]
        assert all(key.startswith("col-") for key in json.loads(add["stats"])["minValues"])
        rows = sorted(millrace.rows(table), key=lambda row: row["id"])
        assert rows == [{"id": 1, "n n": "a b", "st": {"x": 1}, "p": 7}, {"id": 2, "n n": "c", "st": {"x": 2}, "p": 8}]
    from pyarrow import parquet

    schema = parquet.read_schema(next((tmp_path / "id").glob("*/*.parquet")))
    assert sorted(int(one.metadata[b"PARQUET:field_id"]) for one in schema) == [1, 2, 3]


def test_partition_values_of_every_type(millrace, tmp_path):
    table = tmp_path / "t"
    millrace.write("""SELECT 1 AS id, TIMESTAMP'2024-01-02 03:04:05.123456' AS t, DATE'2024-02-03' AS dd, 1.50BD AS dc, 1.5D AS db,
                   true AS b, 'a/b c=d%é' AS s UNION ALL SELECT 2, NULL, NULL, NULL, NULL, NULL, ''""", table,
                   partition_by=["t", "dd", "dc", "db", "b", "s"])
    adds = {json.loads(add["stats"])["minValues"]["id"]: add for add in delta_tables.actions(delta_tables.commits(table)[0], "add")}
    assert adds[1]["partitionValues"] == {"t": "2024-01-02T02:04:05.123456Z", "dd": "2024-02-03", "dc": "1.50", "db": "1.5",
                                          "b": "true", "s": "a/b c=d%é"}
    assert adds[1]["path"].startswith(
        "t=2024-01-02%2003%253A04%253A05.123456/dd=2024-02-03/dc=1.50/db=1.5/b=true/s=a%252Fb%20c%253Dd%2525")
    assert set(adds[2]["partitionValues"].values()) == {None}
    rows = {row["id"]: row for row in millrace.rows(table)}
    assert rows[1] == {"id": 1, "t": "2024-01-02T03:04:05.123+01:00", "dd": "2024-02-03", "dc": 1.50, "db": 1.5, "b": True,
                       "s": "a/b c=d%é"}
    assert rows[2] == {"id": 2}
    assert len(delta_tables.rows(table)) == 2


def test_max_records_per_file(millrace, tmp_path):
    millrace.write("SELECT id FROM range(0, 10, 1, 1)", tmp_path / "t", maxRecordsPerFile=4)
    counts = [json.loads(add["stats"])["numRecords"] for add in delta_tables.actions(delta_tables.commits(tmp_path / "t")[0], "add")]
    assert counts == [4, 4, 2]


def test_an_empty_result_makes_a_table(millrace, tmp_path):
    millrace.write("SELECT id FROM range(0)", tmp_path / "t")
    assert delta_tables.rows(tmp_path / "t") == []
    millrace.write("SELECT id FROM range(3)", tmp_path / "t")
    assert values(tmp_path / "t") == [0, 1, 2]


@pytest.mark.parametrize("query,keywords,condition", [
    ("SELECT 1 AS `a b`", {}, "DELTA_INVALID_CHARACTERS_IN_COLUMN_NAMES"),
    ("SELECT 1 AS a", {"partition_by": ["a"]}, "DELTA_CANNOT_USE_ALL_COLUMNS_FOR_PARTITION"),
    ("SELECT 1 AS a, 2 AS b", {"partition_by": ["zz"]}, "DELTA_PARTITION_COLUMN_NOT_FOUND"),
    ("SELECT 1 AS a, array(1) AS b", {"partition_by": ["b"]}, "DELTA_INVALID_PARTITION_COLUMN_TYPE"),
    ("SELECT INTERVAL '1' DAY AS a", {}, "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE"),
    ("SELECT 1 AS a", {"txnAppId": "x"}, "DELTA_INVALID_IDEMPOTENT_WRITES_OPTIONS"),
    ("SELECT 1 AS a", {"mergeSchema": "perhaps"}, "DELTA_ILLEGAL_OPTION"),
    ("SELECT 1 AS a", {"delta__unknownProp": "x"}, "DELTA_UNKNOWN_CONFIGURATION"),
])
def test_refusals_leave_nothing(millrace, tmp_path, query, keywords, condition):
    assert millrace.refused(query, tmp_path / "t", **keywords)[0] == condition
    assert not (tmp_path / "t").exists()


def test_append_only(millrace, tmp_path):
    millrace.write("SELECT 1 AS a", tmp_path / "t", delta__appendOnly="true")
    assert millrace.refused("SELECT 2 AS a", tmp_path / "t", mode="overwrite")[0] == "DELTA_CANNOT_MODIFY_APPEND_ONLY"


@pytest.mark.parametrize("seed", range(4))
def test_random_histories_of_two_writers(millrace, tmp_path, seed):
    """Us and delta-rs in turn: both see the same table after every commit, and so does who knows what was written."""
    import pyarrow
    from deltalake import DeltaTable, write_deltalake

    generator = random.Random(seed)
    table, model, next_id = tmp_path / "t", {}, 0
    millrace.write("SELECT CAST(0 AS BIGINT) AS id, CAST(0 AS BIGINT) AS p FROM range(0)", table, partition_by=["p"],
                   delta__checkpointInterval="3")
    commits = 0
    for _ in range(14):
        ours, kind = generator.random() < 0.5, generator.choice(["append", "append", "append", "overwrite", "partition"])
        count, part = generator.randrange(0, 4), generator.randrange(3)
        new = {next_id + i: part for i in range(count)}
        next_id += count
        commits += not (ours and kind == "append" and count == 0)  # as delta-spark: nothing to append is no commit
        sql = f"SELECT id + {next_id - count} AS id, CAST({part} AS BIGINT) AS p FROM range({count})"
        data = pyarrow.table({"id": pyarrow.array(list(new), pyarrow.int64()), "p": pyarrow.array(list(new.values()), pyarrow.int64())})
        if kind == "append":
            if ours:
                millrace.write(sql, table)
            else:
                write_deltalake(str(table), data, mode="append")
            model.update(new)
        elif kind == "overwrite":
            if ours:
                millrace.write(sql, table, mode="overwrite")
            else:
                write_deltalake(str(table), data, mode="overwrite")
            model = new
        else:
            if ours:
                millrace.write(sql, table, mode="overwrite", replaceWhere=f"p = {part}")
            else:
                write_deltalake(str(table), data, mode="overwrite", predicate=f"p = {part}")
            model = {k: p for k, p in model.items() if p != part} | new
        expected = sorted(model.items())
        assert sorted((row["id"], row["p"]) for row in delta_tables.rows(table)) == expected
        assert sorted((row["id"], row["p"]) for row in millrace.rows(table)) == expected
    assert DeltaTable(str(table)).version() == commits
