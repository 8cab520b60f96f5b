"""Programs that start, refuse and watch streaming queries, each a function of a session and a folder of its own.

`record.py` runs them on real Spark and keeps what came out in expected.json; test_stream_programs.py runs them here.
"""

import json
import os
import re
import time

CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def outcome(step, folder):
    """What `step` gives, as text, or its error: the condition and the first line of the message."""
    try:
        return str(step())
    except Exception as error:
        condition = error.getCondition() if hasattr(error, "getCondition") else None
        text = str(error).split("JVM stacktrace")[0].replace(str(folder), "FOLDER").strip()
        text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", text.split("\n")[0]).rstrip(";")
        return f"{condition}: {text}"


def outcomes(folder, steps):
    return {name: outcome(step, folder) for name, step in steps.items()}


def write_file(folder, name, lines, age_seconds=0):
    os.makedirs(folder, exist_ok=True)
    path = f"{folder}/{name}"
    with open(f"{folder}/.{name}", "w", encoding="utf-8") as out:
        out.write("".join(line + "\n" for line in lines))
    at = time.time() - 10000 - age_seconds
    os.utime(f"{folder}/.{name}", (at, at))
    os.rename(f"{folder}/.{name}", path)


def visits(spark, folder, **options):
    write_file(f"{folder}/visits", "1.json", ['{"page":"home","n":1}', '{"page":"about","n":2}'])
    return spark.readStream.schema("page STRING, n INT").options(**options).json(f"{folder}/visits")


def drained(writer):
    query = writer.start() if hasattr(writer, "start") else writer
    try:
        query.processAllAvailable()
    finally:
        query.stop()
    return "drained"


@case
def asked_for_rows(spark, folder):
    stream = visits(spark, folder)
    stream.createOrReplaceTempView("visits_now")
    spark.sql("CREATE TABLE kept_visits (page STRING, n INT) USING parquet")
    return outcomes(folder, {
        "collect": stream.collect,
        "cache": stream.cache,
        "cache by name": lambda: spark.sql("CACHE TABLE visits_now"),
        "checkpoint": stream.localCheckpoint,
        "save": lambda: stream.write.save(f"{folder}/saved"),
        "insert into no table": lambda: stream.write.insertInto("no_such_table"),
        "append to no table": lambda: stream.writeTo("no_such_table").append(),
        "pivot": lambda: stream.groupBy().pivot("page").count(),
        "insert by SQL": lambda: spark.sql("INSERT INTO kept_visits SELECT * FROM visits_now"),
    })


@case
def starts_refused(spark, folder):
    stream = visits(spark, folder)

    def start(sink, **options):
        return lambda: drained(stream.writeStream.format(sink).options(**options))

    return outcomes(folder, {
        "files without a path": start("parquet"),
        "no sink, files without a path": lambda: drained(stream.writeStream),
        "hive": start("hive"),
        "a source": start("rate"),
        "memory in partitions": lambda: drained(stream.writeStream.format("memory").queryName("m").partitionBy("n")),
        "memory of a name that is none": lambda: drained(stream.writeStream.format("memory").queryName("two words")),
        "foreachBatch in partitions": lambda: drained(stream.writeStream.foreachBatch(print).partitionBy("n")),
        "foreach in partitions": lambda: drained(stream.writeStream.foreach(print).partitionBy("n")),
        "an empty checkpoint location": start("noop", checkpointLocation=""),
        "a stream of the console": lambda: spark.readStream.format("console").load().schema,
        "a stream of hive": lambda: spark.readStream.format("hive").load().schema,
    })


