"""The taxi rides demo (examples/cpp/rides_counter.cc) against the recorded run of real Spark."""

import collections
import re

import pytest

import programs
from conftest import ROOT

GOLDEN = ROOT.parent / "shared" / "golden" / "004-zoomcamp"
pytestmark = pytest.mark.skipif(not GOLDEN.is_dir(), reason="../shared with the recorded runs is not here")


def tables(text):
    """Tables printed by the console sink: (batch, columns) to the set of rows, the last print of each."""
    found = {}
    for batch, body in re.findall(r"-+\nBatch: (\d+)\n-+\n((?:[+|].*\n)+)", text):
        rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in body.splitlines() if line[0] == "|"]
        found[int(batch), rows[0]] = sorted(rows[1:])
    return found


def test_counts_are_those_of_spark(kafka, tmp_path):
    from confluent_kafka import Consumer, Producer

    rides, counts = kafka.create_topic("rides"), kafka.create_topic("counts")
    checkpoint = tmp_path / "checkpoint"
    lines = programs.golden_lines(GOLDEN / "kafka-rides_csv.jsonl")
    golden = tables((GOLDEN / "console.txt").read_text())
    recorded = [(line["key"], line["value"]) for line in programs.golden_lines(GOLDEN / "kafka-vendor_counts_windowed.jsonl")]
    producer = Producer({"bootstrap.servers": kafka.servers})

    def send(part):
        for line in part:
            producer.produce(rides, key=line["key"], value=line["value"])
        producer.flush()

    # As when it was recorded: five rides, then the same five again.
    send(lines[:5])
    job = programs.start("rides_counter", kafka.servers, checkpoint, rides, counts, 1, env={"TZ": "UTC"})
    programs.wait_until(lambda: (checkpoint / "commits" / "0").exists(), "micro-batch 0")
    send(lines[5:])
    programs.wait_until(lambda: (checkpoint / "commits" / "1").exists(), "micro-batch 1")
    out, _ = programs.stop(job)
    printed = tables(out)
    by_vendor = ("vendor_id", "count")
    for batch in (0, 1):
        if (batch, by_vendor) in printed:
            assert printed[batch, by_vendor] == golden[batch, by_vendor]
    assert printed[0, by_vendor] == golden[0, by_vendor]

    consumer = Consumer({"bootstrap.servers": kafka.servers, "group.id": "rides", "auto.offset.reset": "earliest"})
    consumer.subscribe([counts])
    sent = []
    for _ in range(200):
        for message in consumer.consume(100, timeout=0.2):
            sent.append((message.key().decode(), message.value().decode()))
        if len(sent) >= len(recorded):
            break
    consumer.close()
    half = len(recorded) // 2
    assert collections.Counter(sent[:half]) == collections.Counter(recorded[:half])
    assert collections.Counter(sent[half:]) == collections.Counter(recorded[half:])
