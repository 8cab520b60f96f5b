"""Disks that are full, read-only or go away, at the level of a whole job: a named error, nothing overwritten, and after the
disk is well again the job goes on as if nothing had been."""

import json
import os
import pathlib
import subprocess

import pytest

import programs


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 4 MiB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a small file system here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(folder):
    """Leaves no byte free."""
    with open(folder / "ballast", "wb", buffering=0) as ballast:
        try:
            while ballast.write(b"x" * 4096):
                pass
        except OSError:
            pass


def contents(folder, but=("ballast",)):
    return {str(path.relative_to(folder)): path.read_bytes() for path in pathlib.Path(folder).rglob("*")
            if path.is_file() and path.name not in but}


def rows_of(folder):
    """The rows of a file sink, by its own log: what a reader would see."""
    log = folder / "_spark_metadata"
    compacted = max((int(path.name.split(".")[0]) for path in log.glob("[0-9]*.compact")), default=-1)
    entries = [log / f"{compacted}.compact"] if compacted >= 0 else []
    entries += [log / str(entry) for entry in programs.log_ids(log) if entry > compacted]
    names = []
    for entry in entries:
        names += [json.loads(line)["path"] for line in entry.read_text().splitlines()[1:]]
    rows = []
    for name in names:
        rows += [json.loads(line)["n"] for line in pathlib.Path(name.removeprefix("file://")).read_text().splitlines()]
    return sorted(rows)


class FileJob:
    """Text files with a number a line, to JSON files; ten numbers an input file, one input file a micro-batch."""

    def __init__(self, source, target, checkpoint):
        self.source, self.target, self.checkpoint, self.files = source, target, checkpoint, 0
        source.mkdir(exist_ok=True)

    def add(self, count=1):
        for _ in range(count):
            path = self.source / f"{self.files:04}.txt"
            path.write_text("".join(f"{self.files * 10 + i}\n" for i in range(10)))
            os.utime(path, (1_700_000_000 + self.files, 1_700_000_000 + self.files))
            self.files += 1

    def run(self):
        return programs.run_job({
            "source": "text", "sourceOptions": {"maxFilesPerTrigger": "1"}, "load": str(self.source),
            "query": "SELECT CAST(value AS INT) AS n FROM input", "sink": "json", "save": str(self.target),
            "sinkOptions": {"checkpointLocation": str(self.checkpoint)}, "trigger": {"availableNow": True}})

    def expected(self):
        return list(range(self.files * 10))


@pytest.mark.parametrize("full", ["checkpoint", "sink", "both"])
def test_a_full_disk_ends_the_query_and_is_made_good(small_disk, tmp_path, full):
    target = (small_disk if full != "checkpoint" else tmp_path) / "out"
    checkpoint = (small_disk if full != "sink" else tmp_path) / "checkpoint"
    job = FileJob(tmp_path / "in", target, checkpoint)
    job.add(3)
    assert job.run().ends == ["ok"]
    assert rows_of(target) == job.expected()

    fill(small_disk)
    before = contents(small_disk), contents(checkpoint)
    job.add(3)
    message = job.run().error
    assert "No space left on device" in message and str(small_disk) in message, message
    assert contents(small_disk).items() >= before[0].items(), "what was there before is there still"
    assert contents(checkpoint).items() >= before[1].items()
    assert rows_of(target)[:30] == list(range(30))

    (small_disk / "ballast").unlink()
    assert job.run().ends == ["ok"]
    assert rows_of(target) == job.expected(), "nothing lost, nothing twice"


def test_a_disk_that_fills_up_while_the_query_runs(small_disk, tmp_path):
    job = FileJob(tmp_path / "in", small_disk / "out", small_disk / "checkpoint")
    job.add(2)
    assert job.run().ends == ["ok"]
    fill(small_disk)
    os.truncate(small_disk / "ballast", (small_disk / "ballast").stat().st_size - (160 << 10))
    job.add(60)  # some of them fit
    message = job.run().error
    assert "No space left on device" in message, message
    done = rows_of(job.target)
    assert done == list(range(len(done))) and len(done) % 10 == 0 and 20 < len(done) < job.files * 10
    (small_disk / "ballast").unlink()
    assert job.run().ends == ["ok"]
    assert rows_of(job.target) == job.expected()


@pytest.mark.parametrize("where", ["checkpoint", "sink"])
def test_a_read_only_disk_is_named(small_disk, tmp_path, where):
    target = (small_disk if where == "sink" else tmp_path) / "out"
    checkpoint = (small_disk if where == "checkpoint" else tmp_path) / "checkpoint"
    job = FileJob(tmp_path / "in", target, checkpoint)
    job.add()
    assert job.run().ends == ["ok"]
    job.add()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    before = contents(small_disk)
    message = job.run().error
    assert "Read-only file system" in message and str(small_disk) in message, message
    assert contents(small_disk) == before
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    assert job.run().ends == ["ok"]
    assert rows_of(target) == job.expected()


def test_a_read_only_disk_at_the_first_start(small_disk, tmp_path):
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    job = FileJob(tmp_path / "in", tmp_path / "out", small_disk / "checkpoint")
    job.add()
    message = job.run().error
    assert "Read-only file system" in message and str(small_disk / "checkpoint") in message, message
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_a_checkpoint_removed_under_a_running_query(kafka, tmp_path):
    """Somebody cleans up too eagerly: the query ends with an error and does not begin a new life in the empty folder."""
    import shutil

    source, checkpoint = kafka.create_topic("in"), tmp_path / "checkpoint"
    job = programs.start_job({
        "source": "kafka", "sourceOptions": {"kafka.bootstrap.servers": kafka.servers, "subscribe": source,
                                             "startingOffsets": "earliest"},
        "sink": "noop", "sinkOptions": {"checkpointLocation": str(checkpoint)}})
    programs.produce(kafka, source, ["1"])
    programs.wait_until(lambda: (checkpoint / "commits" / "0").exists(), "the first micro-batch")
    shutil.rmtree(checkpoint)
    programs.produce(kafka, source, ["2"])
    out, _ = job.communicate(timeout=60)
    printed = programs.Printed(out)
    assert str(checkpoint) in printed.error
    assert not (checkpoint / "metadata").exists()


def test_a_batch_write_that_fills_the_disk_has_sparks_class_and_leaves_nothing(small_disk, start_server):
    """As recorded from Spark 4.2: TASK_WRITE_FAILED, and no temporary files that would keep the disk full."""
    from pyspark.errors.exceptions.connect import SparkException
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.remote(start_server().url).getOrCreate()
    for form in ("json", "parquet"):
        with pytest.raises(SparkException) as caught:
            spark.range(2_000_000).selectExpr("rand() AS r").write.format(form).save(str(small_disk / form))
        assert caught.value.getCondition() == "TASK_WRITE_FAILED" and "No space left on device" in str(caught.value)
        assert list((small_disk / form).iterdir()) == []
    spark.range(10).write.format("delta").save(str(small_disk / "table"))
    fill(small_disk)
    with pytest.raises(SparkException) as caught:
        spark.range(100).write.format("delta").mode("append").save(str(small_disk / "table"))
    assert caught.value.getCondition() == "TASK_WRITE_FAILED"
    (small_disk / "ballast").unlink()
    assert spark.read.format("delta").load(str(small_disk / "table")).count() == 10
    spark.stop()
