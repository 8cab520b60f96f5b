"""Programs whose micro-batches go to a function (foreachBatch), as those of programs_of_streams.py."""

import os
import re

from programs_of_streams import case, counted, visits, write_file


@case
def rows_that_a_function_reads(spark, folder):
    stream = visits(spark, folder)
    readers = {
        "never": lambda rows, batch: None,
        "once": lambda rows, batch: rows.collect(),
        "twice": lambda rows, batch: (rows.collect(), rows.count()),
        "joined with itself": lambda rows, batch: rows.join(rows, "page").count(),
    }
    seen = {}
    for name, read in readers.items():
        query = stream.writeStream.foreachBatch(read).trigger(availableNow=True).start()
        query.awaitTermination()
        seen[name] = counted(query)
    return seen


@case
def rows_that_a_function_reads_in_part(spark, folder):
    for name in ("1", "2"):
        write_file(f"{folder}/numbers", f"{name}.json", [f'{{"n":{n}}}' for n in range(100)], age_seconds=100 - int(name))
    numbers = spark.readStream.schema("n INT").json(f"{folder}/numbers")

    def is_empty(rows):
        # As DataFrame.isEmpty of a driver; that of a client takes a row.
        return rows.limit(1).count() == 0

    readers = {
        "is empty": is_empty,
        "is empty, then all": lambda rows: (is_empty(rows), rows.count()),
        "all, then first": lambda rows: (rows.count(), rows.first()),
        "take": lambda rows: rows.take(7),
        "take all but one": lambda rows: rows.take(199),
        "first": lambda rows: rows.first(),
        "limit and collect": lambda rows: rows.limit(10).collect(),
        "offset": lambda rows: rows.offset(5).limit(10).collect(),
        "columns": lambda rows: is_empty(rows.selectExpr("n + 1")),
        "filtered": lambda rows: is_empty(rows.where("n >= 41")),
        "filtered, several": lambda rows: rows.where("n % 10 = 0").take(3),
        "filtered, none": lambda rows: is_empty(rows.where("n < 0")),
        "show": lambda rows: rows.show(3),
        "tail": lambda rows: rows.tail(2),
        "sorted": lambda rows: rows.orderBy("n").take(2),
        "union": lambda rows: rows.union(rows).take(2),
        "persisted": lambda rows: (rows.persist(), is_empty(rows), rows.count(), rows.unpersist()),
    }
    seen = {}

    def run(name, stream, read):
        query = stream.writeStream.foreachBatch(lambda rows, batch: read(rows)).trigger(availableNow=True).start()
        query.awaitTermination()
        seen[name] = counted(query)

    for name, read in readers.items():
        run(name, numbers, read)
    run("of a projection", numbers.selectExpr("n * 2 AS twice"), is_empty)
    run("of one partition", numbers.coalesce(1), lambda rows: rows.take(150))
    run("of a repartition", numbers.repartition(2), lambda rows: (rows.count(), rows.count()))
    return seen


@case
def rows_that_cannot_be_computed(spark, folder):
    write_file(f"{folder}/numbers", "1.json", ['{"n":0}', '{"n":5}'], age_seconds=100)
    write_file(f"{folder}/numbers", "2.json", ['{"n":2}', '{"n":5}'])
    numbers = spark.readStream.schema("n INT").option("maxFilesPerTrigger", 1).json(f"{folder}/numbers")
    halves = numbers.selectExpr("10 / n AS share")
    counts = numbers.groupBy("n").count().selectExpr("n", "10 / (n * count) AS share")

    def run(stream, name, function, mode="append"):
        def noted(rows, batch):
            with open(f"{folder}/{name}.txt", "a", encoding="utf-8") as out:
                out.write(f"{batch}: {function(rows)}\n")

        checkpoint = f"{folder}/{name}"
        query = (stream.writeStream.foreachBatch(noted).outputMode(mode).option("checkpointLocation", checkpoint)
                 .trigger(availableNow=True).start())
        try:
            query.awaitTermination()
            end = "done"
        except Exception as error:
            end = re.findall(r"\[[A-Z_]+(?:\.[A-Z_]+)?\]", str(error).replace("[PYTHON_EXCEPTION]", ""))
        seen = open(f"{folder}/{name}.txt", encoding="utf-8").read() if os.path.exists(f"{folder}/{name}.txt") else ""
        commits = sorted(n for n in os.listdir(f"{checkpoint}/commits") if n.isdigit())
        return {"end": end, "seen": seen.splitlines(), "commits": commits}

    def collected(rows):
        return sorted(row.share for row in rows.collect())

    def caught(rows):
        try:
            return collected(rows)
        except Exception as error:
            return error.getCondition()

    seen = {
        "caught": run(halves, "caught", caught),
        "not caught": run(halves, "not caught", collected),
        "not asked for": run(halves, "not asked for", lambda rows: "nothing"),
        "caught, with state": run(counts, "caught with state", caught, "update"),
        "not caught, with state": run(counts, "not caught with state", collected, "update"),
    }
    spark.conf.set("spark.sql.streaming.stateStore.commitValidation.enabled", "false")
    seen["caught, not validated"] = run(counts, "caught not validated", caught, "update")
    spark.conf.unset("spark.sql.streaming.stateStore.commitValidation.enabled")
    return seen
