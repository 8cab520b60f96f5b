"""Runs rounds of cases on an engine: a request a line of standard input, {"folder", "case", "provider", "round"}, an answer "=> " each.

Under the peers' Python it is real Spark that runs, under `millrace submit` it is Millrace. What came out of a round is written to
FOLDER/outcome-ROUND.json.
"""

import json
import os
import pathlib
import re
import sys
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

DEFAULTS = {"spark.sql.shuffle.partitions": "3", "spark.sql.session.timeZone": "UTC", "spark.sql.streaming.stateStore.minDeltasForSnapshot": "2",
            "spark.sql.streaming.stateStore.maintenanceInterval": "200ms"}


def value_text(value):
    if isinstance(value, float):
        return repr(round(value, 9))
    if hasattr(value, "asDict"):
        return {key: value_text(one) for key, one in value.asDict().items()}
    if isinstance(value, (list, tuple)):
        return [value_text(one) for one in value]
    if isinstance(value, dict):
        return {str(key): value_text(one) for key, one in sorted(value.items(), key=repr)}
    return repr(bytes(value) if isinstance(value, bytearray) else value)


def sorted_rows(frame):
    return sorted((value_text(row) for row in frame.collect()), key=repr)


class Turn:
    """One round of a case, in the case's folder."""

    def __init__(self, spark, case, folder, number):
        self.spark, self.case, self.folder, self.number = spark, case, folder, number
        self.checkpoint, self.output = folder / "checkpoint", folder / "output"

    def run(self):
        for at in range(self.case.num_inputs):
            for step, batch in enumerate(self.case.rounds[self.number]):
                if at < len(batch):
                    self.add_input(at, step, batch[at])
        frames = [self.reader(at) for at in range(self.case.num_inputs)]
        out = self.folder / f"rows-{self.number}.jsonl"
        out.touch()
        frame = self.case.build(self.spark, *frames, **({"number": self.number} if self.case.by_round else {}))
        if self.number in self.case.fails:
            return self.keep({"error": self.failure(frame)})
        query = self.start(frame, str(out))
        query.awaitTermination()
        if query.exception() is not None:
            raise query.exception()
        outcome = {"progress": self.progress(query), "state": self.state()}
        if self.case.tells_log:
            outcome["log"] = self.log()
        if self.case.sink == "rows":
            outcome["batches"] = [json.loads(line) for line in out.read_text().splitlines()]
        elif self.case.sink == "tables":
            outcome["tables"] = [self.table(self.output / name) for name in ("a", "b")]
        elif self.case.sink == "delta":
            outcome["table"] = self.table(self.output)
        else:
            outcome["rows"] = sorted_rows(self.spark.read.schema("k string, v int").format(self.case.sink).load(str(self.output)))
        if self.number in self.case.uncommitted + self.case.torn:
            last = self.log_ids("commits")[-1]
            (self.checkpoint / "commits" / str(last)).unlink()
            (self.checkpoint / "commits" / f".{last}.crc").unlink(missing_ok=True)
            if self.number in self.case.torn:
                self.tear(last + 1)
        return self.keep(outcome)

    def keep(self, outcome):
        (self.folder / f"outcome-{self.number}.json").write_text(json.dumps(outcome, indent=1))

    def failure(self, frame):
        """The condition of what ends the query, the first that is told of a cause."""
        try:  # a sink that takes no part in it
            query = self.writer(frame).format("noop").start()
            query.awaitTermination()
            error = query.exception()
        except Exception as raised:  # noqa: BLE001: it is what is looked at
            error = raised
        assert error is not None, "nothing failed"
        told = [name for name in re.findall(r"\[([A-Z][A-Z0-9_.]+)\]", str(error)) if name != "STREAM_FAILED"]
        return told[0] if told else "?"

    def tear(self, version):
        """The files of a version of the state go in every other partition."""
        for path in sorted(self.checkpoint.glob("state/*/*/**/*")):
            partition = path.relative_to(self.checkpoint / "state").parts[1]
            name = path.name.lstrip(".")
            of_version = re.match(rf"{version}[._]", name) and re.search(r"\.(delta|snapshot|zip|changelog)(\.crc)*$", name)
            if partition.isdigit() and int(partition) % 2 == 0 and of_version:
                path.unlink()

    def add_input(self, at, step, rows):
        path = self.folder / f"input-{at}"
        if self.case.source == "delta":
            if rows:
                frame = self.spark.createDataFrame([tuple(row.get(name) for name in ("k", "v", "t")) for row in rows], "k string, v int, t string")
                frame = frame.selectExpr("k", "v", "CAST(t AS TIMESTAMP) AS t").coalesce(1)
                frame.write.format("delta").mode("append").save(str(path))
            return
        path.mkdir(exist_ok=True)
        staged = self.folder / "staged"
        staged.write_text("".join(json.dumps(row) + "\n" for row in rows))
        stamp = 1_700_000_000 + self.number * 1000 + step  # their times say the order
        os.utime(staged, (stamp, stamp))
        os.rename(staged, path / f"{self.number:02}-{step:02}.json")

    def reader(self, at):
        reader = self.spark.readStream.options(**self.case.source_options)
        if self.case.source == "rate":
            time.sleep(1.5)
            return reader.format("rate").load()
        if self.case.source == "delta":
            return reader.format("delta").load(str(self.folder / f"input-{at}"))
        return reader.schema(self.case.schema).option("maxFilesPerTrigger", 1).json(str(self.folder / f"input-{at}"))

    def writer(self, frame):
        return (frame.writeStream.outputMode(self.case.mode).option("checkpointLocation", str(self.checkpoint))
                .options(**self.case.sink_options).trigger(availableNow=True))

    def start(self, frame, out):
        writer = self.writer(frame)
        if self.case.partition_by:
            writer = writer.partitionBy(*self.case.partition_by)
        convert, output = value_text, str(self.output)

        def keep(rows, batch_id):
            import json

            with open(out, "a") as sink:
                sink.write(json.dumps([batch_id, [convert(row) for row in rows.collect()]]) + "\n")

        def write_two(rows, batch_id):
            once = {"txnAppId": "turns", "txnVersion": str(batch_id)}
            rows.write.format("delta").mode("append").options(**once).save(output + "/a")
            rows.groupBy("k").count().write.format("delta").mode("append").options(**once).save(output + "/b")

        if self.case.sink in ("rows", "tables"):
            return writer.foreachBatch(keep if self.case.sink == "rows" else write_two).start()
        return writer.format(self.case.sink).start(output)

    @staticmethod
    def progress(query):
        """What the progress of each micro-batch says of its input and of its operators with state."""
        figures = []
        for progress in query.recentProgress:
            progress = progress if isinstance(progress, dict) else json.loads(progress.json)
            operators = [[operator["operatorName"]] + [operator[key] for key in (
                "numRowsTotal", "numRowsUpdated", "numRowsRemoved", "numRowsDroppedByWatermark", "numStateStoreInstances")]
                for operator in progress["stateOperators"]]
            figures.append([progress["batchId"], progress["numInputRows"], progress.get("eventTime", {}).get("watermark"), operators])
        return figures

    def state(self):
        rows = {}
        for options in self.case.reads:
            rows[json.dumps(options)] = sorted_rows(self.spark.read.format("statestore").options(**options).load(str(self.checkpoint)))
        return rows

    def log_ids(self, name):
        return sorted(int(path.name) for path in (self.checkpoint / name).iterdir() if path.name.isdigit())

    def log(self):
        """What the logs say, but for times and ids of this run."""
        entries = []
        for batch in self.log_ids("offsets"):
            version, metadata, *sources = (self.checkpoint / "offsets" / str(batch)).read_text().split("\n")
            metadata = json.loads(metadata)
            conf = dict(sorted(metadata["conf"].items()))
            sources = [re.sub(r'"reservoirId":"[^"]*"', '"reservoirId":""', source) for source in sources]
            entries.append({"id": batch, "version": version, "watermark": metadata["batchWatermarkMs"], "sources": sources})
            entries[-1] |= {"conf": conf} if not entries[:-1] else {}
            assert conf == entries[0]["conf"]
        commits = [f"{batch}: {(self.checkpoint / 'commits' / str(batch)).read_text()}" for batch in self.log_ids("commits")]
        return entries + [re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "", commit) for commit in commits]

    def table(self, path):
        """Rows of a Delta table and what its history says of each version."""
        history = self.spark.sql(f"DESCRIBE HISTORY delta.`{path}`").collect()
        parameters = ("mode", "outputMode", "epochId", "partitionBy")
        versions = [[row["version"], row["operation"], {key: row["operationParameters"][key] for key in parameters if key in row["operationParameters"]}]
                    for row in sorted(history, key=lambda row: row["version"])]
        return {"rows": sorted_rows(self.spark.read.format("delta").load(str(path))), "versions": versions}


def main():
    import turn_cases as cases
    from pyspark import cloudpickle
    from pyspark.sql import SparkSession

    here = str(pathlib.Path(cases.__file__).parent)
    for module in list(sys.modules.values()):  # workers do not find these modules: functions travel by value
        if str(getattr(module, "__file__", None) or "").startswith(here):
            cloudpickle.register_pickle_by_value(module)
    spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    set_before = set()
    for line in sys.stdin:
        request = json.loads(line)
        folder = pathlib.Path(request["folder"])
        folder.mkdir(parents=True, exist_ok=True)
        case = cases.CASES[request["case"]]
        confs = {**DEFAULTS, **cases.PROVIDERS[request["provider"]], **case.conf, **case.confs.get(request["round"], {})}
        try:
            for key in set_before - set(confs):
                spark.conf.unset(key)
            for key, value in confs.items():
                spark.conf.set(key, value)
            set_before = set(confs)
            Turn(spark, case, folder, request["round"]).run()
            answer = "ok"
        except Exception:  # noqa: BLE001: the test shows it
            answer = traceback.format_exc()
        print("=> " + json.dumps(answer), flush=True)
    spark.stop()


if __name__ == "__main__":
    main()
