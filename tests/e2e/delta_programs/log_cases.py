"""Delta programs about logs as others may have left them: commits that are gone, several actions of one file, texts of partition
values, states whose files may be gone."""

import json
import os
import pathlib
import shutil

from delta_cases import program, table


def log_of(r, name):
    return pathlib.Path(r.path(name), "_delta_log")


def without_checksums(r, name):
    """Of what these programs change by hand."""
    for file in set(log_of(r, name).glob("*.crc")) | set(log_of(r, name).glob(".*.crc")):
        file.unlink(missing_ok=True)


def copy(r, name, to):
    """The same table where nobody has read it yet."""
    shutil.copytree(r.path(name), r.path(to))
    without_checksums(r, to)
    return to


def lose(r, name, *patterns):
    for pattern in patterns:
        for file in set(log_of(r, name).glob(pattern)):
            file.unlink(missing_ok=True)


def commit(r, name, *actions, version=None):
    """A commit written by hand, the next one or any."""
    if version is None:
        version = 1 + max(int(file.name[:20]) for file in log_of(r, name).glob("0*.json") if len(file.name) == 25)
    (log_of(r, name) / f"{version:020d}.json").write_text("".join(json.dumps(action) + "\n" for action in actions))


def edit(r, name, version, change):
    """Each action of a commit as `change` makes it: kind, body -> body."""
    file = log_of(r, name) / f"{version:020d}.json"
    before = file.stat()
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    file.write_text("".join(json.dumps({kind: change(kind, body) for kind, body in line.items()}) + "\n" for line in lines))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    without_checksums(r, name)


def adds(r, name="t"):
    found = []
    for file in sorted(log_of(r, name).glob("0*.json")):
        actions = [json.loads(line) for line in file.read_text().splitlines()] if len(file.name) == 25 else []
        found += [action["add"] for action in actions if "add" in action]
    return found


def made_at(r, name, times):
    """The commits as if they had been made at other times (seconds since 1970)."""
    for version, seconds in times.items():
        os.utime(log_of(r, name) / f"{version:020d}.json", (seconds, seconds))


@program
def commits_that_are_gone(r):
    """A table that was read before, one that was not, and a commit beyond a missing one."""
    for i in range(7):
        r.write(f"SELECT {i} AS a")
    for name in "uwxyz":
        copy(r, "t", name)
    lose(r, "t", "*4.json", "*4.crc", ".*4.json.crc")
    r.read()
    r.write("SELECT 9 AS a")
    r.read()
    r.read(versionAsOf="2")
    r.read(versionAsOf="6")
    r.read("u")
    lose(r, "u", "*4.json")
    r.read("u")
    r.run(f"DELETE FROM {table(r, 'u')} WHERE a = 1")
    lose(r, "w", "*0.json")
    r.read("w")
    r.read("w", versionAsOf="3")
    lose(r, "x", "*6.json")
    r.read("x")
    r.read("y")
    lose(r, "y", "*0.json")
    r.read("y")
    r.read("z")
    commit(r, "z", {"txn": {"appId": "q", "version": 1}}, version=8)
    r.read("z")
    r.write("SELECT 9 AS a", "z")


@program
def commits_after_a_checkpoint_that_are_gone(r):
    r.write("SELECT 0 AS a", delta__checkpointInterval="3")
    for i in range(1, 9):
        r.write(f"SELECT {i} AS a")
    copy(r, "t", "u")
    copy(r, "t", "w")
    lose(r, "t", "*4.json", "*4.crc")
    r.read()
    for version in ("5", "3", "6"):
        r.read(versionAsOf=version)
    lose(r, "u", "*7.json")
    r.read("u")
    r.read("u", versionAsOf="6")
    lose(r, "w", "*0.json", "*1.json", "*2.json")
    r.read("w", versionAsOf="3")
    r.read("w", versionAsOf="2")
    r.stream("w", startingVersion="1")
    r.stream("w", sink="o2", checkpoint="c2")
    r.read("w", timestampAsOf="2001-01-01")
    r.run(f"RESTORE TABLE {table(r, 'w')} TO VERSION AS OF 1")


@program
def compacted_commits_that_are_gone(r):
    for i in range(6):
        r.write(f"SELECT {i} AS a", txnAppId="app", txnVersion=str(i))
    r.run(f"DELETE FROM {table(r)} WHERE a = 3")
    kept = [line for version in range(2, 5) for line in (log_of(r, "t") / f"{version:020d}.json").read_text().splitlines()
            if next(iter(json.loads(line))) in ("add", "txn")]
    for name in "uw":
        copy(r, "t", name)
        (log_of(r, name) / f"{2:020d}.{4:020d}.compacted.json").write_text("\n".join(kept) + "\n")
    r.read("u")
    r.read("u", versionAsOf="3")
    r.read("u", versionAsOf="4")
    r.write("SELECT 9 AS a", "u", txnAppId="app", txnVersion="5")
    r.read("u")
    lose(r, "w", "*3.json")
    r.read("w")


