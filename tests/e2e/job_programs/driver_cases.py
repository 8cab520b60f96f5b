"""What a Spark driver does where a line stands: frames fail when they are made, statements read the views that are there,
rows know their files. Cases as those of cases.py."""

import os
import shutil

from pyspark.sql import functions as F
from pyspark.sql.window import Window


def _made(make):
    """The condition that making a frame fails with; "made" when it does not."""
    try:
        make()
        return "made"
    except Exception as error:
        condition = error.getCondition() if hasattr(error, "getCondition") else None
        return [type(error).__name__, condition]


def frames_that_fail_when_they_are_made(spark, folder):
    boats = spark.createDataFrame([(1, 20, "ferry"), (2, 31, "tug")], "id INT, length INT, kind STRING")
    ports = spark.createDataFrame([(1, "Oslo")], "id INT, port STRING")
    stream = spark.readStream.format("rate").load()
    makes = {
        "select": lambda: boats.select("mast"), "selectExpr": lambda: boats.selectExpr("mast + 1"),
        "filter": lambda: boats.filter("mast > 1"), "no condition": lambda: boats.filter("length"),
        "withColumn": lambda: boats.withColumn("twice", F.col("mast") * 2), "drop": lambda: boats.drop("mast"),
        "rename": lambda: boats.withColumnRenamed("mast", "pole"), "group": lambda: boats.groupBy("mast").count(),
        "not grouped": lambda: boats.groupBy("kind").agg(F.col("length")), "sum": lambda: boats.groupBy().sum("kind"),
        "order": lambda: boats.orderBy(F.desc("mast")), "using": lambda: boats.join(ports, "mast"),
        "ambiguous": lambda: boats.join(ports, boats.id == ports.id).select("id"),
        "widths": lambda: boats.union(ports), "by name": lambda: boats.unionByName(ports),
        "duplicates": lambda: boats.dropDuplicates(["mast"]), "attribute": lambda: boats.mast,
        "item": lambda: boats["mast"], "item of any case": lambda: boats["LENGTH"],
        "function": lambda: boats.select(F.expr("furl(length)")), "explode": lambda: boats.select(F.explode("length")),
        "no order": lambda: boats.select(F.row_number().over(Window.partitionBy("kind"))),
        "names": lambda: boats.toDF("one"), "limit": lambda: boats.limit(-1), "field": lambda: boats.select("kind.of"),
        "star": lambda: boats.select("sails.*"), "describe": lambda: boats.describe("mast"),
        "na": lambda: boats.na.drop(subset=["mast"]), "pivot": lambda: boats.groupBy("id").pivot("kind").count().select("raft"),
        "batches": lambda: boats.mapInPandas(lambda batches: batches, "id INT").select("mast"),
        "watermark": lambda: stream.withWatermark("mast", "1 minute"),
        "watermark of a number": lambda: stream.withWatermark("value", "1 minute"),
        "window": lambda: stream.groupBy(F.window("value", "1 minute")).count(),
        "stream": lambda: stream.select("mast"), "sql": lambda: spark.sql("SELECT * FROM no_boats"),
        "table": lambda: spark.table("no_boats"),
        "outer": lambda: boats.alias("b").where(ports.alias("p").where(F.col("p.id") == F.col("b.id").outer()).exists()),
        "a frame below": lambda: boats.select("id").filter(boats.length > 30),
        "a column below": lambda: boats.select("id").filter("length > 30"),
    }
    answers = {name: _made(make) for name, make in makes.items()}
    answers["hasattr"] = [hasattr(boats, "mast"), hasattr(boats, "kind")]
    return answers


def _told(make):
    """What making it gives, or the kind, the condition and the first line of what it fails with."""
    try:
        return make()
    except Exception as error:
        condition = error.getCondition() if hasattr(error, "getCondition") else None
        return [type(error).__name__, condition, str(error).splitlines()[0].split(" SQLSTATE")[0]]


