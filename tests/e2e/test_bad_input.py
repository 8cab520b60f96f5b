"""What goes wrong outside: a clear error each, nothing overwritten, nothing lost."""

import json
import os
import pathlib
import signal
import subprocess
import time

import pytest

import programs
from conftest import ROOT, Broker, free_port


def click(number, **more):
    return json.dumps({"event_id": f"click-{number}", "visit_id": number, "event_time": "2025-09-04T07:00:00Z",
                       "page": "home", **more})


def identifiers(records):
    return [json.loads(value)["event_identifier"] for _, _, value in records]


def fails(*arguments, timeout=120):
    """Runs the converter, which must end by itself with an error; what it said."""
    job = programs.start("visits_converter", *arguments)
    try:
        _, err = job.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        job.kill()
        raise AssertionError("it went on")
    assert job.returncode == 1, err
    return err


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in pathlib.Path(folder).rglob("*") if path.is_file()}


@pytest.fixture
def converted(kafka, tmp_path):
    """A checkpoint after ten records: (arguments, checkpoint, source, target)."""
    source, target, checkpoint = kafka.create_topic("visits"), kafka.create_topic("out"), tmp_path / "checkpoint"
    programs.produce(kafka, source, [click(i) for i in range(10)])
    arguments = (kafka.servers, checkpoint, source, target, "available-now")
    programs.run("visits_converter", *arguments)
    return arguments, checkpoint, source, target


def test_a_record_of_10_mb_passes(kafka, tmp_path):
    source, target = f"large-{os.getpid()}", kafka.create_topic("out")
    from confluent_kafka import Producer
    from confluent_kafka.admin import AdminClient, NewTopic

    topic = NewTopic(source, 1, 1, config={"max.message.bytes": str(12 << 20)})
    admin = AdminClient({"bootstrap.servers": kafka.servers})
    admin.create_topics([topic])[source].result(timeout=30)
    producer = Producer({"bootstrap.servers": kafka.servers, "message.max.bytes": 12 << 20})
    for value in (click(1), click(2, unused="x" * (10 << 20)), click(3)):
        producer.produce(source, value=value.encode())
    producer.flush()
    programs.run("visits_converter", kafka.servers, tmp_path / "checkpoint", source, target, "available-now")
    assert identifiers(programs.consume(kafka, target)) == ["click-1", "click-2", "click-3"]


def test_an_output_record_beyond_the_limit_is_named(kafka, tmp_path):
    source, target, checkpoint = f"large-out-{os.getpid()}", kafka.create_topic("out"), tmp_path / "checkpoint"
    from confluent_kafka import Producer
    from confluent_kafka.admin import AdminClient, NewTopic

    topic = NewTopic(source, 1, 1, config={"max.message.bytes": str(12 << 20)})
    admin = AdminClient({"bootstrap.servers": kafka.servers})
    admin.create_topics([topic])[source].result(timeout=30)
    producer = Producer({"bootstrap.servers": kafka.servers, "message.max.bytes": 12 << 20})
    producer.produce(source, value=json.dumps({"event_id": "big", "page": "x" * (4 << 20)}).encode())
    producer.flush()
    err = fails(kafka.servers, checkpoint, source, target, "available-now")
    assert "max.request.size" in err
    assert programs.log_ids(checkpoint / "commits") == []


def test_no_broker_is_said_in_a_minute(tmp_path):
    err = fails(f"localhost:{free_port()}", tmp_path / "checkpoint", "visits", "out", "available-now", timeout=100)
    assert "localhost" in err


def test_a_topic_that_is_not_there_is_named(kafka, tmp_path):
    err = fails(kafka.servers, tmp_path / "checkpoint", "no-such-topic", "out", "available-now")
    assert "no-such-topic" in err


def test_a_broker_that_comes_back_is_used_again(tmp_path, tmp_path_factory):
    port = free_port()
    environment = {**os.environ, "KAFKA_PORT": str(port), "KAFKA_CONTROLLER_PORT": str(free_port()),
                   "KAFKA_DIR": str(tmp_path_factory.mktemp("kafka"))}
    broker = Broker(f"localhost:{port}", environment)
    broker.run("start")
    job = None
    try:
        source, target = broker.create_topic("visits"), broker.create_topic("out")
        job = programs.start("visits_converter", broker.servers, tmp_path / "checkpoint", source, target)
        programs.produce(broker, source, [click(i) for i in range(5)])
        programs.wait_until(lambda: len(programs.consume(broker, target)) == 5, "the first five")
        broker.run("stop")
        time.sleep(2)
        assert job.poll() is None, job.communicate()
        broker.run("start")
        programs.produce(broker, source, [click(i) for i in range(5, 9)])
        programs.wait_until(lambda: len(set(identifiers(programs.consume(broker, target)))) == 9, "all nine", timeout=60)
    finally:
        if job is not None:
            job.kill()
            job.communicate()
        broker.run("stop")


