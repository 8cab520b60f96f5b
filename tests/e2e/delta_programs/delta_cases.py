"""Delta programs: what PySpark users do with tables, each small enough to see what differs.

A program gets a Recorder (outcome.py). record.py runs all on real Spark; test_delta_programs.py compares ours.
"""

CASES = {}


def program(function):
    CASES[function.__name__] = function
    return function


ROW = "SELECT CAST({0} AS BIGINT) AS id, 'p{1}' AS p, CAST({0} * 10 AS INT) AS v"


def three(r, name="t", **options):
    for i in range(3):
        r.write(ROW.format(i, i % 2), name, partition_by=["p"], **(options if i == 0 else {}))


@program
def write_modes(r):
    r.write(ROW.format(1, 0), mode="error")
    r.write(ROW.format(1, 0), mode="error")
    r.write(ROW.format(2, 0), mode="ignore")
    r.write(ROW.format(3, 0), mode="overwrite")
    r.write("SELECT CAST(1 AS BIGINT) AS id, 'p' AS p, 1 AS v WHERE false", mode="append")
    r.write("SELECT CAST(1 AS BIGINT) AS id, 'p' AS p, 1 AS v WHERE false", mode="overwrite")
    r.write(ROW.format(4, 0), mode="overwrite", partition_by=["p"])
    r.write(ROW.format(4, 0), mode="overwrite", partition_by=["p"], overwriteSchema="true")
    r.write(ROW.format(5, 0), mode="append", partition_by=["v"])
    r.write(ROW.format(5, 0), mode="append", partition_by=["nope"])
    r.read()
    r.log()


@program
def merge_schema(r):
    r.write("SELECT 1 AS a, named_struct('x', 1) AS s, array(named_struct('y', 1)) AS l")
    r.write("SELECT 2 AS a, 'q' AS b")
    r.write("SELECT 2 AS a, 'q' AS b", mergeSchema="true")
    r.write("SELECT 3 AS a, named_struct('x', 1, 'z', 'n') AS s, array(named_struct('y', 1, 'k', 2L)) AS l", mergeSchema="true")
    r.write("SELECT 4L AS a", mergeSchema="true")
    r.write("SELECT 'x' AS a", mergeSchema="true")
    r.write("SELECT CAST(4 AS TINYINT) AS a", mergeSchema="true")
    r.write("SELECT 5 AS A", mergeSchema="true")
    r.write("SELECT 5 AS a, NULL AS n", mergeSchema="true")
    r.write("SELECT 5 AS a, 1 AS `bad name`", mergeSchema="true")
    r.write("SELECT 'other' AS a", mode="overwrite")
    r.write("SELECT 'other' AS a", mode="overwrite", mergeSchema="true")
    r.write("SELECT 'other' AS a", mode="overwrite", overwriteSchema="true")
    r.write("SELECT 'other' AS a, 2 AS b", mode="overwrite", overwriteSchema="true", replaceWhere="a = 'other'")
    r.read()
    r.schema()
    r.log()


@program
def merge_schema_by_conf(r):
    r.write("SELECT 1 AS a")
    r.spark.conf.set("spark.databricks.delta.schema.autoMerge.enabled", "true")
    try:
        r.write("SELECT 2 AS a, 'q' AS b")
        r.write("SELECT 2 AS a, 'q' AS c", mergeSchema="false")
    finally:
        r.spark.conf.unset("spark.databricks.delta.schema.autoMerge.enabled")
    r.read()
    r.log()


@program
def option_errors(r):
    r.write(ROW.format(1, 0))
    for options in ({"mergeSchema": "maybe"}, {"overwriteSchema": "1"}, {"partitionOverwriteMode": "sometimes"}, {"txnAppId": "a"},
                    {"txnVersion": "1"}, {"txnAppId": "a", "txnVersion": "x"}, {"txnAppId": "a", "txnVersion": "-1"},
                    {"delta__nope": "1"}, {"delta__appendOnly": "maybe"}, {"delta__checkpointInterval": "0"},
                    {"delta__logRetentionDuration": "1 month"}, {"maxRecordsPerFile": "x"}, {"dataChange": "x"},
                    {"delta__feature__nope": "supported"}, {"delta__feature__clustering": "on"},
                    {"delta__minReaderVersion": "9"}, {"delta__columnMapping__mode": "sideways"},
                    {"delta__isolationLevel": "SnapshotIsolation"}, {"delta__checkpointPolicy": "v3"},
                    {"delta__dataSkippingNumIndexedCols": "-2"}, {"delta__enableChangeDataFeed": "yes"}):
        r.write(ROW.format(2, 0), name="u", mode="append", **options)
    r.write(ROW.format(2, 0), mode="append", delta__appendOnly="true")
    r.log()


