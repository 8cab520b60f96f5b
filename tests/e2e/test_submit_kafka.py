"""What load() of a Kafka source refuses, before any broker is asked. Recorded from Spark."""

from test_submit import submit  # noqa: F401, a fixture

REFUSED = """
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
B, S = {"kafka.bootstrap.servers": "localhost:1"}, {"subscribe": "a"}
for options in ({**B, **S, "assign": '{"a":[0]}'}, B, {**B, "subscribe": ""}, S,
                {**B, **S, "minOffsetsPerTrigger": "5", "maxOffsetsPerTrigger": "2"}, {**B, **S, "minPartitions": "0"},
                {**B, **S, "endingOffsets": "latest"}, {**B, **S, "kafka.enable.auto.commit": "true"},
                {**B, **S, "kafka.interceptor.classes": "x"}, {**B, **S, "startingOffsets": "{"},
                {**B, "assign": '{"a":0}'}, {**B, "subscribePattern": "[a"}):
    try:
        print(spark.readStream.format("kafka").options(**options).load().columns[0])
    except Exception as error:
        print(type(error).__name__, str(error).split(" JVM")[0].strip())
for options in ({"startingOffsets": "latest"}, {"endingOffsets": "earliest"}, {"endingOffsets": '{"a":{"0":-2}}'},
                {"startingOffsets": '{"a":{"0":4}}', "endingOffsets": '{"a":{"0":2}}'}):
    try:
        print(spark.read.format("kafka").options(**B, **S, **options).load().columns[0])
    except Exception as error:
        print(type(error).__name__, str(error).split(" JVM")[0].strip())
try:
    spark.readStream.format("kafka").options(**B, **S).schema("a INT").load()
except Exception as error:
    print(type(error).__name__, str(error).split(" JVM")[0].strip())
"""


def test_options_that_load_refuses(submit):
    job = submit(REFUSED)
    assert job.returncode == 0, job.err
    strategies = "of the following options {} be specified for Kafka source: subscribe, subscribepattern, assign. See the docs for more details."
    assert job.out.splitlines() == ["IllegalArgumentException " + text if text != "key" else text for text in (
        "Only one " + strategies.format("can"), "One " + strategies.format("must"),
        "No topics to subscribe to as specified value for option 'subscribe' is ''",
        "Option 'kafka.bootstrap.servers' must be specified for configuring Kafka consumer",
        "The value of minOffsetPerTrigger(5) is higher than the maxOffsetsPerTrigger(2).", "minPartitions must be positive",
        "ending offset not valid in streaming queries", "Kafka option 'enable.auto.commit' is not supported",
        "Kafka option 'interceptor.classes' is not supported", "key", "key", "key",
        "starting offset can't be latest for batch queries on Kafka", "ending offset can't be earliest for batch queries on Kafka",
        "ending offset for a-0 can't be earliest for batch queries on Kafka",
        "The specified start offset 4 is greater than the end offset 2 for topic a partition 0.",
        "requirement failed: Kafka source has a fixed schema and cannot be set with a custom one")]

SINK = """
import os

from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
rows = spark.readStream.schema("n INT").json("in")
for number, (query, options) in enumerate((("n AS value", {"topic": "t"}), ("CAST(n AS STRING) AS key", {"topic": "t"}),
                                           ("CAST(n AS STRING) AS value", {}))):
    writer = rows.selectExpr(query).writeStream.format("kafka").options(**options).option("checkpointLocation", f"c{number}")
    query = writer.option("kafka.bootstrap.servers", "localhost:1").trigger(availableNow=True).start()
    try:
        query.awaitTermination()
    except Exception as error:
        print(type(error).__name__, str(error).split("with exception: ")[1].split(" JVM")[0].strip())
    print(os.path.basename(max(name for name in os.listdir(f"c{number}/offsets") if not name.startswith("."))), os.path.exists(f"c{number}/commits/0"))
"""


def test_columns_that_the_first_micro_batch_refuses(submit):
    (submit.work / "in").mkdir(parents=True)
    (submit.work / "in" / "a.json").write_text('{"n": 1}\n')
    job = submit(SINK)
    assert job.returncode == 0, job.err
    assert job.out.splitlines() == [
        "StreamingQueryException value attribute unsupported type int. value must be a(n) string or binary SQLSTATE: XXKST",
        "0 False", "StreamingQueryException Required attribute 'value' not found SQLSTATE: XXKST", "0 False",
        "StreamingQueryException topic option required when no 'topic' attribute is present. Use the topic option for setting "
        "a topic. SQLSTATE: XXKST", "0 False"]
