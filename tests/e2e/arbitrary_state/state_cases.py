"""Streams with arbitrary state: what is read, what is made of it, in which rounds the files come."""

import dataclasses
import typing

CASES = {}


@dataclasses.dataclass
class Case:
    """`build` makes the streaming frame of the input. Each round is a list of files, each file a list of rows, each file a
    micro-batch; a round ends when all is read, or, with `awaits`, when that says so of the rows so far."""

    build: typing.Callable
    rounds: list
    schema: str = "k string, v int, t timestamp"
    mode: str = "update"
    conf: dict = dataclasses.field(default_factory=dict)
    awaits: typing.Callable = None
    reads: tuple = ({},)


def case(**settings):
    def add(function):
        CASES[function.__name__] = Case(build=function, **settings)
        return function

    return add


def rows(text):
    """"a 1 00:05, b 2" as rows of k, v and t; ~ is NULL."""
    made = []
    for part in text.split(","):
        words = part.split()
        row = {"k": words[0], "v": int(words[1])} if words[0] != "~" else {"v": int(words[1])}
        if len(words) > 2:
            row["t"] = f"2024-01-01T00:{words[2]}Z"
        made.append(row)
    return made


ROCKSDB = {"spark.sql.streaming.stateStore.providerClass":
           "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"}
COUNTING = [[rows("a 1, b 2, a 3, ~ 4"), rows("c 5, a 6")], [rows("b 7, ~ 8, d 9, a 10, a 11")], [rows("d 1")]]


# Event time: each round goes to the end of its data, watermark and all.
SESSIONS = [[rows("a 1 00:05, b 2 00:10"), rows("a 3 00:20"), rows("c 4 01:00, b 5 00:45")],
            [rows("a 6 00:10, d 7 01:30"), rows("e 8 03:00")], [rows("a 1 05:00")]]


import groups_with_state  # noqa: E402,F401: adds its cases
import transform_with_state  # noqa: E402,F401
