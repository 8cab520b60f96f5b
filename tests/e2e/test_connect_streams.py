"""Streaming queries driven by PySpark over Spark Connect; sources and sinks without Kafka."""

import json
import time

import pytest
from pyspark.errors import AnalysisException, StreamingPythonRunnerInitializationException, StreamingQueryException
from pyspark.sql import functions as F
from pyspark.sql.streaming import StatefulProcessor
from pyspark.sql.streaming.listener import StreamingQueryListener
from pyspark.sql.types import StructType


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "in"
    path.mkdir()

    def add(name, *numbers):
        staged = tmp_path / name
        staged.write_text("".join(json.dumps({"n": number}) + "\n" for number in numbers))
        staged.rename(path / name)

    add("a.json", 1, 2)
    return path, add


def read(spark, path):
    return spark.readStream.schema("n long").json(str(path))


def test_a_query_is_watched_and_ended(spark, tmp_path, folder):
    path, add = folder
    stream = read(spark, path)
    assert stream.isStreaming
    query = (stream.writeStream.format("memory").queryName("numbers").outputMode("append")
             .option("checkpointLocation", str(tmp_path / "checkpoint")).start())
    assert query.isActive and query.name == "numbers"
    query.processAllAvailable()
    assert sorted(row.n for row in spark.table("numbers").collect()) == [1, 2]
    add("b.json", 3)
    query.processAllAvailable()
    assert spark.table("numbers").count() == 3
    progress = query.lastProgress
    assert progress.name == "numbers" and str(progress.id) == query.id and str(progress.runId) == query.runId
    assert sum(one.numInputRows for one in query.recentProgress) == 3
    assert progress.sources[0].description.startswith("FileStreamSource")
    assert set(query.status) == {"message", "isDataAvailable", "isTriggerActive"}
    assert [other.id for other in spark.streams.active] == [query.id]
    assert spark.streams.get(query.id).runId == query.runId
    assert query.awaitTermination(0.2) is False and spark.streams.awaitAnyTermination(0.2) is False
    query.explain()
    query.explain(True)
    query.stop()
    assert not query.isActive and spark.streams.active == [] and query.exception() is None
    assert query.awaitTermination(5) is True and spark.streams.awaitAnyTermination(5) is True
    spark.streams.resetTerminated()
    assert spark.streams.awaitAnyTermination(0.2) is False
    assert query.lastProgress is not None  # still there for who asks


def test_a_restart_goes_on_where_the_run_before_ended(spark, tmp_path, folder):
    path, add = folder
    writer = (read(spark, path).writeStream.format("json").option("checkpointLocation", str(tmp_path / "checkpoint"))
              .trigger(availableNow=True))
    first = writer.start(str(tmp_path / "out"))
    assert first.awaitTermination(30) is True
    add("b.json", 3, 4)
    second = writer.start(str(tmp_path / "out"))
    second.awaitTermination(30)
    assert first.id == second.id and first.runId != second.runId
    assert sorted(row.n for row in spark.read.json(str(tmp_path / "out")).collect()) == [1, 2, 3, 4]


def test_a_failing_query_tells_why(spark, tmp_path, folder):
    path, add = folder
    query = (read(spark, path).select((F.lit(1) / (F.col("n") - 2)).alias("q")).writeStream.format("memory")
             .queryName("failing").start())
    with pytest.raises(StreamingQueryException) as caught:
        query.awaitTermination(30)
    assert "DIVIDE_BY_ZERO" in str(caught.value) and caught.value.getCondition() == "STREAM_FAILED"
    assert not query.isActive
    # As Spark's server says it, without the plan that it shows at the end.
    assert "DIVIDE_BY_ZERO" in str(query.exception())
    assert (f"\n=== Streaming Query ===\nIdentifier: failing [id = {query.id}, runId = {query.runId}]\n"
            f"Current Committed Offsets: {{}}\nCurrent Available Offsets: {{FileStreamSource[file:{path}]: "
            "{\"logOffset\":0}}\n\nCurrent State: ACTIVE\nThread State: RUNNABLE") in str(query.exception())
    with pytest.raises(StreamingQueryException):
        spark.streams.awaitAnyTermination(30)


