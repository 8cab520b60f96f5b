"""The converter of the reprocessor pipeline (examples/cpp/visits_converter.cc) on a real broker."""

import json
import os
import random
import shutil
import signal
import time

import pytest

import programs
from conftest import ROOT

SHARED = ROOT.parent / "shared"
GOLDEN = SHARED / "golden" / "002-stream-reprocessor"
needs_golden = pytest.mark.skipif(not GOLDEN.is_dir(), reason="../shared with the recorded runs is not here")


def click(number):
    return json.dumps({"event_id": f"click-{number}", "visit_id": number, "event_time": "2025-09-04T07:00:00.000000",
                       "page": f"page {number % 7}"})


def identifiers(records):
    return [json.loads(value)["event_identifier"] for _, _, value in records]


@needs_golden
def test_the_seeds_steps_give_the_recorded_records(kafka, tmp_path):
    """Three rounds of three records while it runs: byte for byte what real Spark wrote."""
    source, target = kafka.create_topic("visits"), kafka.create_topic("transformed")
    inputs = [line["value"] for line in programs.golden_lines(GOLDEN / "kafka-visits.jsonl")]
    expected = [line["value"] for line in programs.golden_lines(GOLDEN / "kafka-visits_transformed.jsonl")][: len(inputs)]
    job = programs.start("visits_converter", kafka.servers, tmp_path / "checkpoint", source, target)
    for start in range(0, len(inputs), 3):
        programs.produce(kafka, source, inputs[start : start + 3])
        programs.wait_until(lambda: len(programs.consume(kafka, target)) == start + 3, f"round {start // 3}")
    programs.stop(job)
    assert [value.decode() for _, _, value in programs.consume(kafka, target)] == expected
    reader = programs.run("topic_reader", kafka.servers, target)
    recorded = (GOLDEN / "read_topic_1.stdout.txt").read_text().splitlines()
    table = [line for line in recorded if line.startswith(("+", "|"))]
    assert [line for line in reader.splitlines() if line.startswith(("+", "|"))] == table


def test_a_restart_goes_on_after_the_last_micro_batch(kafka, tmp_path):
    source, target = kafka.create_topic("visits"), kafka.create_topic("transformed")
    arguments = ("visits_converter", kafka.servers, tmp_path / "checkpoint", source, target, "available-now")
    programs.produce(kafka, source, [click(i) for i in range(10)])
    programs.run(*arguments)
    programs.produce(kafka, source, [click(i) for i in range(10, 25)])
    programs.run(*arguments)
    programs.run(*arguments)
    assert identifiers(programs.consume(kafka, target)) == [f"click-{i}" for i in range(25)]


def test_killed_50_times_under_load_no_input_is_lost(kafka, tmp_path):
    """kill -9 at random moments while records arrive: every input comes out, in order but for repeats."""
    source, target = kafka.create_topic("visits"), kafka.create_topic("transformed")
    arguments = ("visits_converter", kafka.servers, tmp_path / "checkpoint", source, target)
    generator = random.Random(7)
    sent = 0
    for _ in range(50):
        job = programs.start(*arguments)
        until = time.monotonic() + generator.uniform(0.02, 0.4)
        while time.monotonic() < until:
            programs.produce(kafka, source, [click(i) for i in range(sent, sent + 40)])
            sent += 40
        os.kill(job.pid, signal.SIGKILL)
        job.communicate()
    programs.run(*arguments, "available-now")
    out = identifiers(programs.consume(kafka, target))
    assert set(out) == {f"click-{i}" for i in range(sent)}
    first_seen = list(dict.fromkeys(out))
    assert first_seen == [f"click-{i}" for i in range(sent)]


@needs_golden
def test_a_checkpoint_of_real_spark_is_resumed(kafka, tmp_path):
    """Spark stopped after nine records; Millrace takes the tenth and what follows, nothing else."""
    topic = kafka.recreate_topic("visits")
    target = kafka.create_topic("transformed")
    inputs = [line["value"] for line in programs.golden_lines(GOLDEN / "kafka-visits.jsonl")]
    checkpoint = tmp_path / "checkpoint"
    shutil.copytree(GOLDEN / "checkpoint-streaming-job", checkpoint)
    for path in checkpoint.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    checkpoint.chmod(0o755)
    query_id = json.loads((checkpoint / "metadata").read_text())["id"]
    last = programs.log_ids(checkpoint / "offsets")[-1]
    programs.produce(kafka, topic, inputs + [click(i) for i in range(100, 105)])
    programs.run("visits_converter", kafka.servers, checkpoint, topic, target, "available-now")
    assert identifiers(programs.consume(kafka, target)) == [f"click-{i}" for i in range(100, 105)]
    assert json.loads((checkpoint / "metadata").read_text())["id"] == query_id
    assert programs.log_ids(checkpoint / "commits")[-1] == last + 1
    written = (checkpoint / "offsets" / str(last + 1)).read_text().splitlines()
    before = (checkpoint / "offsets" / str(last)).read_text().splitlines()
    assert written[0] == before[0] == "v1"
    assert json.loads(written[1])["conf"] == json.loads(before[1])["conf"]
    assert json.loads(written[2]) == {topic: {"0": len(inputs) + 5}}


@pytest.mark.parametrize(
    "record, expected",
    [
        ('{"event_id": "a", "visit_id": 1', {}),
        ('{"event_id": "a", "visit_id": "no number", "event_time": "2025-09-04T07:00:00Z", "page": "p"}',
         {"event_identifier": "a", "event_time": "2025-09-04T09:00:00.000+02:00", "visited_page": "p"}),
        ("not json", {}),
        (b'{"event_id": "\xff\xfe", "visit_id": 1}', None),
        ('{"event_id": null, "visit_id": 2, "event_time": null, "page": null}', {"visit_identifier": 2}),
    ],
)
def test_a_bad_record_does_not_stop_the_query(kafka, tmp_path, record, expected):
    """from_json is PERMISSIVE: what cannot be read is NULL, and the records behind it still come."""
    source, target = kafka.create_topic("visits"), kafka.create_topic("transformed")
    programs.produce(kafka, source, [record, click(1)])
    programs.run("visits_converter", kafka.servers, tmp_path / "checkpoint", source, target, "available-now")
    values = [json.loads(value) for _, _, value in programs.consume(kafka, target)]
    assert len(values) == 2 and values[1]["event_identifier"] == "click-1"
    if expected is not None:
        assert values[0] == expected