@program
def replace_where(r):
    three(r)
    r.write(ROW.format(7, 0), mode="overwrite", replaceWhere="p = 'p0'")
    r.write(ROW.format(8, 1), mode="overwrite", replaceWhere="p = 'p0'")
    r.write(ROW.format(9, 1), mode="overwrite", replaceWhere="v >= 50")
    r.write(ROW.format(9, 1), mode="overwrite", replaceWhere="v >= 50 AND p = 'p1'")
    r.write(ROW.format(9, 1), mode="overwrite", replaceWhere="nope = 1")
    r.write(ROW.format(9, 1), mode="overwrite", replaceWhere="v >=")
    r.write(ROW.format(9, 1), mode="overwrite", replaceWhere="v + 1")
    r.write(ROW.format(9, 1), mode="overwrite", replaceWhere="true")
    r.write(ROW.format(9, 1), mode="append", replaceWhere="p = 'p0'")
    r.write(ROW.format(9, 1), mode="overwrite", replaceWhere="p = 'p1'", partitionOverwriteMode="dynamic")
    r.write(ROW.format(9, 1), mode="overwrite", replaceWhere="p = 'p1'", overwriteSchema="true", partition_by=["v"])
    r.write("SELECT 1 AS a", name="new", mode="overwrite", replaceWhere="a = 1")
    r.read()
    r.log()


@program
def replace_where_without_constraint_check(r):
    three(r)
    r.spark.conf.set("spark.databricks.delta.replaceWhere.constraintCheck.enabled", "false")
    try:
        r.write(ROW.format(8, 1), mode="overwrite", replaceWhere="p = 'p0'")
    finally:
        r.spark.conf.unset("spark.databricks.delta.replaceWhere.constraintCheck.enabled")
    r.read()
    r.log(last=1)


@program
def replace_where_of_a_change_feed_table(r):
    r.write("SELECT id, id % 2 AS k FROM range(0, 6, 1, 1)", delta__enableChangeDataFeed="true")
    r.write("SELECT 20L AS id, 1L AS k", mode="overwrite", replaceWhere="k = 1")
    r.read()
    r.read(readChangeFeed="true", startingVersion="0")
    r.log(last=1)


@program
def dynamic_overwrite(r):
    three(r)
    r.write(ROW.format(7, 0), mode="overwrite", partitionOverwriteMode="dynamic")
    r.write(ROW.format(8, 5), mode="overwrite", partitionOverwriteMode="DYNAMIC")
    r.write(ROW.format(8, 5), mode="overwrite", partitionOverwriteMode="dynamic", overwriteSchema="true")
    r.write("SELECT CAST(1 AS BIGINT) AS id, 'p0' AS p, 1 AS v, 2 AS w", mode="overwrite", partitionOverwriteMode="dynamic", mergeSchema="true")
    r.write("SELECT CAST(1 AS BIGINT) AS id, 'p0' AS p, 1 AS v, 2 AS w WHERE false", mode="overwrite", partitionOverwriteMode="dynamic")
    r.spark.conf.set("spark.sql.sources.partitionOverwriteMode", "dynamic")
    try:
        r.write(ROW.format(9, 1), mode="overwrite")
        r.write(ROW.format(10, 1), mode="overwrite", partitionOverwriteMode="static")
        r.write("SELECT 1 AS a", name="plain", mode="overwrite")
        r.write("SELECT 2 AS a", name="plain", mode="overwrite")
    finally:
        r.spark.conf.unset("spark.sql.sources.partitionOverwriteMode")
    r.read()
    r.log()
    r.log("plain")


@program
def idempotent_writes(r):
    for version in ("1", "1", "2", "1"):
        r.write(ROW.format(version, 0), txnAppId="app", txnVersion=version)
    r.write(ROW.format(9, 0), mode="overwrite", txnAppId="other", txnVersion="1")
    r.spark.conf.set("spark.databricks.delta.write.txnAppId", "conf")
    r.spark.conf.set("spark.databricks.delta.write.txnVersion", "5")
    try:
        r.write(ROW.format(10, 0))
        r.write(ROW.format(11, 0))
    finally:
        r.spark.conf.unset("spark.databricks.delta.write.txnAppId")
        r.spark.conf.unset("spark.databricks.delta.write.txnVersion")
    r.read()
    r.log()


