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
