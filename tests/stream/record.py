#!/usr/bin/env python3
"""Writes the expected answers of the streaming scripts, as real Apache Spark gives them.

    python tests/stream/record.py FILE.stream|FOLDER...     (--check: change nothing, print what differs, exit 1)

A script is read line by line; '#' starts a comment line; the rows under check, check_new and fails end at an empty line. One verb a line:

    source NAME (DDL) [watermark COLUMN 'DELAY']    a memory source, also the view NAME of the query
    mode append|update|complete                     append by default
    set KEY VALUE                                   conf, before the query starts
    query SQL                                       starts the query with a new checkpoint; following lines that begin with a blank
                                                    belong to the SQL
    add NAME (1, 'a'), (2, NULL)                    rows as in VALUES, cast to the types of the source; they arrive with `process`
    process                                         all that was added arrives at once; micro-batches run until nothing is left to do
    check                                           the sink's rows: all so far, in complete mode those of the last batch; sorted, cells
                                                    as in tests/sql/record.py, one line a row
    check_new                                       the rows of the batches since the last check or check_new (or start of the script)
    stop / start / restart                          stop the query; start it from its checkpoint; both
    batch = 3                                       id of the last committed batch
    progress PATH = JSON                            a value of the last progress that had a batch, e.g. numInputRows or stateOperators.0.numRowsTotal
    fails                                           the line before it ends with an error: its condition and SQLSTATE follow as in an
                                                    `error` record; the query is stopped then

The recorder rewrites the rows under check, check_new and fails, and the values after `=`.
"""
import argparse
import difflib
import json
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "sql"))
import record as sql_record  # noqa: E402

ANSWERED = ("check", "check_new", "fails")


