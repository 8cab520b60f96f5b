"""`millrace submit` runs PySpark jobs as their authors wrote them for spark-submit."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def submit(tmp_path):
    """A function that writes files of a job and runs it; returns the finished process, or a running one."""
    binary = pathlib.Path(os.environ.get("MILLRACE_BINARY", ROOT / "build/release/millrace"))
    if not binary.exists():
        pytest.skip(f"{binary} is not built")
    running = []

    def run(script, *arguments, options=(), files=None, wait=True, environment=None):
        folder = tmp_path / "job"
        folder.mkdir(exist_ok=True)
        for name, text in {"job.py": script, **(files or {})}.items():
            (folder / name).write_text(text)
        work = tmp_path / "work"
        work.mkdir(exist_ok=True)
        command = [str(binary), "submit", *options, str(folder / "job.py"), *arguments]
        process = subprocess.Popen(command, cwd=work, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   start_new_session=True,
                                   env={**os.environ, "PYSPARK_PYTHON": sys.executable, **(environment or {})})
        running.append(process)
        if not wait:
            return process
        process.out, process.err = process.communicate(timeout=120)
        return process

    run.work = tmp_path / "work"
    yield run
    for process in running:
        if process.poll() is None:
            process.kill()
            process.wait()


def children_of(pid):
    """Processes below `pid`, by /proc."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                parents[int(entry.name)] = int(fields[1])
            except OSError:
                pass
    found, grew = {pid}, True
    while grew:
        more = {child for child, parent in parents.items() if parent in found} - found
        grew = bool(more)
        found |= more
    return found - {pid}


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def alive(pids):
    def one(pid):
        try:
            return "Z" not in (pathlib.Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return False

    return [pid for pid in pids if one(pid)]


CLASSIC = """
import sys
from pyspark.sql import SparkSession, functions as F

spark = (SparkSession.builder.master("local[*]").appName("classic")
         .config("spark.jars.packages", "org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.0")
         .config("spark.driver.memory", "1g").config("spark.sql.shuffle.partitions", "3").getOrCreate())
spark.sparkContext.setLogLevel("WARN")
print("arguments", sys.argv[1:])
print("partitions", spark.conf.get("spark.sql.shuffle.partitions"))
print("name", spark.sparkContext.appName, spark.conf.get("spark.app.name"))
print("sum", spark.range(10).agg(F.sum("id")).first()[0])
"""


def test_a_classic_script_runs_unchanged(submit):
    job = submit(CLASSIC, "one", "--two", "-v")
    assert job.returncode == 0, job.err
    assert job.out.splitlines() == ["arguments ['one', '--two', '-v']", "partitions 3", "name classic classic", "sum 45"]
    assert "Warning" not in job.err


def test_settings_of_the_command_line_and_accepted_options(submit):
    script = """
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
print(spark.conf.get("spark.sql.shuffle.partitions"), spark.conf.get("spark.app.name"))
"""
    job = submit(script, options=["--master", "local[4]", "--conf", "spark.sql.shuffle.partitions=7", "--name", "mine",
                                  "--packages", "a:b:1,c:d:2", "--driver-memory", "2g"])
    assert job.returncode == 0, job.err
    assert job.out == "7 mine\n"


def test_the_exit_code_is_the_scripts(submit):
    assert submit("import sys; sys.exit(7)").returncode == 7


def test_a_script_that_raises_gives_its_traceback(submit):
    job = submit("def f():\n    raise ValueError('so it is')\nf()\n")
    assert job.returncode == 1
    assert "ValueError: so it is" in job.err and "line 2, in f" in job.err


def test_a_syntax_error_is_pythons(submit):
    job = submit("def f(:\n")
    assert job.returncode == 1
    assert "SyntaxError" in job.err


def test_no_such_script(submit):
    job = submit("", options=["/nowhere/job.py"])
    assert job.returncode == 1
    assert "/nowhere/job.py" in job.err


def test_working_directory_and_time_zone_are_the_callers(submit):
    script = """
import os
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
spark.range(3).write.mode("overwrite").json("out")
print(os.path.isdir("out"), spark.sql("SELECT CAST(TIMESTAMP'2024-07-01 12:00:00' AS LONG) AS t").first().t)
"""
    job = submit(script, environment={"TZ": "America/New_York"})
    assert job.returncode == 0, job.err
    assert job.out == "True 1719849600\n"


def test_modules_beside_the_script_and_py_files(submit, tmp_path):
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "far.py").write_text("def triple(x):\n    return x * 3\n")
    script = """
from pyspark.sql import SparkSession, functions as F
from near import double
from far import triple
spark = SparkSession.builder.getOrCreate()
f = F.udf(lambda x: double(x) + triple(x), "long")
print([row[0] for row in spark.range(3).select(f("id")).collect()])
print([row[0] for row in spark.range(3).select(F.udf(double, "long")("id")).collect()])
"""
    job = submit(script, files={"near.py": "def double(x):\n    return x * 2\n"},
                 options=["--py-files", str(tmp_path / "library")])
    assert job.returncode == 0, job.err
    assert job.out.splitlines() == ["[0, 5, 10]", "[0, 2, 4]"]


