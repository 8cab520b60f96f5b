"""Data sources in Python (pyspark.sql.datasource): read, written, streamed."""

import datetime
import json
import os
import tempfile

import pyarrow as pa
from pyspark.sql import Row
from pyspark.sql.datasource import (DataSource, DataSourceReader, DataSourceStreamReader, DataSourceStreamWriter,
                                    DataSourceWriter, InputPartition, SimpleDataSourceStreamReader, WriterCommitMessage)
from pyspark.sql.types import LongType, StringType, StructField, StructType

from cases import case


def reading(spark, source_name, read, schema="a int", partitions=None):
    """Registers a source whose partitions give what `read` yields."""

    class Reader(DataSourceReader):
        def partitions(self):
            return partitions or [InputPartition(None)]

        def read(self, partition):
            return read(partition)

    class Source(DataSource):
        @classmethod
        def name(cls):
            return source_name

        def schema(self):
            return schema

        def reader(self, schema):
            return Reader()

    spark.dataSource.register(Source)
    return spark.read.format(source_name)


def writing(spark, source_name, write, commit=None):
    class Writer(DataSourceWriter):
        def __init__(self, options, overwrite):
            self.log = options["path"] + "/log"
            self.overwrite = overwrite

        def write(self, rows):
            message = WriterCommitMessage()
            message.sum = write(rows)
            return message

        def commit(self, messages):
            if commit is not None:
                commit()
            with open(self.log, "a") as out:
                out.write(f"commit {sorted(one.sum for one in messages)} {self.overwrite}\n")

        def abort(self, messages):
            with open(self.log, "a") as out:
                out.write("abort\n")

    class Source(DataSource):
        @classmethod
        def name(cls):
            return source_name

        def writer(self, schema, overwrite):
            return Writer(self.options, overwrite)

    spark.dataSource.register(Source)


@case
def source_in_partitions(spark):
    read = reading(spark, "parts", lambda p: iter([(p.value, "x"), (p.value * 10, None)]), "a int, b string",
                   [InputPartition(i) for i in range(3)])
    frame = read.load()
    return (frame.orderBy("a", "b").collect() + frame.select("b").distinct().orderBy("b").collect()
            + [frame.filter("a > 5").count()] + spark.read.format("PARTS").load().limit(0).collect())


@case
def source_sees_options(spark):
    class Source(DataSource):
        @classmethod
        def name(cls):
            return "optioned"

        def schema(self):
            return "o string"

        def reader(self, schema):
            options = sorted(self.options.items())

            class Reader(DataSourceReader):
                def read(self, partition):
                    yield str(options),

            return Reader()

    spark.dataSource.register(Source)
    return spark.read.format("optioned").option("Foo", "Bar").option("n", 1).load("/some/path").collect()


@case
def source_of_record_batches(spark):
    schema = StructType([StructField("a", LongType()), StructField("b", StringType())])
    read = reading(spark, "batches", lambda p: iter([pa.RecordBatch.from_pydict({"a": [1, 2], "b": ["x", None]})]), schema)
    return read.load().orderBy("a").collect()


@case
def source_of_rows(spark):
    def read(partition):
        yield Row(t=datetime.datetime(2020, 1, 2, 3), a=1, l=[1], m={"k": 1}, s=Row(q=5))
        yield [None] * 5

    return reading(spark, "rows", read, "a int, t timestamp, l array<int>, m map<string,int>, s struct<q:int>").load().collect()


@case
def source_takes_the_users_schema(spark):
    class Reader(DataSourceReader):
        def __init__(self, schema):
            self.schema = schema

        def read(self, partition):
            yield tuple(range(len(self.schema)))

    class Source(DataSource):
        @classmethod
        def name(cls):
            return "schemaless"

        def reader(self, schema):
            return Reader(schema)

    spark.dataSource.register(Source)
    return spark.read.format("schemaless").schema("p int, q int").load().collect()


