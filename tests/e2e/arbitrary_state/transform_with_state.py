"""transformWithState and transformWithStateInPandas."""

from state_cases import COUNTING, ROCKSDB, SESSIONS, case, rows
from pyspark.sql import Row
from pyspark.sql.streaming import StatefulProcessor

OUT = "k string, what string, n long"


def transform(frame, processor, pandas=False, mode="update", time="None", out=OUT, keys=("k",), **more):
    grouped = frame.groupBy(*keys)
    run = grouped.transformWithStateInPandas if pandas else grouped.transformWithState
    return run(statefulProcessor=processor, outputStructType=out, outputMode=mode, timeMode=time, **more)


class Count(StatefulProcessor):
    """A value state, rows."""

    def init(self, handle):
        self.count = handle.getValueState("count", "n long")

    def handleInputRows(self, key, rows, timerValues):
        count = self.count.get()[0] if self.count.exists() else 0
        new = sum(1 for _ in rows)
        self.count.update((count + new,))
        yield Row(k=key[0], what="new %d" % new, n=count + new)

    def close(self):
        pass


class CountInPandas(Count):
    def handleInputRows(self, key, rows, timerValues):
        import pandas as pd

        found = self.count.get()
        count = found[0] if found else 0
        new = sum(len(frame) for frame in rows)
        self.count.update((count + new,))
        yield pd.DataFrame({"k": [key[0]], "what": ["new %d" % new], "n": [count + new]})


@case(rounds=COUNTING, conf=ROCKSDB, reads=({"stateVarName": "count"},))
def value_state(spark, frame):
    return transform(frame, Count())


@case(rounds=COUNTING, conf=ROCKSDB, mode="append", reads=({"stateVarName": "count"},))
def value_state_in_pandas(spark, frame):
    return transform(frame, CountInPandas(), pandas=True, mode="append")


@case(rounds=COUNTING, conf={**ROCKSDB, "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled": "true"},
      reads=({"stateVarName": "count"},))
def value_state_in_changelogs(spark, frame):
    return transform(frame, Count())


class Lists(StatefulProcessor):
    def init(self, handle):
        self.seen = handle.getListState("seen", "v int, name string")
        self.last = handle.getListState("last", "v int")

    def handleInputRows(self, key, rows, timerValues):
        values = [row.v for row in rows]
        before = [tuple(row) for row in self.seen.get()]
        for value in values[:1]:
            self.seen.appendValue((value, "first"))
        if len(values) > 1:
            self.seen.appendList([(value, None) for value in values[1:]])
        self.last.put([(value,) for value in values])
        exists = self.last.exists()
        if sum(values) > 9:
            self.seen.clear()
        yield Row(k=key[0], what=f"{before} {[tuple(row) for row in self.seen.get()]} {[tuple(r) for r in self.last.get()]}",
                  n=int(exists))

    def close(self):
        pass


@case(rounds=COUNTING, conf=ROCKSDB, reads=({"stateVarName": "seen", "flattenCollectionTypes": "true"},
                                            {"stateVarName": "last", "flattenCollectionTypes": "false"}))
def list_state(spark, frame):
    return transform(frame, Lists())


class Maps(StatefulProcessor):
    def init(self, handle):
        self.by_value = handle.getMapState("byValue", "v int", "times long, name string")

    def handleInputRows(self, key, rows, timerValues):
        for row in rows:
            odd = (row.v % 4,)
            times = self.by_value.getValue(odd)[0] if self.by_value.containsKey(odd) else 0
            self.by_value.updateValue(odd, (times + 1, str(row.v)))
            if row.v == 9:
                self.by_value.removeKey((2,))
            if row.v == 8:
                self.by_value.clear()
        keys = [tuple(one) for one in self.by_value.keys()]
        values = [tuple(one) for one in self.by_value.values()]
        pairs = [(tuple(k), tuple(v)) for k, v in self.by_value.iterator()]
        yield Row(k=key[0], what=f"{keys} {values} {pairs}", n=int(self.by_value.exists()))

    def close(self):
        pass