def test_a_broker_that_is_killed_inside_a_batch_loses_nothing(tmp_path, tmp_path_factory):
    """kill -9 while it is read and written, with batches under way; it comes back, and every record comes out."""
    port, folder = free_port(), tmp_path_factory.mktemp("kafka")
    environment = {**os.environ, "KAFKA_PORT": str(port), "KAFKA_CONTROLLER_PORT": str(free_port()), "KAFKA_DIR": str(folder)}
    broker = Broker(f"localhost:{port}", environment)
    broker.run("start")
    job = None
    try:
        source, target, checkpoint = broker.create_topic("in", 2), broker.create_topic("out"), tmp_path / "checkpoint"
        sent = [[f"{partition}-{number}" for number in range(3000)] for partition in range(2)]
        for partition, values in enumerate(sent):
            programs.produce(broker, source, values, partition)
        description = {
            "source": "kafka", "sourceOptions": {"kafka.bootstrap.servers": broker.servers, "subscribe": source,
                                                 "startingOffsets": "earliest", "maxOffsetsPerTrigger": "200"},
            "query": "SELECT value FROM input", "sink": "kafka",
            "sinkOptions": {"kafka.bootstrap.servers": broker.servers, "topic": target, "checkpointLocation": str(checkpoint)}}
        job = programs.start_job(description)
        programs.wait_until(lambda: len(programs.log_ids(checkpoint / "commits")) >= 2, "the first micro-batches")
        pid = int((folder / "pid").read_text())
        os.kill(pid, signal.SIGKILL)
        programs.wait_until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), "the broker's end")
        assert job.poll() is None, job.communicate()
        broker.run("start")
        programs.wait_until(lambda: job.poll() is not None or len(programs.log_ids(checkpoint / "commits")) >= 30,
                            "all micro-batches", timeout=90)
        assert job.poll() is None, job.communicate()
        out, _ = programs.stop(job)
        assert programs.Printed(out).ends == ["ok"]
        assert {value.decode() for _, _, value in programs.consume(broker, target)} == {v for values in sent for v in values}
    finally:
        if job is not None and job.poll() is None:
            job.kill()
            job.communicate()
        broker.run("stop")


def test_offsets_aged_out_fail_naming_the_range(kafka, converted):
    arguments, checkpoint, source, _ = converted
    from confluent_kafka import TopicPartition
    from confluent_kafka.admin import AdminClient

    programs.produce(kafka, source, [click(i) for i in range(10, 20)])
    admin = AdminClient({"bootstrap.servers": kafka.servers})
    for done in admin.delete_records([TopicPartition(source, 0, 15)]).values():
        done.result(timeout=30)
    before = contents(checkpoint)
    err = fails(*arguments)
    assert "Some data may have been lost" in err and "[KAFKA_DATA_LOSS" not in err and "[10, 20)" in err and "failOnDataLoss" in err
    after = contents(checkpoint)
    assert all(after[name] == bytes_ for name, bytes_ in before.items())
    assert programs.log_ids(checkpoint / "commits") == [0]


def test_a_deleted_topic_is_data_loss(kafka, converted):
    arguments, checkpoint, source, _ = converted
    from confluent_kafka.admin import AdminClient

    admin = AdminClient({"bootstrap.servers": kafka.servers})
    admin.delete_topics([source])[source].result(timeout=30)
    time.sleep(1)
    err = fails(*arguments)
    assert source in err
    assert programs.log_ids(checkpoint / "commits") == [0]


@pytest.mark.parametrize("damage", [b"", b"v1", b"v1\n{", b'v1\n{"batchWatermarkMs":0}\n{"visits', b"garbage", b"v9\n{}\n{}"])
def test_a_corrupt_offset_log_is_named_and_kept(converted, damage):
    arguments, checkpoint, _, _ = converted
    newest = checkpoint / "offsets" / "0"
    newest.write_bytes(damage)
    before = contents(checkpoint)
    assert str(newest) in fails(*arguments)
    assert contents(checkpoint) == before


def test_a_corrupt_commit_log_is_named_and_kept(converted):
    arguments, checkpoint, _, _ = converted
    (checkpoint / "commits" / "0").write_text("v1\nno json")
    before = contents(checkpoint)
    assert str(checkpoint / "commits" / "0") in fails(*arguments)
    assert contents(checkpoint) == before


def test_a_foreign_checkpoint_is_refused(converted, tmp_path):
    arguments, checkpoint, _, _ = converted
    (checkpoint / "metadata").write_text("I am of another program")
    before = contents(checkpoint)
    assert str(checkpoint / "metadata") in fails(*arguments)
    assert contents(checkpoint) == before


def test_a_checkpoint_without_metadata_is_refused(converted):
    arguments, checkpoint, _, _ = converted
    (checkpoint / "metadata").unlink()
    before = contents(checkpoint)
    assert "STREAMING_CHECKPOINT_MISSING_METADATA_FILE" in fails(*arguments)
    assert contents(checkpoint) == before


def test_a_checkpoint_that_is_a_file_is_refused(kafka, tmp_path):
    (tmp_path / "checkpoint").write_text("a file")
    err = fails(kafka.servers, tmp_path / "checkpoint", kafka.create_topic("visits"), "out", "available-now")
    assert str(tmp_path / "checkpoint") in err
    assert (tmp_path / "checkpoint").read_text() == "a file"


def test_two_engines_on_one_checkpoint_one_gives_up(kafka, tmp_path):
    source, target, checkpoint = kafka.create_topic("visits"), kafka.create_topic("out"), tmp_path / "checkpoint"
    arguments = ("visits_converter", kafka.servers, checkpoint, source, target)
    programs.produce(kafka, source, [click(0)])
    first = programs.start(*arguments)
    programs.wait_until(lambda: (checkpoint / "commits" / "0").exists(), "the first micro-batch")
    second = programs.start(*arguments)
    sent = 1
    deadline = time.monotonic() + 30
    while first.poll() is None and second.poll() is None and time.monotonic() < deadline:
        programs.produce(kafka, source, [click(sent)])
        sent += 1
        time.sleep(0.01)
    loser, winner = (first, second) if first.poll() is not None else (second, first)
    assert loser.poll() == 1, "both went on"
    assert "CONCURRENT_STREAM_LOG_UPDATE" in loser.communicate()[1]
    programs.wait_until(lambda: len(set(identifiers(programs.consume(kafka, target)))) == sent, "every input came out")
    programs.stop(winner)
