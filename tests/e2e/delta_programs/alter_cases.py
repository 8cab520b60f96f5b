"""Delta programs about a table's definition: ALTER TABLE, constraints, defaults, generated and identity columns, DeltaTable."""

from delta_cases import ROW, history, program, table, three


def started(r, *alters, rows=True, create=None, properties=""):
    """A table, ALTER TABLE statements one by one, then rows and log."""
    t = table(r)
    r.run(create or f"CREATE TABLE {t} (id BIGINT, p STRING, s STRUCT<x: INT, y: STRING>) USING delta PARTITIONED BY (p) "
                    f"TBLPROPERTIES ('a' = 'b'{properties})")
    if rows:
        r.run(f"INSERT INTO {t} VALUES (1, 'a', named_struct('x', 1, 'y', 'q'))")
    for alter in alters:
        r.run(alter.replace("$t", t))
    r.run(f"SELECT * FROM {t}")
    r.schema()
    r.log()


@program
def alter_properties(r):
    started(r, "ALTER TABLE $t SET TBLPROPERTIES ('delta.appendOnly' = 'true', 'mine' = '1')", "ALTER TABLE $t UNSET TBLPROPERTIES ('mine')",
            "ALTER TABLE $t UNSET TBLPROPERTIES ('nope')", "ALTER TABLE $t UNSET TBLPROPERTIES IF EXISTS ('nope')",
            "ALTER TABLE $t SET TBLPROPERTIES ('delta.nope' = '1')", "ALTER TABLE $t SET TBLPROPERTIES ('delta.checkpointInterval' = 'x')",
            "ALTER TABLE $t SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')", "SHOW TBLPROPERTIES $t",
            "ALTER TABLE $t SET TBLPROPERTIES ('delta.constraints.c' = 'id > 0')", "ALTER TABLE $t SET TBLPROPERTIES ('a' = 'b')",
            "ALTER TABLE $t SET TBLPROPERTIES ('delta.minReaderVersion' = '1', 'delta.minWriterVersion' = '1')",
            "ALTER TABLE $t SET TBLPROPERTIES ('delta.minWriterVersion' = '5')",
            "ALTER TABLE $t SET TBLPROPERTIES ('delta.minReaderVersion' = '3', 'delta.minWriterVersion' = '7')",
            "ALTER TABLE $t SET TBLPROPERTIES ('location' = '/x')", "ALTER TABLE $t SET TBLPROPERTIES ('delta.columnMapping.maxColumnId' = '1')")


@program
def alter_features(r):
    started(r, "ALTER TABLE $t SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')",
            "ALTER TABLE $t SET TBLPROPERTIES ('delta.feature.typeWidening' = 'supported')",
            "ALTER TABLE $t SET TBLPROPERTIES ('delta.feature.nope' = 'supported')",
            "ALTER TABLE $t SET TBLPROPERTIES ('delta.enableInCommitTimestamps' = 'true')",
            "ALTER TABLE $t SET TBLPROPERTIES ('delta.checkpointPolicy' = 'v2')",
            "INSERT INTO $t VALUES (2, 'b', NULL)")


@program
def alter_row_tracking(r):
    started(r, "ALTER TABLE $t SET TBLPROPERTIES ('delta.enableRowTracking' = 'true')", "INSERT INTO $t VALUES (2, 'b', NULL)", rows=False)


@program
def alter_add_columns(r):
    started(r, "ALTER TABLE $t ADD COLUMNS (n INT COMMENT 'new', m STRING FIRST)", "ALTER TABLE $t ADD COLUMN k DOUBLE AFTER id",
            "ALTER TABLE $t ADD COLUMN s.z BIGINT", "ALTER TABLE $t ADD COLUMN s.w BIGINT AFTER x", "ALTER TABLE $t ADD COLUMN id INT",
            "ALTER TABLE $t ADD COLUMN ID INT", "ALTER TABLE $t ADD COLUMN q INT NOT NULL", "ALTER TABLE $t ADD COLUMN q INT AFTER nope",
            "ALTER TABLE $t ADD COLUMN nope.x INT", "ALTER TABLE $t ADD COLUMN id.x INT", "ALTER TABLE $t ADD COLUMN `b c` INT",
            "ALTER TABLE $t ADD COLUMNS (a1 INT, a1 INT)", "ALTER TABLE $t ADD COLUMN d INT DEFAULT 5", "ALTER TABLE $t ADD COLUMN v VOID",
            "INSERT INTO $t (id, p, n) VALUES (2, 'b', 7)")


