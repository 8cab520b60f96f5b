"""The reprocessor pipeline whole: Kafka to Delta and back (examples/cpp/{data_synchronizer,visits_reprocessor}.cc)."""

import json
import os
import random
import shutil
import signal
import subprocess
import tarfile

import pytest

import delta_tables
import programs
from conftest import ROOT

SHARED = ROOT.parent / "shared"
GOLDEN = SHARED / "golden" / "002-stream-reprocessor"
PINNED = SHARED / "golden" / "002-stream-reprocessor-pinned-4.0.0"
needs_golden = pytest.mark.skipif(not GOLDEN.is_dir(), reason="../shared with the recorded runs is not here")


def click(number, hour=7):
    return json.dumps({"event_id": f"click-{number}", "visit_id": number,
                       "event_time": f"2025-09-04T{hour:02}:00:00.000000", "page": f"page {number % 7}"})


def inputs_of(golden):
    return [line["value"] for line in programs.golden_lines(golden / "kafka-visits.jsonl")]


def num_commits(table):
    return len(delta_tables.commits(table)) if (table / "_delta_log").is_dir() else 0


def boxes(text):
    return [line for line in text.splitlines() if line.startswith(("+", "|"))]


@needs_golden
def test_the_seeds_steps_give_the_recorded_table(kafka, tmp_path):
    """Three rounds while it runs; rows, partitions and every action of the log as real Spark wrote them."""
    source, target = kafka.create_topic("visits"), kafka.create_topic("transformed")
    table = tmp_path / "visits_table"
    inputs = inputs_of(GOLDEN)
    job = programs.start("data_synchronizer", kafka.servers, table, tmp_path / "checkpoint", source)
    programs.wait_until(lambda: num_commits(table) == 1, "the table")
    for start in range(0, len(inputs), 3):
        programs.produce(kafka, source, inputs[start : start + 3])
        programs.wait_until(lambda: num_commits(table) == start // 3 + 2, f"commit of round {start // 3}")
    programs.wait_until((table / "_delta_log" / f"{3:020}.crc").exists, "the last checksum")
    programs.stop(job)
    assert (table / "_delta_log" / "_staged_commits").is_dir()
    assert sorted(name.name for name in (table / "_delta_log").glob("*.crc")) == [
        f"{version:020}.crc" for version in range(4)]

    ours, theirs = delta_tables.commits(table), delta_tables.commits(GOLDEN / "visits_table")
    assert [delta_tables.without_ids(commit) for commit in ours] == [delta_tables.without_ids(c) for c in theirs]
    assert sorted(row["value"] for row in delta_tables.rows(table)) == sorted(inputs)
    recorded = boxes((GOLDEN / "read_table.stdout.txt").read_text())
    assert boxes(programs.run("table_reader", table, "partition", "offset")) == recorded

    programs.run("visits_reprocessor", 0, 2, kafka.servers, table, target)
    expected = [line["value"] for line in programs.golden_lines(GOLDEN / "kafka-visits_transformed.jsonl")][9:]
    assert [value.decode() for _, _, value in programs.consume(kafka, target)] == expected


@needs_golden
def test_a_table_and_checkpoint_of_real_spark_go_on(kafka, tmp_path):
    """The synchroniser of Spark 4.0 stopped after nine records; ours takes its checkpoint and its table."""
    with tarfile.open(PINNED / "visits_table.full.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    table = next(tmp_path.glob("**/_delta_log")).parent
    shutil.copytree(PINNED / "checkpoint-synchronizer", tmp_path / "checkpoint")
    os.makedirs(tmp_path / "checkpoint" / "sources", exist_ok=True)
    # The topic's name stands in the checkpoint.
    kafka.recreate_topic("visits")
    inputs = inputs_of(PINNED)
    programs.produce(kafka, "visits", inputs + [click(i, hour=8) for i in range(100, 103)])
    before = num_commits(table)
    programs.run("data_synchronizer", kafka.servers, table, tmp_path / "checkpoint", "visits", "available-now")
    new = delta_tables.commits(table)[before:]
    assert len(new) == 1
    query_id = json.loads((PINNED / "checkpoint-synchronizer" / "metadata").read_text())["id"]
    assert delta_tables.actions(new[0], "txn")[0]["appId"] == query_id
    assert sorted(row["offset"] for row in delta_tables.rows(table)) == list(range(12))


def test_many_partitions_make_one_file_each(kafka, tmp_path):
    """Records of four topic partitions and three hours in one micro-batch: three files."""
    source, table = kafka.create_topic("visits", partitions=4), tmp_path / "table"
    for partition in range(4):
        programs.produce(kafka, source, [click(i, hour=6 + i % 3) for i in range(30)], partition)
    programs.run("data_synchronizer", kafka.servers, table, tmp_path / "checkpoint", source, "available-now")
    commits = delta_tables.commits(table)
    assert len(commits) == 1
    assert sorted(add["partitionValues"]["hour"] for add in delta_tables.actions(commits[0], "add")) == ["6", "7", "8"]
    assert len(delta_tables.rows(table)) == 120


# How often the synchroniser is killed; MILLRACE_KILLS=100 for a long run.
KILLS = int(os.environ.get("MILLRACE_KILLS", "25"))


def test_killed_under_load_each_input_is_there_once(kafka, tmp_path):
    """kill -9 at random moments while records arrive."""
    source, table = kafka.create_topic("visits"), tmp_path / "table"
    arguments = ("data_synchronizer", kafka.servers, table, tmp_path / "checkpoint", source)
    generator = random.Random(7)
    sent = 0
    for _ in range(KILLS):
        job = programs.start(*arguments)
        for _ in range(generator.randrange(1, 4)):
            programs.produce(kafka, source, [click(i, hour=i % 24) for i in range(sent, sent + 40)])
            sent += 40
        try:
            job.wait(generator.random() * 0.4)
        except subprocess.TimeoutExpired:
            job.send_signal(signal.SIGKILL)
        job.communicate()
    programs.run(*arguments, "available-now")
    assert sorted(row["offset"] for row in delta_tables.rows(table)) == list(range(sent))
    epochs = [delta_tables.actions(commit, "txn")[0]["version"] for commit in delta_tables.commits(table)]
    assert epochs == sorted(set(epochs))
    for path in delta_tables.live_paths(table):
        assert (table / path).is_file(), path


@pytest.mark.parametrize("point", ["delta.after_data_files", "delta.before_commit", "delta.after_commit",
                                   "delta.before_checkpoint", "delta.before_last_checkpoint"])
def test_a_crash_at_each_point_of_the_sink(kafka, tmp_path, point):
    source, table = kafka.create_topic("visits"), tmp_path / "table"
    programs.produce(kafka, source, [click(i) for i in range(60)])
    arguments = ("data_synchronizer", kafka.servers, table, tmp_path / "checkpoint", source, "available-now", 5)
    for hit in (1, 3):
        job = programs.start(*arguments, env={"MILLRACE_FAILPOINT": f"{point}=crash@{hit}"})
        job.communicate(timeout=60)
    programs.run(*arguments)
    assert sorted(row["offset"] for row in delta_tables.rows(table)) == list(range(60))


def test_two_engines_on_one_checkpoint(kafka, tmp_path):
    """The second is refused or loses the race; the table has each input once."""
    source, table = kafka.create_topic("visits"), tmp_path / "table"
    arguments = ("data_synchronizer", kafka.servers, table, tmp_path / "checkpoint", source)
    jobs = [programs.start(*arguments) for _ in range(2)]
    for start in range(0, 200, 20):
        programs.produce(kafka, source, [click(i) for i in range(start, start + 20)])
    programs.wait_until(lambda: any(job.poll() is not None for job in jobs) or num_commits(table) > 3, "progress")
    for job in jobs:
        if job.poll() is None:
            programs.stop(job)
        else:
            job.communicate()
    programs.run(*arguments, "available-now")
    assert sorted(row["offset"] for row in delta_tables.rows(table)) == list(range(200))


def test_checkpoints_let_the_commits_go(kafka, tmp_path):
    """25 commits leave two checkpoints; delta-rs and we read the newest alone."""
    source, table = kafka.create_topic("visits"), tmp_path / "table"
    programs.produce(kafka, source, [click(i, hour=i % 3) for i in range(250)])
    programs.run("data_synchronizer", kafka.servers, table, tmp_path / "checkpoint", source, "available-now", 10)
    log = table / "_delta_log"
    assert sorted(name.name[:20] for name in log.glob("*.checkpoint.parquet"))[-1] == f"{20:020}"
    assert json.loads((log / "_last_checkpoint").read_text())["version"] == 20
    for version in range(20):
        (log / f"{version:020}.json").unlink()
        (log / f"{version:020}.crc").unlink()
    assert sorted(row["offset"] for row in delta_tables.rows(table)) == list(range(250))
    assert len(boxes(programs.run("table_reader", table, "offset"))) == 250 + 4
    programs.produce(kafka, source, [click(i) for i in range(250, 255)])
    programs.run("data_synchronizer", kafka.servers, table, tmp_path / "checkpoint", source, "available-now", 10)
    assert sorted(row["offset"] for row in delta_tables.rows(table)) == list(range(255))
