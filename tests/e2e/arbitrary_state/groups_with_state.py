"""applyInPandasWithState."""

from state_cases import COUNTING, ROCKSDB, SESSIONS, case, rows


def count_of(key, frames, state):
    import pandas as pd

    count = state.get[0] if state.exists else 0
    new = sum(len(frame) for frame in frames)
    state.update((count + new,))
    yield pd.DataFrame({"k": [key[0]], "total": [count + new], "new": [new]})


def counting(frame, function=count_of, mode="update", timeout="NoTimeout"):
    return frame.groupBy("k").applyInPandasWithState(function, "k string, total long, new long", "total long", mode, timeout)


@case(rounds=COUNTING)
def count(spark, frame):
    return counting(frame)


@case(rounds=COUNTING, conf=ROCKSDB)
def count_in_rocksdb(spark, frame):
    return counting(frame)


@case(rounds=COUNTING, mode="append")
def count_append(spark, frame):
    return counting(frame, mode="append")


@case(rounds=COUNTING, mode="complete")
def count_below_an_aggregation(spark, frame):
    return counting(frame, mode="append").groupBy("k").sum("new")


@case(rounds=COUNTING)
def remove(spark, frame):
    def function(key, frames, state):
        import pandas as pd

        seen = (state.getOption or (0,))[0] + sum(len(frame) for frame in frames)
        if seen >= 3:
            state.remove()
        else:
            state.update((seen,))
        yield pd.DataFrame({"k": [key[0]], "total": [seen], "new": [int(state.exists)]})

    return counting(frame, function)


@case(rounds=COUNTING)
def untouched(spark, frame):
    def function(key, frames, state):
        import pandas as pd

        for frame in frames:
            if not state.exists and len(frame) > 1:
                state.update((len(frame),))
            yield pd.DataFrame({"k": [key[0]] * len(frame), "total": frame["v"].astype("int64"),
                                "new": [int(state.exists)] * len(frame)})
        yield pd.DataFrame({"k": [], "total": [], "new": []})

    return counting(frame, function)


@case(rounds=COUNTING, conf={"spark.sql.execution.arrow.maxRecordsPerBatch": "2"})
def pieces(spark, frame):
    """The frames that a group comes in are cut where Spark cuts them."""
    def function(key, frames, state):
        import pandas as pd

        sizes = ",".join(str(len(frame)) + ":" + "/".join(str(v) for v in frame["v"]) for frame in frames)
        state.update(((state.getOption or ("",))[0] + "|" + sizes,))
        yield pd.DataFrame({"k": [key[0]], "sizes": [state.get[0]]})

    return frame.groupBy("k").applyInPandasWithState(function, "k string, sizes string", "sizes string", "update", "NoTimeout")


@case(rounds=COUNTING)
def two_keys(spark, frame):
    def function(key, frames, state):
        import pandas as pd

        values = [str(v) for frame in frames for v in frame["v"]]
        old = state.get[1].split() if state.exists else []
        state.update((len(old), " ".join(old + values)))
        yield pd.DataFrame({"odd": [key[0]], "k": [key[1]], "vs": [old + values], "names": [str(len(key))]})

    return (frame.withColumn("odd", frame.v % 2).groupBy("odd", "k").applyInPandasWithState(
        function, "odd int, k string, vs array<string>, names string", "n int, Vs string", "update", "NoTimeout"))


TYPES = ("b boolean, i1 byte, i2 short, i4 int, i8 long, f4 float, f8 double, s string, bin binary, d date, t timestamp,"
         " n timestamp_ntz, dec decimal(10,2), big decimal(30,4), st struct<x:int,y:string>")


@case(rounds=[[rows("a 1, b 2")], [rows("a 1, b 2")]])
def state_types(spark, frame):
    """Values of all types go into state and come back as what they were."""
    def function(key, frames, state):
        import datetime
        import decimal

        import pandas as pd

        first = key[0] == "a"
        text = repr(tuple(state.get)) if state.exists else "nothing"
        if first:
            state.update((True, 1, 2, 3, 2**40, 1.5, 2.25, "text é", b"\x00\xff", datetime.date(2024, 2, 29),
                          datetime.datetime(2024, 1, 2, 3, 4, 5, 678901), datetime.datetime(1969, 12, 31, 23, 59, 59, 5),
                          decimal.Decimal("12.34"), decimal.Decimal("-12345678901234567890.1234"),
                          (7, "p")))
        else:
            state.update((None,) * 15)
        yield pd.DataFrame({"k": [key[0]], "state": [text]})

    return frame.groupBy("k").applyInPandasWithState(function, "k string, state string", TYPES, "update", "NoTimeout")


def session_of(key, frames, state):
    import pandas as pd

    if state.hasTimedOut:
        frames = list(frames)
        count, last = state.get
        state.remove()
        yield pd.DataFrame({"k": [key[0]], "what": ["ended with %d of %d frames" % (len(frames[0]), len(frames))],
                            "n": [count], "w": [state.getCurrentWatermarkMs()]})
        return
    count, last = state.get if state.exists else (0, 0)
    for frame in frames:
        count += len(frame)
        last = max(last, int(frame["t"].max().timestamp() * 1000))
    state.update((count, last))
    state.setTimeoutTimestamp(max(last + 20000, state.getCurrentWatermarkMs() + 1))
    yield pd.DataFrame({"k": [key[0]], "what": ["goes on"], "n": [count], "w": [state.getCurrentWatermarkMs()]})


def sessions(frame, function=session_of, mode="append"):
    return frame.withWatermark("t", "10 seconds").groupBy("k").applyInPandasWithState(
        function, "k string, what string, n int, w long", "n int, last long", mode, "EventTimeTimeout")


