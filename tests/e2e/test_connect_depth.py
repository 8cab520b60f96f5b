"""Jobs that add a column or a union in a loop: every step lies in the next, in the plan that is sent."""

import functools

import pytest
from pyspark.sql import functions as F


# Spark's own servers take plans of some 500 steps (spark.connect.grpc.marshallerRecursionLimit is 1024).
@pytest.mark.parametrize("steps", [60, 450])
def test_columns_added_one_by_one(spark, steps):
    frame = spark.range(3)
    for i in range(steps):
        frame = frame.withColumn(f"c{i}", F.col("id") + i)
    assert len(frame.columns) == steps + 1
    assert [row[steps] for row in frame.orderBy("id").collect()] == [steps - 1, steps, steps + 1]


@pytest.mark.parametrize("steps", [60, 400])
def test_frames_united_one_by_one(spark, steps):
    frames = [spark.range(i, i + 1) for i in range(steps)]
    united = functools.reduce(lambda left, right: left.union(right), frames)
    assert united.agg(F.sum("id")).first()[0] == steps * (steps - 1) // 2
