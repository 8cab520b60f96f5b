"""The micro-batch demo (examples/cpp/micro_batch_printer.cc) against the recorded runs of real Spark."""

import json
import os
import re
import signal

import pytest

import programs
from conftest import ROOT

GOLDEN = ROOT.parent / "shared" / "golden" / "003-micro-batch"
pytestmark = pytest.mark.skipif(not GOLDEN.is_dir(), reason="../shared with the recorded runs is not here")

PRINTED = re.compile(r"Partition\[(\d)\] > Printing visit=Row\(visit_id='([^']*)', event_time=.*, page='([^']*)'\)")


def recorded_input(kafka, topic):
    """The recorded topic, record by record into the same partitions."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": kafka.servers})
    for line in programs.golden_lines(GOLDEN / "kafka-visits.jsonl"):
        producer.produce(topic, key=line["key"], value=line["value"], partition=line["partition"])
    producer.flush()


def printed(text):
    """Visits printed, micro-batch by micro-batch: a sorted list of (partition, visit, page) each."""
    found = []
    for part in text.split("Printing visits\n")[1:]:
        found.append(sorted((int(p), v, page) for p, v, page in PRINTED.findall(part)))
    return [batch for batch in found if batch]


def recorded_offsets(name):
    folder = GOLDEN / f"checkpoint-after-{name}" / "offsets"
    return {n: json.loads((folder / str(n)).read_text().splitlines()[2])["visits"] for n in programs.log_ids(folder)}


def written_offsets(checkpoint, topic):
    folder = checkpoint / "offsets"
    return {n: json.loads((folder / str(n)).read_text().splitlines()[2])[topic] for n in programs.log_ids(folder)}


def run_until(arguments, checkpoint, last_commit):
    """Runs the job until micro-batch `last_commit` is done, then ends it as Ctrl-C does; what it printed."""
    job = programs.start("micro_batch_printer", *arguments)
    programs.wait_until(lambda: (checkpoint / "commits" / str(last_commit)).exists(), f"micro-batch {last_commit}")
    out, _ = programs.stop(job)
    return out


def test_batches_restart_and_killed_batch_are_those_of_spark(kafka, tmp_path):
    """At most 10 records a batch, split 6 + 4 as Spark splits them; a restart goes on; a batch that was planned but not
    done when the process was killed runs again with the same offsets."""
    # The order of the tasks follows the topic's name, as in Spark.
    topic, checkpoint = kafka.recreate_topic("visits", partitions=2), tmp_path / "checkpoint"
    recorded_input(kafka, topic)
    arguments = (kafka.servers, checkpoint, topic, 1)
    expected = recorded_offsets("4-after-kill")

    first = run_until(arguments, checkpoint, 2)
    again = run_until(arguments, checkpoint, 4)
    offsets = written_offsets(checkpoint, topic)
    assert {n: offsets[n] for n in range(5)} == {n: expected[n] for n in range(5)}

    # Killed inside a micro-batch: its offsets are there, its commit is not.
    job = programs.start("micro_batch_printer", *arguments, env={"MILLRACE_FAILPOINT": "sink.before_commit=crash@2"})
    job.communicate(timeout=60)
    assert job.returncode == 137
    last = programs.log_ids(checkpoint / "offsets")[-1]
    assert programs.log_ids(checkpoint / "commits")[-1] == last - 1
    planned = written_offsets(checkpoint, topic)[last]
    after = run_until(arguments, checkpoint, last)
    assert written_offsets(checkpoint, topic)[last] == planned == expected[last]

    batches = printed(first) + printed(again)
    sizes = [[sum(1 for p, _, _ in batch if p == partition) for partition in (0, 1)] for batch in batches]
    assert sizes[:5] == [[6, 4]] * 5
    spark_runs = "".join((GOLDEN / f"kafka_consumer_micro_batch.{run}.printed.txt").read_text()
                         for run in ("1-first", "2-restart"))
    spark_visits = sorted((int(p), v, page) for p, v, page in PRINTED.findall(spark_runs))
    assert sorted(visit for batch in batches[:5] for visit in batch) == spark_visits
    assert printed(after), "the micro-batch that was cut off is printed whole after the restart"