STREAM = """
import sys
from pyspark.sql import SparkSession
from writer import write

spark = SparkSession.builder.master("local[2]").getOrCreate()
rows = spark.readStream.schema("n long").json("in")
query = rows.writeStream.option("checkpointLocation", "checkpoint").foreachBatch(write){trigger}.start()
print("started", flush=True)
query.awaitTermination()
print("ended")
"""

WRITER = """
def write(frame, batch):
    frame.persist()
    print("batch", batch, sorted(row.n for row in frame.collect()), flush=True)
    frame.write.mode("append").json("out")
    frame.unpersist()
"""


def test_foreach_batch_of_a_sibling_module(submit):
    submit.work.mkdir(exist_ok=True)
    (submit.work / "in").mkdir()
    (submit.work / "in" / "a.json").write_text('{"n": 1}\n{"n": 2}\n')
    script = STREAM.replace("{trigger}", ".trigger(availableNow=True)")
    job = submit(script, files={"writer.py": WRITER})
    assert job.returncode == 0, job.err
    assert job.out.splitlines() == ["started", "batch 0 [1, 2]", "ended"]
    (submit.work / "in" / "b.json").write_text('{"n": 3}\n')
    job = submit(script, files={"writer.py": WRITER})
    assert job.out.splitlines() == ["started", "batch 1 [3]", "ended"]
    written = [json.loads(line)["n"] for path in (submit.work / "out").glob("*.json") for line in path.open()]
    assert sorted(written) == [1, 2, 3]


