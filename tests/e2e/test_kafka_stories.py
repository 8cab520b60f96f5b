"""What happens to topics while a query reads them: new topics and partitions, transactions, compaction, loss, odd records."""

import json
import time

import pytest

import programs

READ = "SELECT topic, partition, offset, CAST(value AS STRING) AS value FROM input"


def admin_of(kafka):
    from confluent_kafka.admin import AdminClient

    return AdminClient({"bootstrap.servers": kafka.servers})


def create(kafka, name, partitions=1, **config):
    from confluent_kafka.admin import NewTopic

    topic = NewTopic(name, partitions, 1, config={key.replace("_", "."): value for key, value in config.items()})
    admin = admin_of(kafka)
    admin.create_topics([topic])[name].result(timeout=30)


def delete(kafka, name):
    admin = admin_of(kafka)
    admin.delete_topics([name])[name].result(timeout=30)
    deadline = time.monotonic() + 20
    while name in admin.list_topics(timeout=10).topics:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def read(kafka, query=READ, **options):
    """Rows of a batch read."""
    printed = programs.run_job({"source": "kafka", "query": query, "sourceOptions": {
        "kafka.bootstrap.servers": kafka.servers, "startingOffsets": "earliest", **options}})
    assert printed.ends == ["ok"], printed.ends
    return printed.rows


class Copy:
    """A running query that copies values to a topic of its own."""

    def __init__(self, kafka, checkpoint, query="SELECT value FROM input", trigger=None, target=None, mode=None,
                 **options):
        self.kafka, self.checkpoint, self.target = kafka, checkpoint, target or kafka.create_topic("copy")
        self.job = {"source": "kafka", "query": query, "sink": "kafka", "sourceOptions": {
            "kafka.bootstrap.servers": kafka.servers, "startingOffsets": "earliest", **options}, "sinkOptions": {
            "kafka.bootstrap.servers": kafka.servers, "topic": self.target, "checkpointLocation": str(checkpoint)}}
        if trigger:
            self.job["trigger"] = trigger
        if mode:
            self.job["mode"] = mode
        self.process = None

    def __enter__(self):
        self.process = programs.start_job(self.job)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()

    def values(self):
        return [value.decode() for _, _, value in programs.consume(self.kafka, self.target)]

    def wait_for(self, *values, timeout=30):
        def arrived():
            assert self.process.poll() is None, self.process.communicate()
            return sorted(self.values()) == sorted(values)

        try:
            programs.wait_until(arrived, f"{values} in {self.target}", timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}; there is {self.values()}") from None

    def stop(self):
        out, _ = programs.stop(self.process)
        return programs.Printed(out)

    def failed(self, timeout=60):
        out, err = self.process.communicate(timeout=timeout)
        return programs.Printed(out).error

    def run(self):
        return programs.run_job({**self.job, "trigger": {"availableNow": True}})


@pytest.mark.parametrize("trigger, mode", [({"continuous": "1000"}, "append"), ({"realTime": "5000"}, "update")])
def test_triggers_without_micro_batches(kafka, tmp_path, trigger, mode):
    topic = kafka.create_topic("unbatched")
    programs.produce(kafka, topic, ["1", "2"])
    with Copy(kafka, tmp_path / "c", subscribe=topic, trigger=trigger, mode=mode) as copy:
        copy.wait_for("1", "2", timeout=5)
        programs.produce(kafka, topic, ["3"])
        copy.wait_for("1", "2", "3", timeout=5)  # far sooner than the batch duration
        copy.stop()
    programs.produce(kafka, topic, ["4"])
    with Copy(kafka, tmp_path / "c", subscribe=topic, trigger=trigger, mode=mode) as copy:
        copy.wait_for("4")


def test_a_continuous_query_of_spark_goes_on(kafka, tmp_path):
    """Its offsets have no metadata; the last epoch was not committed, and may come twice."""
    topic = kafka.create_topic("epochs")
    programs.produce(kafka, topic, ["1", "2", "3", "4"])
    for log in ("offsets", "commits"):
        (tmp_path / log).mkdir()
    (tmp_path / "metadata").write_text('{"id":"7e6bd5f4-2f6e-4d4e-9d3f-0d6a3f1e2b11"}')
    for epoch, end in enumerate((0, 1, 3)):
        (tmp_path / "offsets" / str(epoch)).write_text('v1\n\n{"%s":{"0":%d}}' % (topic, end))
    for epoch in range(2):
        (tmp_path / "commits" / str(epoch)).write_text('v1\n{"nextBatchWatermarkMs":0}')
    with Copy(kafka, tmp_path, subscribe=topic, trigger={"continuous": "1000"}) as copy:
        copy.wait_for("2", "3", "4")


