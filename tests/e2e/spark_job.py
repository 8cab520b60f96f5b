"""The jobs of tests/runner/job_runner on real Apache Spark, printed in the same lines.

    SPARK_CONF_DIR=DIR/conf DIR/venv/bin/python tests/e2e/spark_job.py JOBS.json

DIR is what tools/install_peers.sh made. Run by hand when Spark's answer to an option is in doubt, and by tests with --peers.
"""

import json
import pathlib
import sys
import time

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql.functions import struct, to_json


def show(key, value):
    print(json.dumps({key: value}, separators=(",", ":"), ensure_ascii=False), flush=True)


def with_options(target, options):
    for key, value in (options or {}).items():
        target = target.option(key, value)
    return target


def run_stream(job, frame):
    writer = with_options(frame.writeStream.format(job["sink"]), job.get("sinkOptions"))
    if "mode" in job:
        writer = writer.outputMode(job["mode"])
    if "queryName" in job:
        writer = writer.queryName(job["queryName"])
    if "partitionBy" in job:
        writer = writer.partitionBy(*job["partitionBy"])
    trigger = dict(job.get("trigger") or {})
    if "processingTime" in trigger:
        trigger["processingTime"] += " milliseconds"
    if trigger:
        writer = writer.trigger(**trigger)
    query = writer.start(job["save"]) if "save" in job else writer.start()
    shown, end = 0, time.monotonic() + float(job.get("seconds", 1e9))
    while True:
        active = query.isActive
        progress = list(query.recentProgress)
        for one in progress[shown:]:
            show("progress", json.loads(one.json))
        shown = len(progress)
        if not active:
            break
        if time.monotonic() > end:
            query.stop()
        time.sleep(0.05)
    if query.exception():
        raise query.exception()


def run_job(spark, job):
    for key, value in (job.get("conf") or {}).items():
        spark.conf.set(key, value)
    streaming = "sink" in job and job.get("stream", True)
    reader = with_options((spark.readStream if streaming else spark.read).format(job["source"]), job.get("sourceOptions"))
    if "schema" in job:
        reader = reader.schema(job["schema"])
    frame = reader.load(job["load"]) if "load" in job else reader.load()
    if "query" in job:
        frame.createOrReplaceTempView("input")
        frame = spark.sql(job["query"])
    show("schema", frame._jdf.schema().toDDL())
    if "sink" not in job:
        for row in frame.select(to_json(struct("*")).alias("row")).collect():
            show("row", json.loads(row.row))
    elif streaming:
        run_stream(job, frame)
    else:
        writer = with_options(frame.write.format(job["sink"]), job.get("sinkOptions"))
        if "mode" in job:
            writer = writer.mode(job["mode"])
        if "partitionBy" in job:
            writer = writer.partitionBy(*job["partitionBy"])
        writer.save(job["save"]) if "save" in job else writer.save()


def main():
    spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    jobs = json.loads(pathlib.Path(sys.argv[1]).read_text())
    for job in jobs if isinstance(jobs, list) else [jobs]:
        try:
            run_job(spark, job)
            show("end", "ok")
        except PySparkException as error:
            show("error", {"condition": error.getCondition() or "", "message": str(error)})
        except Exception as error:  # Py4JJavaError and the like
            show("error", {"condition": "", "message": str(error)})


main()
