"""Which column df.a means: the frame it was taken from, wherever it stands in the plan. Expected values are Spark 4.2's."""

import pytest
from pyspark.errors import AnalysisException, UnsupportedOperationException
from pyspark.sql import Window, functions as F


@pytest.fixture
def frames(spark):
    df = spark.createDataFrame([(1, 2), (3, 4)], ["a", "b"])
    return df, df.withColumn("b", F.col("b") + 1), df.filter("a > 1")


def content(frame):
    return frame.columns, sorted((tuple(row) for row in frame.collect()), key=str)


def condition(make):
    with pytest.raises(AnalysisException) as caught:
        make().collect()
    return caught.value.getCondition()


def test_a_frame_joined_with_what_was_made_of_it(frames):
    df, more, some = frames
    renamed = df.select(df.a.alias("aa"), df.b)
    assert content(renamed.join(df, renamed.b == df.b)) == (["aa", "b", "a", "b"], [(1, 2, 1, 2), (3, 4, 3, 4)])
    assert content(df.join(some, df.a == some.a)) == (["a", "b", "a", "b"], [(3, 4, 3, 4)])
    assert content(df.join(some, df.a == some.a).select(some.a)) == (["a"], [(3,)])
    joined = df.join(more, df.a == more.a)
    assert content(joined.select(more["*"], df.b)) == (["a", "b", "b"], [(1, 3, 2), (3, 5, 4)])
    assert content(joined.select(df["*"])) == (["a", "b"], [(1, 2), (3, 4)])
    assert content(df.join(more, df.a == more.a, "full").select(df.b, more.b)) == (["b", "b"], [(2, 3), (4, 5)])
    assert content(df.join(more, df.a == more.a, "left_anti").select(df.a)) == (["a"], [])
    assert content(df.join(more, "a").select(df.b, more.b, df.a, more.a)) == (["b", "b", "a", "a"], [(2, 3, 1, 1), (4, 5, 3, 3)])
    assert content(df.join(more, "a").drop(more.b)) == (["a", "b"], [(1, 2), (3, 4)])
    assert content(df.join(more, "a").select(more["*"])) == (["a", "b"], [(1, 3), (3, 5)])
    left, right = df.select("a"), df.select("b", "a")
    assert content(left.join(right, left.a == right.a).select(df.b)) == (["b"], [(2,), (4,)])
    assert content(left.crossJoin(df.select("b")).select(df.a, df.b)) == (["a", "b"], [(1, 2), (1, 4), (3, 2), (3, 4)])


def test_a_key_that_a_join_hides_stays_within_reach(spark):
    left, right = spark.createDataFrame([(1, 5)], ["a", "x"]), spark.createDataFrame([(1, "v")], ["a", "b"])
    joined = left.join(right, "a")
    more = joined.withColumn("c", F.lit(0))
    for frame in [more, joined.filter("b = 'v'"), joined.orderBy("b"), joined.limit(1), joined.drop("b"), joined.select("x"),
                  joined.withColumnRenamed("b", "z"), joined.join(spark.range(1)), joined.repartition(2)]:
        assert content(frame.select(right.a)) == (["a"], [(1,)])
    assert content(more.select(right["*"])) == (["a", "b"], [(1, "v")])
    assert content(more.filter(right.a == 1).orderBy(right.a)) == (["a", "x", "b", "c"], [(1, 5, "v", 0)])
    assert content(more.withColumn("d", right.a + 1).filter("c = 0").select(right.a, "d")) == (["a", "d"], [(1, 2)])
    outer = left.join(right.filter("b = 'w'"), "a", "left").withColumn("c", F.lit(0))
    assert content(outer.select(left.a, right.a)) == (["a", "a"], [(1, None)])
    both = left.alias("x").join(right.alias("y"), "a").withColumn("c", F.lit(0))
    assert content(both.select("y.a", "y.*")) == (["a", "a", "b"], [(1, 1, "v")])
    for frame in [joined.alias("t"), joined.union(joined), joined.groupBy("a").count()]:
        assert condition(lambda: frame.select(right.a)) == "CANNOT_RESOLVE_DATAFRAME_COLUMN"
    assert condition(lambda: joined.select("b").select("a")) == "UNRESOLVED_COLUMN.WITH_SUGGESTION"


