#!/usr/bin/env python3
"""Writes the expected answers of the SQL corpus, as real Apache Spark gives them.

    python tests/sql/record.py FILE.slt|FOLDER...           rewrite the answers in place
    python tests/sql/record.py --check FILE.slt|FOLDER...   change nothing, print what differs, exit 1

Runs where `pip install pyspark==4.2.0` and Java 17 are. Nothing else of the project needs Spark.

A script is a list of records, separated by one blank line. A line that starts with '#' is a comment. Two comments before a
record speak to the runner: `# not built: REASON` lets an error stand for the answer, `# differs: REASON` any other answer; both
count as skipped.

    set spark.sql.session.timeZone Europe/Paris     until the end of the file; without it the time zone is UTC

    table NAME                  the rows of this SELECT are the temporary view NAME until the end of the file
    SELECT * FROM VALUES (1, 'a') AS t(id, s)

    query                       `query rowsort`: the rows are written, and compared, as sorted lines
    SELECT levenshtein('kitten', 'sitting') AS d
    ----
    schema d INT NOT NULL       StructType.toDDL of the result
    3                           one line a row, cells separated by a tab

    error
    SELECT 1/0
    ----
    DIVIDE_BY_ZERO 22012        condition with its sub-condition, SQLSTATE
    message [DIVIDE_BY_ZERO] Division by zero. ... SQLSTATE: 22012

    show [ROWS] [truncate=N] [vertical]     show() as text: 20 rows and 20 characters by default, truncate=0 is truncate=False
    SELECT 1 AS a
    ----
    +---+ ...

    tree                        printSchema() as text
    SELECT 1 AS a
    ----
    root ...

    file NAME                   the following lines are the file NAME, until the end of the script; `file NAME escaped`: the lines
    {"a":1}                     have \\n \\t \\r \\\\ \\xNN; a line `(blank)` is an empty line

    read FORMAT NAME            spark.read of a file, or of a folder (`.` has all files; its rows are sorted lines); `schema` and
                                `option` lines as needed
    schema a INT, b STRING
    option mode DROPMALFORMED
    ----
    schema a INT,b STRING       rows as in `query`; where Spark fails `error` and its condition, then the message
    1<tab>x

    write FORMAT                the text that df.write makes of the rows; `option` lines as needed
    option ignoreNullFields false
    SELECT 1 AS a, NULL AS b
    ----
    {"a":1,"b":null}

FILES in a statement is the folder of the script's files, WAREHOUSE in an answer the one of its tables, TIME what is said behind Created
Time. Tables, views and databases a script makes are gone at its end.

A cell of a query is what show(truncate=False) prints (Spark's ToPrettyString: NULL, {1, a}, [1, 2], {k -> v}, [1F] for binary), before
show's own escaping; then backslash, newline, tab and carriage return are written \\\\ \\n \\t \\r, and an empty cell `(empty)`.
The message is the first paragraph, up to the SQLSTATE, escaped the same way; the query context under it is left out.

To add a check write a bare SQL statement as a record of its own and record the file: the recorder makes it `query` or `error`,
whichever Spark answers, and says when a record changed its kind.
"""
import argparse
import difflib
import logging
import os
import re
import shutil
import sys
import tempfile

KINDS = ("query", "error", "show", "tree", "table", "set", "file", "read", "write")
SEPARATOR = "----"
WAREHOUSE = os.path.join(tempfile.gettempdir(), "record-warehouse")


class Record:
    """One block of a script: comments, a head line, the SQL text, the recorded answer."""

    def __init__(self, lines):
        self.comments = []
        while lines and lines[0].startswith("#"):
            self.comments.append(lines.pop(0))
        self.head, self.body, self.answer = "", [], []
        if not lines:
            return
        if lines[0].split()[0] in KINDS:
            self.head = lines.pop(0).rstrip()
        else:
            self.head = "query"
        if self.kind not in ("set", "file") and SEPARATOR in lines:
            at = lines.index(SEPARATOR)
            self.body, self.answer = lines[:at], lines[at + 1:]
        else:
            self.body = lines

    @property
    def kind(self):
        return self.head.split()[0] if self.head else ""

    @property
    def sql(self):
        return "\n".join(self.body)

    def text(self):
        lines = self.comments + ([self.head] if self.head else []) + self.body
        if self.kind not in ("", "table", "set", "file"):
            lines = lines + [SEPARATOR] + self.answer
        return "\n".join(lines) + "\n"


def parse(text):
    blocks, block = [], []
    for line in text.split("\n") + [""]:
        if line:
            block.append(line)
        elif block:
            blocks.append(Record(block))
            block = []
    return blocks


def escape(text):
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")


def unescape(text):
    plain = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
    parts = re.split(r"(\\x[0-9A-Fa-f]{2}|\\[ntr\\])", text)
    return b"".join(bytes([int(part[2:], 16)]) if part.startswith("\\x") else
                    (plain[part[1]] if len(part) == 2 and part[0] == "\\" else part).encode() for part in parts)


