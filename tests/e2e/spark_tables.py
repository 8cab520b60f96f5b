"""Real Spark with Delta, asked from a test: a request a line of standard input, an answer a line (see writer.py).

Run by the peers' Python; not a test itself.
"""

import json
import os
import sys

from pyspark.sql import SparkSession


def main():
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.driver.extraClassPath", os.path.join(os.environ["MILLRACE_PEERS"], "jars", "*"))
    builder = builder.config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
    builder = builder.config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
    builder = builder.config("spark.sql.shuffle.partitions", "2").config("spark.driver.memory", "1g")
    builder = builder.config("spark.sql.session.timeZone", "Europe/Paris")
    # Tables of a few rows: what compiles and starts least is fastest.
    builder = builder.config("spark.databricks.delta.snapshotPartitions", "2").config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
    builder = builder.config("spark.sql.codegen.wholeStage", "false")
    builder = builder.config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "forget" in request:
                spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()
                answer = {"ok": True}
            elif "load" in request:
                frame = spark.read.format("delta").options(**request.get("options", {})).load(request["load"])
                if "where" in request:
                    frame = frame.where(request["where"])
                answer = {"rows": [row[0] for row in frame.selectExpr("to_json(struct(*))").collect()]}
            else:
                frame = spark.sql(request["sql"])
                if "path" in request:
                    writer = frame.coalesce(1).write.format("delta").mode(request.get("mode", "append"))
                    writer.options(**request.get("options", {})).partitionBy(*request.get("partitionBy", [])).save(request["path"])
                    answer = {"ok": True}
                else:
                    answer = {"rows": [json.dumps(row.asDict(True), default=str) for row in frame.collect()]}
        except Exception as error:
            answer = {"error": getattr(error, "getCondition", lambda: None)() or type(error).__name__, "message": str(error)}
        print("=> " + json.dumps(answer), flush=True)


main()