@pytest.mark.parametrize("query, operators", [
    ("SELECT CAST(count(*) AS STRING) AS value FROM input GROUP BY key",
     "org.apache.spark.sql.execution.aggregate.HashAggregateExec, "
     "org.apache.spark.sql.execution.exchange.ShuffleExchangeExec, "
     "org.apache.spark.sql.execution.streaming.operators.stateful.StateStoreRestoreExec, "
     "org.apache.spark.sql.execution.streaming.operators.stateful.StateStoreSaveExec are"),
    ("SELECT value FROM input CROSS JOIN range(2)", "org.apache.spark.sql.execution.joins.BroadcastNestedLoopJoinExec is"),
    ("SELECT max(CAST(value AS STRING)) AS value FROM input GROUP BY key",
     "org.apache.spark.sql.execution.SortExec, org.apache.spark.sql.execution.aggregate.SortAggregateExec, "
     "org.apache.spark.sql.execution.exchange.ShuffleExchangeExec, "
     "org.apache.spark.sql.execution.streaming.operators.stateful.StateStoreRestoreExec, "
     "org.apache.spark.sql.execution.streaming.operators.stateful.StateStoreSaveExec are"),
])
def test_operators_that_real_time_mode_does_not_take(kafka, tmp_path, query, operators):
    """The names are those that Spark 4.2 gave for these queries."""
    topic = kafka.create_topic("refused")
    with Copy(kafka, tmp_path / "c", query, subscribe=topic, trigger={"realTime": "5000"}, mode="update") as copy:
        assert f"The operator(s): {operators} not in the operator allowlist for Real-Time Mode." in copy.failed()


def test_a_pattern_finds_topics_that_come_later(kafka, tmp_path):
    first, second, other = (f"{name}-{time.time_ns()}" for name in ("patterned-a", "patterned-b", "elsewhere"))
    create(kafka, first)
    programs.produce(kafka, first, ["1"])
    with Copy(kafka, tmp_path / "c", subscribePattern="patterned-.*") as copy:
        copy.wait_for("1")
        create(kafka, other)
        create(kafka, second, partitions=2)
        programs.produce(kafka, other, ["x"])
        programs.produce(kafka, second, ["2"], 1)
        copy.wait_for("1", "2")
        ends = copy.stop().progress[-1]["sources"][0]["endOffset"]
    assert ends == {first: {"0": 1}, second: {"0": 0, "1": 1}}
    delete(kafka, first), delete(kafka, second)


def test_partitions_added_while_running_are_read_from_their_beginning(kafka, tmp_path):
    from confluent_kafka.admin import NewPartitions

    topic = kafka.create_topic("growing")
    programs.produce(kafka, topic, ["a"])
    # latest: what comes into a partition that did not exist at the start is new all the same
    with Copy(kafka, tmp_path / "c", subscribe=topic, startingOffsets="latest") as copy:
        programs.wait_until(lambda: (tmp_path / "c" / "sources" / "0" / "0").exists(), "the initial offsets")
        admin = admin_of(kafka)
        admin.create_partitions([NewPartitions(topic, 3)])[topic].result(timeout=30)
        programs.wait_until(lambda: len(admin_of(kafka).list_topics(topic, timeout=10).topics[topic].partitions) == 3,
                            "everybody to know of the new partitions")
        programs.produce(kafka, topic, ["b"], 2)
        programs.produce(kafka, topic, ["c"], 0)
        copy.wait_for("b", "c")


