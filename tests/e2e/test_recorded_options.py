"""Every option of sources, sinks and triggers as real Spark answered it (tests/data/{kafka,stream}-options/answers.jsonl)."""

import json
import os
import re

import pytest

import programs
from conftest import ROOT

DATA = ROOT / "tests" / "data"


def answers(name):
    return [json.loads(line) for line in (DATA / name / "answers.jsonl").read_text().splitlines()]


# Where Millrace says something else than Spark, and why. By the message Spark gives.
SAID_OTHERWISE = {
    # Java's regular expression compiler speaks in Spark.
    "Unclosed group near index 1": "subscribePattern",
    # The Java client's words; ours name the topic.
    "This server does not host this topic-partition.": "no-such-topic",
    # Java's classes that parse numbers and booleans; Millrace names the option.
    'For input string: "x"': r'For input string: "x"|\bx\b',
    'For input string: "maybe"': r'For input string: "maybe"|maybe',
    # Spark's own message is empty here, the explanation stands in its cause.
    "": "auto.offset.reset",
    # The Java client checks settings Millrace has no use for, or words it otherwise.
    "Invalid value x for configuration max.poll.records: Not a number of type INT": None,
    "Invalid value 7 for configuration acks: String must be one of: all, -1, 0, 1": "acks",
    # Which of two partitions is named first is a matter of hashing there.
    "No offset matched from request of topic-partition numbers-1 and timestamp 99999999999999.": "topic-partition numbers-[01]",
    "Partition 99 of topic out with partition count 1 is not present in metadata after 60000 ms.": "99 of topic",
}


def expected_words(error):
    """A pattern for what the message must say; None when Millrace need not fail."""
    message = error["message"]
    if message in SAID_OTHERWISE:
        return SAID_OTHERWISE[message]
    return re.escape(message.split("\n")[0].rstrip(";"))


def disagreement(answer, end, found):
    """What differs between Spark's answer and ours, or None. `found` maps a key of the answer to our value."""
    if "error" in answer:
        words = expected_words(answer["error"])
        if words is None:
            return None
        if end == "ok":
            return f"no error, Spark says {answer['error']['message']!r}"
        if not re.search(words, end["message"]):
            return f"says {end['message']!r}, Spark {answer['error']['message']!r}"
        condition = answer["error"]["condition"]
        # What ends a query hides the cause's condition, which the messages of the Kafka connector do not show.
        hidden = end["condition"] == "STREAM_FAILED" and (condition or "").startswith(("KAFKA_", "MISSING_KAFKA_"))
        if condition and not hidden and not condition.startswith("_LEGACY") and condition not in end["condition"] + end["message"]:
            return f"condition {end['condition']!r}, Spark {condition!r}"
        return None
    if end != "ok":
        return f"fails: {end['message']!r}"
    for key, value in found.items():
        if key in answer and answer[key] != value:
            return f"{key} is {value!r}, Spark's {answer[key]!r}"
    return None


@pytest.fixture(scope="module")
def numbers(kafka):
    """The topic the questions were asked about: 7 and 6 records in 2 partitions. And `out` for the writes."""
    from confluent_kafka.admin import AdminClient, NewTopic

    admin = AdminClient({"bootstrap.servers": kafka.servers})
    for done in admin.create_topics([NewTopic("numbers", 2, 1), NewTopic("out", 1, 1)]).values():
        done.result(timeout=30)
    programs.produce(kafka, "numbers", [str(i) for i in range(7)], 0)
    programs.produce(kafka, "numbers", [str(i) for i in range(6)], 1)
    return kafka.servers


def kafka_options(answer, servers):
    options = {"kafka.bootstrap.servers": servers, **answer["options"]}
    return {key: value for key, value in options.items() if value is not None}


def test_kafka_batch_reads(numbers):
    asked = [answer for answer in answers("kafka-options") if answer["how"] == "batch"]
    wrong = []
    for answer in asked:
        printed = programs.run_job({"source": "kafka", "sourceOptions": kafka_options(answer, numbers),
                                    "query": "SELECT partition, offset FROM input"})
        rows = sorted([row["partition"], row["offset"]] for row in printed.rows)
        if difference := disagreement(answer, printed.ends[0], {"rows": rows}):
            wrong.append(f"{answer['options']}: {difference}")
    assert not wrong, "\n".join(wrong)
    assert len(asked) == 52


def test_kafka_streams(numbers, tmp_path):
    asked = [answer for answer in answers("kafka-options") if answer["how"] == "stream"]
    wrong = []
    for i, answer in enumerate(asked):
        printed = programs.run_job({"source": "kafka", "sourceOptions": kafka_options(answer, numbers), "sink": "noop",
                                    "sinkOptions": {"checkpointLocation": str(tmp_path / str(i))},
                                    "trigger": {"availableNow": True}})
        batches = [[one["batchId"], one["numInputRows"]] for one in printed.progress if "addBatch" in one["durationMs"]]
        end = printed.progress[-1]["sources"][0]["endOffset"] if printed.progress else None
        if "batches" in answer:
            answer = {**answer, "batches": [[number, len(rows)] for number, rows in answer["batches"]]}
        if difference := disagreement(answer, printed.ends[0], {"batches": batches, "endOffset": end}):
            wrong.append(f"{answer['options']}: {difference}")
    assert not wrong, "\n".join(wrong)
    assert len(asked) > 45