@program
def user_metadata_and_data_change(r):
    r.write(ROW.format(1, 0), userMetadata="why")
    r.write(ROW.format(2, 0), dataChange="false")
    r.write(ROW.format(2, 0), mode="overwrite", dataChange="false")
    r.spark.conf.set("spark.databricks.delta.commitInfo.userMetadata", "conf")
    try:
        r.write(ROW.format(3, 0))
        r.write(ROW.format(3, 0), userMetadata="option")
    finally:
        r.spark.conf.unset("spark.databricks.delta.commitInfo.userMetadata")
    r.log()


@program
def partition_values(r):
    r.write("""SELECT * FROM VALUES (1, 'a b/c=d%', DATE'2024-01-02', TIMESTAMP'2024-01-02 03:04:05.123', 1.50BD, true, X'41'),
               (2, '', NULL, NULL, NULL, NULL, NULL) AS t(id, s, d, ts, dc, b, bin)""", partition_by=["s", "d", "ts", "dc", "b", "bin"])
    r.read()
    r.log()
    r.write("SELECT 1 AS a, array(1) AS l", name="u", partition_by=["l"])
    r.write("SELECT 1 AS a", name="u", partition_by=["a"])
    r.write("SELECT 1 AS a, 2 AS b", name="w", partition_by=["A"])
    r.log("w")


@program
def properties_of_new_tables(r):
    for i, options in enumerate(({"delta__appendOnly": "true"}, {"delta__enableChangeDataFeed": "true"}, {"delta__enableDeletionVectors": "true"},
                                 {"delta__columnMapping__mode": "name"}, {"delta__columnMapping__mode": "id"}, {"delta__checkpointPolicy": "v2"},
                                 {"delta__enableInCommitTimestamps": "true"}, {"delta__enableRowTracking": "true"},
                                 {"delta__enableTypeWidening": "true"}, {"delta__minReaderVersion": "1", "delta__minWriterVersion": "7"},
                                 {"delta__minReaderVersion": "3", "delta__minWriterVersion": "7"}, {"delta__minReaderVersion": "1", "delta__minWriterVersion": "4"},
                                 {"delta__feature__clustering": "supported"}, {"delta__feature__allowColumnDefaults": "supported"},
                                 {"delta__feature__appendOnly": "enabled"}, {"delta__dataSkippingStatsColumns": "id"},
                                 {"delta__randomizeFilePrefixes": "true"}, {"delta__AppendOnly": "true", "delta__CHECKPOINTINTERVAL": "5"},
                                 {"delta__constraints__c": "id > 0"}, {"delta__checkpoint__writeStatsAsStruct": "true"})):
        r.write(ROW.format(1, 0), name=f"t{i}", **options)
        r.log(f"t{i}")


@program
def append_only(r):
    r.write(ROW.format(1, 0), delta__appendOnly="true")
    r.write(ROW.format(2, 0))
    r.write(ROW.format(3, 0), mode="overwrite")
    r.write(ROW.format(3, 0), mode="overwrite", replaceWhere="id = 1")
    r.read()


@program
def defaults_of_properties(r):
    r.spark.conf.set("spark.databricks.delta.properties.defaults.enableChangeDataFeed", "true")
    r.spark.conf.set("spark.databricks.delta.properties.defaults.appendOnly", "true")
    try:
        r.write(ROW.format(1, 0))
        r.write(ROW.format(1, 0), name="u", delta__appendOnly="false")
    finally:
        r.spark.conf.unset("spark.databricks.delta.properties.defaults.enableChangeDataFeed")
        r.spark.conf.unset("spark.databricks.delta.properties.defaults.appendOnly")
    r.log()
    r.log("u")


def history(r, name):
    r.run(lambda: r.spark.sql(f"DESCRIBE HISTORY {name}").select(
        "version", "operation", "operationParameters", "readVersion", "isBlindAppend", "operationMetrics.numOutputRows"))


def table(r, name="t"):
    return f"delta.`{r.path(name)}`"


