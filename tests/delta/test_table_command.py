"""`millrace table show|history|describe`, over the recorded tables."""

import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TABLES = ROOT / "tests/delta/table"
BINARY = pathlib.Path(os.environ.get("MILLRACE_BINARY", ROOT / "build/release/millrace"))

pytestmark = pytest.mark.skipif(not BINARY.exists(), reason=f"{BINARY} is not built")


def run(*arguments):
    return subprocess.run([BINARY, "table", *map(str, arguments)], capture_output=True, text=True, timeout=60)


def test_show():
    shown = run("show", TABLES / "change_feed/delta")
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert any(line.startswith("version     6,") for line in lines)
    assert "partitions  p" in lines
    assert "property    delta.enableChangeDataFeed = true" in lines
    assert " |-- id: integer (nullable = true)" in lines
    assert any(line.endswith("p=x") and "1 rows" in line for line in lines)


def test_show_of_an_older_version():
    shown = run("show", "--version", "1", TABLES / "deletion_vectors/delta")
    assert "files       1," in shown.stdout
    shown = run("show", "--version", "3", TABLES / "deletion_vectors/delta")
    assert "deleted" in shown.stdout
    assert run("show", "--version", "99", TABLES / "deletion_vectors/delta").returncode == 1


def test_history_is_what_was_done_newest_first():
    history = run("history", TABLES / "change_feed/delta").stdout.splitlines()
    words = [line.split() for line in history]
    assert [int(line[0]) for line in words] == [6, 5, 4, 3, 2, 1, 0]
    assert [line[3] for line in words] == ["WRITE", "OPTIMIZE", "MERGE", "DELETE", "UPDATE", "WRITE", "CREATE"]
    assert len(run("history", "--limit", "2", TABLES / "change_feed/delta").stdout.splitlines()) == 2


def test_describe():
    described = dict(line.split(None, 1) for line in run("describe", TABLES / "v2_checkpoint_json/delta").stdout.splitlines())
    assert described["format"] == "delta"
    assert described["partitionColumns"] == "p"
    assert "v2Checkpoint" in described["tableFeatures"]
    assert described["minReaderVersion"] == "3"


@pytest.mark.parametrize("command", ["show", "history", "describe"])
def test_no_table(command, tmp_path):
    refused = run(command, tmp_path)
    assert refused.returncode == 1
    assert "DELTA_TABLE_NOT_FOUND" in refused.stderr
