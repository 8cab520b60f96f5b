"""Files read in parts by several tasks, and what a row says of the file it comes from."""

import json
import os

import pytest

import programs

# Parts of about 10,000 bytes, however few the cores.
SMALL_PARTS = {"spark.sql.files.maxPartitionBytes": "10000", "spark.sql.files.openCostInBytes": "1",
               "spark.sql.leafNodeDefaultParallelism": "1"}


def read(source, path, query, conf=None, schema=None, **options):
    job = {"source": source, "load": str(path), "query": query, "conf": {**SMALL_PARTS, **(conf or {})},
           "sourceOptions": options}
    if schema:
        job["schema"] = schema
    printed = programs.run_job(job)
    assert printed.ends == ["ok"], printed.ends
    return printed.rows


COUNTED = ("SELECT count(*) AS rows, sum(n) AS total, count(DISTINCT n) AS different, count(DISTINCT task) AS tasks "
           "FROM (SELECT {n} AS n, spark_partition_id() AS task FROM input)")
NUMBERS = range(10_000)
EXPECTED = {"rows": 10_000, "total": sum(NUMBERS), "different": 10_000}


def lines(how):
    """Numbers as lines whose lengths differ, so that parts end within and between them."""
    return [how(i, "x" * (i % 37)) for i in NUMBERS]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_of_a_large_file_are_read_once(tmp_path, end):
    (tmp_path / "in.txt").write_bytes("".join(f"{line}{end}" for line in lines(lambda i, x: f"{i}:{x}")).encode())
    [row] = read("text", tmp_path / "in.txt", COUNTED.format(n="CAST(split(value, ':')[0] AS INT)"))
    assert row.pop("tasks") > 10 and row == EXPECTED


def test_a_separator_of_ones_own(tmp_path):
    (tmp_path / "in.txt").write_text("##".join(lines(lambda i, x: f"{i}:{x}")))
    [row] = read("text", tmp_path / "in.txt", COUNTED.format(n="CAST(split(value, ':')[0] AS INT)"), lineSep="##")
    assert row.pop("tasks") > 10 and row == EXPECTED


def test_json_csv_and_parquet_in_parts(tmp_path):
    import pyarrow
    import pyarrow.parquet

    (tmp_path / "in.json").write_text("\n".join(lines(lambda i, x: json.dumps({"n": i, "x": x}))))
    (tmp_path / "in.csv").write_text("n,x\n" + "\n".join(lines(lambda i, x: f"{i},{x}")) + "\n")
    table = pyarrow.table({"n": list(NUMBERS), "x": ["x" * (i % 37) for i in NUMBERS]})
    pyarrow.parquet.write_table(table, tmp_path / "in.parquet", row_group_size=700, compression="none", use_dictionary=False)
    for source, options in (("json", {}), ("csv", {"header": "true"}), ("parquet", {})):
        [row] = read(source, tmp_path / f"in.{source}", COUNTED.format(n="n"), schema="n INT, x STRING" if source != "parquet"
                     else None, **options)
        assert row.pop("tasks") > 5 and row == EXPECTED, source


def test_what_must_be_read_whole(tmp_path):
    import gzip

    text = "".join(f"{line}\n" for line in lines(lambda i, x: f"{i}:{x}"))
    (tmp_path / "in.txt.gz").write_bytes(gzip.compress(text.encode()))
    [row] = read("text", tmp_path / "in.txt.gz", COUNTED.format(n="CAST(split(value, ':')[0] AS INT)"))
    assert row.pop("tasks") == 1 and row == EXPECTED
    (tmp_path / "in.json").write_text("[" + ",\n".join(lines(lambda i, x: json.dumps({"n": i, "x": x}))) + "]")
    [row] = read("json", tmp_path / "in.json", COUNTED.format(n="n"), schema="n INT", multiLine="true")
    assert row.pop("tasks") == 1 and row == EXPECTED


def test_metadata_of_rows(tmp_path):
    folder = tmp_path / "in" / "day=3"
    folder.mkdir(parents=True)
    file = folder / "a b.json"
    file.write_text('{"n":1}\n{"n":2}\n')
    os.utime(file, ns=(1_700_000_000_123_000_000, 1_700_000_000_123_000_000))
    whole = {"spark.sql.files.maxPartitionBytes": "1000000"}
    rows = read("json", tmp_path / "in", "SELECT *, _metadata FROM input WHERE _metadata.file_size > 10", conf=whole,
                schema="n INT")
    expected = {"file_path": f"file:{folder}/a%20b.json", "file_name": "a%20b.json", "file_size": 16, "file_block_start": 0,
                "file_block_length": 16, "file_modification_time": "2023-11-14T22:13:20.123Z"}
    assert rows == [{"n": 1, "day": 3, "_metadata": expected}, {"n": 2, "day": 3, "_metadata": expected}]
    # It is not part of *, is found below a selection, and grouped by.
    assert read("json", tmp_path / "in", "SELECT * FROM input", schema="n INT") == [{"n": 1, "day": 3}, {"n": 2, "day": 3}]
    grouped = ("SELECT m.file_name AS name, count(*) AS n FROM (SELECT n, _metadata AS m FROM (SELECT n FROM input WHERE n < 9)) "
               "GROUP BY m.file_name")
    assert read("json", tmp_path / "in", grouped, schema="n INT") == [{"name": "a%20b.json", "n": 2}]
    printed = programs.run_job({"source": "rate-micro-batch", "sourceOptions": {"rowsPerBatch": "1"}, "sink": "noop",
                                "query": "SELECT _metadata FROM input", "trigger": {"once": True}})
    assert "UNRESOLVED_COLUMN" in printed.error