@case
def tables_and_views(spark, folder):
    stream = visits(spark, folder)
    spark.sql("CREATE TABLE visits_json (page STRING, n INT) USING json")
    spark.sql("CREATE VIEW visits_view AS SELECT * FROM visits_json")
    spark.range(2).createOrReplaceTempView("two_rows")

    def into(table, sink=None):
        writer = stream.writeStream.option("checkpointLocation", f"{folder}/{table}-{sink}")
        return lambda: drained((writer.format(sink) if sink else writer).toTable(table))

    return outcomes(folder, {
        "another format": into("visits_json", "parquet"),
        "the default format": into("visits_json"),
        "its format": into("visits_json", "json"),
        "a view": into("visits_view", "json"),
        "a temporary view": into("two_rows"),
        "stream of a temporary view": lambda: spark.readStream.table("two_rows").isStreaming,
        "stream of a view": lambda: spark.readStream.table("visits_view").isStreaming,
        "stream of a table": lambda: spark.readStream.table("visits_json").isStreaming,
    })


@case
def options_of_the_file_source(spark, folder):
    """All of these start, and fail then."""
    archive = f"{folder}/visits/archive"
    steps = {}
    for options in ({"maxFilesPerTrigger": "0"}, {"maxBytesPerTrigger": "1k"}, {"latestFirst": "x"}, {"fileNameOnly": "x"},
                    {"maxCachedFiles": "-1"}, {"maxCachedFiles": "x"}, {"maxCachedFiles": "0"},
                    {"discardCachedInputRatio": "2"}, {"discardCachedInputRatio": "x"}, {"discardCachedInputRatio": "-0.1"},
                    {"modifiedBefore": "2020-01-01T00:00:00"}, {"modifiedAfter": "2020-01-01T00:00:00"},
                    {"cleanSource": "x"}, {"cleanSource": "archive"},
                    {"cleanSource": "archive", "sourceArchiveDir": archive},
                    {"maxFilesPerTrigger": "1", "maxBytesPerTrigger": "1"}):
        def run(options=options):
            query = visits(spark, folder, **options).writeStream.format("noop").start()
            return drained(query)
        steps[" ".join(f"{k}={v}" for k, v in options.items()).replace(str(folder), "FOLDER")] = run
    return outcomes(folder, steps)


@case
def the_log_of_a_sink_is_no_data(spark, folder):
    query = (visits(spark, folder).writeStream.format("parquet").option("checkpointLocation", f"{folder}/checkpoint")
             .start(f"{folder}/out"))
    drained(query)
    spark.createDataFrame([("late", 9)], "page STRING, n INT").write.mode("append").parquet(f"{folder}/out")
    return outcomes(folder, {
        "the folder": lambda: sorted(map(str, spark.read.parquet(f"{folder}/out").collect())),
        "its files": lambda: sorted(map(str, spark.read.parquet(f"{folder}/out/*").collect())),
        "the log": lambda: spark.read.json(f"{folder}/out/_spark_metadata").count(),
        "an entry of the log": lambda: spark.read.text(f"{folder}/out/_spark_metadata/0").count(),
    })


@case
def nullability_of_a_stream_of_files(spark, folder):
    write_file(f"{folder}/in", "1.json", ['{"n":1}'])
    from pyspark.sql.types import LongType, StructField, StructType
    schema = StructType([StructField("n", LongType(), False)])
    forced = spark.readStream.schema(schema).json(f"{folder}/in").schema.json()
    spark.conf.set("spark.sql.streaming.fileSource.schema.forceNullable", "false")
    try:
        kept = spark.readStream.schema(schema).json(f"{folder}/in").schema.json()
    finally:
        spark.conf.unset("spark.sql.streaming.fileSource.schema.forceNullable")
    return {"by default": json.loads(forced), "as given": json.loads(kept)}


