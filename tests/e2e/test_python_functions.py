"""Python functions in queries give what real Spark gives (python_functions/record.py recorded it)."""

import json
import pathlib
import sys

import pytest

FOLDER = pathlib.Path(__file__).resolve().parent / "python_functions"
sys.path.insert(0, str(FOLDER))

from cases import CASES  # noqa: E402
from outcome import outcome_of  # noqa: E402

EXPECTED = json.loads((FOLDER / "expected.json").read_text())


@pytest.fixture(scope="module")
def session(start_module_server):
    from pyspark.sql import SparkSession

    server = start_module_server("--conf", "spark.sql.session.timeZone=UTC")
    spark = SparkSession.builder.remote(server.url).getOrCreate()
    yield spark
    spark.stop()


@pytest.mark.parametrize("name", sorted(CASES))
def test_case(session, name):
    expected = EXPECTED[name]
    got = outcome_of(CASES[name], session)
    if "error" in expected:
        # Classic and Connect clients raise different classes for one error.
        expected = {key: value for key, value in expected.items() if key != "error"}
        assert "error" in got, got
        got.pop("error")
    assert got == expected
