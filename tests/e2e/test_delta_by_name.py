"""Delta tables that PySpark makes and writes by name: SQL, saveAsTable, toTable, foreachBatch."""

import json
import sys

import pytest

import delta_tables


@pytest.fixture
def spark(start_server):
    """Its server runs foreachBatch in the Python of this test."""
    from pyspark.sql import SparkSession

    session = SparkSession.builder.remote(start_server(environment={"PYSPARK_PYTHON": sys.executable}).url).getOrCreate()
    yield session
    session.stop()


def refused(action, condition):
    with pytest.raises(Exception) as error:
        action()
    assert condition in str(error.value)


def test_tables_of_sql(spark, tmp_path):
    table = tmp_path / "t"
    spark.sql(f"""CREATE TABLE t (p STRING, id BIGINT NOT NULL COMMENT 'its number') USING delta PARTITIONED BY (p)
                  LOCATION '{table}' TBLPROPERTIES ('delta.checkpointInterval' = '3')""")
    spark.sql("INSERT INTO t VALUES ('a', 1), ('b', 2)")
    refused(lambda: spark.sql("INSERT INTO t VALUES ('a', NULL)"), "DELTA_NOT_NULL_CONSTRAINT_VIOLATED")
    spark.sql(f"INSERT INTO delta.`{table}` SELECT 'c', 3L")
    assert sorted(spark.table("t").collect()) == [("a", 1), ("b", 2), ("c", 3)]
    commits = delta_tables.commits(table)
    assert [delta_tables.actions(commit, "commitInfo")[0]["operation"] for commit in commits] == ["CREATE TABLE", "WRITE", "WRITE"]
    schema = json.loads(delta_tables.actions(commits[0], "metaData")[0]["schemaString"])
    assert schema["fields"] == [{"name": "p", "type": "string", "nullable": True, "metadata": {}},
                                {"name": "id", "type": "long", "nullable": False, "metadata": {"comment": "its number"}}]


def test_replaced_tables(spark, tmp_path):
    table = tmp_path / "t"
    spark.sql(f"CREATE OR REPLACE TABLE t USING delta LOCATION '{table}' AS SELECT 1 AS a")
    spark.sql(f"CREATE OR REPLACE TABLE t (b STRING) USING delta LOCATION '{table}'")
    assert spark.table("t").columns == ["b"] and spark.table("t").count() == 0
    spark.sql("INSERT INTO t VALUES ('x')")
    # Replacing is over: another schema is refused as ever.
    refused(lambda: spark.range(1).write.format("delta").mode("overwrite").saveAsTable("t"), "DELTA_")
    assert [row.b for row in spark.table("t").collect()] == ["x"]


def test_streams_into_named_tables(spark, tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    stream = spark.readStream.schema("a INT, b STRING").json(str(source))

    def run():
        writer = stream.writeStream.option("checkpointLocation", str(tmp_path / "checkpoint")).partitionBy("b")
        query = writer.trigger(availableNow=True).toTable("t", format="delta")
        assert query.awaitTermination(60) and query.exception() is None

    (source / "1.json").write_text('{"a":1,"b":"x"}\n{"a":2,"b":"y"}\n')
    run()
    (source / "2.json").write_text('{"a":3,"b":"y"}\n')
    run()
    run()
    assert sorted(spark.table("t").collect()) == [(1, "x"), (2, "y"), (3, "y")]


def test_batches_are_written_once(spark, tmp_path):
    """txnAppId and txnVersion from foreachBatch; then all over again with a new checkpoint."""
    source, table, counts = tmp_path / "in", str(tmp_path / "t"), str(tmp_path / "counts")
    source.mkdir()
    (source / "1.json").write_text('{"a":1,"b":"x"}\n{"a":2,"b":"y"}\n')

    def write(frame, batch_id):
        options = {"txnAppId": "app", "txnVersion": batch_id}
        frame.write.format("delta").mode("append").options(**options).save(table)

    for attempt in range(2):
        stream = spark.readStream.schema("a INT, b STRING").json(str(source)).writeStream
        stream = stream.option("checkpointLocation", str(tmp_path / f"checkpoint-{attempt}"))
        query = stream.foreachBatch(write).trigger(availableNow=True).start()
        assert query.awaitTermination(60) and query.exception() is None
    assert spark.read.format("delta").load(table).count() == 2

    query = (spark.readStream.format("delta").load(table).groupBy("b").count().writeStream.format("delta").outputMode("complete")
             .option("checkpointLocation", str(tmp_path / "checkpoint-counts")).trigger(availableNow=True).start(counts))
    assert query.awaitTermination(60) and query.exception() is None
    assert sorted((row["b"], row["count"]) for row in delta_tables.rows(counts)) == [("x", 1), ("y", 1)]
