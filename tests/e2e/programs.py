"""The example programs as a user runs them: started, watched, stopped by pid."""

import json
import os
import pathlib
import signal
import subprocess
import time

from conftest import ROOT

MILLRACE = pathlib.Path(os.environ.get("MILLRACE_BINARY") or ROOT / "build/release/millrace")
EXAMPLES = MILLRACE.parent / "examples"
JOB_RUNNER = MILLRACE.parent / "tests" / "job_runner"


def start(program, *arguments, env=None, stdout=subprocess.PIPE):
    """Starts an example in a session time zone of its own choice; the caller ends it."""
    return subprocess.Popen([EXAMPLES / program, *map(str, arguments)], stdout=stdout, stderr=subprocess.PIPE,
                            text=True, env={**os.environ, "TZ": "Europe/Paris", **(env or {})})


def run(program, *arguments, timeout=120, **keywords):
    """Runs an example to its end; its standard output. Fails with its standard error."""
    process = start(program, *arguments, **keywords)
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        raise AssertionError(f"{program} did not end: {process.communicate()}")
    assert process.returncode == 0, err
    return out


class Printed:
    """What job_runner printed, by kind: schemas, progress, rows, and for each job "ok" or its error."""

    def __init__(self, text):
        lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        self.schema, self.progress, self.rows, self.ends = [], [], [], []
        kinds = {"schema": self.schema, "progress": self.progress, "row": self.rows, "end": self.ends, "error": self.ends}
        for line in lines:
            for key, value in line.items():
                kinds[key].append(value)

    @property
    def error(self):
        """The message of the last job's error."""
        assert self.ends and self.ends[-1] != "ok", "it did not fail"
        return self.ends[-1]["message"]


def start_job(job, env=None):
    """Starts tests/runner/job_runner with one job or several; the caller ends it (stop) and reads it (Printed)."""
    process = subprocess.Popen([JOB_RUNNER, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, env={**os.environ, "TZ": "UTC", **(env or {})})
    process.stdin.write(json.dumps(job))
    process.stdin.close()
    process.stdin = None
    return process


def run_job(job, timeout=120, env=None):
    """Runs jobs to their end, good or bad."""
    process = start_job(job, env)
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        raise AssertionError(f"the job did not end: {process.communicate()}")
    printed = Printed(out)
    printed.log = err
    assert process.returncode in (0, 1), f"ended with {process.returncode}: {err[-3000:]}"
    return printed


def stop(process, timeout=30):
    """Ends it as Ctrl-C does; what it wrote."""
    process.send_signal(signal.SIGINT)
    try:
        return process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        raise AssertionError(f"did not end after SIGINT: {process.communicate()}")


def wait_until(condition, what, timeout=30):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout} s in vain: {what}"
        time.sleep(0.02)


def produce(kafka, topic, values, partition=0):
    """Sends texts in order to one partition, and waits until the broker has them."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": kafka.servers, "linger.ms": 1})
    lost = []
    for value in values:
        producer.produce(topic, value=value.encode() if isinstance(value, str) else value, partition=partition,
                         on_delivery=lambda error, _: lost.append(str(error)) if error else None)
        producer.poll(0)
    assert producer.flush(60) == 0 and not lost, f"not all of it came to {topic}-{partition}: {lost[:1]}"


def consume(kafka, topic, partitions=1):
    """Every record of a topic now: (partition, offset, value bytes), by partition and offset."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": kafka.servers, "group.id": "reader", "enable.auto.commit": False})
    records = []
    try:
        for partition in range(partitions):
            where = TopicPartition(topic, partition)
            low, high = consumer.get_watermark_offsets(where, timeout=20)
            where.offset = low
            consumer.assign([where])
            position = low
            while position < high:
                message = consumer.poll(10)
                assert message is not None and not message.error(), message and message.error()
                records.append((partition, message.offset(), message.value()))
                position = message.offset() + 1
    finally:
        consumer.close()
    return records


def golden_lines(path):
    with open(path) as lines:
        return [json.loads(line) for line in lines]


def log_ids(folder):
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        return []
    return sorted(int(name.name) for name in folder.iterdir() if name.name.isdigit())
