"""Runs queries on damaged checkpoints, a case a line of standard input: {"folder", "damage"}; an answer "=> " each (test_damaged_checkpoints.py)."""

import json
import os
import pathlib
import shutil
import sys

STATEFUL = {"no aggregation where there was one", "other grouping keys", "state of a partition is missing",
            "shuffle partitions changed in the session"}


def write_file(folder, number):
    (folder / "in").mkdir(parents=True, exist_ok=True)
    path = folder / "in" / f"{number}.json"
    path.write_text(json.dumps({"k": f"k{number}", "id": number}) + "\n")
    os.utime(path, (1_700_000_000 + number, 1_700_000_000 + number))


def frame_of(spark, folder, damage, again):
    rows = spark.readStream.schema("k string, id int").option("maxFilesPerTrigger", 1).json(str(folder / "in"))
    if damage == "two sources where there was one" and again:
        return rows.union(spark.readStream.schema("k string, id int").json(str(folder / "in")))
    aggregates = damage in STATEFUL if not again else damage in STATEFUL - {"no aggregation where there was one"}
    if damage == "an aggregation where there was none" and again:
        aggregates = True
    if not aggregates:
        return rows
    return rows.groupBy("id" if damage == "other grouping keys" and again else "k").count()


def run(spark, folder, damage, again):
    ran = []
    query = (frame_of(spark, folder, damage, again).writeStream.outputMode("update").option("checkpointLocation", str(folder / "checkpoint"))
             .trigger(availableNow=True).format("noop").start())
    query.awaitTermination()
    if query.exception() is not None:
        raise query.exception()
    for progress in query.recentProgress:
        progress = progress if isinstance(progress, dict) else json.loads(progress.json)
        if "addBatch" in progress["durationMs"]:
            ran.append(progress["batchId"])
    return ran


def edited(path, change):
    lines = path.read_text().split("\n")
    change(lines)
    path.write_text("\n".join(lines))


def put_line(number, text):
    def change(lines):
        lines[number:number + 1] = [text]
    return change


def do_damage(checkpoint, damage):
    """As Spark's record had it."""
    offsets, commits, source = checkpoint / "offsets", checkpoint / "commits", checkpoint / "sources" / "0"
    newest = offsets / "2"
    made = {
        "offsets/2 is empty": lambda: newest.write_text(""),
        "offsets/2 has a bad version line": lambda: edited(newest, put_line(0, "x1")),
        "offsets/2 has version v99": lambda: edited(newest, put_line(0, "v99")),
        "offsets/2 is cut after the version line": lambda: newest.write_text("v1"),
        "offsets/2 is cut in the middle of the metadata": lambda: newest.write_text(newest.read_text()[:40]),
        "offsets/2 has no source line": lambda: edited(newest, lambda lines: lines.pop()),
        "offsets/2 has an extra source line": lambda: edited(newest, lambda lines: lines.append('{"logOffset":2}')),
        "offsets/2 has a source line that is not JSON": lambda: edited(newest, put_line(2, "nope")),
        "offsets/2 has the offset of another source (kafka)": lambda: edited(newest, put_line(2, '{"topic":{"0":2}}')),
        "offsets/2 has - as offset": lambda: edited(newest, put_line(2, "-")),
        "offsets/2 has metadata {}": lambda: edited(newest, put_line(1, "{}")),
        "offsets/1 is missing": lambda: (offsets / "1").unlink(),
        "offsets/0 is missing": lambda: (offsets / "0").unlink(),
        "offsets/2 is missing, commits/2 is there": lambda: newest.unlink(),
        "commits/2 is missing": lambda: (commits / "2").unlink(),
        "commits/1 and commits/2 are missing": lambda: [(commits / name).unlink() for name in "12"],
        "all commits are missing": lambda: [(commits / name).unlink() for name in "012"],
        "commits/1 is missing": lambda: (commits / "1").unlink(),
        "commits/2 is empty": lambda: (commits / "2").write_text(""),
        "commits/2 has version v99": lambda: edited(commits / "2", put_line(0, "v99")),
        "commits/2 has v1 and nothing else": lambda: (commits / "2").write_text("v1"),
        "commits/2 is not JSON": lambda: edited(commits / "2", put_line(1, "nope")),
        "commits/3 without offsets/3": lambda: shutil.copy(commits / "2", commits / "3"),
        "metadata is missing": lambda: (checkpoint / "metadata").unlink(),
        "metadata is empty": lambda: (checkpoint / "metadata").write_text(""),
        "metadata is not JSON": lambda: (checkpoint / "metadata").write_text("nope"),
        "metadata has no id": lambda: (checkpoint / "metadata").write_text("{}"),
        "metadata has an id that is not a UUID": lambda: (checkpoint / "metadata").write_text('{"id":"abc"}'),
        "a file that is not a number in offsets": lambda: (offsets / "notes.txt").write_text("x"),
        "a temporary file in offsets": lambda: (offsets / ".3.7f2b9d3e-0000-4000-8000-000000000000.tmp").write_text("v1"),
        "sources is missing": lambda: shutil.rmtree(checkpoint / "sources"),
        "sources/0/2 is missing": lambda: (source / "2").unlink(),
        "sources/0/2 is not JSON": lambda: edited(source / "2", put_line(1, "nope")),
        "sources/0/2 has version v99": lambda: edited(source / "2", put_line(0, "v99")),
        "state of a partition is missing": lambda: shutil.rmtree(checkpoint / "state" / "0" / "1"),
        "two sources where there was one": lambda: None,
        "an aggregation where there was none": lambda: None,
        "no aggregation where there was one": lambda: None,
        "other grouping keys": lambda: None,
        "shuffle partitions changed in the session": lambda: None,
        "none": lambda: None,
    }
    if damage not in made:
        return False
    made[damage]()
    return True


def numbers(folder):
    return sorted(int(path.name) for path in folder.iterdir() if path.name.isdigit())


def contents(checkpoint):
    return {str(path): path.read_bytes() for path in checkpoint.rglob("*") if path.is_file()}


def answer(spark, folder, damage):
    for number in range(3):
        write_file(folder, number)
    spark.conf.set("spark.sql.shuffle.partitions", 2)
    assert run(spark, folder, damage, False) == [0, 1, 2]
    checkpoint = folder / "checkpoint"
    if not do_damage(checkpoint, damage):
        return None
    if damage == "shuffle partitions changed in the session":
        spark.conf.set("spark.sql.shuffle.partitions", 5)
    write_file(folder, 3)
    before, outcome = contents(checkpoint), {}
    try:
        outcome["batches"] = run(spark, folder, damage, True)
    except Exception as error:  # noqa: BLE001: it is what is looked at
        outcome["error"] = str(error)
    after = contents(checkpoint)
    outcome["overwritten"] = [path for path in before if after.get(path) != before[path]]
    return {**outcome, "offsets": numbers(checkpoint / "offsets"), "commits": numbers(checkpoint / "commits")}


def main():
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.getOrCreate()
    for line in sys.stdin:
        request = json.loads(line)
        print("=> " + json.dumps(answer(spark, pathlib.Path(request["folder"]), request["damage"])), flush=True)
    spark.stop()


if __name__ == "__main__":
    main()
