"""How a case of arbitrary state is run, on any engine: rounds of files through one checkpoint, what comes out noted.

`python stream.py DIRECTORY FIRST LAST CASE…` runs rounds FIRST to LAST (exclusive; `end`: all) of the cases, each in
a folder of DIRECTORY, and writes what came out of each round to CASE/outcome-ROUND.json. Under spark-submit's Python it
is real Spark that runs, under `millrace submit` it is Millrace; both go on where the other stopped.
"""

import json
import os
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))


def value_text(value):
    if isinstance(value, float):
        return repr(round(value, 9))
    if hasattr(value, "asDict"):
        return {key: value_text(one) for key, one in value.asDict().items()}
    if isinstance(value, (list, tuple)):
        return [value_text(one) for one in value]
    if isinstance(value, dict):
        return {str(key): value_text(one) for key, one in sorted(value.items(), key=repr)}
    if isinstance(value, bytearray):
        value = bytes(value)
    return repr(value)


def error_of(error):
    """The last line of a Python traceback, or the condition and message of an error."""
    text = str(error)
    lines = [line.strip() for line in text.splitlines() if re.match(r"\s*[\w.]*(Error|Exception): ", line)]
    if "Traceback" in text and lines:
        return {"python": lines[-1]}
    condition = getattr(error, "getCondition", lambda: None)()
    if condition == "STREAM_FAILED" or condition is None:
        found = re.findall(r"\[([A-Z_]+(?:\.[A-Z_]+)?)\]", text)
        condition = next((one for one in found if one != "STREAM_FAILED"), condition)
    message = re.sub(r"^\[[^\]]*\] ", "", text.split(" SQLSTATE")[0].split(";")[0].split("\n")[0])
    return {"condition": condition, "message": message if condition is None or condition.startswith("_LEGACY") else None}


class Rounds:
    """One case in one folder."""

    def __init__(self, spark, name, case, folder):
        self.spark, self.name, self.case, self.folder = spark, name, case, folder
        self.input, self.checkpoint = folder / "input", folder / "checkpoint"
        self.input.mkdir(parents=True, exist_ok=True)

    def write_files(self, number, files):
        """Each file is a micro-batch: their times say the order."""
        for at, rows in enumerate(files):
            path = self.input / f"{number:02}-{at:02}.json"
            lines = "".join(json.dumps(row) + "\n" for row in rows)
            (self.folder / "tmp").write_text(lines)
            stamp = 1_700_000_000 + number * 1000 + at
            os.utime(self.folder / "tmp", (stamp, stamp))
            os.rename(self.folder / "tmp", path)

    def run(self, number):
        files = self.case.rounds[number]
        self.write_files(number, files)
        for key, value in {**DEFAULTS, **self.case.conf}.items():
            self.spark.conf.set(key, value)
        frame = (self.spark.readStream.schema(self.case.schema).option("maxFilesPerTrigger", 1)
                 .json(str(self.input)))
        out = self.folder / f"rows-{number}.jsonl"
        out.touch()
        outcome = {}
        try:
            result = self.case.build(self.spark, frame)
            query = self.start(result, str(out))
            if self.case.awaits is None:
                query.awaitTermination(120)
            else:
                deadline = time.monotonic() + 60
                while query.isActive and time.monotonic() < deadline and not self.is_through(out):
                    time.sleep(0.05)
                query.stop()
            if query.exception() is not None:
                raise query.exception()
            outcome["operators"] = self.operators(query)
        except Exception as error:  # noqa: BLE001: the error is what is recorded
            outcome["error"] = error_of(error)
        batches = self.rows(out)
        if self.case.awaits is not None:  # how the rows fall into micro-batches is chance
            batches = sorted((row for _, rows in batches for row in rows), key=repr)
            outcome.pop("operators", None)
        outcome["batches"] = batches
        if "error" not in outcome:
            outcome["state"] = self.state()
        (self.folder / f"outcome-{number}.json").write_text(json.dumps(outcome, indent=1))

    def is_through(self, out):
        """What is awaited has come out, and its micro-batch is done: one that is not would run again in the next round."""
        batches = self.rows(out)
        return self.case.awaits(batches) and (self.checkpoint / "commits" / str(batches[-1][0])).exists()

    def start(self, result, out):
        convert = value_text

        def keep(frame, batch_id):
            import json

            rows = [convert(row) for row in frame.collect()]
            with open(out, "a") as sink:
                sink.write(json.dumps([batch_id, rows]) + "\n")

        writer = (result.writeStream.foreachBatch(keep).outputMode(self.case.mode)
                  .option("checkpointLocation", str(self.checkpoint)))
        return (writer.trigger(availableNow=True) if self.case.awaits is None else writer).start()

    @staticmethod
    def rows(out):
        return [json.loads(line) for line in out.read_text().splitlines()]

    @staticmethod
    def operators(query):
        """What the progress of each micro-batch says of the operators with state."""
        figures = []
        for progress in query.recentProgress:
            progress = progress if isinstance(progress, dict) else json.loads(progress.json)
            for operator in progress["stateOperators"]:
                figures.append([progress["batchId"], operator["operatorName"]] + [
                    operator[key] for key in ("numRowsTotal", "numRowsUpdated", "numRowsRemoved",
                                              "numRowsDroppedByWatermark")])
        return figures

    def state(self):
        rows = {}
        for options in self.case.reads:
            reader = self.spark.read.format("statestore")
            for key, value in options.items():
                reader = reader.option(key, value)
            try:
                found = [value_text(row) for row in reader.load(str(self.checkpoint)).collect()]
                rows[json.dumps(options)] = sorted(found, key=repr)
            except Exception as error:  # noqa: BLE001
                rows[json.dumps(options)] = error_of(error)
        return rows


DEFAULTS = {
    "spark.sql.streaming.stateStore.encodingFormat": "unsaferow",
    "spark.sql.shuffle.partitions": "3",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "10000",
    "spark.sql.streaming.stateStore.providerClass":
        "org.apache.spark.sql.execution.streaming.state.HDFSBackedStateStoreProvider",
    "spark.sql.streaming.flatMapGroupsWithState.stateFormatVersion": "2",
}


def main(folder, first, last, names):
    import state_cases as cases
    from pyspark import cloudpickle
    from pyspark.sql import SparkSession

    # Workers do not find these modules: functions travel by value.
    folder_of_cases = str(pathlib.Path(cases.__file__).parent)
    for module in list(sys.modules.values()):
        if str(getattr(module, "__file__", None) or "").startswith(folder_of_cases):
            cloudpickle.register_pickle_by_value(module)
    spark = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
             .config("spark.sql.session.timeZone", "UTC").getOrCreate())
    spark.sparkContext.setLogLevel("OFF")
    for name in names or sorted(cases.CASES):
        case = cases.CASES[name]
        rounds = Rounds(spark, name, case, pathlib.Path(folder) / name)
        for number in range(int(first), len(case.rounds) if last == "end" else min(int(last), len(case.rounds))):
            rounds.run(number)
    spark.stop()


if __name__ == "__main__":
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
