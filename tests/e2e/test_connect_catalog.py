"""Tables, views and spark.catalog of PySpark users over Spark Connect; expected values are Spark 4.2's."""

import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import functions as F


def rows(frame):
    return sorted(tuple(row) for row in frame.collect())


def test_tables_are_made_filled_and_read(spark):
    spark.range(3).withColumn("part", F.col("id") % 2).write.partitionBy("part").saveAsTable("numbers")
    assert rows(spark.table("numbers")) == [(0, 0), (1, 1), (2, 0)]
    spark.range(10, 11).withColumn("part", F.lit(5).cast("bigint")).write.insertInto("numbers")
    spark.range(20, 21).withColumn("part", F.lit(1).cast("bigint")).write.mode("append").saveAsTable("numbers")
    assert rows(spark.sql("SELECT part, count(*) FROM numbers GROUP BY part")) == [(0, 2), (1, 2), (5, 1)]
    spark.range(1).withColumn("part", F.lit(9).cast("bigint")).write.mode("overwrite").saveAsTable("numbers")
    assert rows(spark.table("spark_catalog.default.numbers")) == [(0, 9)]
    with pytest.raises(AnalysisException) as error:
        spark.range(1).write.saveAsTable("numbers")
    assert error.value.getCondition() == "TABLE_OR_VIEW_ALREADY_EXISTS"
    spark.range(5).write.mode("ignore").saveAsTable("numbers")
    assert spark.table("numbers").count() == 1
    spark.sql("DROP TABLE numbers")
    with pytest.raises(AnalysisException) as error:
        spark.table("numbers").collect()
    assert error.value.getCondition() == "TABLE_OR_VIEW_NOT_FOUND"


def test_sql_commands_and_their_rows(spark):
    spark.sql("CREATE DATABASE shop COMMENT 'of the test'")
    spark.sql("CREATE TABLE shop.orders (id INT, price DECIMAL(8, 2) COMMENT 'net', day DATE) PARTITIONED BY (day)")
    spark.sql("INSERT INTO shop.orders VALUES (1, 2.50, DATE'2024-01-01'), (2, 3, DATE'2024-01-02')")
    spark.sql("INSERT INTO shop.orders (day, id) SELECT DATE'2024-01-02', 3")
    assert [tuple(r) for r in spark.sql("SELECT id, price FROM shop.orders ORDER BY id").collect()][2] == (3, None)
    assert rows(spark.sql("SHOW PARTITIONS shop.orders")) == [("day=2024-01-01",), ("day=2024-01-02",)]
    assert rows(spark.sql("SHOW TABLES IN shop")) == [("shop", "orders", False)]
    spark.sql("USE shop")
    assert spark.catalog.currentDatabase() == "shop"
    assert [r.col_name for r in spark.sql("DESCRIBE orders").collect()][:3] == ["id", "price", "day"]
    spark.sql("INSERT OVERWRITE orders PARTITION (day = '2024-01-02') SELECT 9, 9")
    assert rows(spark.table("orders").select("id")) == [(1,), (9,)]
    spark.sql("ALTER TABLE orders ADD COLUMNS (note STRING)")
    assert spark.table("orders").columns == ["id", "price", "note", "day"]
    assert spark.sql("SELECT :a + a FROM VALUES (1) AS t(a)", args={"a": 41}).first()[0] == 42
    assert spark.sql("SELECT ? || ?", args=["a", "b"]).first()[0] == "ab"
    spark.sql("USE default")
    spark.sql("DROP DATABASE shop CASCADE")
    assert not spark.catalog.databaseExists("shop")


def test_views(spark):
    spark.range(5).createOrReplaceTempView("five")
    spark.sql("CREATE OR REPLACE TEMP VIEW big AS SELECT * FROM five WHERE id > 2")
    assert rows(spark.table("big")) == [(3,), (4,)]
    spark.range(1).createOrReplaceGlobalTempView("everywhere")
    assert spark.table("global_temp.everywhere").count() == 1
    with pytest.raises(AnalysisException) as error:
        spark.range(1).createTempView("five")
    assert error.value.getCondition() == "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS"
    spark.sql("CREATE TABLE base AS SELECT 1 AS a")
    spark.sql("CREATE VIEW kept AS SELECT a + 1 AS b FROM base")
    assert rows(spark.table("kept")) == [(2,)]
    assert spark.catalog.dropTempView("big") and not spark.catalog.dropTempView("big")
    spark.sql("DROP VIEW kept")
    spark.sql("DROP TABLE base")


