"""Streams whose functions keep state: what comes out, what the progress says and what lies in the checkpoint, as on real Spark.

arbitrary_state/stream.py runs the cases; record.py recorded them on real Spark.
"""

import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FOLDER = pathlib.Path(__file__).resolve().parent / "arbitrary_state"
sys.path.insert(0, str(FOLDER))

import state_cases as cases  # noqa: E402

EXPECTED = json.loads((FOLDER / "expected.json").read_text())
# Empty unless the run asked for peers (tools/test.py).
PEERS = pathlib.Path(os.environ.get("MILLRACE_PEERS_DIR") or "/nonexistent")
# Spark says of an init() that fails no more than that its worker "exited unexpectedly (crashed)".
SAYS_MORE = {"variable_of_the_same_name": "STATEFUL_PROCESSOR_DUPLICATE_STATE_VARIABLE_DEFINED"}
TURNS = ["count", "count_in_rocksdb", "remove", "two_keys", "state_types", "event_time_timeout",
         "event_time_timeout_in_rocksdb", "timeout_without_state", "value_state", "list_state", "map_state",
         "event_time_timers", "two_grouping_keys", "initial_state"]


def run(engine, folder, first, last, *names):
    """Rounds `first` to `last` of the cases on one of the engines."""
    command = ([os.environ.get("MILLRACE_BINARY", ROOT / "build/release/millrace"), "submit"] if engine == "millrace"
               else [PEERS / "venv/bin/python"])
    done = subprocess.run([*command, FOLDER / "stream.py", folder, str(first), str(last), *names], text=True, cwd=folder,
                          capture_output=True, timeout=600, env={**os.environ, "PYSPARK_PYTHON": sys.executable
                                                                 if engine == "millrace" else str(PEERS / "venv/bin/python"),
                                                                 "TZ": "UTC", "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1"})
    assert done.returncode == 0, done.stderr[-3000:]


def outcome(folder, name, number):
    return json.loads((folder / name / f"outcome-{number}.json").read_text())


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    binary = pathlib.Path(os.environ.get("MILLRACE_BINARY", ROOT / "build/release/millrace"))
    if not binary.exists():
        pytest.skip(f"{binary} is not built")
    folder = tmp_path_factory.mktemp("arbitrary-state")
    run("millrace", folder, 0, "end", *sorted(EXPECTED))
    return folder


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_case(ran, name):
    if name in SAYS_MORE:
        assert SAYS_MORE[name] in json.dumps(outcome(ran, name, 0)["error"])
        return
    for number, expected in enumerate(EXPECTED[name]):
        got = outcome(ran, name, number)
        if cases.CASES[name].awaits is not None:  # when it was stopped is chance, and so what its last micro-batch left
            got, expected = got["batches"], expected["batches"]
        assert got == expected, f"round {number}"


@pytest.mark.skipif(not (PEERS / "venv" / "bin" / "python").exists(),
                    reason="real Spark is not installed: ./run test --peers brings it")
@pytest.mark.parametrize("first", ["millrace", "spark"])
def test_the_engines_take_turns(tmp_path, first):
    """Each round runs on the other engine, from the state that the one before left."""
    order = ["millrace", "spark"] if first == "millrace" else ["spark", "millrace"]
    for number in range(3):
        run(order[number % 2], tmp_path, number, number + 1, *TURNS)
    for name in TURNS:
        for number, expected in enumerate(EXPECTED[name]):
            got = outcome(tmp_path, name, number)
            assert (got["batches"], got.get("state")) == (expected["batches"], expected.get("state")), (name, number)
