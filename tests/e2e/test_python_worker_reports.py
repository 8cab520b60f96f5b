"""What Python workers tell of themselves: logs and profiles, as PySpark 4.2's own tests ask for them."""

import ctypes
import logging
import time

import pyarrow as pa
import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F


@pytest.fixture(scope="module")
def session(start_module_server):
    spark = SparkSession.builder.remote(start_module_server().url).getOrCreate()
    yield spark
    spark.stop()


def test_logs_of_functions_are_rows(session):
    @F.udf("string")
    def noisy(x):
        print("printed")
        logging.getLogger("mine").warning("careful", extra={"context": {"abc": 1}})
        return str(x)

    with pytest.raises(AnalysisException, match="FEATURE_NOT_ENABLED"):
        session.tvf.python_worker_logs().count()
    session.conf.set("spark.sql.pyspark.worker.logging.enabled", "true")
    try:
        assert session.tvf.python_worker_logs().count() == 0
        session.range(1).select(noisy("id")).collect()
        logs = session.tvf.python_worker_logs().select("level", "msg", "context", "logger").collect()
        assert [tuple(row) for row in logs] == [
            ("INFO", "printed", {"func_name": "noisy"}, "stdout"),
            ("WARNING", "careful", {"func_name": "noisy", "abc": "1"}, "mine")]
    finally:
        session.conf.unset("spark.sql.pyspark.worker.logging.enabled")


def test_profiles_of_functions_reach_the_client(session):
    @F.udf("long")
    def plus(x):
        return x + 1

    session.range(3).select(plus("id")).collect()
    assert len(session._profiler_collector._perf_profile_results) == 0
    session.conf.set("spark.sql.pyspark.udf.profiler", "perf")
    try:
        session.range(3).select(plus("id"), plus(F.col("id") + 1)).collect()
    finally:
        session.conf.unset("spark.sql.pyspark.udf.profiler")
    assert len(session._profiler_collector._perf_profile_results) == 2


def test_a_crash_tells_where_it_was(session):
    session.conf.set("spark.sql.execution.pyspark.udf.faulthandler.enabled", "true")
    try:
        with pytest.raises(Exception, match="Segmentation fault"):
            session.range(1).select(F.udf(lambda x: ctypes.string_at(0))("id")).collect()
    finally:
        session.conf.unset("spark.sql.execution.pyspark.udf.faulthandler.enabled")


def test_a_function_that_hangs_is_ended(session):
    settings = {"spark.sql.execution.pyspark.udf.idleTimeoutSeconds": "1s",
                "spark.sql.execution.pyspark.udf.killOnIdleTimeout": "true"}
    for key, value in settings.items():
        session.conf.set(key, value)
    try:
        with pytest.raises(Exception, match=r"terminated due to idle timeout \(timeout: 1 seconds\)"):
            session.range(1).select(F.udf(lambda x: time.sleep(30))("id")).collect()
    finally:
        for key in settings:
            session.conf.unset(key)


def test_functions_find_the_metadata_of_columns(session):
    def metadata(batches):
        for batch in batches:
            text = batch.schema.field("id").metadata[b"SPARK::metadata::json"].decode()
            yield pa.RecordBatch.from_arrays([pa.array([text] * batch.num_rows)], names=["text"])

    frame = session.range(1).withMetadata("id", {"x": 1})
    assert frame.mapInArrow(metadata, "text string").first().text == '{"x":1}'