def test_foreach_batch_that_raises_fails_the_query_and_the_batch_runs_again(submit):
    submit.work.mkdir(exist_ok=True)
    (submit.work / "in").mkdir()
    (submit.work / "in" / "a.json").write_text('{"n": 1}\n')
    script = STREAM.replace("{trigger}", ".trigger(availableNow=True)")
    bad = "def write(frame, batch):\n    raise RuntimeError('not today')\n"
    job = submit(script, files={"writer.py": bad})
    assert job.returncode == 1
    assert "RuntimeError: not today" in job.err and "StreamingQueryException" in job.err
    assert list((submit.work / "checkpoint" / "commits").glob("[0-9]*")) == []
    job = submit(script, files={"writer.py": WRITER})
    assert job.out.splitlines() == ["started", "batch 0 [1]", "ended"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_the_job_and_leave_nothing_running(submit, number):
    submit.work.mkdir(exist_ok=True)
    (submit.work / "in").mkdir()
    (submit.work / "in" / "a.json").write_text('{"n": 1}\n')
    job = submit(STREAM.replace("{trigger}", ""), files={"writer.py": WRITER}, wait=False)
    assert wait_until(lambda: (submit.work / "checkpoint" / "commits" / "0").exists())
    below = children_of(job.pid)
    assert len(below) >= 2  # the script and the worker of foreachBatch
    job.send_signal(number)
    job.wait(timeout=30)
    assert job.returncode != 0
    assert wait_until(lambda: not alive(below), 10), alive(below)


def test_nothing_survives_a_killed_engine(submit):
    submit.work.mkdir(exist_ok=True)
    (submit.work / "in").mkdir()
    (submit.work / "in" / "a.json").write_text('{"n": 1}\n')
    writer = WRITER + "\n    from pyspark.sql import functions as F\n    frame.select(F.udf(lambda x: x, 'long')('n')).collect()\n"
    job = submit(STREAM.replace("{trigger}", ""), files={"writer.py": writer}, wait=False)
    assert wait_until(lambda: (submit.work / "checkpoint" / "commits" / "0").exists())
    below = children_of(job.pid)
    job.kill()
    job.wait(timeout=30)
    assert wait_until(lambda: not alive(below), 20), alive(below)


def test_stand_ins_of_the_spark_context(submit):
    script = """
from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

sc = SparkContext.getOrCreate(SparkConf().setAppName("context").setMaster("local[2]"))
spark = SparkSession.builder.getOrCreate()
print(sc.appName, spark.sparkContext.version == spark.version, spark.sparkContext.master)
try:
    spark.sparkContext.sequenceFile("x")
except Exception as error:
    print(type(error).__name__, "sequenceFile" in str(error))
"""
    job = submit(script)
    assert job.returncode == 0, job.err
    assert job.out.splitlines() == ["context True local[2]", "PySparkNotImplementedError True"]


def test_a_script_without_spark_is_left_alone(submit):
    job = submit("import os, sys\nprint(sys.argv[0].endswith('job.py'), 'PYTHONPATH' in os.environ, __name__, __file__ == sys.argv[0])\n")
    assert job.returncode == 0, job.err
    assert job.out == "True False __main__ True\n"


RDDS = """
from pyspark.sql import SparkSession, functions as F

spark = SparkSession.builder.master("local[2]").config("spark.sql.shuffle.partitions", "2").getOrCreate()
sc = spark.sparkContext
sc.parallelize([(1, "a"), (2, None)], 2).toDF(["id", "name"]).show()
r = sc.parallelize(range(10), 3)
print(r.glom().collect(), r.map(lambda x: x * x).filter(lambda x: x % 2 == 0).collect(), r.reduce(lambda a, b: a + b),
      r.getNumPartitions(), r.sum(), r.mean(), r.take(3), r.first(), r.isEmpty())
w = sc.parallelize(["a b", "b c", "c c"], 2).flatMap(str.split).map(lambda x: (x, 1)).reduceByKey(lambda a, b: a + b)
print(sorted(w.collect()), w.sortBy(lambda kv: -kv[1]).first(), sorted(w.join(sc.parallelize([("a", 9)])).collect()))
print(spark.read.json(sc.parallelize(['{"a": 1}', '{"a": 2, "c": [1.5]}'])).rdd.map(lambda row: row.a).collect())
names = sc.broadcast({"ios": "Apple"})
spark.createDataFrame([("ios",), ("x",)], "os STRING").select(F.udf(lambda os: names.value.get(os), "string")("os").alias("n")).show()
log4j = spark._jvm.org.apache.log4j
log4j.LogManager.getLogger("org").setLevel(log4j.Level.ERROR)
sc._jsc.hadoopConfiguration().set("fs.s3a.access.key", "x")

def write(df, batch):
    if df.rdd.isEmpty():
        return
    print(batch, df.rdd.map(lambda r: r.n).sum(), df._jdf.sparkSession().range(2).count(), sorted(df.toJSON().collect()))

spark.readStream.schema("n long").json("in").writeStream.foreachBatch(write).trigger(availableNow=True).start().awaitTermination()
try:
    spark.read.parquet("nowhere")
except Exception as error:
    print(type(error).__name__, error.getCondition())
"""


def test_rdds_and_what_lies_below_a_session(submit):
    (submit.work / "in").mkdir(parents=True)
    (submit.work / "in" / "a.json").write_text('{"n": 1}\n{"n": 2}\n')
    job = submit(RDDS)
    assert job.returncode == 0, job.err
    assert job.out.splitlines() == [
        "+---+----+", "| id|name|", "+---+----+", "|  1|   a|", "|  2|NULL|", "+---+----+", "",
        "[[0, 1, 2], [3, 4, 5], [6, 7, 8, 9]] [0, 4, 16, 36, 64] 45 3 45 4.5 [0, 1, 2] 0 False",
        "[('a', 1), ('b', 2), ('c', 3)] ('c', 3) [('a', (1, 9))]", "[1, 2]",
        "+-----+", "|    n|", "+-----+", "|Apple|", "| NULL|", "+-----+", "",
        """0 3 2 ['{"n":1}', '{"n":2}']""", "AnalysisException PATH_NOT_FOUND"]


def test_prints_of_the_job_and_of_the_engine_stand_in_their_order(submit):
    (submit.work / "in").mkdir(parents=True)
    (submit.work / "in" / "a.json").write_text('{"n": 1}\n')
    job = submit("""
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
print("before")
rows = spark.readStream.schema("n long").json("in")
rows.writeStream.format("console").trigger(availableNow=True).start().awaitTermination()
print("after")
""")
    assert job.returncode == 0, job.err
    rule = "-" * 43
    assert job.out.splitlines() == ["before", rule, "Batch: 0", rule, "+---+", "|  n|", "+---+", "|  1|", "+---+", "", "after"]