def test_transactions(kafka, tmp_path):
    """read_committed leaves out what was aborted, and what is still open ends no micro-batch; the default reads all."""
    from confluent_kafka import Producer

    topic = kafka.create_topic("transactional")

    def transaction(values, how):
        producer = Producer({"bootstrap.servers": kafka.servers, "transactional.id": f"{topic}-{how}-{values[0]}"})
        producer.init_transactions(30)
        producer.begin_transaction()
        for value in values:
            producer.produce(topic, value=value.encode(), partition=0)
        producer.flush()
        if how == "open":
            return producer
        producer.commit_transaction(30) if how == "commit" else producer.abort_transaction(30)

    transaction(["a1", "a2"], "commit")
    transaction(["lost1", "lost2"], "abort")
    transaction(["b"], "commit")
    committed = {"subscribe": topic, "kafka.isolation.level": "read_committed"}
    assert [row["value"] for row in read(kafka, **committed)] == ["a1", "a2", "b"]
    assert [row["offset"] for row in read(kafka, **committed)] == [0, 1, 6]
    assert [row["value"] for row in read(kafka, subscribe=topic)] == ["a1", "a2", "lost1", "lost2", "b"]

    # Split by size, some ranges hold nothing but aborted records and markers.
    copy = Copy(kafka, tmp_path / "c", maxOffsetsPerTrigger="2", **committed)
    printed = copy.run()
    assert printed.ends == ["ok"] and copy.values() == ["a1", "a2", "b"]
    assert [one["numInputRows"] for one in printed.progress] == [2, 0, 0, 1]
    assert printed.progress[-1]["sources"][0]["endOffset"] == {topic: {"0": 8}}

    running = transaction(["open"], "open")
    with copy:
        programs.produce(kafka, topic, ["after"])
        time.sleep(1.5)
        assert copy.values() == ["a1", "a2", "b"], "nothing behind an open transaction is visible"
        running.commit_transaction(30)
        copy.wait_for("a1", "a2", "b", "open", "after")


@pytest.fixture(scope="module")
def compacting(tmp_path_factory):
    """A broker whose log cleaner does not rest."""
    import os

    from conftest import Broker, free_port

    folder, port = tmp_path_factory.mktemp("compacting"), free_port()
    (folder / "more.properties").write_text("log.cleaner.backoff.ms=100\nlog.initial.task.delay.ms=100\n")
    environment = {**os.environ, "KAFKA_PORT": str(port), "KAFKA_CONTROLLER_PORT": str(free_port()),
                   "KAFKA_DIR": str(folder / "kafka"), "KAFKA_PROPERTIES": str(folder / "more.properties")}
    broker = Broker(f"localhost:{port}", environment)
    broker.run("start")
    yield broker
    broker.run("stop")


def test_gaps_of_a_compacted_topic(compacting, tmp_path):
    from confluent_kafka import Producer

    topic = f"compacted-{time.time_ns()}"
    create(compacting, topic, cleanup_policy="compact", segment_ms="100", min_cleanable_dirty_ratio="0.01",
           max_compaction_lag_ms="100")
    producer = Producer({"bootstrap.servers": compacting.servers})
    for i in range(100):
        producer.produce(topic, key=f"key-{i % 3}".encode(), value=str(i).encode(), partition=0)
    producer.flush()
    time.sleep(0.3)
    producer.produce(topic, key=b"last", value=b"100", partition=0)
    producer.flush()

    def offsets():
        return [row["offset"] for row in read(compacting, subscribe=topic)]

    programs.wait_until(lambda: offsets() == [97, 98, 99, 100], "the cleaner to leave one record a key", timeout=60)
    copy = Copy(compacting, tmp_path / "c", subscribe=topic, maxOffsetsPerTrigger="40", minPartitions="4")
    printed = copy.run()
    assert printed.ends == ["ok"] and sorted(copy.values(), key=int) == ["97", "98", "99", "100"]
    assert [one["numInputRows"] for one in printed.progress] == [0, 0, 4]


@pytest.mark.parametrize("fail", ["true", "false"])
def test_records_that_age_out_while_running(kafka, tmp_path, fail):
    from confluent_kafka import TopicPartition

    topic = kafka.create_topic("aging")
    programs.produce(kafka, topic, [str(i) for i in range(5)])
    copy = Copy(kafka, tmp_path / "c", subscribe=topic, failOnDataLoss=fail)
    assert copy.run().ends == ["ok"]
    programs.produce(kafka, topic, [str(i) for i in range(5, 20)])
    admin = admin_of(kafka)
    for done in admin.delete_records([TopicPartition(topic, 0, 12)]).values():
        done.result(timeout=30)
    printed = copy.run()
    if fail == "true":
        assert "Some data may have been lost" in printed.error and "[5, 20)" in printed.error, printed.error
        assert copy.values() == ["0", "1", "2", "3", "4"]
    else:
        assert printed.ends == ["ok"], printed.ends
        assert copy.values() == [*"01234"] + [str(i) for i in range(12, 20)]
        assert "may have been" in printed.log


