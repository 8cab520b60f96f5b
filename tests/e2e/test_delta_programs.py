"""Delta programs do what they do on real Spark with Delta 4.4 (delta_programs/record.py recorded it): rows, schemas, the log's
actions, error conditions and messages."""

import importlib
import json
import pathlib
import re
import sys

import pytest

FOLDER = pathlib.Path(__file__).resolve().parent / "delta_programs"
sys.path.insert(0, str(FOLDER))

from delta_outcome import outcome_of  # noqa: E402

for module in sorted(FOLDER.glob("*cases.py")):
    importlib.import_module(module.stem)
from delta_cases import CASES  # noqa: E402

EXPECTED = json.loads((FOLDER / "expected.json").read_text())
# Steps that differ, and why: program → {number of the step: reason}.
DIFFERS = json.loads((FOLDER / "differs.json").read_text())
TIME = re.compile(r"(?:19|20)\d\d-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?")


def told(value):
    """JSON inside JSON in one order, of its keys."""
    if isinstance(value, str) and value[:1] in "[{":
        try:
            value = json.loads(value)
        except ValueError:
            return value
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return sorted(value)
    return value


def comparable(step):
    """A step without what differs from run to run, or only in how two clients say it."""
    if isinstance(step, dict) and "error" in step:
        step = dict(step)
        message = step.get("message", step.get("cause")) or ""
        step.pop("cause", None)
        found = re.search(r"Exception: (\[[A-Z_.]+\] .*?)(?:\n\tat |\Z)", message, re.S)
        message = found.group(1) if found else message
        message = message.split(";\n")[0].split("\n\tat ")[0]
        message = re.sub(r" SQLSTATE: \w{5}", "", message)
        message = re.sub(r"part-[0-9]+-[^ ]*", "FILE", TIME.sub("TIME", message))
        step["message"] = re.sub(r"/tmp/[^ ]*/warehouse", "WAREHOUSE", message).strip()
        return step
    if isinstance(step, dict) and "log" in step:
        return {"log": [sorted(without_draws(json.dumps(action(json.loads(one)), sort_keys=True)) for one in commit)
                        for commit in step["log"]]}
    if isinstance(step, list):
        rows = [json.loads(row) if isinstance(row, str) and row[:1] == "{" else row for row in step]
        rows = [without_sizes(row) for row in rows]
        return sorted(json.dumps({k: told(v) if k != "operationParameters" else {n: told(p) for n, p in v.items()}
                                  for k, v in row.items()} if isinstance(row, dict) else row, sort_keys=True,
                                 default=lambda value: value.item()) for row in rows)
    return step


# Of a clone, and of RESTORE.
SIZES = {"source_table_size", "removed_files_size", "restored_files_size", "table_size_after_restore"}


def without_sizes(row):
    """What OPTIMIZE, CLONE and RESTORE tell, without what depends on how large files are and on the clock."""
    if not isinstance(row, dict):
        return row
    row = {k: v for k, v in row.items() if k not in SIZES}
    metrics = row.get("metrics")
    if not isinstance(metrics, dict):
        return row
    metrics = {k: v for k, v in metrics.items() if k != "startTimeMs"}
    for files in ("filesAdded", "filesRemoved"):
        metrics[files] = {"totalFiles": metrics.get(files, {}).get("totalFiles")}
    return {**row, "metrics": metrics}


def without_draws(text):
    """Names and times a writer draws."""
    text = re.sub(r"col-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "col-UUID", text)
    text = re.sub(r'"pathOrInlineDv": "(?:[^"\\]|\\.)*"', '"pathOrInlineDv": "DRAWN"', text)
    return re.sub(r'("delta.inCommitTimestampEnablementTimestamp": ")[0-9]+', r"\1TIME", text)


def action(one):
    info = one.get("commitInfo")
    if info:
        info["operationParameters"] = {key: told(value) for key, value in info["operationParameters"].items()}
        # How large files are is a writer's own.
        info["operationMetrics"] = {key: value for key, value in info.get("operationMetrics", {}).items()
                                    if not key.endswith(("FileSize", "FilesSize", "TableSize", "SizeAfterRestore", "sizeOfDataToDelete"))}
    return one


@pytest.fixture(scope="module")
def session(start_module_server):
    from pyspark.sql import SparkSession

    server = start_module_server("--conf", "spark.sql.session.timeZone=UTC", "--conf", "spark.default.parallelism=1")
    spark = SparkSession.builder.remote(server.url).getOrCreate()
    yield spark
    spark.stop()


def has_delta_package():
    return importlib.util.find_spec("delta") is not None


@pytest.mark.parametrize("name", sorted(CASES))
def test_program(session, tmp_path, name):
    if name.startswith("delta_table") and not has_delta_package():
        pytest.skip("needs the Python package delta-spark")
    assert name in EXPECTED, "not recorded on real Spark yet: delta_programs/record.py does"
    steps = outcome_of(CASES[name], session, str(tmp_path / name))
    differs = DIFFERS.get(name, {})
    assert len(steps) == len(EXPECTED[name])
    wrong = []
    for number, (ours, theirs) in enumerate(zip(steps, EXPECTED[name])):
        same = comparable(ours) == comparable(theirs)
        if not same and str(number) not in differs:
            wrong.append(f"step {number}\n  ours   {json.dumps(comparable(ours))}\n  Spark's {json.dumps(comparable(theirs))}")
        if same:
            assert str(number) not in differs, f"step {number} is as Spark's now"
    assert not wrong, "\n".join(wrong)