@program
def create_table_sql(r):
    t = table(r)
    r.run(f"""CREATE TABLE {t} (id BIGINT NOT NULL COMMENT 'the id', p STRING, s STRUCT<x: INT NOT NULL, y: STRING COMMENT 'in'>) USING delta
              PARTITIONED BY (p) COMMENT 'of mine' TBLPROPERTIES ('delta.appendOnly' = 'true', 'mine' = 'yes')""")
    r.run(f"CREATE TABLE {t} (id BIGINT) USING delta")
    r.run(f"CREATE TABLE IF NOT EXISTS {t} (id BIGINT) USING delta")
    r.run(f"INSERT INTO {t} VALUES (1, 'a', named_struct('x', 1, 'y', 'q'))")
    r.run(f"INSERT INTO {t} VALUES (NULL, 'a', named_struct('x', 1, 'y', 'q'))")
    r.run(f"INSERT INTO {t} VALUES (2, 'a', named_struct('x', NULL, 'y', 'q'))")
    r.run(f"INSERT INTO {t} VALUES (2, 'a')")
    r.run(f"INSERT INTO {t} (id) VALUES (2)")
    r.run(f"INSERT INTO {t} (p, id) VALUES ('z', 3)")
    r.run(f"SELECT * FROM {t}")
    r.run(f"DESCRIBE TABLE {t}")
    r.run(f"SHOW TBLPROPERTIES {t}")
    r.run(f"DESCRIBE DETAIL {t}")
    r.log()


@program
def ctas_and_rtas(r):
    t = table(r)
    r.run(f"CREATE TABLE {t} USING delta PARTITIONED BY (p) COMMENT 'c' TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true') AS {ROW.format(1, 0)}")
    r.run(f"CREATE TABLE {t} USING delta AS {ROW.format(1, 0)}")
    r.run(f"CREATE TABLE IF NOT EXISTS {t} USING delta AS {ROW.format(1, 0)}")
    r.run(f"CREATE OR REPLACE TABLE {t} USING delta AS SELECT 'x' AS other")
    r.run(f"REPLACE TABLE {t} USING delta TBLPROPERTIES ('mine' = '1') AS SELECT 'y' AS other, 1 AS more")
    r.run(f"CREATE OR REPLACE TABLE {t} (z INT) USING delta")
    r.run(f"REPLACE TABLE {t} (z INT, w STRING) USING delta PARTITIONED BY (w)")
    r.run(f"REPLACE TABLE {table(r, 'nope')} (z INT) USING delta")
    r.run(f"CREATE OR REPLACE TABLE {table(r, 'n2')} USING delta AS SELECT 1 AS a WHERE false")
    r.run(f"SELECT * FROM {t}")
    r.log()
    r.log("n2")


@program
def create_table_at_a_location(r):
    r.write(ROW.format(1, 0), partition_by=["p"])
    name = f"r_{r.root.name}"
    r.run(f"CREATE TABLE {name} USING delta LOCATION '{r.path()}'")
    r.run(f"SELECT * FROM {name}")
    r.run(f"DROP TABLE {name}")
    r.run(f"CREATE TABLE {name} (id BIGINT, p STRING, v INT) USING delta PARTITIONED BY (p) LOCATION '{r.path()}'")
    r.run(f"DROP TABLE {name}")
    r.run(f"CREATE TABLE {name} (id STRING) USING delta LOCATION '{r.path()}'")
    r.run(f"CREATE TABLE {name} (id BIGINT, p STRING, v INT) USING delta LOCATION '{r.path()}'")
    r.run(f"CREATE TABLE {name} USING delta LOCATION '{r.path()}' TBLPROPERTIES ('delta.appendOnly' = 'true')")
    r.run(f"CREATE TABLE {name} USING delta LOCATION '{r.path('nothing')}'")
    r.run(f"DROP TABLE IF EXISTS {name}")
    r.run(f"CREATE TABLE {name} USING delta LOCATION '{r.path()}' AS SELECT 1 AS a")
    r.run(f"DROP TABLE IF EXISTS {name}")
    r.read()
    r.log()


@program
def managed_table(r):
    name = f"r_{r.root.name}"
    r.run(f"CREATE TABLE {name} (id BIGINT, p STRING) USING delta PARTITIONED BY (p)")
    r.run(f"INSERT INTO {name} VALUES (1, 'a')")
    r.run(f"INSERT OVERWRITE {name} VALUES (2, 'b')")
    r.run(f"INSERT INTO {name} PARTITION (p = 'z') VALUES (3)")
    r.run(f"INSERT OVERWRITE {name} PARTITION (p = 'z') VALUES (4)")
    r.run(f"INSERT INTO {name} BY NAME SELECT 'q' AS p, 9L AS id")
    r.run(f"INSERT INTO {name} REPLACE WHERE p = 'q' VALUES (10, 'q')")
    r.run(f"INSERT INTO {name} REPLACE WHERE p = 'q' VALUES (10, 'r')")
    r.run(f"INSERT INTO {name} VALUES ('x', 'y')")
    r.run(f"INSERT INTO {name} VALUES (1, 'y', 3)")
    r.run(f"SELECT * FROM {name}")
    r.run(f"SHOW PARTITIONS {name}")
    history(r, name)
    r.run(f"SHOW CREATE TABLE {name}")
    r.run(f"TRUNCATE TABLE {name}")
    r.run(f"SELECT count(*) AS n FROM {name}")
    r.run(f"DROP TABLE {name}")