@pytest.mark.parametrize("fail", ["true", "false"])
def test_a_topic_deleted_and_made_anew(kafka, tmp_path, fail):
    topic = f"reborn-{time.time_ns()}"
    create(kafka, topic)
    programs.produce(kafka, topic, ["a", "b", "c"])
    copy = Copy(kafka, tmp_path / "c", subscribe=topic, failOnDataLoss=fail)
    assert copy.run().ends == ["ok"]
    delete(kafka, topic)
    create(kafka, topic)
    programs.produce(kafka, topic, ["d"])
    printed = copy.run()
    if fail == "true":
        assert "offset was changed from" in printed.error, printed.error
        assert "3" in printed.error and "1" in printed.error
    else:
        # Spark goes on at the end there is now: the new topic's first record lies before the place it had come to.
        assert printed.ends == ["ok"], printed.ends
        programs.produce(kafka, topic, ["e"])
        assert copy.run().ends == ["ok"]
        assert copy.values()[:3] == ["a", "b", "c"] and copy.values()[-1] == "e"


def test_a_topic_deleted_under_a_running_query(kafka, tmp_path):
    topic = f"doomed-{time.time_ns()}"
    create(kafka, topic)
    programs.produce(kafka, topic, ["a"])
    with Copy(kafka, tmp_path / "c", subscribe=topic) as copy:
        copy.wait_for("a")
        delete(kafka, topic)
        assert topic in copy.failed()


def test_headers_keys_and_timestamps(kafka, tmp_path):
    from confluent_kafka import Producer

    topic = f"headers-{time.time_ns()}"
    create(kafka, topic, retention_ms="-1")  # the records are older than what brokers keep
    producer = Producer({"bootstrap.servers": kafka.servers})
    producer.produce(topic, key=b"k", value=b"v", timestamp=1_700_000_000_123, headers=[("a", b"1"), ("a", None), ("b", b"")])
    producer.produce(topic, value=None, timestamp=1_700_000_001_000)
    producer.flush()
    rows = read(kafka, "SELECT CAST(key AS STRING) key, CAST(value AS STRING) value, CAST(timestamp AS STRING) time, "
                       "timestampType, headers FROM input", subscribe=topic, includeHeaders="true")
    assert rows == [
        {"key": "k", "value": "v", "time": "2023-11-14 22:13:20.123", "timestampType": 0,
         "headers": [{"key": "a", "value": "MQ=="}, {"key": "a"}, {"key": "b", "value": ""}]},
        {"time": "2023-11-14 22:13:21", "timestampType": 0}]


def test_rows_go_where_their_columns_say(kafka, tmp_path):
    one, two = kafka.create_topic("one", partitions=3), kafka.create_topic("two")
    source = kafka.create_topic("rows")
    programs.produce(kafka, source, [json.dumps({"topic": one, "p": 2, "k": "x", "v": "1"}),
                                     json.dumps({"topic": two, "k": None, "v": None}),
                                     json.dumps({"topic": one, "p": 0, "v": "3"})])
    query = (f"SELECT row.topic AS topic, row.p AS partition, row.k AS key, row.v AS value, array(named_struct('key', 'from', "
             f"'value', CAST('test' AS BINARY))) AS headers FROM (SELECT from_json(CAST(value AS STRING), "
             f"'topic STRING, p INT, k STRING, v STRING') AS row FROM input)")
    copy = Copy(kafka, tmp_path / "c", query=query, subscribe=source)
    del copy.job["sinkOptions"]["topic"]
    printed = copy.run()
    assert printed.ends == ["ok"], printed.ends
    columns = "SELECT partition, CAST(key AS STRING) key, CAST(value AS STRING) value, size(headers) n FROM input"
    assert read(kafka, columns, subscribe=one, includeHeaders="true") == [{"partition": 0, "value": "3", "n": 1},
                                                                          {"partition": 2, "key": "x", "value": "1", "n": 1}]
    assert read(kafka, columns, subscribe=two, includeHeaders="true") == [{"partition": 0, "n": 1}]


def test_java_and_we_put_keys_into_the_same_partitions(kafka, tmp_path):
    ours, theirs = kafka.create_topic("ours", partitions=7), kafka.create_topic("theirs", partitions=7)
    keys = [f"key {i}" for i in range(50)]
    kafka.run("produce", theirs, "--property", "parse.key=true", "--property", "key.separator=|",
              input="".join(f"{key}|v\n" for key in keys))
    source = kafka.create_topic("keys")
    programs.produce(kafka, source, keys)
    assert Copy(kafka, tmp_path / "c", query="SELECT value AS key, 'v' AS value FROM input", target=ours,
                subscribe=source).run().ends == ["ok"]
    placed = "SELECT partition, CAST(key AS STRING) key FROM input ORDER BY key"
    assert read(kafka, placed, subscribe=ours) == read(kafka, placed, subscribe=theirs)