@program
def alter_without_mapping(r):
    started(r, "ALTER TABLE $t RENAME COLUMN id TO no", "ALTER TABLE $t DROP COLUMN id", "ALTER TABLE $t DROP COLUMNS (id, s)",
            "ALTER TABLE $t ALTER COLUMN id COMMENT 'its id'", "ALTER TABLE $t ALTER COLUMN id TYPE STRING", "ALTER TABLE $t ALTER COLUMN id TYPE BIGINT",
            "ALTER TABLE $t ALTER COLUMN id FIRST", "ALTER TABLE $t ALTER COLUMN s FIRST", "ALTER TABLE $t ALTER COLUMN id AFTER s",
            "ALTER TABLE $t ALTER COLUMN id SET NOT NULL", "ALTER TABLE $t ALTER COLUMN id DROP NOT NULL", "ALTER TABLE $t ALTER COLUMN nope COMMENT 'x'",
            "ALTER TABLE $t ALTER COLUMN s.x COMMENT 'deep'", "ALTER TABLE $t CHANGE COLUMN id id BIGINT COMMENT 'hive'",
            "ALTER TABLE $t CHANGE COLUMN id no BIGINT", "ALTER TABLE $t CHANGE COLUMN id id STRING",
            "ALTER TABLE $t REPLACE COLUMNS (id BIGINT, p STRING, s STRUCT<x: INT, y: STRING>, n INT)", "ALTER TABLE $t REPLACE COLUMNS (id BIGINT, p STRING)")


@program
def alter_with_mapping(r):
    started(r, "ALTER TABLE $t RENAME COLUMN id TO no", "ALTER TABLE $t RENAME COLUMN s.x TO xx", "ALTER TABLE $t RENAME COLUMN p TO part",
            "INSERT INTO $t VALUES (2, 'b', named_struct('xx', 2, 'y', 'r'))", "ALTER TABLE $t RENAME COLUMN nope TO n",
            "ALTER TABLE $t RENAME COLUMN no TO part", "ALTER TABLE $t ADD COLUMN n INT", "ALTER TABLE $t DROP COLUMN s.y",
            "ALTER TABLE $t DROP COLUMN part", "ALTER TABLE $t DROP COLUMN nope", "ALTER TABLE $t DROP COLUMN IF EXISTS nope",
            "ALTER TABLE $t DROP COLUMNS (no)", "ALTER TABLE $t ADD COLUMN no BIGINT", "INSERT INTO $t (no, part) VALUES (5, 'z')",
            "ALTER TABLE $t RENAME COLUMN n TO `with space`", properties=", 'delta.columnMapping.mode' = 'name'")


@program
def upgrade_to_mapping(r):
    started(r, "ALTER TABLE $t SET TBLPROPERTIES ('delta.columnMapping.mode' = 'id')",
            "ALTER TABLE $t SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name')",
            "ALTER TABLE $t RENAME COLUMN id TO no", "INSERT INTO $t VALUES (2, 'b', named_struct('x', 2, 'y', 'r'))",
            "ALTER TABLE $t DROP COLUMN s", "ALTER TABLE $t SET TBLPROPERTIES ('delta.columnMapping.mode' = 'none')",
            "ALTER TABLE $t SET TBLPROPERTIES ('delta.columnMapping.mode' = 'id')")


@program
def mapping_and_overwrites(r):
    r.write("SELECT 1 AS a, 'x' AS b", delta__columnMapping__mode="name")
    r.write("SELECT 2 AS a, 'x' AS b", mode="overwrite")
    r.write("SELECT 2L AS a, 'x' AS c", mode="overwrite", overwriteSchema="true")
    r.write("SELECT 2L AS a, 'x' AS c, 1 AS `d e`", mergeSchema="true")
    r.read()
    r.log()