@case
def cleaned_with_the_next_batch(spark, folder):
    """What a batch has read goes when the next one begins, not before."""
    seen = []
    stream = visits(spark, folder, cleanSource="delete", maxFilesPerTrigger="1")
    query = stream.writeStream.format("noop").option("checkpointLocation", f"{folder}/checkpoint").start()
    try:
        query.processAllAvailable()
        for name in ("2.json", "3.json"):
            seen.append(sorted(os.listdir(f"{folder}/visits")))
            write_file(f"{folder}/visits", name, ['{"page":"later","n":3}'], age_seconds=-100)
            query.processAllAvailable()
            before = {"2.json": "1.json", "3.json": "2.json"}[name]
            deadline = time.time() + 20
            while os.path.exists(f"{folder}/visits/{before}") and time.time() < deadline:
                time.sleep(0.05)
    finally:
        query.stop()
    return seen + [sorted(os.listdir(f"{folder}/visits"))]


@case
def names_of_sources(spark, folder):
    reader = spark.readStream.schema("page STRING, n INT")
    os.makedirs(f"{folder}/visits")
    return outcomes(folder, {"named": lambda: reader.name("pages").json(f"{folder}/visits").isStreaming})


@case
def streams_in_sql(spark, folder):
    spark.sql("CREATE TABLE clicks (page STRING, at TIMESTAMP, n INT) USING parquet")
    spark.sql("INSERT INTO clicks VALUES ('home', TIMESTAMP'2026-01-01 00:00:01', 1), "
              "('about', TIMESTAMP'2026-01-01 00:00:20', 2), ('home', TIMESTAMP'2026-01-01 00:00:21', 3)")

    def rows(query, name=iter(range(100))):
        def run():
            table = f"answer_{next(name)}"
            drained(spark.sql(query).writeStream.format("memory").queryName(table))
            return sorted(map(str, spark.table(table).collect()))
        return run

    queries = [
        "SELECT n FROM STREAM(clicks)",
        "SELECT n FROM STREAM(default.clicks) WITH (maxFilesPerTrigger=1) AS c WHERE c.n > 1",
        "SELECT n FROM STREAM clicks IDENTIFIED BY the_clicks",
        "SELECT n FROM STREAM(clicks) IDENTIFIED BY the_clicks",
        "SELECT hour(window.start) h, count(*) FROM STREAM(clicks) WATERMARK at DELAY OF INTERVAL 1 SECOND "
        "GROUP BY window(at, '5 seconds')",
        "SELECT second(window.start) s, count(*) FROM STREAM clicks WATERMARK at + INTERVAL 10 SECONDS AS later "
        "DELAY OF INTERVAL 1 SECOND GROUP BY window(later, '5 seconds')",
        "SELECT n FROM STREAM clicks VERSION AS OF 1",
    ]
    answers = outcomes(folder, {query: rows(query) for query in queries})
    nameless = outcome(rows("SELECT n FROM STREAM clicks WATERMARK at + INTERVAL 1 SECOND DELAY OF INTERVAL 1 SECOND"), folder)
    return {**answers, "an expression without a name": nameless.split(":")[0]}


@case
def durations(spark, folder):
    """What a watermark's delay, a window's length and a session's gap may look like."""
    write_file(f"{folder}/in", "1.json", ['{"at":"2026-03-10T13:14:15Z"}'])
    moves = spark.readStream.schema("at TIMESTAMP").json(f"{folder}/in")
    late = iter(range(100))

    def watermark(delay):
        query = moves.withWatermark("at", delay).dropDuplicates(["at"]).writeStream.format("memory").queryName(
            f"late{next(late)}").start()
        try:
            query.processAllAvailable()
            return max(json.loads(one.json)["eventTime"].get("watermark", "") for one in query.recentProgress)
        finally:
            query.stop()

    def grouped(by, text):
        return spark.sql(f'SELECT {by}(at, "{text}") AS w FROM VALUES (TIMESTAMP\'2026-03-10 13:14:15\') v(at) '
                         'GROUP BY 1').selectExpr("string(w)").collect()

    texts = ("interval 26 hours", "INTERVAL '1' DAY", "interval \"1 02:03:04\" day to second",
             " INTERVAL '10:20' MINUTE TO SECOND ", "INTERVAL '1 day 2 hours'", "INTERVAL '2' WEEKS",
             "INTERVAL '1.5' SECOND", "INTERVAL '1-2' YEAR TO MONTH", "INTERVAL '-3' HOUR", "INTERVAL 'x' DAY",
             "INTERVAL '1 DAY", "INTERVAL 1 MONTH 2 DAYS", "1 month 2 days", "intervals 1 day", "interval")
    steps = {}
    for text in texts:
        steps[f"watermark {text}"] = lambda text=text: watermark(text)
        if '"' not in text and "month" not in text.lower():
            steps[f"window {text}"] = lambda text=text: grouped("window", text)
            steps[f"session_window {text}"] = lambda text=text: grouped("session_window", text)
    return outcomes(folder, steps)


