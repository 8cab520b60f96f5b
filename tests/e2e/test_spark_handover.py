"""One checkpoint, two engines in turn: real Spark goes on where Millrace stopped, and the other way round."""

import json
import os
import pathlib
import subprocess

import pytest

import programs
from conftest import ROOT

# Empty unless the run asked for peers (tools/test.py).
PEERS = pathlib.Path(os.environ.get("MILLRACE_PEERS_DIR") or "/nonexistent")
pytestmark = pytest.mark.skipif(not (PEERS / "venv" / "bin" / "python").exists(),
                                reason="real Spark is not installed: ./run test --peers brings it")

# Java that is to end soon compiles little.
QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


def spark(*arguments, job="visits_converter"):
    """The same job on real Spark (bench/jobs), to its end."""
    done = subprocess.run([PEERS / "venv/bin/python", ROOT / f"bench/jobs/{job}.py", *map(str, arguments)],
                          env={**os.environ, "MILLRACE_PEERS": str(PEERS), "TZ": "Europe/Paris", "JDK_JAVA_OPTIONS": QUICK}, capture_output=True,
                          text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]


def click(number):
    return json.dumps({"event_id": f"click-{number}", "visit_id": number, "event_time": "2025-09-04T07:00:00.123456",
                       "page": f"page {number % 7}"})


@pytest.mark.parametrize("first", ["millrace", "spark"])
def test_the_engines_take_turns_without_loss_or_repeat(kafka, tmp_path, first):
    source, target = kafka.create_topic("visits", partitions=2), kafka.create_topic("out")
    arguments = (kafka.servers, tmp_path / "checkpoint", source, target, "available-now")
    turns = {"millrace": lambda: programs.run("visits_converter", *arguments), "spark": lambda: spark(*arguments)}
    order = ["millrace", "spark"] * 2 if first == "millrace" else ["spark", "millrace"] * 2
    sent, texts = 0, {}
    for engine in order:
        for partition in (0, 1):
            programs.produce(kafka, source, [click(i) for i in range(sent, sent + 5)], partition)
            sent += 5
        turns[engine]()
        values = [value.decode() for _, _, value in programs.consume(kafka, target)]
        texts[engine] = values[-1]
        assert sorted(json.loads(value)["visit_identifier"] for value in values) == list(range(sent))
    shape = [sorted(json.loads(text)) for text in texts.values()]
    assert shape[0] == shape[1]


def visit(number, minute, page):
    return json.dumps({"event_id": f"v-{number}", "visit_id": number, "event_time": f"2025-09-04T07:{minute:02}:00Z",
                       "page": page})


@pytest.mark.parametrize("first", ["millrace", "spark"])
@pytest.mark.parametrize("what", ["count", "deduplicate"])
def test_state_goes_from_one_engine_to_the_other(kafka, tmp_path, first, what):
    """Windowed counts go on where the other engine left them; what it let through is not let through again."""
    source, target = kafka.create_topic("visits", partitions=2), kafka.create_topic("out")
    arguments = (kafka.servers, tmp_path / "checkpoint", source, target, what, "available-now", "", "3")
    turns = {"millrace": lambda: programs.run("visits_statistics", *arguments),
             "spark": lambda: spark(*arguments, job="visits_statistics")}
    order = ["millrace", "spark"] * 2 if first == "millrace" else ["spark", "millrace"] * 2
    counted, unique = {}, set()
    for turn, engine in enumerate(order):
        for number in range(12):
            # Half of what was seen before comes again; nothing is late.
            seen = max(0, turn * 6 + number - 6)
            page = f"page {seen % 5}"
            programs.produce(kafka, source, [visit(seen, seen % 4, page)], number % 2)
            window = ("2025-09-04T07:00:00", page)
            counted[window] = counted.get(window, 0) + 1
            unique.add(seen)
        turns[engine]()
        values = [json.loads(value) for _, _, value in programs.consume(kafka, target)]
        if what == "deduplicate":
            assert sorted(value["visit_id"] for value in values) == sorted(unique), engine
        else:
            latest = {}
            for value in values:
                key = value["page"]
                latest[key] = max(latest.get(key, 0), value["count"])
            assert latest == {page: n for (_, page), n in counted.items()}, engine


@pytest.mark.parametrize("first", ["millrace", "spark"])
def test_the_state_of_a_join_is_handed_over(kafka, tmp_path, first):
    """Visits wait in state over each hand-over: their ads come when the other engine runs, or never do."""
    topics = [kafka.create_topic(name) for name in ("visits", "ads", "out")]
    arguments = (kafka.servers, tmp_path / "checkpoint", *topics, "available-now")
    turns = {"millrace": lambda: programs.run("dynamic_joiner", *arguments),
             "spark": lambda: spark(*arguments, job="dynamic_joiner")}
    order = ["millrace", "spark"] * 2 if first == "millrace" else ["spark", "millrace"] * 2
    turns[order[0]]()  # fixes where the topics begin
    expected = {}
    for number, engine in enumerate(order):
        hour = 8 + number
        visits = [json.dumps({"visit_id": f"v{hour}-{i}", "event_time": f"2024-01-01T{hour:02d}:{i:02d}:00.000+00:00",
                              "page": f"p{hour}-{i}"}) for i in range(6)]
        # Ads of the round before have their visits in the state that the other engine left.
        ads = [json.dumps({"page": f"p{hour}-{i}", "display_time": f"2024-01-01T{hour:02d}:{i:02d}:30.000+00:00",
                           "campaign_name": f"c{hour}-{i}"}) for i in (0, 2)]
        programs.produce(kafka, topics[0], visits)
        turns[engine]()
        programs.produce(kafka, topics[1], ads)
        turns[order[(number + 1) % len(order)]]()
        expected |= {f"v{hour}-{i}": f"c{hour}-{i}" if i in (0, 2) else None for i in range(6)}
    for topic, column, name in ((0, "event_time", "visit_id"), (1, "display_time", "campaign_name")):
        programs.produce(kafka, topics[topic], [json.dumps({column: "2024-01-01T23:00:00.000+00:00", name: "end", "page": "e"})])
    for engine in order[:2]:
        turns[engine]()
    rows = [json.loads(value) for _, _, value in programs.consume(kafka, topics[2])]
    found = {row["visit_id"]: row.get("campaign_name") for row in rows if row["visit_id"] != "end"}
    assert len(rows) - sum(row["visit_id"] == "end" for row in rows) == len(found)
    assert found == expected