@program
def type_widening(r):
    started(r, "ALTER TABLE $t ALTER COLUMN a TYPE INT", "INSERT INTO $t VALUES (2, 2, 2, DATE'2024-01-02', 2.5)", "ALTER TABLE $t ALTER COLUMN a TYPE BIGINT",
            "ALTER TABLE $t ALTER COLUMN b TYPE DOUBLE", "ALTER TABLE $t ALTER COLUMN d TYPE TIMESTAMP_NTZ", "ALTER TABLE $t ALTER COLUMN c TYPE SMALLINT",
            "ALTER TABLE $t ALTER COLUMN e TYPE DECIMAL(12, 3)", "ALTER TABLE $t ALTER COLUMN c TYPE STRING",
            create=f"CREATE TABLE {table(r)} (a SMALLINT, b INT, c INT, d DATE, e DECIMAL(5, 2)) USING delta TBLPROPERTIES ('delta.enableTypeWidening' = 'true')",
            rows=False)


@program
def type_widening_by_merge(r):
    r.write("SELECT CAST(1 AS SMALLINT) AS a, 1.5F AS f", delta__enableTypeWidening="true")
    r.write("SELECT 70000 AS a, 2.5D AS f")
    r.write("SELECT 70000 AS a, 2.5D AS f", mergeSchema="true")
    r.write("SELECT 70000L AS a, 2.5D AS f", mergeSchema="true")
    r.write("SELECT 'x' AS a", mergeSchema="true")
    r.read()
    r.schema()
    r.log()


@program
def constraints(r):
    started(r, "ALTER TABLE $t ADD CONSTRAINT positive CHECK (id > 0)", "ALTER TABLE $t ADD CONSTRAINT Positive CHECK (id > 1)",
            "ALTER TABLE $t ADD CONSTRAINT big CHECK (id > 5)", "ALTER TABLE $t ADD CONSTRAINT bad CHECK (nope > 5)",
            "ALTER TABLE $t ADD CONSTRAINT num CHECK (id + 1)", "ALTER TABLE $t ADD CONSTRAINT nested CHECK (s.x < 10 AND p <> 'z')",
            "INSERT INTO $t VALUES (-1, 'a', NULL)", "INSERT INTO $t VALUES (3, 'z', named_struct('x', 20, 'y', 'e'))", "INSERT INTO $t VALUES (NULL, NULL, NULL)",
            "ALTER TABLE $t DROP CONSTRAINT nested", "ALTER TABLE $t DROP CONSTRAINT nope", "ALTER TABLE $t DROP CONSTRAINT IF EXISTS nope",
            "ALTER TABLE $t UNSET TBLPROPERTIES ('delta.constraints.positive')", "ALTER TABLE $t ADD COLUMN n INT",
            "ALTER TABLE $t ALTER COLUMN id TYPE STRING")


@program
def column_of_a_constraint(r):
    started(r, "ALTER TABLE $t ADD CONSTRAINT positive CHECK (id > 0)", "ALTER TABLE $t RENAME COLUMN id TO no", "ALTER TABLE $t DROP COLUMN id",
            "ALTER TABLE $t RENAME COLUMN s TO ss", properties=", 'delta.columnMapping.mode' = 'name'")


@program
def column_defaults(r):
    t = table(r)
    r.run(f"CREATE TABLE {table(r, 'no')} (a INT DEFAULT 5) USING delta")
    started(r, "INSERT INTO $t (a) VALUES (1)", "INSERT INTO $t VALUES (2, DEFAULT, DEFAULT)", "INSERT INTO $t VALUES (3)", "ALTER TABLE $t ALTER COLUMN b SET DEFAULT 9",
            "INSERT INTO $t (a) VALUES (4)", "ALTER TABLE $t ALTER COLUMN b DROP DEFAULT", "INSERT INTO $t (a) VALUES (5)",
            "ALTER TABLE $t ADD COLUMN d INT DEFAULT 3", "ALTER TABLE $t ADD COLUMN d INT", "ALTER TABLE $t ALTER COLUMN d SET DEFAULT 1",
            "INSERT INTO $t (a) VALUES (6)", "ALTER TABLE $t ALTER COLUMN a SET DEFAULT 'text'", "ALTER TABLE $t ALTER COLUMN a SET DEFAULT nope",
            create=f"CREATE TABLE {t} (a INT, b INT DEFAULT 7, c STRING DEFAULT upper('x')) USING delta TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported')",
            rows=False)
    r.write("SELECT 8 AS a")
    r.read()