@program
def save_as_table(r):
    name = f"r_{r.root.name}"
    one = lambda sql: r.spark.sql(sql).coalesce(1).write.format("delta")  # noqa: E731
    r.run(lambda: one(ROW.format(1, 0)).partitionBy("p").saveAsTable(name))
    r.run(lambda: one(ROW.format(1, 0)).saveAsTable(name))
    r.run(lambda: one(ROW.format(2, 0)).mode("append").saveAsTable(name))
    r.run(lambda: one(ROW.format(2, 0)).mode("append").partitionBy("v").saveAsTable(name))
    r.run(lambda: one("SELECT 'x' AS p, 3L AS id, 5 AS v").mode("append").saveAsTable(name))
    r.run(lambda: one("SELECT 3L AS id").mode("append").saveAsTable(name))
    r.run(lambda: one("SELECT 3L AS id, 1 AS more").mode("append").saveAsTable(name))
    r.run(lambda: one("SELECT 3L AS id, 1 AS more").mode("append").option("mergeSchema", "true").saveAsTable(name))
    r.run(lambda: one(ROW.format(4, 1)).mode("ignore").saveAsTable(name))
    r.run(lambda: one(ROW.format(4, 1)).insertInto(name))
    r.run(lambda: r.spark.sql("SELECT 4L, 'q', 5, 6").write.insertInto(name))
    r.run(lambda: r.spark.sql("SELECT 5L, 'q', 5, 6").write.insertInto(name, overwrite=True))
    r.run(f"SELECT * FROM {name}")
    r.run(lambda: one("SELECT 1 AS a").mode("overwrite").saveAsTable(name))
    r.run(lambda: one("SELECT 1 AS a").mode("overwrite").option("overwriteSchema", "true").saveAsTable(name))
    r.run(lambda: one("SELECT 2 AS a").mode("overwrite").option("replaceWhere", "a = 2").saveAsTable(name))
    r.run(f"SELECT * FROM {name}")
    history(r, name)
    r.run(f"DROP TABLE {name}")


@program
def write_to(r):
    name = f"r_{r.root.name}"
    f = lambda sql: r.spark.sql(sql).coalesce(1)  # noqa: E731
    r.run(lambda: f(ROW.format(1, 0)).writeTo(name).using("delta").partitionedBy("p").tableProperty("mine", "1").create())
    r.run(lambda: f(ROW.format(1, 0)).writeTo(name).using("delta").create())
    r.run(lambda: f(ROW.format(2, 1)).writeTo(name).append())
    r.run(lambda: f("SELECT 'x' AS p, 7L AS id, 1 AS v").writeTo(name).append())
    r.run(lambda: f("SELECT 1L AS id, 'y' AS p").writeTo(name).append())
    r.run(lambda: f("SELECT 1L AS id, 'y' AS p, 2 AS v, 3 AS w").writeTo(name).append())
    r.run(lambda: f("SELECT 1L AS id, 'y' AS p, 2 AS v, 3 AS w").writeTo(name).option("mergeSchema", "true").append())
    r.run(lambda: f("SELECT 3L AS id, 'p1' AS p, 2 AS v, 3 AS w").writeTo(name).overwrite(__import__("pyspark.sql.functions").sql.functions.col("p") == "p1"))
    r.run(lambda: f("SELECT 4L AS id, 'p0' AS p, 2 AS v, 3 AS w").writeTo(name).overwritePartitions())
    r.run(f"SELECT * FROM {name}")
    r.run(lambda: f("SELECT 1 AS a").writeTo(name).using("delta").replace())
    r.run(lambda: f("SELECT 2 AS a").writeTo(name).using("delta").createOrReplace())
    r.run(lambda: f("SELECT 2 AS a").writeTo(name + "_no").using("delta").replace())
    r.run(f"SELECT * FROM {name}")
    history(r, name)
    r.run(f"DROP TABLE {name}")
