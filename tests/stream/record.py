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
    check_ordered                                   as check_new, in the order in which the sink got the rows
    view NAME OTHER watermark COLUMN 'DELAY'        a view made of another; or repartition, drop_duplicates, drop_duplicates_within_watermark with
                                                    columns (none: all); or NAME alone, a query on indented lines below
    check_last N                                    of all rows so far the newest of each value of the first N columns (update mode)
    leave_out TEXT                                  rows with this text in them are left out of every check
    crash POINT [NTH]                               nothing here: only Millrace is made to die
    state OPERATOR VERSION [STORE]                  the records of its partitions' delta files (no STORE: the default one): partition,
                                                    key and value in hexadecimal, '-' for a removed key, sorted
    schema OPERATOR = KEY VALUE                     the state schema file's texts (default store)
    offsets N = …                                   the sources' lines of the offset log's entry N
    batch = 3                                       id of the last committed batch
    progress PATH = JSON                            a value of the last progress that had a batch, e.g. numInputRows or stateOperators.0.numRowsTotal
    total PATH = N                                  the sum of such values over all batches of this run
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

ANSWERED = ("check", "check_new", "check_ordered", "check_last", "fails", "state")


def lz4_block(data, size):
    """An LZ4 block of `size` bytes, unpacked."""
    out, at = bytearray(), 0
    while at < len(data):
        token = data[at]
        at += 1
        length = token >> 4
        if length == 15:
            while True:
                length += data[at]
                at += 1
                if data[at - 1] != 255:
                    break
        out += data[at:at + length]
        at += length
        if at >= len(data):
            break
        distance = data[at] | data[at + 1] << 8
        at += 2
        length = (token & 15) + 4
        if length == 19:
            while True:
                length += data[at]
                at += 1
                if data[at - 1] != 255:
                    break
        for _ in range(length):
            out.append(out[-distance])
    assert len(out) == size
    return bytes(out)


def delta_records(path):
    """(key, value or None) of a state delta file."""
    with open(path, "rb") as file:
        data = file.read()
    plain, at = b"", 0
    while at < len(data):
        assert data[at:at + 8] == b"LZ4Block"
        packed, size = (int.from_bytes(data[at + i:at + i + 4], "little") for i in (9, 13))
        body = data[at + 21:at + 21 + packed]
        plain += lz4_block(body, size) if data[at + 8] & 0xF0 == 0x20 else body
        at += 21 + packed
    records, at = [], 0
    while True:
        size = int.from_bytes(plain[at:at + 4], "big", signed=True)
        if size < 0:
            return records
        key = plain[at + 4:at + 4 + size]
        at += 4 + size
        size = int.from_bytes(plain[at:at + 4], "big", signed=True)
        at += 4
        records.append((key, None if size < 0 else plain[at:at + size]))
        at += max(size, 0)


