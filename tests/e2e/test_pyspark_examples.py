"""The jobs of examples/pyspark under `millrace submit`, against a real broker."""

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def example(tmp_path):
    binary = pathlib.Path(os.environ.get("MILLRACE_BINARY", ROOT / "build/release/millrace"))
    if not binary.exists():
        pytest.skip(f"{binary} is not built")

    def run(name, *arguments):
        done = subprocess.run([binary, "submit", ROOT / "examples/pyspark" / name, *arguments], cwd=tmp_path, text=True,
                              capture_output=True, timeout=120, env={**os.environ, "PYSPARK_PYTHON": sys.executable})
        assert done.returncode == 0, done.stderr
        return done

    return run


def produce(servers, topic, values, partition):
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": servers})
    for value in values:
        producer.produce(topic, json.dumps(value).encode(), partition=partition)
    producer.flush()


def visits(first, count):
    return [{"visit_id": f"v{n}", "event_time": "2024-01-01T00:00:00Z", "page": f"page_{n % 3}"}
            for n in range(first, first + count)]


def test_micro_batches_are_printed_by_partition_and_go_on_where_they_stopped(example, kafka, tmp_path):
    kafka.recreate_topic("visits", partitions=2)
    produce(kafka.servers, "visits", visits(0, 12), 0)
    produce(kafka.servers, "visits", visits(100, 8), 1)
    first = example("micro_batch.py", kafka.servers, str(tmp_path / "job"), "--once")
    # maxOffsetsPerTrigger is shared out by how far the partitions are behind: 6 and 4, twice.
    assert first.stdout.splitlines() == ["Micro-batch 0", "Micro-batch 1"]
    printed = re.findall(r"Partition\[(\d)\] > (v\d+) page_\d", first.stderr)
    assert sorted(printed) == sorted([("0", f"v{n}") for n in range(12)] + [("1", f"v{n}") for n in range(100, 108)])
    produce(kafka.servers, "visits", visits(12, 2), 0)
    second = example("micro_batch.py", kafka.servers, str(tmp_path / "job"), "--once")
    assert second.stdout.splitlines() == ["Micro-batch 2"]
    assert re.findall(r"> (v\d+)", second.stderr) == ["v12", "v13"]
