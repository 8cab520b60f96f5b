"""Writes with real Spark 4.2 and its package spark-avro what test_spark_files.py reads: one file a format and codec, and their rows.

Usage: record.py SPARK_AVRO_JAR
"""

import json
import pathlib
import shutil
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
CODECS = {"avro": ("uncompressed", "snappy", "deflate", "zstandard", "bzip2"), "orc": ("none", "zstd", "snappy", "zlib", "lz4")}
ROWS = """
SELECT id, CAST(id % 100 AS TINYINT) AS t, id * 1.5D AS d, CAST(id AS FLOAT) AS f, id % 2 = 0 AS b, concat('s', id) AS str,
  CAST(concat('x', id) AS BINARY) AS bin, DATE'2024-01-01' + CAST(id AS INT) AS dt,
  TIMESTAMP'2024-01-01 00:00:00.123456' + make_dt_interval(0, 0, 0, id) AS ts,
  CAST(TIMESTAMP'2024-01-01 00:00:00' AS TIMESTAMP_NTZ) AS ntz, CAST(id AS DECIMAL(10,2)) AS dec, array(id, NULL) AS arr,
  map('k', id) AS m, named_struct('x', id, 'y', array(named_struct('z', id))) AS st, if(id % 3 = 0, NULL, id) AS n
FROM range(12)
"""


def main():
    from pyspark.sql import SparkSession

    spark = (SparkSession.builder.master("local[1]").config("spark.driver.extraClassPath", sys.argv[1])
             .config("spark.sql.session.timeZone", "UTC").getOrCreate())
    frame = spark.sql(ROWS).coalesce(1)
    expected = {}
    for format, codecs in CODECS.items():
        for codec in codecs:
            with tempfile.TemporaryDirectory() as folder:
                frame.write.format(format).mode("overwrite").option("compression", codec).save(folder)
                [file] = pathlib.Path(folder).glob(f"*.{format}")
                shutil.copy(file, HERE / f"{codec}.{format}")
        read = spark.read.format(format).load(str(HERE / f"snappy.{format}"))
        expected[format] = {"schema": read.schema.simpleString(),
                            "rows": [row[0] for row in read.selectExpr("to_json(struct(*))").collect()]}
    (HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    spark.stop()


if __name__ == "__main__":
    main()