# The answers that are errors do not say what was asked: the queries, by a part of the message.
ASKED = {
    "Required attribute 'value'": "SELECT 'k' AS key",
    "topic option required": "SELECT 'v' AS value",
    "null topic": "SELECT 'v' AS value, CAST(NULL AS STRING) AS topic",
    "topic attribute": "SELECT 'v' AS value, 1 AS topic",
    "value attribute": "SELECT 1 AS value",
    "key attribute": "SELECT 'v' AS value, 1 AS key",
    "partition attribute": "SELECT 'v' AS value, 1L AS partition",
    "Partition 99": "SELECT 'v' AS value, 99 AS partition",
    "headers attribute": "SELECT 'v' AS value, 'h' AS headers",
}


def test_kafka_writes(numbers):
    wrong = []
    asked = [answer for answer in answers("kafka-options") if answer["how"] == "write"]
    for answer in asked:
        message = answer.get("error", {}).get("message", "")
        query = answer.get("select") or next((ASKED[part] for part in ASKED if part in message), "SELECT 'v' AS value")
        # Spark waits a minute for a partition that is not there, and then says so; the test need not.
        options = {**kafka_options(answer, numbers), "kafka.max.block.ms": "3000"}
        printed = programs.run_job({"source": "rate-micro-batch", "stream": False, "source": "text", "load": __file__,
                                    "query": f"{query} FROM (SELECT * FROM input LIMIT 1)", "sink": "kafka",
                                    "sinkOptions": options, "mode": "append"})
        if difference := disagreement(answer, printed.ends[0], {}):
            wrong.append(f"{answer['options']} {query}: {difference}")
    assert not wrong, "\n".join(wrong)
    assert len(asked) == 22


# Not asked again here: text of triggers (the C++ API takes a duration), continuous and real-time triggers, and what is no job.
def askable(answer):
    trigger = answer.get("trigger", {})
    interval = trigger.get("processingTime", "1 second")
    return ("what" not in answer and not {"continuous", "realTime"} & set(trigger) and
            re.fullmatch(r"\d+ seconds?", interval) and answer.get("queryName") != "dup")


def plain_sink(description):
    """Without identity hashes, packages (the recorded answers leave noop's out) and the names of output folders."""
    return re.sub(r"/(o|out-)\d+\]$|@[0-9a-f]+$", "", description).split("datasources.noop.")[-1].rstrip("$")


def test_streams(tmp_path):
    folder = tmp_path / "DATA"
    (folder / "in").mkdir(parents=True)
    (folder / "empty").mkdir()
    (folder / "in" / "a.json").write_text('{"id":1,"k":"a"}\n{"id":2,"k":"b"}\n')
    (folder / "in" / "b.json").write_text('{"id":3,"k":"a"}\n')
    (folder / "in" / "_hidden.json").write_text('{"id":9,"k":"x"}\n')
    os.utime(folder / "in" / "a.json", (1_700_000_000, 1_700_000_000))
    os.utime(folder / "in" / "b.json", (1_700_000_000, 1_700_000_000))  # as old as the other, as in the recorded run
    wrong = []
    asked = [answer for answer in answers("stream-options") if askable(answer)]
    for i, answer in enumerate(asked):
        text = re.sub(r"DATA(?=[/\"])", str(folder), json.dumps(answer))
        answer = json.loads(text)
        job = {key: answer[key] for key in ("source", "sourceOptions", "schema", "load", "query", "sink", "sinkOptions",
                                            "mode", "queryName", "partitionBy", "conf") if key in answer}
        options = dict(job.get("sinkOptions", {}))
        if answer["sink"] not in ("memory", "console") and answer.get("checkpoint") != "none given":
            options.setdefault("checkpointLocation", str(tmp_path / "checkpoint" / str(i)))
        job["sinkOptions"] = options
        if answer["sink"] in ("json", "csv", "text") and "'path' is not specified" not in text:
            job["save"] = str(folder / f"out-{i}")
        trigger = answer.get("trigger")
        clock_driven = answer["source"].startswith("rate")
        if trigger and "processingTime" in trigger:
            trigger = {"processingTime": str(int(trigger["processingTime"].split()[0]) * 1000)}
            if trigger["processingTime"] == "0" or clock_driven:
                continue  # a stream that does not end by itself
        if trigger:
            job["trigger"] = trigger
        printed = programs.run_job(job)
        batches = [[one["batchId"], one["numInputRows"]] for one in printed.progress if "addBatch" in one["durationMs"]]
        found = {"schemaOut": printed.schema[0] if printed.schema and "query" not in answer else answer.get("schemaOut"),
                 "batches": batches}
        if clock_driven:
            found.pop("batches")
        if printed.progress and "sourceDescription" in answer:
            source, sink = printed.progress[-1]["sources"][0], printed.progress[-1]["sink"]
            found["sourceDescription"] = source["description"]
            found["sourceEnd"] = source["endOffset"]
            found["sinkDescription"] = plain_sink(sink["description"])
            answer["sinkDescription"] = plain_sink(answer["sinkDescription"])
        if difference := disagreement(answer, printed.ends[0], found):
            wrong.append(f"{job}: {difference}")
    assert not wrong, "\n".join(wrong)
    assert len(asked) > 60
