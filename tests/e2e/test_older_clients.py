"""Clients older than the engine, each with workers of its own version: ./run test --peers brings them."""

import os
import pathlib
import subprocess

import pytest

import programs

PEERS = pathlib.Path(os.environ.get("MILLRACE_PEERS_DIR") or "/nonexistent")

JOB = """
import sys
import time
from pyspark.sql import SparkSession, functions as F

spark = SparkSession.builder.getOrCreate()
frame = spark.createDataFrame([(1, "a"), (2, "b"), (2, "c")], "k int, v string")
print([tuple(row) for row in frame.groupBy("k").agg(F.collect_list("v")).orderBy("k").collect()])
print([row[0] for row in frame.select(F.udf(lambda k: k * 2, "int")("k")).collect()])
print([row[0] for row in frame.select(F.pandas_udf(lambda k: k + 1, "int")("k")).collect()])
print(sorted(tuple(row) for row in frame.groupBy("k").applyInPandas(lambda rows: rows.head(1), "k int, v string").collect()))
print([tuple(row) for row in frame.mapInArrow(lambda batches: batches, "k int, v string").collect()])

query = (spark.readStream.format("rate").option("rowsPerSecond", 50).load()
         .writeStream.foreachBatch(lambda batch, number: batch.write.mode("append").parquet(sys.argv[1])).start())
deadline = time.time() + 30
while time.time() < deadline and not (query.lastProgress and query.lastProgress["numInputRows"]):
    time.sleep(0.1)
query.stop()
print(spark.read.parquet(sys.argv[1]).count() > 0)
"""

EXPECTED = """\
[(1, ['a']), (2, ['b', 'c'])]
[2, 4, 4]
[2, 3, 3]
[(1, 'a'), (2, 'b')]
[(1, 'a'), (2, 'b'), (2, 'c')]
True
"""


@pytest.mark.parametrize("version", ["4.0.1", "4.1.1"])
def test_a_job_with_python_functions(tmp_path, version):
    python = PEERS / f"client-{version}" / "bin" / "python"
    if not python.exists():
        pytest.skip(f"no client {version}: ./run test --peers brings it")
    (tmp_path / "job.py").write_text(JOB)
    ran = subprocess.run([programs.MILLRACE, "submit", tmp_path / "job.py", tmp_path / "rows"], capture_output=True,
                         text=True, timeout=120, env={**os.environ, "PATH": f"{python.parent}:{os.environ['PATH']}"})
    assert (ran.returncode, ran.stdout) == (0, EXPECTED), ran.stderr