@case
def state_options_refused(spark, folder):
    stream = visits(spark, folder).groupBy("page").count()
    drained(stream.writeStream.format("memory").queryName("pages").outputMode("complete").option(
        "checkpointLocation", f"{folder}/checkpoint"))
    seen = {}
    for option, value in (("batchId", "-1"), ("batchId", "9"), ("batchId", "one"), ("joinSide", "middle"), ("storeName", ""),
                          ("storeName", "pages"), ("stateVarName", "pages"), ("readRegisteredTimers", "true"),
                          ("readRegisteredTimers", "yes"), ("flattenCollectionTypes", "no"),
                          ("snapshotPartitionId", "0"), ("changeStartBatchId", "0")):
        try:
            spark.read.format("statestore").option(option, value).load(f"{folder}/checkpoint").collect()
            seen[f"{option} {value}"] = "read"
        except Exception as error:
            seen[f"{option} {value}"] = f"{type(error).__name__} {error.getCondition()}"
    return seen


def counted(query):
    """Of each micro-batch: rows read, also by source, and the stateful operators with their rows."""
    return [[batch["numInputRows"], [source["numInputRows"] for source in batch["sources"]],
             [[state["operatorName"], state["numRowsTotal"]] for state in batch["stateOperators"]]]
            for batch in query.recentProgress if "addBatch" in batch["durationMs"]]


@case
def rows_that_count_as_read(spark, folder):
    write_file(f"{folder}/json", "1.json", ['{"page":"home","n":1}', '{"page":"about","n":2}', '{"page":"team"}'])
    write_file(f"{folder}/csv", "1.csv", ["home,1", "about,2", "team,"])
    number = iter(range(1000))

    def count(stream, mode="append"):
        query = stream.writeStream.format("memory").queryName(f"counted{next(number)}").outputMode(mode).trigger(
            availableNow=True).start()
        query.awaitTermination()
        return counted(query)

    seen = {}
    for form in ("json", "csv"):
        stream = spark.readStream.schema("page STRING, n INT").format(form).load(f"{folder}/{form}")
        for condition in ("n > 1", "n IS NULL", "n IS NOT NULL AND page LIKE 'ho%'", "false", "length(page) > 4"):
            seen[f"{form} {condition}"] = count(stream.where(condition))
    numbers = spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 3).load()
    seen["limit 0, join"] = count(numbers.limit(0).alias("a").join(numbers.alias("b"), "value"))
    seen["limit 0, count"] = count(numbers.limit(0).groupBy().count(), "complete")
    seen["count, limit 0"] = count(numbers.groupBy("value").count().limit(0), "complete")
    return seen


