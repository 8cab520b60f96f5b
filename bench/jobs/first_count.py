"""The least a job can do: a session, a query, an end."""

from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("first-count").getOrCreate()
assert spark.range(10).count() == 10
spark.stop()