@case(rounds=SESSIONS, mode="append")
def event_time_timeout(spark, frame):
    return sessions(frame)


@case(rounds=SESSIONS, mode="update", conf=ROCKSDB)
def event_time_timeout_in_rocksdb(spark, frame):
    return sessions(frame, mode="update")


@case(rounds=SESSIONS, mode="append")
def timeout_that_is_not_reset(spark, frame):
    """A key that timed out and was left alone times out again in each micro-batch."""
    def function(key, frames, state):
        import pandas as pd

        if not state.hasTimedOut:
            state.update((sum(len(frame) for frame in frames), 0))
            if key[0] != "b":
                state.setTimeoutTimestamp(state.getCurrentWatermarkMs() + 1000)
        yield pd.DataFrame({"k": [key[0]], "what": [str(state.hasTimedOut)], "n": [state.get[0]],
                            "w": [state.getCurrentWatermarkMs()]})

    return sessions(frame, function)


@case(rounds=SESSIONS, mode="append")
def timeout_without_state(spark, frame):
    """State that is removed may keep its timeout."""
    def function(key, frames, state):
        import pandas as pd

        what = f"{state.hasTimedOut} {state.exists} {state.getOption}"
        if not state.hasTimedOut:
            state.remove()
            state.setTimeoutTimestamp(state.getCurrentWatermarkMs() + 5000)
        elif key[0] == "a":
            state.update((1, 2))
        else:
            state.remove()
        yield pd.DataFrame({"k": [key[0]], "what": [what], "n": [0], "w": [state.getCurrentWatermarkMs()]})

    return sessions(frame, function)


@case(rounds=[[rows("a 1 00:05, b 2 00:10"), rows("a 3 20:00"), rows("a 4 00:01, b 5 19:55")]], mode="update")
def watermark_without_timeout(spark, frame):
    """Late rows are dropped only where time outs go by event time."""
    def function(key, frames, state):
        import pandas as pd

        yield pd.DataFrame({"k": [key[0]], "total": [state.getCurrentWatermarkMs()],
                            "new": [sum(len(frame) for frame in frames)]})

    return counting(frame.withWatermark("t", "10 seconds"), function)


@case(rounds=[[rows("a 1, b 2, c 3")], [rows("b 4")]],
      awaits=lambda batches: sum("True" in str(rows) for _, rows in batches) >= 1 and
      sum(str(rows).count("True") for _, rows in batches) >= (3 if "'4'" not in str(batches) else 1))
def processing_time_timeout(spark, frame):
    def function(key, frames, state):
        import pandas as pd

        if state.hasTimedOut:
            value = state.get[0]
            state.remove()
        else:
            value = sum(int(v) for frame in frames for v in frame["v"])
            state.update((value,))
            state.setTimeoutDuration(1500)
        assert state.getCurrentProcessingTimeMs() > 0
        yield pd.DataFrame({"k": [key[0]], "what": [str(state.hasTimedOut)], "value": [value]})

    return frame.groupBy("k").applyInPandasWithState(function, "k string, what string, value int", "value int", "update",
                                                     "ProcessingTimeTimeout")


# What is refused.

ONE = [[rows("a 1 00:05, b 2 00:10")]]


@case(rounds=ONE)
def function_raises(spark, frame):
    def function(key, frames, state):
        raise ValueError("no " + key[0])

    return counting(frame, function)


@case(rounds=ONE)
def watermark_that_is_not_there(spark, frame):
    def function(key, frames, state):
        state.getCurrentWatermarkMs()

    return counting(frame, function)


@case(rounds=ONE)
def duration_without_timeout(spark, frame):
    def function(key, frames, state):
        state.setTimeoutDuration(10)

    return counting(frame, function)


@case(rounds=ONE)
def other_columns(spark, frame):
    def function(key, frames, state):
        import pandas as pd

        yield pd.DataFrame({"k": ["a"], "total": [1]})

    return counting(frame, function)


@case(rounds=ONE)
def not_a_frame(spark, frame):
    def function(key, frames, state):
        yield 1

    return counting(frame, function)


@case(rounds=ONE, mode="append")
def update_into_append(spark, frame):
    return counting(frame)


@case(rounds=ONE, mode="update")
def append_into_update(spark, frame):
    return counting(frame, mode="append")


@case(rounds=ONE, mode="complete")
def update_into_complete(spark, frame):
    return counting(frame)


@case(rounds=ONE, mode="complete")
def update_below_an_aggregation(spark, frame):
    return counting(frame).groupBy("k").count()


@case(rounds=ONE, mode="append")
def append_above_an_aggregation(spark, frame):
    from pyspark.sql import functions as F

    windows = frame.withWatermark("t", "1 second").groupBy(F.window("t", "10 seconds"), "k").agg(F.max("v").alias("v"))
    return counting(windows.select("k", "v"), mode="append")


@case(rounds=ONE, mode="append")
def event_time_timeout_without_watermark(spark, frame):
    return counting(frame, mode="append", timeout="EventTimeTimeout")


@case(rounds=ONE, mode="complete")
def event_time_timeout_below_a_stateful_operator(spark, frame):
    return sessions(frame).groupBy("k").count()


@case(rounds=ONE)
def two_of_them(spark, frame):
    return counting(counting(frame).selectExpr("k", "int(total) AS v"))


@case(rounds=ONE)
def output_mode_complete(spark, frame):
    return counting(frame, mode="complete")


@case(rounds=ONE, conf={"spark.sql.streaming.stateStore.encodingFormat": "avro", **ROCKSDB})
def avro(spark, frame):
    return counting(frame)