class Script:
    """One run of a script on Spark."""

    def __init__(self, spark, name):
        self.spark, self.session, self.name = spark, spark.session, name
        self.folder = tempfile.mkdtemp()
        self.sources, self.conf = {}, {}
        self.mode, self.sql, self.query, self.error = "append", "", None, None
        self.batches, self.shown, self.pending = {}, -1, {}

    def source(self, text):
        name, rest = text.split(None, 1)
        ddl, _, watermark = rest.partition(") watermark ")
        ddl = ddl.strip().removeprefix("(").removesuffix(")")
        schema = self.session.createDataFrame([], ddl).schema
        jvm = self.spark.jvm
        encoder = jvm.org.apache.spark.sql.Encoders.row(self.session._jsparkSession.parseDataType(schema.json()))
        stream = jvm.org.apache.spark.sql.execution.streaming.runtime.MemoryStream(
            len(self.sources), self.session._jsparkSession, jvm.scala.Option.empty(), encoder)
        self.sources[name] = (stream, schema)
        frame = stream.toDF()
        if watermark:
            column, delay = watermark.split(None, 1)
            frame = frame.withWatermark(column, delay.strip("'"))
        frame.createOrReplaceTempView(name)

    def add(self, text):
        name, rows = text.split(None, 1)
        stream, schema = self.sources[name]
        names = ", ".join(f"`{f.name}`" for f in schema)
        casts = ", ".join(f"CAST(`{f.name}` AS {f.dataType.simpleString()}) AS `{f.name}`" for f in schema)
        rows = self.session.sql(f"SELECT {casts} FROM VALUES {rows} AS t({names})")._jdf.collectAsList()
        self.pending.setdefault(name, []).extend(rows)

    def deliver(self):
        # Between the arrival of two sources' rows a batch could begin, so then the query must not run.
        running = len(self.pending) > 1 and self.query
        if running:
            self.stop()
        for name, rows in self.pending.items():
            self.sources[name][0].addData(self.spark.jvm.PythonUtils.toSeq(rows))
        self.pending = {}
        if running:
            self.start()

    def start(self):
        self.error = None

        def collect(frame, batch_id):
            try:
                rows = self.spark.rows(frame)
            except Exception as error:  # Spark would wrap it in an error of foreachBatch
                self.error = self.spark.answer_error(error)
                raise
            self.batches[batch_id] = ["\t".join(sql_record.escape(cell) or "(empty)" for cell in row) for row in rows]

        try:
            self.query = (self.session.sql(self.sql).writeStream.outputMode(self.mode).foreachBatch(collect)
                          .option("checkpointLocation", self.folder).start())
        except Exception as error:
            self.error = self.spark.answer_error(error)

    def process(self):
        self.deliver()
        try:
            self.query.processAllAvailable()
        except Exception:
            self.error = self.error or self.spark.answer_cause(self.query._jsq.exception().get())

    def stop(self):
        if self.query:
            self.query.stop()

    def rows(self, only_new):
        ids = sorted(self.batches)
        if self.mode == "complete":
            ids = ids[-1:]
        elif only_new:
            ids = [i for i in ids if i > self.shown]
        self.shown = max(self.batches, default=-1)
        return sorted(line for i in ids for line in self.batches[i])

    def last_batch(self):
        return max((int(n) for n in os.listdir(self.folder + "/commits") if n.isdigit()), default=-1)

    def progress(self, path):
        value = json.loads([p for p in self.query._jsq.recentProgress() if "addBatch" in p.json()][-1].json())
        for step in path.split("."):
            value = value[int(step)] if isinstance(value, list) else value[step]
        return json.dumps(value, separators=(",", ":"))

    def close(self):
        self.stop()
        for name in self.sources:
            self.session.catalog.dropTempView(name)
        for key, value in self.conf.items():
            self.session.conf.unset(key) if value is None else self.session.conf.set(key, value)
        shutil.rmtree(self.folder)

    def line(self, verb, text):
        """The line with its answer, then the lines of rows under it."""
        if verb == "source":
            self.source(text)
        elif verb == "mode":
            self.mode = text
        elif verb == "set":
            key, value = text.split(None, 1)
            self.conf.setdefault(key, self.session.conf.get(key, None))
            self.session.conf.set(key, value)
        elif verb == "query":
            self.sql = text
            self.start()
        elif verb == "add":
            self.add(text)
        elif verb == "process":
            self.process()
        elif verb in ("stop", "start", "restart"):
            if verb != "start":
                self.stop()
            if verb != "stop":
                self.start()
        elif verb == "check":
            return None, self.rows(False)
        elif verb == "check_new":
            return None, self.rows(True)
        elif verb == "fails":
            if not self.error:
                raise ValueError(f"{self.name}: no error before `fails`")
            answer, self.error = self.error, None
            self.stop()
            return None, answer
        elif verb == "batch":
            return f"batch = {self.last_batch()}", []
        elif verb == "progress":
            path = text.split()[0]
            return f"progress {path} = {self.progress(path)}", []
        else:
            raise ValueError(f"{self.name}: what is {verb}?")
        return None, []


def run(spark, name, text):
    script, lines, out, at = Script(spark, name), text.split("\n"), [], 0
    try:
        while at < len(lines):
            line = lines[at]
            at += 1
            if not line.strip() or line.startswith("#"):
                out.append(line)
                continue
            verb, _, rest = line.partition(" ")
            out.append(line)
            if verb == "query":
                while at < len(lines) and lines[at].startswith(" "):
                    rest += "\n" + lines[at]
                    out.append(lines[at])
                    at += 1
            if verb in ANSWERED:
                while at < len(lines) and lines[at]:
                    at += 1
            if script.error and verb != "fails":
                raise ValueError(f"{name}: {script.error}")
            answer, rows = script.line(verb, rest.strip())
            if answer:
                out[-1] = answer
            out += rows
    finally:
        script.close()
    return "\n".join(out)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--check", action="store_true", help="change nothing, print what differs")
    arguments.add_argument("paths", nargs="+")
    options = arguments.parse_args()
    spark, differ = sql_record.Spark(), 0
    for path in sql_record.scripts(options.paths, ".stream"):
        with open(path, encoding="utf-8", newline="\n") as script:
            before = script.read()
        try:
            after = run(spark, path, before)
        except Exception as error:
            print(f"{path}: {error}", file=sys.stderr)
            differ += 1
            continue
        if options.check:
            lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), path, "Spark", lineterm=""))
            differ += bool(lines)
            print("\n".join(lines), end="\n" if lines else "")
        elif after != before:
            with open(path, "w", encoding="utf-8", newline="\n") as script:
                script.write(after)
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