def samples_of_no_fraction(spark, folder):
    shoals = spark.range(10)
    fractions = {"below": (False, -0.5), "above": (False, 1.5), "often": (True, 1.5), "below, often": (True, -0.25),
                 "a little below": (False, -0.0000005), "a little above": (False, 1.0000005)}
    return {name: _told(lambda: shoals.sample(*asked, seed=1).columns) for name, asked in fractions.items()}


def crosstabs_of_missing_columns(spark, folder):
    boats = spark.createDataFrame([(1, "ferry"), (2, "tug"), (1, "tug")], "berth INT, kind STRING")
    pairs = {"rows": ("mast", "kind"), "columns": ("berth", "mast"), "both": ("mast", "sail"), "none": ("berth", "kind")}
    return {name: _told(lambda: boats.crosstab(*pair).columns) for name, pair in pairs.items()}


def clustered_saves(spark, folder):
    boats = spark.createDataFrame([(1, "ferry")], "berth INT, kind STRING")

    def saved(name, sink="parquet", by="berth", more=lambda writer: writer):
        path = os.path.join(folder, name)
        more(boats.write.format(sink).mode("overwrite").clusterBy(by)).save(path)
        return "written" if sink == "noop" else [list(row) for row in spark.read.format(sink).schema(boats.schema).load(path).collect()]

    spark.sql("CREATE TABLE clustered_piers (berth INT, kind STRING) USING parquet")

    def inserted():
        boats.write.clusterBy("berth").insertInto("clustered_piers")
        return [list(row) for row in spark.table("clustered_piers").collect()]

    def condition_of(more):
        return _told(lambda: saved("c", more=more))[1]

    answers = {"parquet": _told(lambda: saved("p")), "json": _told(lambda: saved("j", "json")),
               "no column": _told(lambda: saved("n", by="mast")), "noop": _told(lambda: saved("o", "noop")),
               "partitioned": condition_of(lambda writer: writer.partitionBy("kind")),
               "bucketed": condition_of(lambda writer: writer.bucketBy(2, "kind")),
               "insert": _told(inserted)}
    spark.sql("DROP TABLE clustered_piers")
    return answers


def aggregates_of_the_time_of_a_batch(spark, folder):
    """They fail when the batch is planned; now() is not the batch's, and a FILTER is not aggregated."""
    ticks = spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 3).load()

    def run(item):
        query = ticks.groupBy().agg(F.expr(item)).writeStream.format("noop").outputMode("complete").trigger(once=True).start()
        try:
            query.awaitTermination()
            return "ran"
        except Exception as error:
            return [error.getCondition(), str(error).split("exception: ")[1].split(" SQLSTATE")[0]]

    return {item: run(item) for item in (
        "max(current_timestamp())", "max(datediff(current_date(), timestamp))", "min(localtimestamp())",
        "max(unix_timestamp())", "count(now())", "max(value) FILTER (WHERE timestamp < current_timestamp())",
        "max(value) + unix_timestamp()")}


def views_as_they_were(spark, folder):
    spark.range(3).createOrReplaceTempView("tides")
    frames = [spark.sql("SELECT count(*) n FROM tides"), spark.table("tides").groupBy().count(),
              spark.read.table("tides").filter("id > 0").groupBy().count(),
              spark.sql("WITH t AS (SELECT * FROM tides) SELECT max(id) FROM t"), spark.sql("SELECT count(*) FROM {t}", t=spark.table("tides"))]
    spark.range(10).createOrReplaceTempView("tides")
    frames.append(spark.sql("SELECT count(*) n FROM tides"))
    kept = spark.table("tides")
    spark.catalog.dropTempView("tides")
    answers = {"replaced": [frame.first()[0] for frame in frames],
               "dropped": [kept.count(), kept.join(kept, "id").count(), kept.union(kept).count()]}
    together = None
    for number in (1, 2, 3):
        spark.range(number).createOrReplaceTempView("tide")
        one = spark.sql(f"SELECT {number} AS number, count(*) AS n FROM tide")
        together = one if together is None else together.union(one)
    answers["in a loop"] = [list(row) for row in together.orderBy("number").collect()]
    return answers


