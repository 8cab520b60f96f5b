"""Python functions in queries give what real Spark gives (python_functions/record.py recorded it)."""

import json
import os
import pathlib
import signal
import sys
import threading
import time

import pytest

FOLDER = pathlib.Path(__file__).resolve().parent / "python_functions"
sys.path.insert(0, str(FOLDER))

import source_cases  # noqa: E402,F401
import table_cases  # noqa: E402,F401
import type_cases  # noqa: E402,F401
from cases import CASES  # noqa: E402
from outcome import outcome_of  # noqa: E402

EXPECTED = json.loads((FOLDER / "expected.json").read_text())
# Where real Spark does otherwise; a case that is mended fails here until its line is gone.
DIFFERS = {
    "udtf_analyze_fails": "the message of the Python error carries no SQLSTATE",
    "udtf_analyze_wants_a_table": "a failure of analyze() is not TABLE_VALUED_FUNCTION_FAILED_TO_ANALYZE_IN_PYTHON",
    "udtf_table_in_partitions": "rows of a TABLE argument have no names",
}


@pytest.fixture(scope="module")
def session(start_module_server):
    from pyspark.sql import SparkSession

    server = start_module_server("--conf", "spark.sql.session.timeZone=UTC")
    spark = SparkSession.builder.remote(server.url).getOrCreate()
    yield spark
    spark.stop()


@pytest.mark.parametrize("name", sorted(CASES))
def test_case(session, name):
    if name not in EXPECTED:
        pytest.skip("not recorded on real Spark yet: python_functions/record.py does")
    expected = EXPECTED[name]
    got = outcome_of(CASES[name], session)
    if name in DIFFERS:
        assert got != expected, "its line in DIFFERS can go"
        pytest.xfail(DIFFERS[name])
    if "error" in expected:
        # Classic and Connect clients raise different classes for one error.
        expected = {key: value for key, value in expected.items() if key != "error"}
        assert "error" in got, got
        got.pop("error")
    assert got == expected


def test_cogroups_have_as_many_keys_on_both_sides(session):
    from pyspark.errors import IllegalArgumentException

    frame = session.sql("SELECT 1 AS a, 2 AS b")
    both = frame.groupBy("a", "b").cogroup(frame.groupBy("a"))
    with pytest.raises(IllegalArgumentException, match="requirement failed: Cogroup keys must have same size: 2 != 1"):
        both.applyInPandas(lambda left, right: left, "a int, b int").collect()


def test_a_worker_that_dies_fails_its_query_only(session):
    from pyspark.sql import functions as F

    def die(x):
        import os

        os._exit(7)

    with pytest.raises(Exception, match="Python worker exited unexpectedly"):
        session.range(4).select(F.udf(die, "long")("id")).collect()
    assert session.range(1).select(F.udf(lambda x: x + 1, "long")("id")).first()[0] == 1


def test_a_worker_killed_in_the_middle_fails_its_query_only(session):
    from pyspark.sql import functions as F

    def linger(x):
        import os
        import time

        with open(f"/tmp/millrace-test-worker-{os.getppid()}", "w") as out:
            out.write(str(os.getpid()))
        time.sleep(60)
        return x

    before = set(pathlib.Path("/tmp").glob("millrace-test-worker-*"))
    failures = []

    def run():
        try:
            session.range(0, 1, 1, 1).select(F.udf(linger, "long")("id")).collect()
        except Exception as error:  # noqa: BLE001: any failure is what is wanted
            failures.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    deadline = time.monotonic() + 60
    marks = set()
    while not marks and time.monotonic() < deadline:
        time.sleep(0.1)
        marks = {path for path in set(pathlib.Path("/tmp").glob("millrace-test-worker-*")) - before if path.read_text()}
    (mark,) = marks
    os.kill(int(mark.read_text()), signal.SIGKILL)
    mark.unlink()
    thread.join(timeout=60)
    assert failures and "Python worker exited unexpectedly" in failures[0]
    assert session.range(1).select(F.udf(lambda x: x + 1, "long")("id")).first()[0] == 1


def test_functions_run_beside_the_files_of_their_session(session, tmp_path):
    """As Spark's workers of a Connect session: their working directory is that of its files."""
    from pyspark.sql import functions as F

    (tmp_path / "prices.txt").write_text("lamp 12")
    session.addArtifacts(str(tmp_path / "prices.txt"), file=True)

    @F.udf("string")
    def read(name):
        return open(name).read()

    assert session.range(1).select(read(F.lit("prices.txt")).alias("text")).collect()[0].text == "lamp 12"