@case(rounds=COUNTING, conf=ROCKSDB, reads=({"stateVarName": "byValue", "flattenCollectionTypes": "true"},
                                            {"stateVarName": "byValue", "flattenCollectionTypes": "false"}))
def map_state(spark, frame):
    return transform(frame, Maps())


class Sessions(StatefulProcessor):
    """Timers by event time."""

    def init(self, handle):
        self.handle = handle
        self.count = handle.getValueState("count", "n long")

    def handleInputRows(self, key, rows, timerValues):
        count = (self.count.get() or (0,))[0]
        for row in rows:
            count += 1
            self.handle.registerTimer(int(row.t.timestamp() * 1000) + 20000)
        timers = list(self.handle.listTimers())
        if len(timers) > 1:
            self.handle.deleteTimer(min(timers))
        self.count.update((count,))
        yield Row(k=key[0], what=f"goes on {timers} {timerValues.getCurrentWatermarkInMs()}", n=count)

    def handleExpiredTimer(self, key, timerValues, expiredTimerInfo):
        count = self.count.get()[0]
        self.count.clear()
        yield Row(k=key[0], what=f"ended {expiredTimerInfo.getExpiryTimeInMs()} {timerValues.getCurrentWatermarkInMs()}",
                  n=count)

    def close(self):
        pass


@case(rounds=SESSIONS, conf=ROCKSDB, mode="append",
      reads=({"stateVarName": "count"}, {"readRegisteredTimers": "true"}))
def event_time_timers(spark, frame):
    return transform(frame.withWatermark("t", "10 seconds"), Sessions(), mode="append", time="EventTime")


class SessionsInPandas(Sessions):
    def handleInputRows(self, key, rows, timerValues):
        import pandas as pd

        count = (self.count.get() or (0,))[0]
        for frame in rows:
            count += len(frame)
            for t in frame["t"]:
                self.handle.registerTimer(int(t.timestamp() * 1000) + 20000)
        self.count.update((count,))
        yield pd.DataFrame({"k": [key[0]], "what": [f"goes on {sorted(self.handle.listTimers())}"], "n": [count]})

    def handleExpiredTimer(self, key, timerValues, expiredTimerInfo):
        import pandas as pd

        found = self.count.get()
        self.count.clear()
        yield pd.DataFrame({"k": [key[0]], "what": [f"ended {expiredTimerInfo.getExpiryTimeInMs()}"],
                            "n": [found[0] if found else -1]})


@case(rounds=SESSIONS, conf=ROCKSDB, mode="update", reads=({"readRegisteredTimers": "true"},))
def event_time_timers_in_pandas(spark, frame):
    return transform(frame.withWatermark("t", "10 seconds"), SessionsInPandas(), pandas=True, time="EventTime")


class Initial(Count):
    def handleInitialState(self, key, initialState, timerValues):
        self.count.update((initialState[1] if not hasattr(initialState, "at") else int(initialState.at[0, "start"]),))


class InitialInPandas(CountInPandas, Initial):
    def handleInitialState(self, key, initialState, timerValues):
        self.count.update((int(initialState.at[0, "start"]),))


@case(rounds=COUNTING, conf=ROCKSDB, reads=({"stateVarName": "count"},))
def initial_state(spark, frame):
    start = spark.createDataFrame([("a", 100), ("z", 7), (None, 50)], "k string, start long").groupBy("k")
    return transform(frame, Initial(), initialState=start)


@case(rounds=COUNTING, conf=ROCKSDB, reads=({"stateVarName": "count"},))
def initial_state_in_pandas(spark, frame):
    start = spark.createDataFrame([("a", 100), ("z", 7), (None, 50)], "k string, start long").groupBy("k")
    return transform(frame, InitialInPandas(), pandas=True, initialState=start)