def test_listeners_hear_of_start_progress_and_end(spark, tmp_path, folder):
    heard = []

    class Listener(StreamingQueryListener):
        def onQueryStarted(self, event):
            heard.append(("started", event.name, str(event.runId)))

        def onQueryProgress(self, event):
            heard.append(("progress", event.progress.numInputRows, str(event.progress.runId)))

        def onQueryIdle(self, event):
            pass

        def onQueryTerminated(self, event):
            heard.append(("terminated", event.exception, str(event.runId)))

    listener = Listener()
    spark.streams.addListener(listener)
    query = read(spark, folder[0]).writeStream.format("memory").queryName("heard").start()
    assert heard[0] == ("started", "heard", query.runId)  # before start() has returned
    query.processAllAvailable()
    query.stop()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and heard[-1][0] != "terminated":
        time.sleep(0.02)
    spark.streams.removeListener(listener)
    assert ("progress", 2, query.runId) in heard and heard[-1] == ("terminated", None, query.runId)
    count = len(heard)
    query = read(spark, folder[0]).writeStream.format("memory").queryName("unheard").start()
    query.processAllAvailable()
    query.stop()
    assert len(heard) == count


def test_a_query_outlives_its_client(start_server, tmp_path, folder):
    from pyspark.sql.connect.session import SparkSession

    path, add = folder
    server = start_server()
    session = SparkSession.builder.remote(f"{server.url}/;user_id=ann").create()
    session_id = session.session_id
    query = (read(session, path).writeStream.format("json").option("checkpointLocation", str(tmp_path / "checkpoint"))
             .start(str(tmp_path / "out")))
    query.processAllAvailable()
    session.client.close()  # without a word to the server
    add("b.json", 3)
    deadline = time.monotonic() + 30
    back = SparkSession.builder.remote(f"{server.url}/;user_id=ann;session_id={session_id}").create()
    found = back.streams.get(query.id)
    assert found is not None and found.runId == query.runId
    found.processAllAvailable()
    assert sorted(row.n for row in back.read.json(str(tmp_path / "out")).collect()) == [1, 2, 3]
    assert time.monotonic() < deadline
    back.stop()  # ends the session, and the query with it


def test_observed_metrics_are_in_the_progress(spark, folder):
    observed = read(spark, folder[0]).observe("seen", F.count(F.lit(1)).alias("rows"), F.max("n").alias("top"))
    query = observed.writeStream.format("memory").queryName("observed").start()
    query.processAllAvailable()
    progress = [one for one in query.recentProgress if one.numInputRows > 0][0]
    assert json.loads(progress.json)["observedMetrics"] == {"seen": {"rows": 2, "top": 2}}
    query.stop()


def test_refusals_have_sparks_classes(spark, tmp_path, folder):
    from pyspark.errors import AnalysisException, IllegalArgumentException

    stream = read(spark, folder[0])
    with pytest.raises(AnalysisException, match="no streaming aggregations"):
        stream.writeStream.outputMode("complete").format("console").start()
    with pytest.raises(IllegalArgumentException, match="Schema must be specified"):
        spark.readStream.json(str(folder[0])).schema
    with pytest.raises(IllegalArgumentException, match="'path' is not specified"):
        stream.writeStream.format("parquet").option("checkpointLocation", str(tmp_path / "c")).start()
    query = stream.writeStream.format("console").option("truncate", 20).start()
    with pytest.raises(StreamingQueryException, match="20 is not a boolean string"):
        query.awaitTermination()


def test_what_a_stream_wrote_keeps_its_nullability(spark, tmp_path, folder):
    query = (read(spark, folder[0]).select(F.lit(1).alias("one"), "n").writeStream.format("parquet")
             .option("checkpointLocation", str(tmp_path / "c")).trigger(availableNow=True).start(str(tmp_path / "out")))
    query.awaitTermination()
    assert [field.nullable for field in spark.read.parquet(str(tmp_path / "out")).schema] == [False, True]


