"""What becomes of a checkpoint that is not as it was left, as on real Spark (tests/data/spark-checkpoint/damaged.jsonl): the same
error condition, or an error where Spark has an exception without one; the same micro-batches; nothing overwritten."""

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MILLRACE = pathlib.Path(os.environ.get("MILLRACE_BINARY") or ROOT / "build/release/millrace")
RECORDED = {case["damage"]: case for case in map(json.loads, (ROOT / "tests/data/spark-checkpoint/damaged.jsonl").read_text().splitlines())}
# Damages that need more than a hand on the files; other tests have them.
ELSEWHERE = {"offsets/2 has an empty metadata line", "offsets is empty, commits is not", "metadata has an unknown member",
             "the checkpoint folder is new", "the checkpoint location is a file", "only an empty folder",
             "only commits of a foreign query", "another process has written the next offsets file"}
# Words of Spark's that a user may look for, where Spark has no condition.
WORDS = {"offsets/2 is empty": "Incomplete log file", "offsets/1 is missing": "batch 1 doesn't exist",
         "metadata has an id that is not a UUID": "Invalid UUID string: abc", "sources/0/2 is missing": "batch 2 doesn't exist",
         "commits/2 is empty": "Incomplete log file in the offset commit log",
         "offsets/2 has no source line": "There are [0] sources in the checkpoint offsets and now there are [1] sources"}


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    if not MILLRACE.exists():
        pytest.skip(f"{MILLRACE} is not built")
    folder = tmp_path_factory.mktemp("damaged")
    names = sorted(RECORDED.keys() - ELSEWHERE)
    requests = "".join(json.dumps({"folder": str(folder / str(at)), "damage": name}) + "\n" for at, name in enumerate(names))
    done = subprocess.run([MILLRACE, "submit", pathlib.Path(__file__).parent / "damaged_checkpoints.py"], input=requests, text=True,
                          capture_output=True, timeout=300, cwd=folder, env={**os.environ, "PYSPARK_PYTHON": sys.executable})
    lines = [line[3:] for line in done.stdout.splitlines() if line.startswith("=> ")]
    assert len(lines) == len(names), done.stderr[-3000:]
    return dict(zip(names, map(json.loads, lines), strict=True))


@pytest.mark.parametrize("damage", sorted(RECORDED.keys() - ELSEWHERE))
def test_damage(answers, damage):
    expected, got = RECORDED[damage], answers[damage]
    assert got is not None, "not built by damaged_checkpoints.py"
    assert got["overwritten"] == []
    if "error" not in expected:
        assert got.get("batches") == expected["batches"], got.get("error")
        assert (got["offsets"], got["commits"]) == (expected["offsets"], expected["commits"])
        return
    assert "error" in got, got
    condition = expected["error"]["condition"]
    if condition is not None:
        assert condition in re.findall(r"\[([A-Z][A-Z0-9_.]+)\]", got["error"]), got["error"]
    assert WORDS.get(damage, "") in got["error"]