class Ttl(StatefulProcessor):
    """State with TTL, and timers by processing time that show what is left of it."""

    def init(self, handle):
        self.handle = handle
        self.value = handle.getValueState("value", "n long", 1500)
        self.list = handle.getListState("list", "n long", 1500)
        self.map = handle.getMapState("map", "n long", "m long", 1500)
        self.kept = handle.getValueState("kept", "n long", 600000)

    def handleInputRows(self, key, rows, timerValues):
        for row in rows:
            self.value.update((row.v,))
            self.list.appendValue((row.v,))
            self.map.updateValue((row.v,), (row.v,))
            self.kept.update((row.v,))
        assert timerValues.getCurrentProcessingTimeInMs() > 0
        self.handle.registerTimer(timerValues.getCurrentProcessingTimeInMs() + 3000)
        yield Row(k=key[0], what=self.left(), n=0)

    def handleExpiredTimer(self, key, timerValues, expiredTimerInfo):
        yield Row(k=key[0], what=self.left(), n=1)

    def left(self):
        return (f"{self.value.get()} {[tuple(one) for one in self.list.get()]} "
                f"{[tuple(one) for one in self.map.keys()]} {self.kept.get()}")

    def close(self):
        pass


@case(rounds=[[rows("a 1, b 2, a 3")]], conf=ROCKSDB, awaits=lambda batches: str(batches).count("'n': '1'") >= 2)
def ttl(spark, frame):
    return transform(frame, Ttl(), time="ProcessingTime")


class TwoKeys(StatefulProcessor):
    def init(self, handle):
        self.state = handle.getValueState("state", "d date, t timestamp, x double, s string, dec decimal(10,2)")

    def handleInputRows(self, key, rows, timerValues):
        import datetime
        import decimal

        found = self.state.get()
        total = sum(row.v for row in rows)
        self.state.update((datetime.date(2024, 1, total), datetime.datetime(2024, 1, 1, 0, 0, total), total / 2,
                           "s%d" % total, decimal.Decimal(total)))
        yield Row(odd=key[0], k=key[1], was=repr(found))

    def close(self):
        pass


@case(rounds=COUNTING, conf=ROCKSDB, reads=({"stateVarName": "state"},))
def two_grouping_keys(spark, frame):
    return transform(frame.withColumn("odd", frame.v % 2), TwoKeys(), keys=("odd", "k"),
                     out="odd int, k string, was string")


@case(rounds=[[rows("a 1 00:05, b 2 00:10"), rows("a 3 00:20, b 5 00:55")], [rows("c 1 02:00")]], conf=ROCKSDB,
      mode="append", reads=())
def aggregated_by_event_time(spark, frame):
    from pyspark.sql import functions as F

    class Pass(Count):
        def handleInputRows(self, key, rows, timerValues):
            for row in rows:
                yield Row(k=key[0], t=row.t)

    passed = transform(frame.withWatermark("t", "10 seconds"), Pass(), mode="append", time="EventTime",
                       out="k string, t timestamp", eventTimeColumnName="t")
    return passed.groupBy(F.window("t", "10 seconds"), "k").count()


# What is refused.

ONE = [[rows("a 1 00:05, b 2 00:10")]]


@case(rounds=ONE)
def other_provider(spark, frame):
    return transform(frame, Count())


@case(rounds=ONE, conf=ROCKSDB, mode="append")
def update_mode_into_append(spark, frame):
    return transform(frame, Count())


@case(rounds=ONE, conf=ROCKSDB)
def timers_without_time_mode(spark, frame):
    return transform(frame, Sessions())


@case(rounds=ONE, conf=ROCKSDB)
def event_time_without_watermark(spark, frame):
    return transform(frame, Sessions(), time="EventTime")


@case(rounds=ONE, conf=ROCKSDB)
def ttl_without_processing_time(spark, frame):
    return transform(frame, Ttl())


class Raises(Count):
    def handleInputRows(self, key, rows, timerValues):
        raise ValueError("no " + key[0])


@case(rounds=ONE, conf=ROCKSDB)
def processor_raises(spark, frame):
    return transform(frame, Raises())


class Twice(Count):
    def init(self, handle):
        self.count = handle.getValueState("count", "n long")
        self.again = handle.getValueState("count", "n long")


@case(rounds=ONE, conf=ROCKSDB)
def variable_of_the_same_name(spark, frame):
    return transform(frame, Twice())