@case
def options_of_streams_that_count(spark, folder):
    def number_format(step):
        try:
            return str(step())
        except Exception as error:
            return f"{type(error).__name__}: {str(error).split('JVM stacktrace')[0].strip().splitlines()[0]}"

    def rates(form="rate", **options):
        return lambda: spark.readStream.format(form).options(**options).load().schema.simpleString()

    def ramped():
        query = spark.readStream.format("rate").options(rowsPerSecond=2**63 - 1, rampUpTime="10s").load().writeStream.format(
            "noop").start()
        try:
            query.awaitTermination(60)
        finally:
            query.stop()

    seen = {name: number_format(step) for name, step in {
        "no number": rates(rowsPerSecond="x"),
        "half a row": rates(rowsPerSecond="1.5"),
        "no duration": rates(rampUpTime="x"),
        "negative": rates(rowsPerSecond="-1"),
        "no start": rates("rate-micro-batch", rowsPerBatch="5", startTimestamp="x"),
    }.items()}
    seen.update(outcomes(folder, {
        "ramp": ramped,
        "rate as a batch": lambda: spark.read.format("rate").load().count(),
        "rate-micro-batch as a batch": lambda: spark.read.format("rate-micro-batch").load().count(),
        "socket as a batch": lambda: spark.read.format("socket").options(host="x", port="1").load().count(),
    }))
    return seen


@case
def sinks_that_fail_with_the_first_batch(spark, folder):
    stream = visits(spark, folder)

    def failing(rows, form, **options):
        def step():
            query = rows.writeStream.format(form).options(**options).option(
                "checkpointLocation", f"{folder}/{form}{len(options)}").start(f"{folder}/out_{form}")
            try:
                query.processAllAvailable()
            finally:
                query.stop()
        return step

    return outcomes(folder, {
        "two columns as text": failing(stream, "text"),
        "a number as text": failing(stream.select("n"), "text"),
        "a struct as CSV": failing(stream.selectExpr("struct(n) AS s"), "csv"),
    })


@case
def paths_given_twice(spark, folder):
    stream = visits(spark, folder)
    return outcomes(folder, {
        "load": lambda: spark.readStream.schema("n INT").format("json").option("path", folder).load(folder).schema.names,
        "json": lambda: spark.readStream.schema("n INT").option("path", folder).json(folder).schema.names,
        "batch": lambda: spark.read.schema("n INT").format("json").option("path", folder).load(folder).schema.names,
        "batch, paths": lambda: spark.read.schema("n INT").format("json").option("paths", folder).load(folder).schema.names,
        "start": lambda: stream.writeStream.format("json").option("path", f"{folder}/out").option(
            "checkpointLocation", f"{folder}/checkpoint").start(f"{folder}/out"),
        "once": lambda: drained(stream.writeStream.format("json").option("path", f"{folder}/out").option(
            "checkpointLocation", f"{folder}/checkpoint")),
    })


@case
def a_watermark_of_rows_that_do_not_stream(spark, folder):
    rows = spark.range(3)
    return outcomes(folder, {
        "no timestamp": lambda: rows.withWatermark("id", "1 second").count(),
        "no column": lambda: rows.withWatermark("nowhere", "1 second").count(),
        "no delay": lambda: rows.withWatermark("id", "soon").count(),
        "metadata": lambda: spark.sql("SELECT current_timestamp() AS at").withWatermark("at", "1 second").schema["at"].metadata,
    })


