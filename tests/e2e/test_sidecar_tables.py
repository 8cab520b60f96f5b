"""The sidecar pipeline: a Delta table of devices enriches visits, which go into two tables (examples/cpp/visits_enricher.cc)."""

import collections
import json
import os
import random
import shutil
import signal
import subprocess

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


# How often the sidecar is killed; MILLRACE_KILLS=100 for a long run.
KILLS = int(os.environ.get("MILLRACE_KILLS", "25"))
DEVICES = [{"type": kind, "full_name": f"{kind} {version}", "version": version} for kind in ("lg", "mac") for version in ("1", "2")]


def visit(number):
    technical = {"device_type": ("lg", "mac", "unknown")[number % 3], "device_version": str(1 + number % 2)}
    return json.dumps({"visit_id": f"visit-{number}", "event_time": "2025-09-04T07:00:00Z", "user_id": f"user {number % 5}",
                       "page": "home", "context": {"technical": technical}})


def test_killed_under_load_each_visit_is_in_both_tables_once(kafka, tmp_path):
    """kill -9 at random moments, every third time inside a commit: the tables agree, and no commit is there twice."""
    (tmp_path / "input").mkdir()
    (tmp_path / "input/devices.json").write_text("".join(json.dumps(device) + "\n" for device in DEVICES))
    programs.run("devices_table_creator", tmp_path / "input", tmp_path / "devices")
    topic = kafka.create_topic("visits")
    raw, stats = tmp_path / "visits_enriched_raw", tmp_path / "devices_stats2"
    arguments = ("visits_enricher", kafka.servers, tmp_path, topic, "EARLIEST")
    generator, sent = random.Random(13), 0
    for kill in range(KILLS):
        point = generator.choice(["delta.after_data_files", "delta.before_commit", "delta.after_commit"])
        job = programs.start(*arguments, env={"MILLRACE_FAILPOINT": f"{point}=crash@{generator.randint(1, 4)}"} if kill % 3 == 0 else {})
        for _ in range(generator.randrange(1, 4)):
            programs.produce(kafka, topic, [visit(number) for number in range(sent, sent + 20)])
            sent += 20
        try:
            job.wait(generator.uniform(0.1, 0.6))
        except subprocess.TimeoutExpired:
            job.send_signal(signal.SIGKILL)
        job.communicate()
    job = programs.start(*arguments)
    programs.wait_until(lambda: len(delta_tables.rows(raw)) >= sent, "all visits", timeout=60)
    programs.wait_until(lambda: sum(row["count"] for row in delta_tables.rows(stats)) >= sent, "all counts")
    programs.stop(job)
    rows = delta_tables.rows(raw)
    assert sorted(row["visit_id"] for row in rows) == sorted(f"visit-{number}" for number in range(sent))
    counted = collections.Counter()
    for row in delta_tables.rows(stats):
        counted[row["type"], row["version"]] += row["count"]
    assert counted == collections.Counter((row["type"], row["version"]) for row in rows)
    for table in (raw, stats):
        batches = [delta_tables.actions(commit, "txn")[0]["version"] for commit in delta_tables.commits(table)]
        assert batches == sorted(set(batches))
        for path in delta_tables.live_paths(table):
            assert (table / path).is_file(), path