class Spark:
    """A local session whose answers do not depend on the machine: one task thread, UTC, English."""

    def __init__(self, jars=""):
        for name in ("SPARK_CONF_DIR", "SPARK_HOME", "SPARK_REMOTE", "SPARK_API_MODE"):
            os.environ.pop(name, None)
        os.environ["TZ"] = "UTC"
        from pyspark.sql import SparkSession
        self.session = (SparkSession.builder.master("local[1]").appName("record")
                        .config("spark.ui.enabled", "false")
                        .config("spark.driver.memory", "1g")
                        .config("spark.driver.extraClassPath", jars)
                        .config("spark.driver.extraJavaOptions", "-Duser.timezone=UTC -Duser.language=en -Duser.country=US")
                        .config("spark.sql.session.timeZone", "UTC")
                        .config("spark.sql.shuffle.partitions", "1")
                        .config("spark.sql.warehouse.dir", WAREHOUSE)
                        .getOrCreate())
        self.session.sparkContext.setLogLevel("OFF")
        logging.disable(logging.CRITICAL)  # errors are answers here, not news
        self.jvm = self.session._jvm

    def rows(self, frame):
        """All rows as the text show() would print, without its cutting and escaping."""
        from pyspark.sql import DataFrame
        expressions = self.jvm.org.apache.spark.sql.catalyst.expressions
        plan = frame._jdf.queryExecution().commandExecuted()  # a command has run: its rows are here
        output = plan.output()
        named = []
        for i in range(output.size()):
            pretty = expressions.ToPrettyString(output.apply(i), getattr(expressions.ToPrettyString, "apply$default$2")())
            named.append(expressions.Alias(pretty, f"c{i}", expressions.NamedExpression.newExprId(), self.seq([]),
                                           self.jvm.scala.Option.empty(), self.seq([])))
        project = self.jvm.org.apache.spark.sql.catalyst.plans.logical.Project(self.seq(named), plan)
        shown = self.jvm.org.apache.spark.sql.classic.Dataset.ofRows(frame.sparkSession._jsparkSession, project)
        return DataFrame(shown, frame.sparkSession).collect()

    def seq(self, items):
        return self.jvm.PythonUtils.toSeq(items)

    def drop_everything(self):
        """Tables, views, databases and functions that a script has left."""
        run = self.session.sql
        run("CLEAR CACHE"), run("USE default")
        for kind, names in (("VIEW", "global_temp"), ("TABLE", "default")):
            for row in run("SHOW TABLES IN " + names).collect():
                name = f"`{row.namespace}`.`{row.tableName}`" if row.namespace else f"`{row.tableName}`"
                is_view = kind == "VIEW" or run("SHOW VIEWS LIKE '%s'" % row.tableName).count()
                run(f"DROP {'VIEW' if is_view else 'TABLE'} IF EXISTS {name}")
        for row in run("SHOW DATABASES").collect():
            if row.namespace != "default":
                run(f"DROP DATABASE `{row.namespace}` CASCADE")
        shutil.rmtree(WAREHOUSE, ignore_errors=True)

    def answer_query(self, sql, rowsort):
        return self.answer_frame(self.session.sql(sql), rowsort)

    def answer_frame(self, frame, rowsort=False):
        lines = ["\t".join(escape(cell) or "(empty)" for cell in row) for row in self.rows(frame)]
        return ["schema " + frame._jdf.schema().toDDL()] + (sorted(lines) if rowsort else lines)

    def answer_files(self, record, folder):
        """The answer of a `read` or `write` record."""
        words, options, schema, sql = record.head.split(), {}, None, []
        for line in record.body:
            if line.startswith("option "):
                _, key, value = line.split(" ", 2)
                options[key] = unescape(value).decode()
            elif line.startswith("schema "):
                schema = line[len("schema "):]
            else:
                sql.append(line)
        try:
            if words[0] == "read":
                reader = self.session.read.format(words[1]).options(**options)
                reader = reader.schema(schema) if schema else reader
                path = os.path.join(folder, words[2])
                return self.answer_frame(reader.load(path), rowsort=os.path.isdir(path))
            out = tempfile.mkdtemp()
            self.session.sql("\n".join(sql)).coalesce(1).write.format(words[1]).options(**options).mode("overwrite").save(out)
            text = b"".join(open(os.path.join(out, name), "rb").read() for name in sorted(os.listdir(out)) if name.startswith("part-"))
            shutil.rmtree(out)
            return [escape(line) if line else "(blank)" for line in text.decode("utf-8", "backslashreplace").removesuffix("\n").split("\n")] if text else []
        except Exception as error:  # whatever Spark says is the answer
            condition, message = self.answer_error(error)
            return ["error " + condition, message.replace(folder, "FILES")]

    def answer_show(self, sql, arguments):
        rows, truncate, vertical = 20, 20, False
        for argument in arguments:
            if argument == "vertical":
                vertical = True
            elif argument.startswith("truncate="):
                truncate = int(argument[len("truncate="):])
            else:
                rows = int(argument)
        return self.session.sql(sql)._jdf.showString(rows, truncate, vertical).rstrip("\n").split("\n")

    def answer_tree(self, sql):
        return self.session.sql(sql)._jdf.schema().treeString().rstrip("\n").split("\n")

    def answer_error(self, error):
        throwable = getattr(error, "_origin", None) or getattr(error, "java_exception", None)
        if throwable is None:
            raise error
        return self.answer_cause(throwable)

    def answer_cause(self, throwable):
        """The first of a chain of Java exceptions that has a condition."""
        first = throwable
        while throwable is not None:
            condition = self.call(throwable, "getCondition")
            if condition and condition != "STREAM_FAILED":
                message = self.call(throwable, "getMessage") or ""
                found = re.match(r".*?SQLSTATE: \w{5}", message, re.S)
                message = found.group(0) if found else re.split(r"\n== SQL|; line \d+ pos \d+|;\n", message)[0]
                return [f"{condition} {self.call(throwable, 'getSqlState') or '-'}", "message " + escape(message.strip("\n"))]
            throwable = throwable.getCause()
        return ["- -", "message " + escape((first.getMessage() or first.toString()).split("\n")[0])]

    @staticmethod
    def call(throwable, method):
        try:
            return getattr(throwable, method)()
        except Exception:  # not a SparkThrowable
            return None

    def run_script(self, name, text):
        """The script with every answer replaced by Spark's."""
        records, changed, views, folder = parse(text), {}, [], tempfile.mkdtemp()
        try:
            for record in records:
                if record.kind == "set":
                    for line in [record.head] + record.body:
                        _, key, value = line.split(None, 2)
                        changed.setdefault(key, self.session.conf.get(key, None))
                        self.session.conf.set(key, value)
                elif record.kind == "table":
                    view = record.head.split()[1]
                    self.session.sql(record.sql).createOrReplaceTempView(view)
                    views.append(view)
                elif record.kind == "file":
                    self.write_file(folder, record)
                elif record.kind in ("read", "write"):
                    record.answer = self.answer_files(record, folder)
                elif record.kind:
                    self.answer(name, record, folder)
        finally:
            shutil.rmtree(folder)
            for view in views:
                self.session.catalog.dropTempView(view)
            self.drop_everything()
            for key, value in changed.items():
                self.session.conf.unset(key) if value is None else self.session.conf.set(key, value)
        return "\n".join(record.text() for record in records)

    @staticmethod
    def write_file(folder, record):
        words = record.head.split()
        path = os.path.join(folder, words[1])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        lines = [b"" if line == "(blank)" else unescape(line) if words[2:] == ["escaped"] else line.encode() for line in record.body]
        with open(path, "wb") as file:
            file.write(b"".join(line + b"\n" for line in lines))

    def answer(self, name, record, folder):
        had_answer, sql = bool(record.answer), record.sql.replace("FILES/", folder + "/")
        kind = record.kind if record.kind in ("show", "tree") else "query"
        try:
            if kind == "show":
                answer = self.answer_show(sql, record.head.split()[1:])
            elif kind == "tree":
                answer = self.answer_tree(sql)
            else:
                answer = self.answer_query(sql, "rowsort" in record.head)
        except Exception as error:  # whatever Spark says is the answer
            answer, kind = self.answer_error(error), "error"
        if kind != record.kind:
            if had_answer or record.kind == "error":
                print(f"{name}: now {kind}: {record.sql}", file=sys.stderr)
            record.head = kind
        record.answer = [self.without_time(line.replace(folder, "FILES").replace(WAREHOUSE, "WAREHOUSE")) for line in answer]

    @staticmethod
    def without_time(line):
        """What DESCRIBE says of when a table was made is another thing each time."""
        return re.sub(r'(Created Time(?:\t|: )|"created_time":")[^\t\\"]+', r"\1TIME", line)


def scripts(paths, extension=".slt"):
    for path in paths:
        if os.path.isdir(path):
            for folder, _, files in sorted(os.walk(path)):
                yield from (os.path.join(folder, f) for f in sorted(files) if f.endswith(extension))
        else:
            yield path


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--check", action="store_true", help="change nothing, print what differs")
    arguments.add_argument("--jars", default="", help="class path of what Spark has outside its package: spark-avro for function/avro")
    arguments.add_argument("paths", nargs="+")
    options = arguments.parse_args()
    spark, differ = Spark(options.jars), 0
    for path in scripts(options.paths):
        with open(path, encoding="utf-8", newline="\n") as script:
            before = script.read()
        after = spark.run_script(path, before)
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
