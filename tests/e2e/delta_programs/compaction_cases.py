"""Delta programs about files that are joined without being asked: auto compaction and optimized writes."""

import json

from delta_cases import program, table
from dml_cases import numbered

COMPACT = "spark.databricks.delta.autoCompact."


def told(r, name="t"):
    """The history, without how large files are and how long things took."""
    def rows():
        out = []
        for row in r.spark.sql(f"DESCRIBE HISTORY {table(r, name)}").collect():
            metrics = {k: "?" if any(word in k for word in ("Bytes", "Time", "Size")) else v for k, v in row.operationMetrics.items()}
            out.append(json.dumps([row.version, row.operation, dict(sorted(row.operationParameters.items())), row.readVersion, row.isolationLevel,
                                   row.isBlindAppend, dict(sorted(metrics.items())), row.userMetadata]))
        return out
    r.run(rows)


@program
def files_join_by_themselves(r):
    t = table(r)
    r.run(f"CREATE TABLE {t} (id BIGINT, p INT) USING delta PARTITIONED BY (p) TBLPROPERTIES ('delta.autoOptimize.autoCompact'='true')")
    r.run(lambda: r.spark.conf.set(COMPACT + "minNumFiles", "3"))
    for i in range(5):
        r.run(f"INSERT INTO {t} VALUES ({i}, 0)")
    r.run(f"INSERT INTO {t} VALUES (1, 1)")
    r.run(f"DELETE FROM {t} WHERE id = 1")
    r.run(lambda: r.spark.conf.unset(COMPACT + "minNumFiles"))
    told(r)
    r.log()
    r.read()


@program
def sessions_join_files(r):
    t = table(r)
    numbered(r, count=2)
    for key, value in (("enabled", "true"), ("minNumFiles", "2")):
        r.run(lambda: r.spark.conf.set(COMPACT + key, value))
    try:
        for i in range(4):
            r.run(f"INSERT INTO {t} VALUES ({i}, 0, 1)")
        r.run(f"MERGE INTO {t} t USING (SELECT 77L id) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)")
        r.run(f"OPTIMIZE {t}")
        r.run(f"ALTER TABLE {t} SET TBLPROPERTIES ('delta.autoOptimize.autoCompact'='false')")
        for i in range(2):
            r.run(f"INSERT INTO {t} VALUES ({i}, 0, 1)")
    finally:
        for key in ("enabled", "minNumFiles"):
            r.run(lambda: r.spark.conf.unset(COMPACT + key))
    told(r)


@program
def rows_are_gathered(r):
    t = table(r)
    r.run(f"CREATE TABLE {t} (id BIGINT, p BIGINT) USING delta PARTITIONED BY (p) TBLPROPERTIES ('delta.autoOptimize.optimizeWrite'='true')")
    rows = r.spark.range(0, 20, 1, 4).selectExpr("id", "id % 3 AS p")
    rows.write.format("delta").mode("append").save(r.path())
    told(r)
    rows.write.format("delta").partitionBy("p").option("optimizeWrite", "true").save(r.path("u"))
    told(r, "u")
    rows.write.format("delta").partitionBy("p").save(r.path("w"))
    told(r, "w")