def _files(spark, folder):
    spark.createDataFrame([("a", 1), ("b", 2), ("a", 3)], "k STRING, v INT").coalesce(1).write.json(folder + "/made")
    os.mkdir(folder + "/in")
    for name in os.listdir(folder + "/made"):
        if name.endswith(".json"):
            shutil.move(f"{folder}/made/{name}", folder + "/in/one.json")
    return spark.read.schema("k STRING, v INT").json(folder + "/in")


def files_of_rows(spark, folder):
    frame = _files(spark, folder)
    plain = spark.createDataFrame([("c", 9)], "k STRING, v INT")
    name = F.regexp_replace(F.input_file_name(), "^file:.*/", "…")
    start, length = F.expr("input_file_block_start()"), F.expr("input_file_block_length()")

    def told(made):
        return sorted([list(row) for row in made.select("v", name, start, length).collect()])

    held = frame.filter("v < 3").cache()
    answers = {
        "itself": told(frame), "union": told(frame.union(plain)), "by name": told(frame.unionByName(frame)),
        "coalesce": told(frame.coalesce(1)), "limit": told(frame.orderBy("v").limit(2)), "limit alone": told(frame.limit(1)),
        "explode": told(frame.withColumn("x", F.explode(F.array("v", "v")))), "sample": told(frame.sample(1.0)),
        "sorted within": told(frame.coalesce(1).sortWithinPartitions("v")),
        "filter": told(frame.filter(F.input_file_name().endswith("one.json"))), "held": told(held),
        "held and not": told(held.union(frame)), "metadata": told(frame.select("v", "_metadata.file_name")),
    }
    held.unpersist()
    answers["held no more"] = told(held)
    both = frame.join(frame.withColumnRenamed("v", "w"), "k")
    answers["two sources"] = _made(lambda: both.select(F.input_file_name()))
    return answers


def files_of_rows_in_foreach_batch(spark, folder):
    _files(spark, folder)
    answers = []

    def told(batch, number):
        name = F.regexp_replace(F.input_file_name(), "^file:.*/", "…")
        answers.append(batch.columns)
        answers.append(sorted([list(row) for row in batch.withColumn("f", name).collect()]))
        answers.append(sorted([list(row) for row in batch.union(batch).select("v", F.expr("input_file_block_length()")).collect()]))
        batch.createOrReplaceTempView("batch")
        rows = batch.sparkSession.sql("SELECT v, input_file_name() LIKE '%one.json' AS of_it FROM batch").collect()
        answers.append(sorted([list(row) for row in rows]))
        batch.persist()
        answers.append(sorted([list(row) for row in batch.select("v", name).collect()]))
        batch.unpersist()

    stream = spark.readStream.schema("k STRING, v INT").json(folder + "/in")
    for made in (stream.withColumn("x", F.explode(F.array("v", "v"))), stream.dropDuplicates(["k"]).select("k", F.lit(1).alias("v"))):
        made.writeStream.trigger(availableNow=True).foreachBatch(told).start().awaitTermination()
    return answers


def tables_whose_files_are_gone(spark, folder):
    spark.sql(f"CREATE TABLE logbook (entry STRING) USING text LOCATION '{folder}/logbook'")
    spark.sql("INSERT INTO logbook VALUES ('calm'), ('gale')")
    answers = [spark.table("logbook").count()]
    shutil.rmtree(folder + "/logbook")
    spark.catalog.refreshTable("logbook")
    answers += [spark.table("logbook").count(), spark.sql("SELECT * FROM logbook").columns]
    spark.sql("INSERT INTO logbook VALUES ('fog')")
    answers.append([row.entry for row in spark.table("logbook").collect()])
    spark.sql("DROP TABLE logbook")
    return answers