def test_the_catalog_lists_and_tells(spark):
    spark.sql("CREATE TABLE t (a INT COMMENT 'first', p STRING) PARTITIONED BY (p)")
    spark.range(1).createOrReplaceTempView("v")
    catalog = spark.catalog
    assert catalog.currentCatalog() == "spark_catalog" and catalog.currentDatabase() == "default"
    assert {(t.name, t.isTemporary, t.tableType) for t in catalog.listTables()} == {("t", False, "MANAGED"),
                                                                                  ("v", True, "TEMPORARY")}
    columns = catalog.listColumns("t")
    assert [(c.name, c.dataType, c.nullable, c.isPartition) for c in columns] == [("a", "int", True, False),
                                                                                ("p", "string", True, True)]
    assert columns[0].description == "first"
    assert catalog.tableExists("t") and catalog.tableExists("v") and not catalog.tableExists("nothing")
    assert catalog.getTable("t").namespace == ["default"] and catalog.getTable("v").isTemporary
    assert catalog.functionExists("count") and not catalog.functionExists("no_such_function")
    assert catalog.getFunction("abs").name == "abs"
    assert [d.name for d in catalog.listDatabases()] == ["default"]
    assert catalog.getDatabase("default").catalog == "spark_catalog"
    catalog.cacheTable("t")
    assert catalog.isCached("t")
    catalog.uncacheTable("t")
    assert not catalog.isCached("t")
    catalog.refreshTable("t")
    catalog.clearCache()
    spark.sql("DROP TABLE t")


def test_tables_of_files_outside_the_warehouse(spark, tmp_path):
    path = str(tmp_path / "outside")
    spark.range(3).write.parquet(path)
    spark.catalog.createTable("outside", path, source="parquet")
    assert spark.table("outside").count() == 3 and spark.catalog.getTable("outside").tableType == "EXTERNAL"
    assert rows(spark.sql(f"SELECT id FROM parquet.`{path}` WHERE id > 1")) == [(2,)]
    spark.sql("DROP TABLE outside")
    assert spark.read.parquet(path).count() == 3


def test_a_cached_table_is_read_again_when_refreshed(spark, tmp_path):
    spark.sql(f"CREATE TABLE cached (line STRING) USING TEXT LOCATION '{tmp_path}/cached'")
    spark.sql("INSERT INTO cached SELECT 'abc'")
    spark.catalog.cacheTable("cached")
    for refresh in [lambda: spark.catalog.refreshTable("spark_catalog.default.cached"), lambda: spark.sql("REFRESH TABLE cached")]:
        before = spark.table("cached").count()
        (tmp_path / "cached" / "more.txt").write_text("more\n" * (before + 1))
        assert spark.table("cached").count() == before
        refresh()
        assert spark.table("cached").count() > before


def test_write_to_tables_of_the_second_kind(spark):
    spark.range(2).writeTo("second").using("parquet").create()
    assert rows(spark.table("second")) == [(0,), (1,)]
    spark.sql("DROP TABLE second")
    spark.range(3).writeTo("second").using("delta").createOrReplace()
    spark.range(5, 6).writeTo("second").using("delta").createOrReplace()
    assert rows(spark.table("second")) == [(5,)]
    spark.range(1).writeTo("second").append()
    assert rows(spark.table("second")) == [(0,), (5,)]
    spark.sql("DROP TABLE second")


def test_session_variables(spark):
    spark.sql("DECLARE VARIABLE least INT DEFAULT 2")
    assert rows(spark.sql("SELECT id FROM range(4) WHERE id >= least")) == [(2,), (3,)]
    spark.sql("SET VAR least = (SELECT max(id) FROM range(4))")
    assert rows(spark.sql("SELECT least")) == [(3,)]
    assert rows(spark.sql("EXECUTE IMMEDIATE 'SELECT ? + 1' USING 41")) == [(42,)]
    spark.sql("DROP TEMPORARY VARIABLE least")