class Script:
    """One run of a script on Spark."""

    def __init__(self, spark, name):
        self.spark, self.session, self.name = spark, spark.session, name
        self.folder = tempfile.mkdtemp()
        self.sources, self.conf, self.views = {}, {}, []
        self.mode, self.sql, self.query, self.error = "append", "", None, None
        self.batches, self.shown, self.pending, self.left_out = {}, -1, {}, None

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

    def view(self, text, body):
        words = text.split()
        if len(words) < 3:
            frame = self.session.sql(body)
        else:
            other = self.session.table(words[1])
            if words[2] == "watermark":
                frame = other.withWatermark(words[3], text.split("'")[1])
            elif words[2] == "repartition":
                frame = other.repartition(*words[3:])
            elif words[2] == "drop_duplicates":
                frame = other.dropDuplicates(words[3:] or None)
            else:
                frame = other.dropDuplicatesWithinWatermark(words[3:] or None)
        frame.createOrReplaceTempView(words[0])
        self.views.append(words[0])

    def kept_error(self, step):
        """An error of the step is what `fails` answers."""
        try:
            step()
        except Exception as error:
            self.error = self.spark.answer_error(error)

    def state(self, text):
        operator, version, *store = text.split()
        folder, lines = f"{self.folder}/state/{operator}", []
        for partition in os.listdir(folder):
            if partition.isdigit():
                # Spark may write a key several times in one micro-batch: the last counts.
                for key, value in dict(delta_records("/".join((folder, partition, *store, f"{version}.delta")))).items():
                    lines.append(f"{partition} {key.hex() or '(empty)'} {'-' if value is None else value.hex()}")
        return sorted(lines)

    def schema(self, operator):
        with open(f"{self.folder}/state/{operator}/0/_metadata/schema", "rb") as file:
            data = file.read()
        at, texts = 2 + int.from_bytes(data[:2], "big"), []
        while at < len(data):
            chunks, text = int.from_bytes(data[at:at + 4], "big"), b""
            at += 4
            for _ in range(chunks):
                size = int.from_bytes(data[at:at + 2], "big")
                text += data[at + 2:at + 2 + size]
                at += 2 + size
            texts.append(text.decode())
        return " ".join(texts)

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

    def rows(self, only_new, ordered=False):
        ids = sorted(self.batches)
        if self.mode == "complete":
            ids = ids[-1:]
        elif only_new:
            ids = [i for i in ids if i > self.shown]
        self.shown = max(self.batches, default=-1)
        lines = [line for i in ids for line in self.batches[i] if not self.left_out or self.left_out not in line]
        return lines if ordered else sorted(lines)

    def offsets(self, batch_id):
        with open(os.path.join(self.folder, "offsets", batch_id), encoding="utf-8") as entry:
            return entry.read().split("\n")[2:]

    def last_rows(self, num_columns):
        newest = {}
        for line in self.rows(False, True):
            newest[tuple(line.split("\t")[:num_columns])] = line
        return sorted(newest.values())

    def last_batch(self):
        return max((int(n) for n in os.listdir(self.folder + "/commits") if n.isdigit()), default=-1)

    def progress(self, path, total=False):
        values = []
        for progress in self.query._jsq.recentProgress():
            value = json.loads(progress.json())
            if "addBatch" not in value["durationMs"]:
                continue
            for step in path.split("."):
                value = value[int(step)] if isinstance(value, list) else value[step]
            values.append(value)
        return json.dumps(sum(values) if total else values[-1], separators=(",", ":"))

    def close(self):
        self.stop()
        for name in self.views + list(self.sources):
            self.session.catalog.dropTempView(name)
        for key, value in self.conf.items():
            self.session.conf.unset(key) if value is None else self.session.conf.set(key, value)
        shutil.rmtree(self.folder)

    def line(self, verb, text, body=""):
        """The line with its answer, then the lines of rows under it."""
        if verb == "source":
            self.source(text)
        elif verb == "view":
            self.kept_error(lambda: self.view(text, body))
        elif verb == "mode":
            self.mode = text
        elif verb == "set":
            key, value = text.split(None, 1)
            self.conf.setdefault(key, self.session.conf.get(key, None))
            self.kept_error(lambda: self.session.conf.set(key, value))
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
        elif verb == "check_ordered":
            return None, self.rows(True, True)
        elif verb == "check_last":
            return None, self.last_rows(int(text))
        elif verb == "leave_out":
            self.left_out = text
        elif verb == "crash":
            pass
        elif verb == "state":
            return None, self.state(text)
        elif verb == "schema":
            operator = text.split()[0]
            return f"schema {operator} = {self.schema(operator)}", []
        elif verb == "fails":
            if not self.error:
                raise ValueError(f"{self.name}: no error before `fails`")
            answer, self.error = self.error, None
            self.stop()
            return None, answer
        elif verb == "batch":
            return f"batch = {self.last_batch()}", []
        elif verb == "offsets":
            batch_id = text.split()[0]
            return f"offsets {batch_id} = {' '.join(self.offsets(batch_id))}", []
        elif verb in ("progress", "total"):
            path = text.split()[0]
            return f"{verb} {path} = {self.progress(path, verb == 'total')}", []
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
            body = ""
            if verb in ("query", "view"):
                while at < len(lines) and lines[at].startswith(" "):
                    body += "\n" + lines[at]
                    out.append(lines[at])
                    at += 1
            if verb in ANSWERED:
                while at < len(lines) and lines[at]:
                    at += 1
            if script.error and verb != "fails":
                raise ValueError(f"{name}: {script.error}")
            if verb == "query":
                rest += body
            answer, rows = script.line(verb, rest.strip(), body)
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