def test_metadata_of_a_stream_and_row_index(tmp_path):
    import pyarrow
    import pyarrow.parquet

    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        pyarrow.parquet.write_table(pyarrow.table({"n": list(range(5))}), tmp_path / "in" / f"{name}.parquet", row_group_size=2)
    printed = programs.run_job({
        "source": "parquet", "schema": "n BIGINT", "load": str(tmp_path / "in"), "sink": "json", "save": str(tmp_path / "out"),
        "query": "SELECT n, _metadata.file_name AS file, _metadata.row_index AS row FROM input", "trigger": {"availableNow": True},
        "sinkOptions": {"checkpointLocation": str(tmp_path / "checkpoint")}})
    assert printed.ends == ["ok"], printed.ends
    rows = read("json", tmp_path / "out", "SELECT * FROM input ORDER BY file, n", schema="n INT, file STRING, row INT")
    assert rows == [{"n": i, "file": f"{name}.parquet", "row": i} for name in ("a", "b") for i in range(5)]


# Variants: a dictionary of nothing, one of "z", the text "w" and {"z": 9} (Parquet's Variant Binary Encoding).
NO_NAMES, NAME_Z, TEXT, Z_IS_9 = b"\x01\x00\x00", b"\x01\x01\x00\x01z", b"\x05w", b"\x02\x01\x00\x00\x02\x0c\x09"


def shredded_file(path, rows):
    """`v`: a variant whose fields n (decimal), s (list of texts) and o (an object of a day) have columns of their own."""
    import pyarrow
    import pyarrow.parquet

    def part(typed):
        return pyarrow.struct([("value", pyarrow.binary()), ("typed_value", typed)])

    fields = pyarrow.struct([("n", part(pyarrow.decimal128(5, 2))), ("s", part(pyarrow.list_(part(pyarrow.string())))),
                             ("o", part(pyarrow.struct([("day", part(pyarrow.date32()))])))])
    variant = pyarrow.struct([("metadata", pyarrow.binary()), ("value", pyarrow.binary()), ("typed_value", fields)])
    table = pyarrow.table({"i": range(len(rows)), "v": pyarrow.array(rows, variant)})
    pyarrow.parquet.write_table(table, path)


def test_shredded_variants_are_put_together(tmp_path):
    import datetime
    import decimal

    nothing = {"value": None, "typed_value": None}
    day = {"value": None, "typed_value": datetime.date(2024, 2, 29)}
    typed = {"n": {"value": None, "typed_value": decimal.Decimal("1.50")},
             "s": {"value": None, "typed_value": [{"value": None, "typed_value": "a"}, {"value": TEXT, "typed_value": None}]},
             "o": {"value": None, "typed_value": {"day": day}}}
    shredded_file(tmp_path / "v.parquet", [
        {"metadata": NAME_Z, "value": Z_IS_9, "typed_value": typed},                                     # in both places
        {"metadata": NO_NAMES, "value": None, "typed_value": {**typed, "n": nothing, "s": nothing}},     # some are not there
        {"metadata": NO_NAMES, "value": None, "typed_value": {**typed, "n": {"value": TEXT, "typed_value": None}, "o": nothing}},
        {"metadata": NAME_Z, "value": Z_IS_9, "typed_value": None},                                      # all in bytes
        None])
    rows = read("parquet", tmp_path / "v.parquet", "SELECT to_json(v) AS v, try_variant_get(v, '$.n', 'decimal(5,2)') AS n, v:o.day::date AS d FROM input ORDER BY i",
                schema="i BIGINT, v VARIANT")
    assert [json.loads(row["v"]) if row.get("v") else None for row in rows] == [
        {"n": 1.5, "o": {"day": "2024-02-29"}, "s": ["a", "w"], "z": 9}, {"o": {"day": "2024-02-29"}},
        {"n": "w", "s": ["a", "w"]}, {"z": 9}, None]
    assert (rows[0]["n"], rows[0]["d"]) == (1.5, "2024-02-29")


def test_a_shredded_variant_that_is_none(tmp_path):
    # Only an object may be in both places.
    both = {"value": TEXT, "typed_value": [{"value": TEXT, "typed_value": None}]}
    nothing = {"value": None, "typed_value": None}
    shredded_file(tmp_path / "v.parquet", [{"metadata": NO_NAMES, "value": None, "typed_value": {"n": nothing, "s": both, "o": nothing}}])
    printed = programs.run_job({"source": "parquet", "load": str(tmp_path / "v.parquet"), "schema": "i BIGINT, v VARIANT",
                                "query": "SELECT to_json(v) FROM input", "conf": {}, "sourceOptions": {}})
    assert "MALFORMED_VARIANT" in str(printed.ends)
