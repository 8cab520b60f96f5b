"""State in RocksDB, from one engine to the other: aggregation, deduplication, join and sessions.

record.py kept checkpoints that real Spark left after three rounds of job.py, and what it printed in the third and fourth.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
MILLRACE = pathlib.Path(os.environ.get("MILLRACE_BINARY") or ROOT / "build/release/millrace")
PEERS = pathlib.Path(os.environ.get("MILLRACE_PEERS_DIR") or "/nonexistent")
CASES = sorted(path.stem for path in HERE.glob("*.jsonl"))


def run(command, *arguments, **environment):
    done = subprocess.run([*map(str, command), HERE / "job.py", *map(str, arguments)], capture_output=True, text=True,
                          timeout=300, env={**os.environ, **environment})
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def millrace(*arguments):
    return run([MILLRACE, "submit"], *arguments, PYSPARK_PYTHON=sys.executable)


def spark(*arguments):
    return run([PEERS / "venv/bin/python"], *arguments)


def recorded(case):
    """What Spark printed in the third and in the fourth round."""
    return [[json.loads(line) for line in part.splitlines()] for part in (HERE / f"{case}.jsonl").read_text().split("\n\n")]


def state_of(lines):
    return [line for line in lines if "state" in line]


def test_there_is_something_to_resume():
    assert len(CASES) >= 3


@pytest.mark.parametrize("case", CASES)
def test_millrace_goes_on_where_spark_stopped(case, tmp_path):
    """The fourth round gives Spark's rows and leaves Spark's state, read with the statestore source."""
    shutil.copytree(HERE / "checkpoint" / case, tmp_path / "checkpoint")
    assert millrace(tmp_path / "checkpoint", *case.split("-")) == recorded(case)[1]


@pytest.mark.skipif(not (PEERS / "venv/bin/python").exists(), reason="real Spark is not installed: ./run test --peers brings it")
@pytest.mark.parametrize("case", CASES)
def test_the_engines_take_turns(case, tmp_path):
    """Four rounds, by turns and ours first: the same rows as when Spark did them all; each reads the other's state."""
    checkpoint, arguments = tmp_path / "checkpoint", case.split("-")
    millrace(checkpoint, *arguments)
    spark(checkpoint, *arguments)
    assert millrace(checkpoint, *arguments) == recorded(case)[0]
    assert spark(checkpoint, *arguments) == recorded(case)[1]
