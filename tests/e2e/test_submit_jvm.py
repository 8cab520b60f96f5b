"""What jobs reach for below PySpark's surface under `millrace submit`. Recorded from a Spark driver."""

import json
import pathlib
import sys

from test_submit import submit  # noqa: F401, a fixture

ROOT = pathlib.Path(__file__).resolve().parents[2]

BELOW = r"""
import os
from pyspark.sql import SparkSession
spark = SparkSession.builder.master("local[2]").getOrCreate()
sc = spark.sparkContext
fs_package = spark._jvm.org.apache.hadoop.fs
Path, FileSystem = fs_package.Path, fs_package.FileSystem
here = os.getcwd()
fs = FileSystem.get(spark._jsc.hadoopConfiguration())
base = Path(here + "/base//")
def cut(text): return str(text).replace(here, "HERE")
print(fs.exists(base), fs.mkdirs(Path(base, "a/b")), fs.exists(base), fs.isDirectory(base), cut(base.toString()), base.getName(), cut(base.getParent()))
for name in ("part-1.csv", "part-2.csv", "_SUCCESS", ".x.csv.crc", "note.txt"):
    with open(f"{here}/base/{name}", "w") as file:
        file.write(name)
print(sorted((status.getPath().getName(), status.isFile(), status.getLen()) for status in fs.listStatus(base) if status.isFile()))
print(sorted(cut(status.getPath().toString()) for status in fs.listStatus(base)))
found = fs.globStatus(Path(here + "/base/part-*.csv"))
print(len(found), cut(found[0].getPath()), fs.globStatus(Path(here + "/base/no*.csv")) is None, len(fs.globStatus(Path(here + "/base/no*.csv"))), fs.globStatus(Path(here + "/nothing")))
print([s.getPath().getName() for s in fs.globStatus(Path(here + "/base/{part-[2-9],note}.*"))], [s.getPath().getName() for s in fs.globStatus(Path(here + "/b?se/a/*"))])
print(fs.rename(Path(here + "/base/part-1.csv"), Path(here + "/base/renamed.csv")), fs.exists(Path(here + "/base/part-1.csv")))
print(fs.rename(Path(here + "/base/note.txt"), Path(here + "/base/a")), fs.exists(Path(here + "/base/a/note.txt")))
summary = fs.getContentSummary(base)
print(summary.getLength(), summary.getFileCount(), summary.getDirectoryCount())
print(fs.getFileStatus(Path(here + "/base/renamed.csv")).getLen(), base.getFileSystem(spark._jsc.hadoopConfiguration()).exists(base))
print(fs.delete(Path(here + "/none"), True), fs.delete(base, True), fs.exists(base))
for failing in (lambda: fs.listStatus(base), lambda: fs.getFileStatus(base)):
    try: print(failing())
    except Exception as error: print("File" in str(error), "does not exist" in str(error))
print(Path("s3a://bucket/dir/file").toUri().getScheme(), Path("s3a://bucket/dir/file").toUri().getPath(), Path("s3a://bucket/dir/file").getParent().toString(), Path(Path("/a"), "b").toString(), Path("a/b").isAbsolute(), Path("/").getParent())
try: Path("nofs://bucket/x").getFileSystem(sc._jsc.hadoopConfiguration())
except Exception as error: print('No FileSystem for scheme "nofs"' in str(error))
print(cut(fs.makeQualified(Path(here + "/x")).toString()), fs.getUri().toString())
uri = spark._jvm.java.net.URI("file:///tmp/x")
print(FileSystem.get(uri, spark._jsc.hadoopConfiguration()).exists(Path("/tmp")), uri.getScheme(), uri.getPath())
print(abs(spark._jvm.java.lang.System.currentTimeMillis() / 1000 - __import__("time").time()) < 60, sc._jvm.System.getProperty("no.such.property"), sc._jvm.java.lang.System.getenv("NO_SUCH_THING"))
catalog = spark._jsparkSession.catalog()
spark.range(3).createOrReplaceTempView("three")
print(catalog.tableExists("three"), catalog.tableExists("default", "nothing"), catalog.tableExists("default.nothing"), catalog.databaseExists("default"), catalog.currentDatabase(), catalog.dropTempView("three"))
df = spark.createDataFrame([(1, "a long text that is cut somewhere"), (2, None)], "id INT, text STRING")
print(df._jdf.showString(20, 20, False))
print(df._jdf.showString(1, 0, True))
spark._jsc.hadoopConfiguration().set("fs.x", "y")
print(spark._jsc.hadoopConfiguration().get("fs.x"), spark._jsc.hadoopConfiguration().get("fs.nothing"))
"""

SAID = """False True True True HERE/base base HERE
[('_SUCCESS', True, 8), ('note.txt', True, 8), ('part-1.csv', True, 10), ('part-2.csv', True, 10)]
['file:HERE/base/_SUCCESS', 'file:HERE/base/a', 'file:HERE/base/note.txt', 'file:HERE/base/part-1.csv', 'file:HERE/base/part-2.csv']
2 file:HERE/base/part-1.csv False 0 None
['note.txt', 'part-2.csv'] ['b']
True False
True True
36 4 3
10 True
False True False
True True
True True
s3a /dir/file s3a://bucket/dir /a/b False None
True
file:HERE/x file:///
True file /tmp/x
True None None
True False False True default True
+---+--------------------+
| id|                text|
+---+--------------------+
|  1|a long text that ...|
|  2|                NULL|
+---+--------------------+

-RECORD 0---------------------------------
 id   | 1                                 
 text | a long text that is cut somewhere 
only showing top 1 row
y None
"""


def test_hadoops_files_javas_system_and_the_sessions_catalog(submit):
    job = submit(BELOW)
    assert job.returncode == 0, job.err
    assert job.out == SAID


PROGRESS = """
from pyspark.sql import SparkSession

spark = SparkSession.builder.config("spark.sql.shuffle.partitions", "2").getOrCreate()
query = spark.readStream.schema("n INT").json("in").writeStream.format("noop").trigger(availableNow=True).start()
query.awaitTermination()
text = str(query.lastProgress)
print(text[:7] == '{\\n  "id', '"durationMs" : {\\n    "addBatch" : ' in text, '"sources" : [ {\\n    "description" : "File' in text)
print('"stateOperators" : [ ],' in text, '"startOffset" : null,\\n    "endOffset" : {\\n      "logOffset" : 0\\n    },' in text)
source = query.lastProgress["sources"][0]
print(source.startOffset, source.endOffset, '"endOffset":{"logOffset":0},' in query.lastProgress.json)
"""


def test_progress_in_the_words_of_the_jvm(submit):
    (submit.work / "in").mkdir(parents=True)
    (submit.work / "in" / "a.json").write_text('{"n": 1}\n')
    job = submit(PROGRESS)
    assert job.returncode == 0, job.err
    assert job.out.splitlines() == ["True True True", "True True", 'None {"logOffset":0} True']


def test_progress_as_spark_printed_it(monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.syspath_prepend(str(ROOT / "python"))
    from millrace import progress

    recorded = sorted((ROOT / "tests" / "data" / "spark-checkpoint").glob("*/progress.pretty.json"))
    assert recorded
    for file in recorded:
        text = file.read_text(encoding="utf-8").rstrip("\n")
        assert progress._pretty(json.loads(text)) == text, file