@program
def actions_by_hand(r):
    """Several of one file or application in a commit, parts that are missing, kinds that nobody knows."""
    for i in range(3):
        r.write(f"SELECT {i} AS a")
    first = adds(r)[0]
    gone = {"remove": {"path": first["path"], "deletionTimestamp": 1, "dataChange": True}}

    def with_commit(name, *actions):
        commit(r, copy(r, "t", name), *actions)
        r.read(name)

    def lacking(*keys):
        return {"add": {key: value for key, value in first.items() if key not in keys}}

    with_commit("a1", gone)
    r.run(f"SELECT count(*) AS c FROM {table(r, 'a1')}")
    with_commit("a2", gone, {"add": first})
    with_commit("a3", {"add": {**first, "dataChange": False}})
    commit(r, copy(r, "t", "a5"), gone)
    commit(r, "a5", {"add": first})
    r.read("a5")
    r.read("a5", versionAsOf="3")
    r.run(f"DELETE FROM {table(r, 'a5')} WHERE a = 0")
    r.read("a5")
    with_commit("a7", {"domainMetadata": {"domain": "mine", "configuration": "{}", "removed": False}})
    r.write("SELECT 9 AS a", "a7")
    r.read("a7")
    with_commit("a8", {"cdc": {"path": "_change_data/x.parquet", "partitionValues": {}, "size": 3, "dataChange": False}})
    with_commit("a9", {"add": None})
    with_commit("a10", lacking("modificationTime"))
    with_commit("a11", lacking("dataChange"))
    r.stream("a11", sink="s11", checkpoint="k11", startingVersion="3")
    with_commit("a12", lacking("partitionValues"))
    commit(r, copy(r, "t", "a13"), {"txn": {"appId": "x", "version": 5}}, {"txn": {"appId": "x", "version": 4}})
    r.write("SELECT 9 AS a", "a13", txnAppId="x", txnVersion="5")
    r.write("SELECT 10 AS a", "a13", txnAppId="x", txnVersion="6")
    r.read("a13")


@program
def texts_of_partition_values(r):
    r.write("SELECT 1 AS a, CAST(NULL AS INT) AS i, CAST(NULL AS DATE) AS d, CAST(NULL AS TIMESTAMP) AS ts, CAST(NULL AS TIMESTAMP_NTZ) AS n, "
            "CAST(NULL AS BOOLEAN) AS b, CAST(NULL AS DECIMAL(10,3)) AS dc, CAST(NULL AS DOUBLE) AS f, CAST(NULL AS BINARY) AS bi, "
            "CAST(NULL AS STRING) AS s", partition_by=["i", "d", "ts", "n", "b", "dc", "f", "bi", "s"])
    for number, values in enumerate((
            {"i": "7", "d": "2024-01-02", "ts": "2024-01-02 03:04:05", "n": "2024-01-02 03:04:05.5", "b": "true", "dc": "1.5", "f": "1e3",
             "bi": "AB", "s": " x "},
            {"ts": "2024-01-02T03:04:05.123456Z"}, {"ts": "2024-01-02 03:04:05.123+02:00"}, {"d": "2024-1-2"}, {"i": "x"}, {"b": "T"},
            {"dc": "123456789.12345"}, {"f": "NaN"}, {"f": "-Infinity"}, {"n": "2024-01-02T03:04:05"}, {"i": " 7 "}, {"i": "7.0"},
            {"d": "0001-01-01"}, {"ts": "1500-01-01 00:00:00"}, {"b": "1"}, {"i": "99999999999"}, {"s": "__HIVE_DEFAULT_PARTITION__"},
            {"ts": "2024-01-02"}, {"d": "2024-01-02 00:00:00"}, {"bi": "\u00ff\u0001"})):
        name = copy(r, "t", f"v{number}")
        edit(r, name, 0, lambda kind, body: {**body, "partitionValues": {**body["partitionValues"], **values}} if kind == "add" else body)
        r.read(name)


@program
def states_whose_files_may_be_gone(r):
    """Delta 4.4 does not go back past delta.deletedFileRetentionDuration, the newest state aside."""
    for i in range(5):
        r.write(f"SELECT {i} AS a", **({"delta__enableChangeDataFeed": "true"} if i == 0 else {}))
    made_at(r, "t", {version: 1600000000 + 100 * version for version in range(5)})  # 2020-09-13 12:26:40 …
    for text in ("2020-09-13 12:26:39", "2020-09-13 12:26:40", "2020-09-13 12:28:19.999", "2020-09-13 12:28:20", "2020-09-13 12:33:20",
                 "2020-09-13 12:33:21", "2020-09-13T12:30:00Z", "2020-09-13 14:30:00+02:00", "2020-09-13", "2020-09-14", "20200913", "x", "",
                 "1600000100"):
        r.read(timestampAsOf=text)
        r.run(f"SELECT * FROM {table(r)} TIMESTAMP AS OF '{text}'")
    for text in ("1", "99"):
        r.run(f"SELECT * FROM {table(r)} VERSION AS OF {text}")
    for text in ("2020-09-13 12:28:20", "2020-09-13 12:33:21", "2020-09-13 12:00:00", "x"):
        r.run(lambda: r.spark.sql(f"RESTORE TABLE {table(r)} TO TIMESTAMP AS OF '{text}'").select("num_restored_files", "num_removed_files"))
    for options in ({"startingTimestamp": "2020-09-13 12:28:20"}, {"startingVersion": "1", "endingTimestamp": "2020-09-13 12:30:00"},
                    {"startingVersion": "4", "endingVersion": "2"}):
        r.run(lambda: r.spark.read.format("delta").options(readChangeFeed="true", **options).load(r.path()))