def test_limits(kafka, tmp_path):
    topic = kafka.create_topic("limited", partitions=2)
    programs.produce(kafka, topic, ["a"] * 4, 0)
    # minOffsetsPerTrigger holds a micro-batch back until so much is there, or maxTriggerDelay is over.
    with Copy(kafka, tmp_path / "c", subscribe=topic, minOffsetsPerTrigger="3", maxTriggerDelay="3s") as copy:
        copy.wait_for(*"aaaa")
        programs.produce(kafka, topic, ["b"], 1)
        time.sleep(1)
        assert sorted(copy.values()) == [*"aaaa"]
        programs.produce(kafka, topic, ["b"] * 2, 1)
        copy.wait_for(*"aaaabbb", timeout=2)
        programs.produce(kafka, topic, ["c"], 1)
        copy.wait_for(*"aaaabbbc", timeout=6)
        # A record can be read before the micro-batch that wrote it is committed.
        programs.wait_until(lambda: len(programs.log_ids(tmp_path / "c" / "commits")) == 3, "the third commit")
    assert programs.log_ids(tmp_path / "c" / "commits") == [0, 1, 2]


def test_min_partitions_make_tasks(kafka):
    topic = kafka.create_topic("split", partitions=2)
    programs.produce(kafka, topic, [str(i) for i in range(30)], 0)
    programs.produce(kafka, topic, [str(i) for i in range(10)], 1)

    def tasks(**options):
        rows = read(kafka, "SELECT partition, offset, spark_partition_id() AS task FROM input", subscribe=topic, **options)
        assert len(rows) == 40
        sizes = {}
        for row in rows:
            sizes.setdefault(row["task"], []).append((row["partition"], row["offset"]))
        return [(rows[0][0], len(rows)) for _, rows in sorted(sizes.items())]

    assert sorted(tasks()) == [(0, 30), (1, 10)]
    assert sorted(tasks(minPartitions="4")) == [(0, 10), (0, 10), (0, 10), (1, 10)]
    # A batch looks at it only where minPartitions has ranges split.
    assert sorted(tasks(maxRecordsPerPartition="8")) == [(0, 30), (1, 10)]
    assert sorted(tasks(minPartitions="3", maxRecordsPerPartition="8")) == [(0, 7), (0, 7), (0, 8), (0, 8), (1, 5), (1, 5)]


def test_starting_and_ending_by_timestamp(kafka):
    from confluent_kafka import Producer

    topic = f"timed-{time.time_ns()}"
    create(kafka, topic, partitions=2, retention_ms="-1")  # the records are older than what brokers keep
    producer = Producer({"bootstrap.servers": kafka.servers})
    for i in range(10):
        producer.produce(topic, value=str(i).encode(), partition=i % 2, timestamp=1_700_000_000_000 + i * 1000)
    producer.flush()

    def values(**options):
        return sorted(int(row["value"]) for row in read(kafka, subscribe=topic, **options))

    assert values(startingTimestamp="1700000004000") == [4, 5, 6, 7, 8, 9]
    assert values(startingTimestamp="1700000003500", endingTimestamp="1700000007000") == [4, 5, 6]
    by_partition = {"startingOffsetsByTimestamp": json.dumps({topic: {"0": 1_700_000_008_000, "1": 1_700_000_000_000}}),
                    "endingOffsetsByTimestamp": json.dumps({topic: {"0": 1_800_000_000_000, "1": 1_700_000_005_000}})}
    assert values(**by_partition) == [1, 3, 8]
    assert values(startingTimestamp="1800000000000", startingOffsetsByTimestampStrategy="latest") == []
    assert values(startingOffsets=json.dumps({topic: {"0": 3, "1": -2}}),
                  endingOffsets=json.dumps({topic: {"0": -1, "1": 2}})) == [1, 3, 6, 8]


