"""Streaming queries start, are refused and clean up as on real Spark (stream_programs/record.py recorded it)."""

import json
import pathlib
import sys

import pytest

FOLDER = pathlib.Path(__file__).resolve().parent / "stream_programs"
sys.path.insert(0, str(FOLDER))

import programs_of_functions  # noqa: E402, F401
from programs_of_streams import CASES  # noqa: E402

EXPECTED = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def session(start_module_server, tmp_path_factory):
    from pyspark.sql import SparkSession

    warehouse = tmp_path_factory.mktemp("warehouse")
    server = start_module_server("--conf", "spark.sql.session.timeZone=UTC",
                                 "--conf", f"spark.sql.warehouse.dir={warehouse}")
    spark = SparkSession.builder.remote(server.url).getOrCreate()
    yield spark
    spark.stop()


@pytest.mark.parametrize("name", sorted(CASES))
def test_program(session, tmp_path, name):
    assert CASES[name](session, str(tmp_path)) == EXPECTED[name]


@pytest.mark.parametrize("name", sorted(name for name in CASES if name.startswith("rows_that_")))
def test_program_whose_rows_are_not_held(session, tmp_path, name):
    session.conf.set("millrace.foreachBatch.heldBytes", "0")
    try:
        assert CASES[name](session, str(tmp_path)) == EXPECTED[name]
    finally:
        session.conf.unset("millrace.foreachBatch.heldBytes")
