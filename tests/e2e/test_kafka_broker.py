"""The broker of ./run kafka behaves as tests expect: records come back with key, headers and timestamp."""

from confluent_kafka import Consumer, Producer, TopicPartition


def test_records_come_back(kafka):
    topic = kafka.create_topic(partitions=2)
    producer = Producer({"bootstrap.servers": kafka.servers})
    producer.produce(topic, key=b"k", value=b"v", partition=1, timestamp=1700000000000, headers=[("h", b"1")])
    assert producer.flush(30) == 0

    consumer = Consumer({"bootstrap.servers": kafka.servers, "group.id": topic})
    consumer.assign([TopicPartition(topic, 1, 0)])
    record = consumer.poll(30)
    consumer.close()
    assert record is not None and record.error() is None
    assert (record.key(), record.value(), record.partition(), record.offset()) == (b"k", b"v", 1, 0)
    assert record.timestamp()[1] == 1700000000000
    assert record.headers() == [("h", b"1")]


def test_console_tools_reach_it(kafka):
    topic = kafka.create_topic()
    kafka.run("produce", topic, input="one\ntwo\n")
    assert kafka.run("offsets", topic, capture_output=True).stdout.strip() == f"{topic}:0:2"