@program
def generated_columns(r):
    t = table(r)
    r.run(f"""CREATE TABLE {t} (id BIGINT, ts TIMESTAMP, d DATE GENERATED ALWAYS AS (CAST(ts AS DATE)), k BIGINT GENERATED ALWAYS AS (id % 10))
              USING delta PARTITIONED BY (d)""")
    r.run(f"INSERT INTO {t} (id, ts) VALUES (12, TIMESTAMP'2024-05-06 01:02:03')")
    r.run(f"INSERT INTO {t} VALUES (13, TIMESTAMP'2024-05-06 01:02:03', DATE'2024-05-06', 3)")
    r.run(f"INSERT INTO {t} VALUES (13, TIMESTAMP'2024-05-06 01:02:03', DATE'2024-05-07', 3)")
    r.run(f"INSERT INTO {t} VALUES (13, TIMESTAMP'2024-05-06 01:02:03')")
    r.write("SELECT 14L AS id, TIMESTAMP'2024-05-06 01:02:03' AS ts")
    r.write("SELECT 14L AS id, TIMESTAMP'2024-05-06 01:02:03' AS ts, 9L AS k")
    r.write("SELECT 14L AS id")
    r.run(f"SELECT * FROM {t}")
    r.run(f"SELECT id FROM {t} WHERE ts = TIMESTAMP'2024-05-06 01:02:03'")
    r.run(f"CREATE TABLE {table(r, 'b1')} (id BIGINT, k BIGINT GENERATED ALWAYS AS (nope + 1)) USING delta")
    r.run(f"CREATE TABLE {table(r, 'b2')} (id BIGINT, k INT GENERATED ALWAYS AS (id + 1)) USING delta")
    r.run(f"CREATE TABLE {table(r, 'b3')} (id BIGINT, k DOUBLE GENERATED ALWAYS AS (rand())) USING delta")
    r.run(f"CREATE TABLE {table(r, 'b4')} (id BIGINT, k BIGINT GENERATED ALWAYS AS (id), l BIGINT GENERATED ALWAYS AS (k + 1)) USING delta")
    r.schema()
    r.log()
    r.run(f"ALTER TABLE {t} ALTER COLUMN ts TYPE STRING")
    r.run(f"ALTER TABLE {t} ADD COLUMN g INT GENERATED ALWAYS AS (1)")


@program
def identity_columns(r):
    t = table(r)
    r.run(f"""CREATE TABLE {t} (id BIGINT GENERATED ALWAYS AS IDENTITY, d BIGINT GENERATED BY DEFAULT AS IDENTITY (START WITH 10 INCREMENT BY 5), v STRING) USING delta""")
    r.run(f"INSERT INTO {t} (v) VALUES ('a')")
    r.run(f"INSERT INTO {t} (v) VALUES ('b')")
    r.run(f"INSERT INTO {t} (d, v) VALUES (100, 'c')")
    r.run(f"INSERT INTO {t} (v) VALUES ('d')")
    r.run(f"INSERT INTO {t} (id, v) VALUES (5, 'e')")
    r.write("SELECT 'f' AS v")
    r.write("SELECT 7L AS id, 'f' AS v")
    r.write("SELECT 'g' AS v", mode="overwrite")
    r.run(f"SELECT * FROM {t}")
    r.run(f"CREATE TABLE {table(r, 'b1')} (id INT GENERATED ALWAYS AS IDENTITY) USING delta")
    r.run(f"CREATE TABLE {table(r, 'b2')} (id BIGINT GENERATED ALWAYS AS IDENTITY (INCREMENT BY 0), v INT) USING delta")
    r.run(f"CREATE TABLE {table(r, 'b3')} (id BIGINT GENERATED ALWAYS AS IDENTITY, v INT) USING delta PARTITIONED BY (id)")
    r.run(f"CREATE TABLE {table(r, 'b4')} (v INT, id BIGINT GENERATED ALWAYS AS IDENTITY (START WITH -1 INCREMENT BY -3)) USING delta")
    r.write("SELECT CAST(id AS INT) AS v FROM range(0, 5, 1, 1)", name="b4")
    r.read("b4")
    r.schema()
    r.log()
    r.log("b4")


