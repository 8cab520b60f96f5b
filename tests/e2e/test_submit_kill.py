"""A PySpark job that writes two Delta tables from foreachBatch, killed under `millrace submit` at its worst moments."""

import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import pytest

import delta_tables
from conftest import ROOT

JOB = '''
import os
import sys
import time

from pyspark.sql import SparkSession, functions as F

folder = sys.argv[1]
spark = SparkSession.builder.appName("sidecar").getOrCreate()
if not os.path.exists(folder + "/devices"):
    spark.createDataFrame([("a", "phone"), ("b", "tablet")], "device string, type string").write.format("delta").save(
        folder + "/devices")
visits = spark.readStream.schema("visit_id string, device string").option("maxFilesPerTrigger", 1).json(folder + "/in")


def pause(moment, batch):
    if os.path.exists(f"{folder}/hold-{moment}-{batch}"):
        open(f"{folder}/inside-{moment}-{batch}", "w").close()
        time.sleep(600)


def write(frame, batch):
    devices = frame.sparkSession.read.format("delta").load(folder + "/devices")
    enriched = frame.join(devices, "device", "left").persist()
    exactly_once = {"txnAppId": "sidecar", "txnVersion": batch}
    enriched.write.format("delta").mode("append").options(**exactly_once).save(folder + "/visits")
    pause("between", batch)
    stats = enriched.groupBy("type").agg(F.count("*").alias("count"))
    stats.write.format("delta").mode("append").options(**exactly_once).save(folder + "/stats")
    pause("after", batch)
    enriched.unpersist()


query = (visits.writeStream.foreachBatch(write).option("checkpointLocation", folder + "/checkpoint")
         .trigger(availableNow=True).start())
query.awaitTermination()
'''


@pytest.fixture
def job(tmp_path):
    binary = pathlib.Path(os.environ.get("MILLRACE_BINARY", ROOT / "build/release/millrace"))
    if not binary.exists():
        pytest.skip(f"{binary} is not built")
    (tmp_path / "job.py").write_text(JOB)
    (tmp_path / "in").mkdir()
    started = []

    def start():
        log = open(tmp_path / f"log-{len(started)}", "w")
        process = subprocess.Popen([binary, "submit", tmp_path / "job.py", str(tmp_path)], cwd=tmp_path, stdout=log,
                                   stderr=log, start_new_session=True, env={**os.environ, "PYSPARK_PYTHON": sys.executable})
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


def add_visits(folder, file, count=20):
    staged = folder / f"{file}.staged"
    staged.write_text("".join(json.dumps({"visit_id": f"{file}-{n}", "device": "abx"[n % 3]}) + "\n" for n in range(count)))
    staged.rename(folder / "in" / f"{file}.json")


def expect_each_visit_once(folder, num_files, count=20):
    visits = sorted(row["visit_id"] for row in delta_tables.rows(folder / "visits"))
    assert visits == sorted(f"{file}-{n}" for file in range(num_files) for n in range(count))
    totals = {}
    for row in delta_tables.rows(folder / "stats"):
        totals[row["type"]] = totals.get(row["type"], 0) + row["count"]
    by_device = [sum(1 for n in range(count) if n % 3 == device) * num_files for device in range(3)]
    assert totals == {"phone": by_device[0], "tablet": by_device[1], None: by_device[2]}


def finish(job, folder, number):
    process = job()
    assert process.wait(timeout=120) == 0, (folder / f"log-{number}").read_text()


@pytest.mark.parametrize("moment", ["between", "after"])
def test_killed_inside_a_batch(job, tmp_path, moment):
    for file in range(3):
        add_visits(tmp_path, file)
    hold, inside = tmp_path / f"hold-{moment}-1", tmp_path / f"inside-{moment}-1"
    hold.touch()
    process = job()
    deadline = time.monotonic() + 90
    while not inside.exists() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
    assert inside.exists(), (tmp_path / "log-0").read_text()
    # The first table has the batch, the second one only after the second write.
    assert len(delta_tables.rows(tmp_path / "visits")) == 40
    assert sum(row["count"] for row in delta_tables.rows(tmp_path / "stats")) == (20 if moment == "between" else 40)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    hold.unlink()
    finish(job, tmp_path, 1)
    expect_each_visit_once(tmp_path, 3)


def test_killed_again_and_again(job, tmp_path):
    chance = random.Random(5)
    kills = int(os.environ.get("MILLRACE_KILLS", "5"))
    num_files = max(12, kills)
    for file in range(num_files):
        add_visits(tmp_path, file)
    for _ in range(kills):
        process = job()
        time.sleep(chance.uniform(1.2, 3.0))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    finish(job, tmp_path, kills)
    expect_each_visit_once(tmp_path, num_files)
