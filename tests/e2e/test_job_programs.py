"""Batch jobs under `millrace submit` show what they show on real Spark (job_programs/record.py recorded it)."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

import programs

FOLDER = pathlib.Path(__file__).resolve().parent / "job_programs"
EXPECTED = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    target = tmp_path_factory.mktemp("job") / "answers.json"
    done = subprocess.run([programs.MILLRACE, "submit", FOLDER / "record.py", target], cwd=target.parent, timeout=300,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, "PYSPARK_PYTHON": sys.executable})
    assert done.returncode == 0, done.stderr
    return json.loads(target.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_program(answers, name):
    assert answers[name] == EXPECTED[name]