def test_what_stands_on_both_sides_is_ambiguous(frames):
    df, more, some = frames
    for make in [lambda: df.join(df, df.a == df.b), lambda: df.join(more, df.a == more.a).select(df.a),
                 lambda: df.join(some, df.a == some.a).select(df.a), lambda: some.join(df, df.a == some.a).select(df["*"]),
                 lambda: df.join(more, ["a"], "full").select(df.a),
                 lambda: df.dropDuplicates(["a"]).join(df, "a").select(df.b)]:
        assert condition(make) == "AMBIGUOUS_COLUMN_REFERENCE"


def test_a_column_that_was_replaced_is_not_found_by_its_name(frames):
    df, more, some = frames
    for make in [lambda: more.select(df.b), lambda: more.withColumn("c", df.b), lambda: df.na.fill(0).select(df.a),
                 lambda: df.withColumn("a", df.a + 1).withColumn("z", df.a), lambda: df.union(df).select(df.b),
                 lambda: df.unionByName(more).filter(df.a == 1), lambda: df.exceptAll(more).select(more.a),
                 lambda: df.groupBy("a").agg(F.sum(df.b).alias("b")).select(df.b), lambda: df.cube("a").count().select(df.a),
                 lambda: df.join(more, df.a == more.a, "left_semi").select(more.b),
                 lambda: df.select(F.explode(F.array("a", "b")).alias("a")).select(df.a)]:
        assert condition(make) == "CANNOT_RESOLVE_DATAFRAME_COLUMN"
    assert more.drop(df.b).columns == ["a", "b"]
    joined = df.join(df.select(F.col("a").alias("c")), F.col("a") == F.col("c")).withColumn("b", df.b * 10)
    assert joined.drop(df.b).columns == ["a", "b", "c"]


def test_filters_and_orders_reach_below_a_projection(frames):
    df, more, _ = frames
    assert content(more.filter(df.b > 2)) == (["a", "b"], [(3, 5)])
    assert content(df.select(df.a.alias("b")).where(df.b == 2)) == (["b"], [(1,)])
    assert content(df.select("a").filter(df.b > 2)) == (["a"], [(3,)])
    assert [row.a for row in df.select("a").orderBy(df.b.desc()).collect()] == [3, 1]
    assert content(df.select(df.a, (df.b * 2).alias("c")).where((F.col("c") > 4) & (df.b > 3))) == (["a", "c"], [(3, 8)])


def test_names_of_window_frames_and_sorted_arrays(spark):
    df = spark.createDataFrame([(1, 2)], "id INT, i INT")
    keyed = Window.partitionBy("id").orderBy("i")

    def frame(window):
        (name,) = df.select(F.sum("i").over(window)).columns
        return name.removeprefix("sum(i) OVER (PARTITION BY id ORDER BY i ASC NULLS FIRST ").removesuffix(")")

    assert frame(keyed.rowsBetween(-2, 0)) == "ROWS BETWEEN -2 FOLLOWING AND CURRENT ROW"
    assert frame(keyed.rangeBetween(-2, 0)) == "RANGE BETWEEN -2 FOLLOWING AND CURRENT ROW"
    assert frame(keyed.rowsBetween(-3, -1)) == "ROWS BETWEEN -3 FOLLOWING AND -1 FOLLOWING"
    assert frame(keyed.rangeBetween(1, 3)) == "RANGE BETWEEN 1 FOLLOWING AND 3 FOLLOWING"
    assert frame(keyed.rowsBetween(Window.unboundedPreceding, 0)) == "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
    order = ("lambdafunction((IF(((namedlambdavariable() IS NULL) AND (namedlambdavariable() IS NULL)), 0, (IF((namedlambdavariable() "
             "IS NULL), 1, (IF((namedlambdavariable() IS NULL), -1, (IF((namedlambdavariable() < namedlambdavariable()), -1, "
             "(IF((namedlambdavariable() > namedlambdavariable()), 1, 0)))))))))), namedlambdavariable(), namedlambdavariable())")
    assert df.groupBy("id").agg(F.array_sort(F.collect_list("i"))).columns == ["id", f"array_sort(collect_list(i), {order})"]


def test_data_sources_that_are_not_built_are_refused_by_name(spark):
    for make in [lambda: spark.read.format("jdbc").load().schema, lambda: spark.range(1).write.format("jdbc").save(),
                 lambda: spark.read.format("com.databricks.spark.xml").load("x").schema]:
        with pytest.raises(UnsupportedOperationException, match="the data source (jdbc|com.databricks.spark.xml)"):
            make()
    with pytest.raises(UnsupportedOperationException, match="Data source jdbc does not support streamed reading"):
        spark.readStream.format("jdbc").load().schema
