"""Streams that engines run by turns from one checkpoint: what is read, what is made of it, in which rounds the rows come."""

import dataclasses
import typing

CASES = {}
STATE = "org.apache.spark.sql.execution.streaming.state."
# A case without state has only one of them.
PROVIDERS = {
    "memory": {"spark.sql.streaming.stateStore.providerClass": STATE + "HDFSBackedStateStoreProvider"},
    "rocksdb": {"spark.sql.streaming.stateStore.providerClass": STATE + "RocksDBStateStoreProvider"},
    "changelog": {"spark.sql.streaming.stateStore.providerClass": STATE + "RocksDBStateStoreProvider",
                  "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled": "true"},
}
IDS = {"spark.sql.streaming.stateStore.checkpointFormatVersion": "2"}
CHECKSUMS = {"spark.sql.streaming.stateStore.rowChecksum.enabled": "true"}
JOIN3 = {"spark.sql.streaming.join.stateFormatVersion": "3"}
# The other formats of state.
PROVIDERS |= {
    "ids": {**PROVIDERS["rocksdb"], **IDS},
    "ids_changelog": {**PROVIDERS["changelog"], **IDS},
    "checksums": {**PROVIDERS["memory"], **CHECKSUMS},
    "rocksdb_checksums": {**PROVIDERS["changelog"], **CHECKSUMS},
    "join3": {**PROVIDERS["rocksdb"], **JOIN3},
    "join3_changelog": {**PROVIDERS["changelog"], **JOIN3},
    "every_format": {**PROVIDERS["changelog"], **IDS, **CHECKSUMS, **JOIN3},
}


@dataclasses.dataclass
class Case:
    """`build(spark, *frames)` makes the streaming frame of the inputs, one or two.

    Each round is a list of micro-batches, each of them the rows of each input (a file, or a commit to a Delta table); the round ends
    when all is read. After a round in `uncommitted` its last micro-batch loses its entry in the commit log, as if the engine had
    died just before that: the next one runs it again. After one in `torn` the state files of that micro-batch are lost too in half of
    the partitions, as if it had died while it wrote them. `confs` are settings of rounds by number; `build` gets the number of its
    round when it wants it (`by_round`). Of a round in `fails` only the error's condition is kept.
    """

    build: typing.Callable
    rounds: list
    schema: str = "k string, v int, t timestamp"
    source: str = "files"
    source_options: dict = dataclasses.field(default_factory=dict)
    sink: str = "rows"
    sink_options: dict = dataclasses.field(default_factory=dict)
    partition_by: tuple = ()
    mode: str = "append"
    conf: dict = dataclasses.field(default_factory=dict)
    reads: tuple = ({},)
    providers: tuple = ("memory",)
    uncommitted: tuple = ()
    torn: tuple = ()
    confs: dict = dataclasses.field(default_factory=dict)
    by_round: bool = False
    fails: tuple = ()
    tells_log: bool = True  # false where old entries go by the clock
    by_clock: bool = False  # nothing to record: what comes depends on when it runs

    @property
    def num_inputs(self):
        return max((len(batch) for round_ in self.rounds for batch in round_), default=1)


def case(**settings):
    def add(function):
        CASES[function.__name__] = Case(build=function, **settings)
        return function

    return add


def rows(text):
    """"a 1 00:05, b 2" as rows of k, v and t; ~ is NULL."""
    made = []
    for part in filter(None, text.split(",")):
        words = part.split()
        row = {key: word for key, word in zip("kvt", words, strict=False) if word != "~"}
        if "v" in row:
            row["v"] = int(row["v"])
        if "t" in row:
            row["t"] = f"2024-01-01T00:{row['t']}Z"
        made.append(row)
    return made


def one(*texts):
    """A round of micro-batches of one input."""
    return [(rows(text),) for text in texts]


def two(*pairs):
    return [(rows(left), rows(right)) for left, right in pairs]


ALL = ("memory", "rocksdb", "changelog")
# Keys and times repeat across rounds, rows come late, the watermark moves in each of them.
EVENTS = [one("a 1 00:05, b 2 00:10, a 3 00:07", "a 4 00:20, c 5 00:01, ~ 6 00:21"), one("a 7 00:22, d 8 00:41", "b 9 00:03, d 10 00:44"),
          one("a 11 01:00, ~ 12 00:59, d 13 00:45"), one("e 14 02:00", "f 15 04:00")]
SIDES = [two(("a 1 00:05, b 2 00:10, c 3 00:12, ~ 4 00:11", "a 10 00:06, d 40 00:09"), ("a 5 00:14, e 6 00:15", "b 20 00:13, a 11 00:15")),
         two(("c 7 00:20, a 8 00:21", "c 30 00:19, e 60 00:24, ~ 41 00:22")), two(("f 9 00:50", "f 90 00:51, a 12 00:22"), ("g 1 00:52", "g 2 00:40")),
         two(("h 1 02:00", "h 2 02:01"), ("i 1 04:00", "i 2 04:01"))]


import changes  # noqa: E402,F401: adds its cases
import formats  # noqa: E402,F401
import joins  # noqa: E402,F401
import many_types  # noqa: E402,F401
import sinks_and_sources  # noqa: E402,F401
import with_state  # noqa: E402,F401