ODD = [b"", b"{", b'{"event_id":"1","visit_id":"x","page":3}', b"\xff\xfe", b'{"event_id":"\xc3\x28","visit_id":2}', b"[1]",
       b"null", b'"text"', b"12", b'{"visit_id":99999999999999999999}', b'{"event_id":{"a":1},"visit_id":3.7}',
       b'{"event_id":"5","event_id":"6","visit_id":5}', b'{"event_time":"no time","visit_id":8}', None,
       b'{"visit_id":9} trailing', b'{"event_id":"a\\u0000b","page":"\\ud83d\\ude00","visit_id":10}',
       b'\xef\xbb\xbf{"visit_id":11}', b"{'event_id':'single','visit_id':12}", b'{"VISIT_ID":13}', b'{"visit_id":14,}',
       b'{"page":NaN,"visit_id":15}', b'{"page":"' + b"x" * 100_000 + b'","visit_id":16}']


def odd_records(kafka, topic):
    programs.produce(kafka, topic, ODD)


ODD_QUERY = ("SELECT to_json(struct(offset, v.*)) AS value FROM (SELECT offset, from_json(CAST(value AS STRING), "
             "'event_id STRING, visit_id LONG, event_time TIMESTAMP, page STRING, _corrupt_record STRING', "
             "map('columnNameOfCorruptRecord', '_corrupt_record')) AS v FROM input)")


def test_odd_records_become_nulls_as_in_spark(kafka, tmp_path):
    """What real Spark 4.2 writes for each of them stands in tests/data/odd-records/converted.jsonl."""
    from conftest import ROOT

    topic = kafka.create_topic("odd")
    odd_records(kafka, topic)
    copy = Copy(kafka, tmp_path / "c", query=ODD_QUERY, subscribe=topic)
    assert copy.run().ends == ["ok"]
    expected = (ROOT / "tests" / "data" / "odd-records" / "converted.jsonl").read_bytes().splitlines()
    assert [value for _, _, value in programs.consume(kafka, copy.target)] == expected


def test_failfast_ends_the_query(kafka, tmp_path):
    topic = kafka.create_topic("failfast")
    programs.produce(kafka, topic, ['{"a":1}', "{broken", '{"a":2}'])
    copy = Copy(kafka, tmp_path / "c", subscribe=topic,
                query="SELECT to_json(from_json(CAST(value AS STRING), 'a INT', map('mode', 'FAILFAST'))) AS value FROM input")
    message = copy.run().error
    assert "MALFORMED_RECORD_IN_PARSING" in message, message
    assert programs.log_ids(tmp_path / "c" / "commits") == []


def test_records_of_every_compression_are_read_and_written(kafka, tmp_path):
    from confluent_kafka import Producer

    source = kafka.create_topic("compressed")
    codecs = ("none", "gzip", "snappy", "lz4", "zstd")
    for codec in codecs:
        producer = Producer({"bootstrap.servers": kafka.servers, "compression.type": codec, "linger.ms": 100})
        for number in range(100):
            producer.produce(source, value=f"{codec} {number} {'x' * 100}".encode())
        assert producer.flush(30) == 0
    sent = [value for _, _, value in programs.consume(kafka, source)]
    assert len(sent) == 500
    for codec in codecs:
        copy = Copy(kafka, tmp_path / codec, subscribe=source)
        copy.job["sinkOptions"]["kafka.compression.type"] = codec
        assert copy.run().ends == ["ok"]
        assert [value for _, _, value in programs.consume(kafka, copy.target)] == sent


def test_times_of_the_broker(kafka, tmp_path):
    topic = f"log-append-{time.time_ns()}"
    create(kafka, topic, message_timestamp_type="LogAppendTime")
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": kafka.servers})
    producer.produce(topic, value=b"v", timestamp=1000)
    producer.flush()
    assert read(kafka, "SELECT timestampType, timestamp > TIMESTAMP'2020-01-01 00:00:00' AS recent FROM input", subscribe=topic) == [
        {"timestampType": 1, "recent": True}]


def test_limits_of_a_fetch_that_java_takes(kafka, tmp_path):
    """A record beyond them comes all the same; ours must not be refused either."""
    source = kafka.create_topic("fetched")
    programs.produce(kafka, source, ["x" * 900_000, "y"])
    for limits in ({"kafka.fetch.max.bytes": "2000", "kafka.max.partition.fetch.bytes": "1000"},
                   {"kafka.fetch.max.bytes": "2147483647", "kafka.max.partition.fetch.bytes": "2147483647"},
                   {"kafka.request.timeout.ms": "900000", "kafka.fetch.max.wait.ms": "600000"}):
        rows = read(kafka, "SELECT length(value) AS size FROM input", subscribe=source, **limits)
        assert sorted(row["size"] for row in rows) == [1, 900_000]