@case
def progress_tracked_asynchronously(spark, folder):
    stream = visits(spark, folder)
    enabled = {"asyncProgressTrackingEnabled": "true"}
    interval = "asyncProgressTrackingCheckpointIntervalMs"
    number = iter(range(1000))

    def run(form, rows=stream, mode="append", trigger=None, entries=False, **options):
        def step():
            checkpoint = f"{folder}/checkpoint{next(number)}"
            writer = rows.writeStream.format(form).outputMode(mode).options(**{**enabled, **options}).option(
                "checkpointLocation", checkpoint).queryName(f"asynchronous{next(number)}")
            if form not in ("memory", "noop", "console"):
                writer = writer.option("path", f"{folder}/out_{form}")
            query = writer.trigger(**trigger).start() if trigger else writer.start()
            try:
                query.processAllAvailable()
            finally:
                query.stop()
            return sorted(os.listdir(f"{checkpoint}/offsets")) if entries else "drained"
        return step

    def each(write):
        return lambda: drained(write(stream.writeStream.options(**enabled)))

    return outcomes(folder, {
        "memory": run("memory"),
        "noop": run("noop"),
        "noop, no interval": run("noop", **{interval: "0"}),
        "parquet": run("parquet"),
        "json": run("json"),
        "parquet off": run("parquet", asyncProgressTrackingEnabled="FALSE"),
        "parquet on": run("parquet", asyncProgressTrackingEnabled="True"),
        "parquet, any sink": run("parquet", _asyncProgressTrackingOverrideSinkSupportCheck="true"),
        "not a Boolean": run("noop", asyncProgressTrackingEnabled="yes"),
        "not a number": run("noop", **{interval: "soon"}),
        "not a number, parquet": run("parquet", **{interval: "soon"}),
        "not a number, off": run("noop", asyncProgressTrackingEnabled="false", **{interval: "soon"}),
        "foreachBatch": each(lambda writer: writer.foreachBatch(lambda rows, batch: None)),
        "foreach": each(lambda writer: writer.foreach(lambda row: None)),
        "once": run("noop", trigger={"once": True}),
        "availableNow": run("noop", trigger={"availableNow": True}),
        "parquet, once": run("parquet", trigger={"once": True}),
        "every second": run("noop", trigger={"processingTime": "1 second"}),
        "counted": run("noop", stream.groupBy("page").count(), "complete"),
        "without duplicates": run("noop", stream.dropDuplicates(["page"])),
        "parquet, without duplicates": run("parquet", stream.dropDuplicates(["page"])),
    })


LOW_LATENCY = {"continuous": {"continuous": "1 second"}, "real time": {"realTime": "5 seconds"}}


def low_latency_outcome(query, folder):
    """How a query goes on that starts: its first error, or that it runs."""
    deadline = time.monotonic() + 2
    while query.isActive and time.monotonic() < deadline:
        time.sleep(0.1)
    failure = query.exception()
    query.stop()
    if failure is None:
        return "runs"
    text = str(failure).replace("(STREAM_FAILED) ", "").strip()
    return text.split("\n")[0].replace(folder, "FOLDER")


@case
def low_latency_triggers(spark, folder):
    from pyspark.sql import functions as F

    files = visits(spark, folder)
    rate = spark.readStream.format("rate").load()
    ticks = spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 1).load()
    late = rate.withWatermark("timestamp", "1 minute")

    def start(trigger, frame, sink, mode, **options):
        writer = frame.writeStream.trigger(**trigger).outputMode(mode).options(**options)
        return writer.foreachBatch(lambda rows, batch: None) if sink == "each batch" else writer.format(sink)

    def run(trigger, frame, sink="console", mode="update", **options):
        return lambda: low_latency_outcome(start(trigger, frame, sink, mode, **options).start(), folder)

    steps = {}
    for name, trigger in LOW_LATENCY.items():
        frames = {
            "files": files, "a source of micro-batches": ticks, "projection": rate.filter("value > 0").select("value"),
            "current time": rate.select(F.current_timestamp()), "filter by now": rate.filter("timestamp > now()"),
            "seconds now": rate.selectExpr("unix_timestamp()"), "local time": rate.selectExpr("LocalTimestamp()"),
            "watermark": late, "aggregate": rate.groupBy("value").count(), "lists": rate.groupBy("value").agg(
                F.collect_list("timestamp")), "by sorting": rate.groupBy("value").agg(F.max(F.expr("string(timestamp)"))),
            "without duplicates": late.dropDuplicates(["value", "timestamp"]), "limit": rate.limit(2),
            "union": rate.union(rate), "join": rate.join(rate.select("value"), "value"),
            "generator": rate.select(F.explode(F.array("value"))), "merged": rate.coalesce(1),
            "spread": rate.repartition(2), "observed": rate.observe("seen", F.count("*").alias("n")),
        }
        for what, frame in frames.items():
            # In real time the source is refused before anything that stands over it.
            if name == "continuous" or what in ("files", "a source of micro-batches", "projection", "limit"):
                mode = "append" if name == "continuous" and what == "limit" else "update"
                steps[f"{name}: {what}"] = run(trigger, frame, mode=mode)
        steps[f"{name}: to files"] = run(trigger, rate, "parquet", "append", path=f"{folder}/out",
                                         checkpointLocation=f"{folder}/{name}")
        steps[f"{name}: to nothing"] = run(trigger, rate, "noop")
        steps[f"{name}: each batch"] = run(trigger, rate, "each batch")
        steps[f"{name}: to memory"] = run(trigger, rate, "memory", queryName="kept_" + name.replace(" ", "_"))
        steps[f"{name}: appended"] = run(trigger, rate, mode="append")
        steps[f"{name}: whole"] = run(trigger, rate.groupBy().count(), mode="complete")
    for key, trigger in {"continuous, no interval": {"continuous": "soon"}, "continuous, -1": {"continuous": "-1 second"},
                         "continuous, a month": {"continuous": "1 month"}, "real time, 1 s": {"realTime": "1 second"},
                         "real time, 0": {"realTime": "0 seconds"}, "real time, a month": {"realTime": "1 month"},
                         "real time, no duration": {"realTime": "soon"}}.items():
        steps[key] = run(trigger, rate)
    steps["real time, followed on disk"] = run({"realTime": "5 seconds"}, rate, asyncProgressTrackingEnabled="true")
    return outcomes(folder, steps)