def rows_of_state_that_are_not_asked_for(spark, folder):
    _files(spark, folder)
    stream = spark.readStream.schema("k STRING, v INT").json(folder + "/in")

    def run(frame, function, mode="update"):
        try:
            query = frame.writeStream.outputMode(mode).trigger(availableNow=True).foreachBatch(function).start()
            query.awaitTermination()
            return "ran"
        except Exception:  # each client tells it in its own words
            return "failed"

    def nothing(batch, number):
        batch.createOrReplaceTempView("not_read")

    grouped = stream.groupBy("k").count()
    answers = {"grouped": run(grouped, nothing), "read": run(grouped, lambda batch, number: batch.collect()),
               "plain": run(stream, nothing), "one group": run(stream.groupBy().count(), nothing),
               "chained": run(stream.dropDuplicates(["k", "v"]).dropDuplicates(["k"]), nothing, "append")}
    spark.conf.set("spark.sql.streaming.stateStore.commitValidation.enabled", "false")
    answers["not checked"] = run(grouped, nothing)
    spark.conf.unset("spark.sql.streaming.stateStore.commitValidation.enabled")
    return answers


def functions_as_they_were_called(spark, folder):
    frame = spark.range(2)
    for step in range(3):
        add = F.udf(lambda value: value * 10 + step, "long")  # noqa: B023
        frame = frame.withColumn(f"c{step}", add("id"))
    answers = {"in a loop": [list(row) for row in frame.collect()]}
    more = [1]

    def plus(value):
        return value + len(more)

    def plus_in_batches(batches):
        for batch in batches:
            yield batch.assign(id=batch.id + len(more))

    called, not_called = F.udf(plus, "long"), F.udf(plus, "long")
    spark.udf.register("plus", plus, "long")

    @F.udtf(returnType="n INT")
    class Lengths:
        def eval(self):
            yield len(more),

    made = {"udf": spark.range(1).select(called("id")), "registered": spark.sql("SELECT plus(id) FROM range(1)"),
            "mapInPandas": spark.range(1).mapInPandas(plus_in_batches, "id long"),
            "applyInPandas": spark.range(1).groupBy("id").applyInPandas(lambda rows: rows.assign(id=rows.id + len(more)), "id long"),
            "udtf": Lengths()}
    more.append(2)
    spark.udf.register("plus", lambda value: value + 1000, "long")
    made["called again"] = spark.range(1).select(called("id"))
    made["called now"] = spark.range(1).select(not_called("id"))
    made["registered again"] = spark.sql("SELECT plus(id) FROM range(1)")
    for name, one in made.items():
        answers[name] = [row[0] for row in one.collect()]
    return answers


def statements_as_they_were_given(spark, folder):
    spark.conf.set("spark.sql.ansi.enabled", "false")
    frame = spark.sql("SELECT CAST('no number' AS INT) AS n, uuid() AS u, rand() AS r")
    spark.conf.set("spark.sql.ansi.enabled", "true")
    spark.conf.set("spark.sql.session.timeZone", "America/New_York")
    text = spark.sql("SELECT CAST(TIMESTAMP'2024-01-01 00:00:00' AS STRING) AS t")
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    seeded = spark.range(0, 5, 1, 2).select(F.uuid(42).alias("u"), F.uuid(F.lit(-1)).alias("v"))
    return {"cast": frame.first().n, "same": frame.collect() == frame.collect(), "zone": text.first().t,
            "uuid": [list(row) for row in seeded.collect()], "names": spark.range(1).select(F.uuid(7), F.uuid()).columns}


def catalogs_by_their_class(spark, folder):
    from pyspark.sql import Catalog

    spark.createDataFrame([(1,)], "keel INT").createOrReplaceTempView("drydock")
    catalog = Catalog(spark)
    return [catalog.currentDatabase(), catalog.tableExists("drydock"), catalog.tableExists("shipyard"),
            [column.name for column in catalog.listColumns("drydock")]]


def what_ended_a_stream(spark, folder):
    os.mkdir(folder + "/in")
    with open(folder + "/in/one.json", "w", encoding="utf-8") as file:
        file.write('{"draught": "deep"}\n')
    rows = spark.readStream.schema("draught STRING").json(folder + "/in")
    query = rows.selectExpr("CAST(draught AS INT) AS metres").writeStream.format("noop").start()
    try:
        query.awaitTermination()
    except Exception:
        pass
    error = query.exception()
    return [type(error).__name__, error.getCondition(), str(error).split("\n")[0]]