def test_malformed_records_name_their_file(spark, tmp_path):
    from pyspark.errors import PySparkException

    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.json").write_text("{")
    with pytest.raises(PySparkException) as caught:
        spark.read.schema("a INT").option("mode", "FAILFAST").json(str(tmp_path / "bad")).collect()
    assert caught.value.getCondition() == "FAILED_READ_FILE.NO_HINT"
    assert f"reading file file://{tmp_path}/bad/a.json" in str(caught.value)
    assert "Malformed records are detected" in str(caught.value)


def test_interrupting_the_start_of_a_query_stops_it(spark):
    def start():
        return spark.readStream.format("rate").load().writeStream.format("noop").start()

    spark.addTag("mine")
    tagged = start()
    spark.removeTag("mine")
    other = start()
    assert len(spark.interruptTag("mine")) == 1
    assert tagged.awaitTermination(10) and tagged.exception() is None and other.isActive
    spark.interruptAll()
    assert other.awaitTermination(10) and other.exception() is None


def test_listeners_hear_of_the_end_that_an_interrupt_makes(spark):
    ended = []

    class Listener(StreamingQueryListener):
        def onQueryStarted(self, event):
            pass

        def onQueryProgress(self, event):
            pass

        def onQueryIdle(self, event):
            pass

        def onQueryTerminated(self, event):
            ended.append(str(event.runId))

    listener = Listener()
    spark.streams.addListener(listener)
    query = spark.readStream.format("rate").load().writeStream.format("noop").start()
    spark.interruptAll()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not ended:
        time.sleep(0.02)
    spark.streams.removeListener(listener)
    assert ended == [query.runId]


def test_a_function_that_cannot_be_unpickled(spark):
    class Broken:
        def __reduce__(self):
            return Broken.restore, ()

        @staticmethod
        def restore():
            raise ValueError("not here")

    broken = Broken()
    writer = spark.readStream.format("rate").load().writeStream.foreachBatch(lambda frame, batch_id: print(broken))
    with pytest.raises(StreamingPythonRunnerInitializationException, match="not here"):
        writer.start()


def test_sources_are_named_where_queries_may_evolve_only(spark, tmp_path, folder):
    path, _ = folder
    with pytest.raises(AnalysisException, match="'visits' was provided but the feature is disabled") as refused:
        spark.readStream.schema("n long").name("visits").json(str(path)).schema  # noqa: B018
    assert refused.value.getCondition() == "STREAMING_QUERY_EVOLUTION_ERROR.SOURCE_NAMING_NOT_SUPPORTED"
    # What keeps other logs than ours says so.
    for key, value in [("spark.sql.streaming.queryEvolution.enableSourceEvolution", "true"),
                       ("spark.sql.streaming.queryEvolution.enableSinkEvolution", "true")]:
        spark.conf.set(key, value)
        try:
            with pytest.raises(Exception, match=f"{key} = {value} is not supported"):
                read(spark, path).writeStream.format("noop").option("checkpointLocation", str(tmp_path / "c")).start()
        finally:
            spark.conf.unset(key)
    assert not (tmp_path / "c").exists()


def test_a_foreach_batch_function_that_raises_names_the_sink(spark, folder):
    path, _ = folder

    def fails(frame, batch):
        raise LookupError("nothing of the kind")

    query = read(spark, path).writeStream.foreachBatch(fails).start()
    with pytest.raises(StreamingQueryException, match="FOREACH_BATCH_USER_FUNCTION_ERROR.*Reason: .*PYTHON_EXCEPTION"):
        query.awaitTermination()
    assert "LookupError: nothing of the kind" in str(query.exception())


def test_the_frames_of_a_processor_hold_no_more_bytes_than_they_may(spark):
    class Frames(StatefulProcessor):
        def init(self, handle):
            pass

        def handleInputRows(self, key, rows, timerValues):
            import pandas as pd

            yield pd.DataFrame({"k": [key[0]], "frames": [sum(1 for _ in rows)]})

        def close(self):
            pass

    out = StructType().add("k", "string").add("frames", "long")  # a text would want a session of the client's own

    def frames(limit):
        spark.conf.set("spark.sql.execution.arrow.maxBytesPerBatch", limit)
        rows = spark.createDataFrame([("a", 1), ("a", 2), ("b", 3)], "k string, v int").groupBy("k").transformWithStateInPandas(
            statefulProcessor=Frames(), outputStructType=out, outputMode="update", timeMode="none")
        return sorted(map(tuple, rows.collect()))

    try:
        assert frames("1") == [("a", 2), ("b", 1)]  # as real Spark
        assert frames("1m") == [("a", 1), ("b", 1)]
    finally:
        spark.conf.unset("spark.sql.execution.arrow.maxBytesPerBatch")


def test_a_function_that_goes_on_without_rows_commits_no_half_state(spark, tmp_path, folder):
    path, add = folder
    add("b.json", 0)
    checkpoint = tmp_path / "checkpoint"

    def collected(rows, batch):
        try:
            rows.collect()
        except Exception:
            pass

    shares = {
        "above the state": read(spark, path).dropDuplicates().selectExpr("10 / n AS share"),
        "below it": read(spark, path).selectExpr("n", "10 / n AS share").groupBy("n").agg(F.sum("share")),
    }
    for name, stream in shares.items():
        query = (stream.writeStream.foreachBatch(collected).outputMode("update").trigger(availableNow=True)
                 .option("checkpointLocation", str(checkpoint / name)).start())
        with pytest.raises(StreamingQueryException, match="DIVIDE_BY_ZERO"):
            query.awaitTermination()
        assert not list((checkpoint / name / "commits").iterdir()), name