def test_tables_of_delta(spark, tmp_path):
    spark.sql("CREATE TABLE d (id BIGINT NOT NULL COMMENT 'key', name STRING) USING delta TBLPROPERTIES ('a.b' = 'c')")
    spark.sql("INSERT INTO d VALUES (1, 'one'), (2, 'two')")
    spark.createDataFrame([(3, "three")], "id bigint, name string").write.format("delta").mode("append").saveAsTable("d")
    assert rows(spark.table("d")) == [(1, "one"), (2, "two"), (3, "three")]
    history = spark.sql("DESCRIBE HISTORY d").select("version", "operation").collect()
    assert [tuple(row) for row in history][-1] == (0, "CREATE TABLE") and len(history) == 3
    assert spark.sql("DESCRIBE DETAIL d").first().format == "delta"
    assert rows(spark.sql("SELECT * FROM d VERSION AS OF 1")) == [(1, "one"), (2, "two")]
    spark.sql("INSERT OVERWRITE d VALUES (9, 'nine')")
    assert rows(spark.table("d")) == [(9, "nine")]
    path = str(tmp_path / "at_path")
    spark.range(2).write.format("delta").save(path)
    assert spark.sql(f"SELECT count(*) FROM delta.`{path}`").first()[0] == 2
    spark.sql(f"CREATE TABLE at_path USING delta LOCATION '{path}'")
    assert spark.table("at_path").count() == 2
    spark.sql("DROP TABLE at_path")
    spark.sql("DROP TABLE d")


def test_functions_of_the_session_and_of_databases(spark):
    spark.udf.register("twice", lambda x: 2 * x, "int")
    spark.sql("CREATE TEMPORARY FUNCTION thrice(x INT) RETURNS INT RETURN 3 * x")
    spark.sql("CREATE FUNCTION fourfold(x INT) RETURNS INT RETURN 4 * x")
    spark.sql("CREATE DATABASE side")
    spark.sql("CREATE FUNCTION side.fivefold(x INT) RETURNS INT RETURN 5 * x")
    catalog = spark.catalog
    there = ["twice", "TWICE", "thrice", "fourfold", "default.fourfold", "spark_catalog.default.fourfold", "side.fivefold", "abs"]
    assert [name for name in there if not catalog.functionExists(name)] == []
    assert not any(map(catalog.functionExists, ["fivefold", "default.abs", "side.twice", "sixfold"]))
    assert catalog.functionExists("fivefold", "side") and not catalog.functionExists("twice", "default")
    assert not catalog.functionExists("fourfold", "nowhere")
    twice, fourfold = catalog.getFunction("twice"), catalog.getFunction("fourfold")
    assert (twice.name, twice.catalog, twice.namespace, twice.description, twice.isTemporary) == ("twice", None, None, "N/A.", True)
    assert (fourfold.catalog, fourfold.namespace, fourfold.isTemporary) == ("spark_catalog", ["default"], False)
    with pytest.raises(AnalysisException, match="UNRESOLVED_ROUTINE"):
        catalog.getFunction("fivefold")
    assert [one.name for one in catalog.listFunctions(pattern="*fold|t*ice")] == ["fourfold", "thrice", "twice"]
    assert [one.name for one in catalog.listFunctions("side", "*fold")] == ["fivefold"]
    shown = [row.function for row in spark.sql("SHOW USER FUNCTIONS LIKE 't*ice|fourfold'").collect()]
    assert shown == ["spark_catalog.default.fourfold", "thrice", "twice"]
    assert spark.sql("DESCRIBE FUNCTION twice").collect()[2][0] == "Usage: N/A."
    # One name means one function: Python's takes the place of one in SQL, and not the other way round.
    with pytest.raises(AnalysisException, match="ROUTINE_ALREADY_EXISTS"):
        spark.sql("CREATE TEMPORARY FUNCTION twice(x INT) RETURNS INT RETURN x")
    with pytest.raises(AnalysisException, match="CANNOT_REPLACE_NON_SQL_UDF_WITH_SQL_UDF"):
        spark.sql("CREATE OR REPLACE TEMPORARY FUNCTION twice(x INT) RETURNS INT RETURN x")
    spark.udf.register("thrice", lambda x: -3 * x, "int")
    spark.udf.register("fourfold", lambda x: -4 * x, "int")
    spark.udf.register("abs", lambda x: 77, "int")
    assert tuple(spark.sql("SELECT twice(1), thrice(1), fourfold(1), abs(-1)").first()) == (2, -3, -4, 1)
    for name in ("twice", "thrice", "fourfold"):
        spark.sql("DROP TEMPORARY FUNCTION " + name)
    spark.sql("DROP TEMPORARY FUNCTION IF EXISTS twice")
    assert spark.sql("SELECT fourfold(1)").first()[0] == 4
    for name in ("twice", "thrice"):
        with pytest.raises(AnalysisException, match="ROUTINE_NOT_FOUND"):
            spark.sql("DROP TEMPORARY FUNCTION " + name)
        with pytest.raises(AnalysisException, match="UNRESOLVED_ROUTINE"):
            spark.sql(f"SELECT {name}(1)").collect()
