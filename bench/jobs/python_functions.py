"""Python functions over 1,000,000 rows, for ./run bench python: each figure is the best of three runs after a first one.

    python_functions.py [ROWS]

Prints one JSON object, seconds by name. Runs under `millrace submit` and on real Spark alike.
"""

import json
import sys
import time

import pandas as pd
import pyarrow.compute as pc
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
spark = SparkSession.builder.master("local[*]").config("spark.ui.enabled", "false").getOrCreate()
spark.sparkContext.setLogLevel("ERROR")


@F.pandas_udf("double")
def pandas_function(s: pd.Series) -> pd.Series:
    return s * 2.5 + 1


row_function = F.udf(lambda x: x + 1, "long")


def arrow_function(batches):
    for batch in batches:
        yield batch.filter(pc.greater(batch["id"], 10))


def group_function(frame):
    return pd.DataFrame({"k": [frame.k.iloc[0]], "n": [len(frame)]})


numbers = spark.range(0, rows, 1, 2)
JOBS = {
    "pandas_udf": lambda: numbers.select(F.sum(pandas_function("id"))).collect(),
    "udf": lambda: numbers.select(F.sum(row_function("id"))).collect(),
    "mapInArrow": lambda: numbers.mapInArrow(arrow_function, "id long").agg(F.sum("id")).collect(),
    "applyInPandas, 1000 groups": lambda: numbers.withColumn("k", F.col("id") % 1000).groupBy("k").applyInPandas(
        group_function, "k long, n long").agg(F.sum("n")).collect(),
}

best = {}
for name, job in JOBS.items():
    job()
    times = []
    for _ in range(3):
        started = time.perf_counter()
        job()
        times.append(time.perf_counter() - started)
    best[name] = round(min(times), 3)
print(json.dumps(best))
spark.stop()