def directories_of_started_sinks(spark, folder):
    """A job that writes files and reads them again starts both streams before there is a row."""
    os.mkdir(folder + "/in")
    rows = spark.readStream.schema("berth INT").json(folder + "/in")
    writes = rows.writeStream.format("parquet").option("checkpointLocation", folder + "/checkpoint").start(folder + "/out")
    answers = [sorted(os.listdir(folder + "/out")), os.listdir(folder + "/out/_spark_metadata")]
    reads = spark.readStream.schema("berth INT").parquet(folder + "/out").writeStream.format("memory").queryName("berths").start()
    with open(folder + "/in/one.json", "w", encoding="utf-8") as file:
        file.write('{"berth": 7}\n')
    writes.processAllAvailable()
    reads.processAllAvailable()
    answers.append([row.berth for row in spark.table("berths").collect()])
    for query in (writes, reads):
        query.stop()
    return answers


def settings_that_come_back(spark, folder):
    """RESET goes back to what the session began with; what may not be changed may not be reset."""
    def rows(text):
        return [list(row) for row in spark.sql(text).collect()]

    partitions, warehouse = "spark.sql.shuffle.partitions", spark.conf.get("spark.sql.warehouse.dir")
    spark.conf.set(partitions, "7")
    spark.conf.set("spark.sql.caseSensitive", "true")
    answers = {"one": [rows(f"RESET {partitions}"), rows(f"SET {partitions}"), rows("SET spark.sql.caseSensitive")],
               "old names": [rows("SET mapred.reduce.tasks=9"), rows("SET mapreduce.job.reduces=8"), rows(f"SET {partitions}")]}
    spark.sql("SET TIME ZONE 'Asia/Tokyo'")
    spark.sql("SET its.own=1")
    answers["all"] = [rows("RESET"), rows(f"SET {partitions}"), rows("SET spark.sql.caseSensitive"), rows("SET its.own"),
                      spark.conf.get("spark.sql.session.timeZone"), spark.conf.get("spark.sql.warehouse.dir") == warehouse]
    for key in ("spark.sql.warehouse.dir", "spark.driver.memory", "no.such.key"):
        answers[key] = [_told(lambda: rows(f"RESET {key}")), _told(lambda: spark.conf.unset(key))]  # noqa: B023
    spark.conf.unset(partitions)
    answers["unset"] = rows(f"SET {partitions}")
    spark.sql("RESET")
    return answers


def micro_batches_asked_whether_they_are_empty(spark, folder):
    for name in ("1", "2"):
        os.makedirs(f"{folder}/boats", exist_ok=True)
        with open(f"{folder}/boats/{name}.json", "w", encoding="utf-8") as out:
            out.write("".join(f'{{"length":{length}}}\n' for length in range(100)))
    boats = spark.readStream.schema("length INT").json(f"{folder}/boats")
    asks = {
        "all": lambda rows: rows.isEmpty(),
        "then written": lambda rows: rows.isEmpty() or rows.write.format("noop").mode("append").save(),
        "long ones": lambda rows: rows.where("length > 60").isEmpty(),
        "none": lambda rows: rows.where("length > 100").isEmpty(),
    }
    read = {}
    for name, ask in asks.items():
        query = boats.writeStream.foreachBatch(lambda rows, batch: ask(rows)).trigger(availableNow=True).start()  # noqa: B023
        query.awaitTermination()
        read[name] = [one["numInputRows"] for one in query.recentProgress if one["numInputRows"]]
    return read


CASES = (frames_that_fail_when_they_are_made, views_as_they_were, files_of_rows, files_of_rows_in_foreach_batch,
         tables_whose_files_are_gone, rows_of_state_that_are_not_asked_for, functions_as_they_were_called,
         statements_as_they_were_given, samples_of_no_fraction, aggregates_of_the_time_of_a_batch,
         crosstabs_of_missing_columns, clustered_saves, catalogs_by_their_class,
         what_ended_a_stream, directories_of_started_sinks, settings_that_come_back,
         micro_batches_asked_whether_they_are_empty)
