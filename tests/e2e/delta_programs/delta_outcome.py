"""What a Delta program did, as text that two engines can be compared by: its rows, its tables' logs, its errors."""

import datetime
import decimal
import json
import pathlib
import re
import shutil

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# Of a run, not of what was done.
LEFT_OUT = {"timestamp", "txnId", "engineInfo", "inCommitTimestamp", "createdTime", "size", "modificationTime", "deletionTimestamp",
            "lastUpdated", "sizeInBytes", "tableSizeBytes", "path", "stats", "createdAt", "lastModified", "baseRowId"}


class Recorder:
    """Handed to each program: `run` remembers what a step gave under its number."""

    def __init__(self, spark, root):
        self.spark, self.root, self.steps = spark, pathlib.Path(root), []

    def path(self, name="t"):
        return str(self.root / name)

    def clean(self, text):
        text = text.replace(str(self.root), "ROOT").replace(f"r_{self.root.name}", "T")
        text = UUID.sub("UUID", text)
        # Expressions in messages carry ids, and frames of the program their place.
        text = re.sub(r"#\d+L?", "#N", text)
        return text

    def value(self, value):
        if isinstance(value, float):
            return repr(value)
        if isinstance(value, (datetime.date, decimal.Decimal, bytearray, bytes)):
            return str(value)
        if isinstance(value, dict):
            return {str(k): self.value(v) for k, v in sorted(value.items(), key=str) if k not in LEFT_OUT | {"_commit_timestamp"}}
        if isinstance(value, (list, tuple)):
            return [self.value(v) for v in value]
        return self.clean(value) if isinstance(value, str) else value

    def failure(self, error):
        condition = getattr(error, "getCondition", lambda: None)()
        text = str(error)
        if "Streaming Query" in text or "STREAM_FAILED" in text:
            inner = re.search(r"\[((?!STREAM_FAILED)[A-Z_]+(?:\.[A-Z_]+)?)\] [^\n]*", text)
            return {"error": "STREAM_FAILED", "cause": self.clean(inner.group(0)) if inner else None}
        message = re.split(r"\n\nJVM stacktrace:|\n== SQL|\n== DataFrame|; line \d+ pos \d+|;\n'", text)[0]
        message = re.sub(r"^\([\w.]+\) ", "", message)
        message = re.sub(r" SQLSTATE: \w{5}", "", message)
        if not condition:
            found = re.search(r"\[([A-Z_]+(?:\.[A-Z_]+)?)\]", message)
            condition = found.group(1) if found else None
        return {"error": condition, "message": self.clean(message).strip()}

    def run(self, step):
        """Runs a function (or SQL text) and remembers rows sorted as text, or the failure."""
        try:
            result = self.spark.sql(step) if isinstance(step, str) else step()
            if hasattr(result, "collect"):
                names = result.columns
                rows = [self.value(row.asDict(True)) if len(set(names)) == len(names) else self.value(list(row)) for row in result.collect()]
                result = sorted((json.dumps(row, sort_keys=True) for row in rows))
            elif result is not None:
                result = self.value(result)
            self.steps.append(result if result is None or isinstance(result, (list, dict)) else [result])
        except Exception as error:  # noqa: BLE001: the error is what is recorded
            self.steps.append(self.failure(error))

    def schema(self, path=None, frame=None):
        """Names, types, nullability and comments."""
        def read():
            schema = (frame or self.spark.read.format("delta").load(path or self.path())).schema
            return json.loads(schema.json())
        self.run(read)

    def log(self, name="t", last=None):
        """The actions of a table's commits, without what differs from run to run."""
        files = sorted(pathlib.Path(self.path(name), "_delta_log").glob("[0-9]*.json"))
        files = [file for file in files if len(file.name) == 25]
        commits = []
        for file in files if last is None else files[-last:]:
            actions = [self.action(json.loads(line)) for line in file.read_text().splitlines()]
            commits.append(sorted(json.dumps(action, sort_keys=True) for action in actions))
        self.steps.append({"log": commits})

    def action(self, action):
        (kind, body), = action.items()
        kept = {}
        for key, value in body.items():
            if key in LEFT_OUT:
                continue
            if kind == "metaData" and key == "id":
                continue
            if key == "operationMetrics":
                value = {k: v for k, v in value.items() if "Bytes" not in k and "Time" not in k}
            if key == "schemaString":
                value = json.loads(value)
            kept[key] = self.value(value)
        if kind in ("add", "remove") and "stats" in body:
            stats = json.loads(body["stats"])
            kept["numRecords"] = stats.get("numRecords")
        if "readerFeatures" in kept:
            kept["readerFeatures"] = sorted(kept["readerFeatures"])
        if "writerFeatures" in kept:
            kept["writerFeatures"] = sorted(kept["writerFeatures"])
        return {kind: kept}

    def write(self, frame, name="t", mode="append", partition_by=(), **options):
        """df.write of a frame or SQL text to a path."""
        def save():
            rows = self.spark.sql(frame) if isinstance(frame, str) else frame
            writer = rows.coalesce(1).write.format("delta").mode(mode)
            writer = writer.options(**{k.replace("__", "."): v for k, v in options.items()})
            if partition_by:
                writer = writer.partitionBy(*partition_by)
            writer.save(self.path(name))
        self.run(save)

    def read(self, name="t", **options):
        self.run(lambda: self.spark.read.format("delta").options(**options).load(self.path(name)))

    def stream(self, name="t", sink="out", checkpoint="checkpoint", transform=None, sink_options=(), mode="append", **options):
        """A stream of a table into another until all is read; then what the sink holds."""
        def start():
            frame = self.spark.readStream.format("delta").options(**options).load(self.path(name))
            frame = transform(frame) if transform else frame
            query = (frame.writeStream.format("delta").outputMode(mode).options(**dict(sink_options))
                     .option("checkpointLocation", self.path(checkpoint)).trigger(availableNow=True).start(self.path(sink)))
            try:
                query.awaitTermination()
            finally:
                query.stop()
            if query.exception():
                raise query.exception()
            return self.spark.read.format("delta").load(self.path(sink))
        self.run(start)


def outcome_of(program, spark, root):
    recorder = Recorder(spark, root)
    pathlib.Path(root).mkdir(parents=True, exist_ok=True)
    try:
        program(recorder)
    except Exception as error:  # noqa: BLE001: a program that itself fails is shown
        recorder.steps.append({"program failed": repr(error)[:300]})
    shutil.rmtree(root, ignore_errors=True)
    return recorder.steps