@case
def times_of_a_batch_that_runs_again(spark, folder):
    """current_timestamp() is in the offset log; now() is the clock when the batch is planned."""
    seen = f"{folder}/seen"

    def keep(batch, batch_id):
        row = batch.selectExpr("unix_micros(n) AS n", "unix_micros(t) AS t", "n = n2 AS same", "n > t AS later", "fixed").first()
        with open(seen, "a", encoding="utf-8") as out:
            out.write(json.dumps({"batch": batch_id, **row.asDict()}) + "\n")

    def run():
        query = (visits(spark, folder).where("n = 1 AND now() > current_timestamp()")
                 .selectExpr("now() AS n", "now() AS n2", "current_timestamp() AS t",
                             "localtimestamp() = CAST(current_timestamp() AS TIMESTAMP_NTZ) AS fixed")
                 .writeStream.foreachBatch(keep).option("checkpointLocation", f"{folder}/checkpoint"))
        drained(query)

    run()
    for name in os.listdir(f"{folder}/checkpoint/commits"):
        os.remove(f"{folder}/checkpoint/commits/{name}")
    time.sleep(0.2)
    run()
    with open(seen, encoding="utf-8") as lines:
        first, again = map(json.loads, lines)
    same = {key: [first[key], again[key]] for key in ("batch", "same", "later", "fixed")}
    return {**same, "current_timestamp stays": first["t"] == again["t"], "now moves on": first["n"] < again["n"],
            "current_timestamp has milliseconds": first["t"] % 1000 == 0}


@case
def schemas_of_sources(spark, folder):
    os.makedirs(f"{folder}/empty")

    def schema(reader):
        return lambda: reader().schema.simpleString()

    return outcomes(folder, {
        "no folder": schema(lambda: spark.readStream.json(f"{folder}/nowhere")),
        "no folder, a schema": schema(lambda: spark.readStream.schema("a INT").json(f"{folder}/nowhere")),
        "no folder, a pattern": schema(lambda: spark.readStream.json(f"{folder}/nowhere*")),
        "a pattern and a schema": schema(lambda: spark.readStream.schema("a INT").json(f"{folder}/nowhere*")),
        "no schema": schema(lambda: spark.readStream.parquet(f"{folder}/empty")),
        "text": schema(lambda: spark.readStream.text(f"{folder}/empty")),
        "rate-micro-batch": schema(lambda: spark.readStream.format("rate-micro-batch").schema("a INT").load()),
        "rate-micro-batch, no rows": schema(lambda: spark.readStream.format("rate-micro-batch").load()),
    })
