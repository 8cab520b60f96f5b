"""The sidecar pipeline: a Delta table of devices enriches visits, which go into two tables (examples/cpp/visits_enricher.cc)."""

import json
import shutil

import pytest

import delta_tables
import programs
from conftest import ROOT

GOLDEN = ROOT.parent / "shared" / "golden" / "000-sidecar"
needs_golden = pytest.mark.skipif(not GOLDEN.is_dir(), reason="../shared with the recorded runs is not here")


def plain(row):
    return json.dumps(row, sort_keys=True, default=str)


@needs_golden
def test_the_seeds_steps_give_the_recorded_tables(kafka, tmp_path):
    shutil.copytree(GOLDEN / "input", tmp_path / "input")
    programs.run("devices_table_creator", tmp_path / "input", tmp_path / "devices")
    ours = [delta_tables.without_ids(commit) for commit in delta_tables.commits(tmp_path / "devices")]
    theirs = [delta_tables.without_ids(commit) for commit in delta_tables.commits(GOLDEN / "devices")]
    assert ours == theirs

    records = programs.golden_lines(GOLDEN / "kafka-visits.jsonl")
    partitions = max(record.get("partition", 0) for record in records) + 1
    topic = kafka.create_topic("visits", partitions=partitions)
    job = programs.start("visits_enricher", kafka.servers, tmp_path, topic, "EARLIEST")
    for record in records:
        programs.produce(kafka, topic, [record["value"]], record.get("partition", 0))
    raw, stats = tmp_path / "visits_enriched_raw", tmp_path / "devices_stats2"
    expected = programs.golden_lines(GOLDEN / "visits_enriched_raw.rows.jsonl")
    programs.wait_until(lambda: (stats / "_delta_log").is_dir() and len(delta_tables.rows(raw)) == len(expected), "all visits")
    programs.stop(job)

    rows = delta_tables.rows(raw)
    key = ("visit_id", "user_id", "page", "type", "full_name", "version")
    assert sorted(plain([row[k] for k in key]) for row in rows) == sorted(plain([row.get(k) for k in key]) for row in expected)
    metadata = [delta_tables.actions(commits[0], "metaData")[0]["schemaString"]
                for commits in (delta_tables.commits(raw), delta_tables.commits(GOLDEN / "visits_enriched_raw"))]
    assert metadata[0] == metadata[1]
    # How rows fall into micro-batches differs from run to run; counts over all do not.
    def totals(table):
        counts = {}
        for row in table:
            device = (row.get("type"), row.get("version"))
            counts[device] = counts.get(device, 0) + row["count"]
        return counts

    assert totals(delta_tables.rows(stats)) == totals(programs.golden_lines(GOLDEN / "devices_stats2.rows.jsonl"))
    for table in (raw, stats):
        versions = [delta_tables.actions(commit, "txn")[0] for commit in delta_tables.commits(table)]
        assert [txn["appId"] for txn in versions] == ["app-1"] * len(versions)
        assert [txn["version"] for txn in versions] == list(range(versions[0]["version"], versions[0]["version"] + len(versions)))
    assert "Devices stats" in programs.run("sidecar_tables_reader", tmp_path)