def api(r):
    from delta.tables import DeltaTable

    return DeltaTable


@program
def delta_table_reads(r):
    t = api(r)
    three(r)
    r.run(lambda: t.isDeltaTable(r.spark, r.path()))
    r.run(lambda: t.isDeltaTable(r.spark, r.path("nope")))
    r.run(lambda: t.forPath(r.spark, r.path()).toDF())
    r.run(lambda: t.forPath(r.spark, r.path("nope")).toDF())
    r.run(lambda: t.forName(r.spark, f"delta.`{r.path()}`").toDF())
    r.run(lambda: t.forName(r.spark, "nope").toDF())
    r.run(lambda: t.forPath(r.spark, r.path()).alias("x").toDF().selectExpr("x.id"))
    r.run(lambda: t.forPath(r.spark, r.path()).history().drop("timestamp", "engineInfo", "operationMetrics"))
    r.run(lambda: t.forPath(r.spark, r.path()).history(1).selectExpr("version", "operation"))
    r.run(lambda: t.forPath(r.spark, r.path()).detail().drop("createdAt", "lastModified", "sizeInBytes"))
    r.spark.sql("SELECT 1 AS a").write.mode("overwrite").parquet(r.path("parquet"))
    r.run(lambda: t.forPath(r.spark, r.path("parquet")).toDF())
    r.run(lambda: r.spark.read.format("delta").load(r.path("parquet")))
    r.run(lambda: r.spark.read.format("delta").load(r.path("nope")))


@program
def delta_table_builder(r):
    t = api(r)
    make = lambda b, name: (b.location(r.path(name)).addColumn("id", "BIGINT", nullable=False, comment="c")  # noqa: E731
                            .addColumn("ts", "TIMESTAMP").addColumn("d", "DATE", generatedAlwaysAs="CAST(ts AS DATE)")
                            .partitionedBy("d").property("delta.appendOnly", "false").property("mine", "1").comment("of mine").execute())
    r.run(lambda: make(t.create(r.spark), "t") and None)
    r.run(lambda: make(t.create(r.spark), "t") and None)
    r.run(lambda: make(t.createIfNotExists(r.spark), "t") and None)
    r.run(lambda: make(t.createOrReplace(r.spark), "t") and None)
    r.run(lambda: make(t.replace(r.spark), "t") and None)
    r.run(lambda: make(t.replace(r.spark), "u") and None)
    r.run(lambda: make(t.createOrReplace(r.spark), "w") and None)
    r.write("SELECT 1L AS id, TIMESTAMP'2024-01-02 03:04:05' AS ts")
    r.read()
    r.schema()
    r.log()
    r.log("w")
    name = f"r_{r.root.name}"
    r.run(lambda: t.create(r.spark).tableName(name).addColumns(r.spark.sql(ROW.format(1, 1)).schema).execute() and None)
    r.run(lambda: t.forName(r.spark, name).toDF())
    history(r, name)
    r.run(f"DROP TABLE {name}")


@program
def delta_table_identity(r):
    from pyspark.sql.types import LongType
    from delta.tables import IdentityGenerator

    t = api(r)
    r.run(lambda: (t.create(r.spark).location(r.path()).addColumn("id", LongType(), generatedAlwaysAs=IdentityGenerator(start=3, step=2))
                   .addColumn("v", "STRING").execute()) and None)
    r.write("SELECT 'a' AS v")
    r.write("SELECT 'b' AS v")
    r.read()
    r.log()