@case
def source_that_fails_to_read(spark):
    def read(partition):
        raise ValueError("no rows")

    return reading(spark, "failing", read).load().collect()


@case
def source_of_too_few_columns(spark):
    return reading(spark, "short", lambda p: iter([(1,)]), "a int, b int").load().collect()


@case
def source_without_a_reader(spark):
    class Source(DataSource):
        @classmethod
        def name(cls):
            return "unread"

        def schema(self):
            return "a int"

    spark.dataSource.register(Source)
    return spark.read.format("unread").load().collect()


@case
def source_that_cannot_be_made(spark):
    class Source(DataSource):
        def __init__(self, options):
            raise ValueError("not today")

        @classmethod
        def name(cls):
            return "unmade"

    spark.dataSource.register(Source)
    return spark.read.format("unmade").load().schema


@case
def source_written(spark):
    folder = tempfile.mkdtemp()
    writing(spark, "written", lambda rows: sum(row["id"] for row in rows))
    spark.range(0, 4, 1, 2).write.format("written").mode("append").save(folder)
    spark.range(0, 4, 1, 1).write.format("written").mode("overwrite").option("path", folder).save()
    with open(folder + "/log") as log:
        return log.read().splitlines()


@case
def source_written_without_a_mode(spark):
    writing(spark, "written", lambda rows: 0)
    spark.range(1).write.format("written").save(tempfile.mkdtemp())


@case
def source_whose_write_fails(spark):
    def write(rows):
        raise ValueError("disk full")

    folder = tempfile.mkdtemp()
    writing(spark, "unwritten", write)
    try:
        spark.range(0, 1, 1, 1).write.format("unwritten").mode("append").save(folder)
    except Exception as error:  # noqa: BLE001: what is raised differs between clients
        with open(folder + "/log") as log:
            return ["disk full" in str(error)] + log.read().splitlines()


@case
def source_whose_commit_fails(spark):
    def commit():
        raise ValueError("too late")

    folder = tempfile.mkdtemp()
    writing(spark, "uncommitted", lambda rows: 0, commit)
    try:
        spark.range(0, 1, 1, 1).write.format("uncommitted").mode("append").save(folder)
    except Exception as error:  # noqa: BLE001
        with open(folder + "/log") as log:
            return ["too late" in str(error)] + log.read().splitlines()


def streamed(spark, reader, **trigger):
    class Source(DataSource):
        @classmethod
        def name(cls):
            return "streamed"

        def schema(self):
            return "id int"

    reader(Source)
    spark.dataSource.register(Source)
    folder = tempfile.mkdtemp()
    name = "streamed_" + os.path.basename(folder)
    query = (spark.readStream.format("streamed").load().writeStream.format("memory").queryName(name)
             .option("checkpointLocation", folder).trigger(**trigger).start())
    try:
        if trigger.get("availableNow"):
            query.awaitTermination(60)
        else:
            query.processAllAvailable()
    finally:
        query.stop()
    with open(folder + "/offsets/0") as offsets:
        first = json.loads(offsets.read().splitlines()[-1])
    return spark.table(name).orderBy("id").collect() + [first, query.lastProgress.sources[0].description.split("@")[0]]


@case
def source_streamed(spark):
    class Reader(DataSourceStreamReader):
        def __init__(self):
            self.current = 0

        def initialOffset(self):
            return {"offset": 0}

        def latestOffset(self):
            self.current += 2
            return {"offset": min(self.current, 6)}

        def partitions(self, start, end):
            return [InputPartition(i) for i in range(start["offset"], end["offset"])]

        def read(self, partition):
            yield partition.value,

    def give(source):
        source.streamReader = lambda self, schema: Reader()

    return streamed(spark, give, processingTime="0 seconds")


@case
def source_streamed_as_of_now(spark):
    class Reader(DataSourceStreamReader):
        def initialOffset(self):
            return {"offset": 0}

        def latestOffset(self):
            return {"offset": 4}

        def partitions(self, start, end):
            return [InputPartition(i) for i in range(start["offset"], end["offset"])]

        def read(self, partition):
            yield partition.value,

    def give(source):
        source.streamReader = lambda self, schema: Reader()

    return streamed(spark, give, availableNow=True)