@program
def delta_table_features(r):
    t = api(r)
    r.write(ROW.format(1, 0))
    d = lambda: t.forPath(r.spark, r.path())  # noqa: E731
    r.run(lambda: d().upgradeTableProtocol(1, 4))
    r.run(lambda: d().upgradeTableProtocol(1, 3))
    r.run(lambda: d().upgradeTableProtocol(1, 99))
    r.run(lambda: d().addFeatureSupport("deletionVectors"))
    r.run(lambda: d().addFeatureSupport("nope"))
    r.run(lambda: d().dropFeatureSupport("nope"))
    r.read()
    r.log()


@program
def alter_brings_a_variant(r):
    t = table(r)
    r.run(f"CREATE TABLE {t} (id BIGINT) USING delta")
    r.run(f"INSERT INTO {t} VALUES (1)")
    r.run(f"ALTER TABLE {t} ADD COLUMN v VARIANT")
    r.run(f"INSERT INTO {t} SELECT 2, parse_json('{{\"a\": [1, \"x\"]}}')")
    r.run(f"SELECT id, v:a[0]::int AS i, v:a[1]::string AS s, to_json(v) AS j FROM {t}")
    r.run(f"UPDATE {t} SET v = parse_json('[]') WHERE id = 1")
    r.run(f"SELECT id, to_json(v) AS j FROM {t} ORDER BY id")
    r.schema()
    r.log()


@program
def convert_to_delta(r):
    rows = r.spark.sql("SELECT 1 AS id, 'a' AS name, DATE'2024-01-01' AS day UNION ALL SELECT 2, NULL, DATE'2024-01-02'").coalesce(1)
    rows.write.parquet(r.path("t"))
    rows.select("id", "name", "day").write.partitionBy("day", "name").parquet(r.path("parts"))
    r.run(f"CONVERT TO DELTA parquet.`{r.path('t')}`")
    r.read()
    r.schema()
    r.log()
    r.run(f"CONVERT TO DELTA parquet.`{r.path('t')}`")
    r.run(f"CONVERT TO DELTA parquet.`{r.path('parts')}`")
    r.run(f"CONVERT TO DELTA parquet.`{r.path('parts')}` PARTITIONED BY (day DATE)")
    r.run(f"CONVERT TO DELTA parquet.`{r.path('parts')}` PARTITIONED BY (name STRING, day DATE)")
    r.run(f"CONVERT TO DELTA parquet.`{r.path('parts')}` NO STATISTICS PARTITIONED BY (day DATE, name STRING)")
    r.read("parts")
    r.log("parts")
    r.run(f"UPDATE delta.`{r.path('parts')}` SET id = 3 WHERE name = 'a'")
    r.read("parts")
    r.run(f"CONVERT TO DELTA parquet.`{r.path('none')}`")


@program
def delta_table_converts(r):
    t = api(r)
    r.spark.sql("SELECT 1 AS id, 'a' AS p").coalesce(1).write.partitionBy("p").parquet(r.path("t"))
    r.run(lambda: t.convertToDelta(r.spark, f"parquet.`{r.path()}`", "p string").toDF())
    r.read()
    r.log()


@program
def user_metadata_of_alters(r):
    t = table(r)
    r.run(f"CREATE TABLE {t} (id BIGINT, p STRING) USING delta")
    r.spark.conf.set("spark.databricks.delta.commitInfo.userMetadata", "ticket 7")
    try:
        for statement in (f"ALTER TABLE {t} ADD COLUMNS (n INT)", f"ALTER TABLE {t} ALTER COLUMN id COMMENT 'unique'",
                          f"ALTER TABLE {t} ADD CONSTRAINT positive CHECK (id > 0)", f"ALTER TABLE {t} SET TBLPROPERTIES ('a' = 'b')",
                          f"INSERT INTO {t} VALUES (1, 'x', 2)", f"UPDATE {t} SET n = 3"):
            r.run(statement)
    finally:
        r.spark.conf.unset("spark.databricks.delta.commitInfo.userMetadata")
    r.run(f"ALTER TABLE {t} DROP CONSTRAINT positive")
    r.log()