@case
def source_started_again(spark):
    folder = tempfile.mkdtemp()

    def note(line):
        with open(folder + "/calls", "a") as out:
            out.write(line + "\n")

    class Reader(DataSourceStreamReader):
        def __init__(self, options):
            self.end = int(options["end"])

        def initialOffset(self):
            return {"offset": 0}

        def latestOffset(self):
            return {"offset": self.end}

        def partitions(self, start, end):
            note(f"partitions {start['offset']} {end['offset']}")
            return [InputPartition(i) for i in range(start["offset"], end["offset"])]

        def read(self, partition):
            yield partition.value,

        def commit(self, end):
            note(f"commit {end['offset']}")

    class Source(DataSource):
        @classmethod
        def name(cls):
            return "again"

        def schema(self):
            return "id int"

        def streamReader(self, schema):
            return Reader(self.options)

    spark.dataSource.register(Source)
    for end in (5, 9):
        query = (spark.readStream.format("again").option("end", end).load().writeStream.format("noop")
                 .option("checkpointLocation", folder + "/checkpoint").trigger(availableNow=True).start())
        query.awaitTermination(60)
    with open(folder + "/calls") as calls:
        return calls.read().splitlines()


@case
def source_streamed_simply(spark):
    class Reader(SimpleDataSourceStreamReader):
        def initialOffset(self):
            return {"at": 0}

        def read(self, start):
            end = min(start["at"] + 2, 5)
            return iter([(i,) for i in range(start["at"], end)]), {"at": end}

        def readBetweenOffsets(self, start, end):
            return iter([(i,) for i in range(start["at"], end["at"])])

    def give(source):
        source.simpleStreamReader = lambda self, schema: Reader()

    return streamed(spark, give, processingTime="0 seconds")


@case
def source_of_a_stream_that_fails(spark):
    class Reader(DataSourceStreamReader):
        def initialOffset(self):
            raise ValueError("no beginning")

    def give(source):
        source.streamReader = lambda self, schema: Reader()

    try:
        return streamed(spark, give, processingTime="0 seconds")
    except Exception as error:  # noqa: BLE001
        return ["no beginning" in str(error), "PYTHON_STREAMING_DATA_SOURCE_RUNTIME_ERROR" in str(error)]


@case
def source_written_by_a_stream(spark):
    class Writer(DataSourceStreamWriter):
        def __init__(self, path):
            self.path = path

        def write(self, rows):
            message = WriterCommitMessage()
            message.sum = sum(row["n"] for row in rows)
            return message

        def commit(self, messages, batchId):
            with open(self.path, "a") as out:
                out.write(f"commit {batchId} {sum(one.sum for one in messages if one)}\n")

        def abort(self, messages, batchId):
            with open(self.path, "a") as out:
                out.write(f"abort {batchId}\n")

    class Source(DataSource):
        @classmethod
        def name(cls):
            return "sink"

        def streamWriter(self, schema, overwrite):
            return Writer(self.options["path"])

    spark.dataSource.register(Source)
    folder = tempfile.mkdtemp()
    os.mkdir(folder + "/in")
    query = (spark.readStream.schema("n long").json(folder + "/in").writeStream.format("sink")
             .option("path", folder + "/log").option("checkpointLocation", folder + "/checkpoint").start())
    for name, numbers in [("a", [1, 2]), ("b", [5])]:
        with open(folder + "/" + name, "w") as out:
            out.write("".join(json.dumps({"n": n}) + "\n" for n in numbers))
        os.rename(folder + "/" + name, folder + "/in/" + name + ".json")
        query.processAllAvailable()
    query.stop()
    with open(folder + "/log") as log:
        return log.read().splitlines() + [query.lastProgress.sink.description.split("@")[0]]
