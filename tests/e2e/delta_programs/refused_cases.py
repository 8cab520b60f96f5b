"""Delta programs about what a table that is there does not become by a statement: another format, another place; and what a
definition keeps of its options and of the table it is like."""

from delta_cases import program, table


def name_of(r):
    return f"r_{r.root.name}"


@program
def saved_over_another_format(r):
    name = name_of(r)
    r.write("SELECT 200L AS a, 1L AS p, 'w' AS v")
    r.run(f"CREATE TABLE {name} USING delta LOCATION '{r.path()}'")
    rows = lambda: r.spark.sql("SELECT 200L AS a, 1L AS p, 'w' AS v").coalesce(1).write  # noqa: E731
    for save in (lambda: rows().mode("append").saveAsTable(name), lambda: rows().format("parquet").mode("append").saveAsTable(name),
                 lambda: rows().format("parquet").mode("overwrite").saveAsTable(name),
                 lambda: rows().format("delta").mode("append").clusterBy("a").saveAsTable(name)):
        r.run(save)
        r.run(lambda: r.spark.table(name))
    r.run(f"DROP TABLE {name}")


@program
def replaced_in_another_place(r):
    name = name_of(r)
    r.run(f"CREATE TABLE {name} USING delta AS SELECT 1 AS a, 'x' AS b")
    r.run(f"CREATE OR REPLACE TABLE {name} USING delta LOCATION '{r.path('elsewhere')}' AS SELECT 1 AS a")
    r.run(f"DROP TABLE {name}")


@program
def partitions_of_chars_replaced(r):
    t = table(r)
    r.run(f"CREATE TABLE {t} (a INT, p CHAR(4), q VARCHAR(3)) USING delta PARTITIONED BY (p, q)")
    r.run(f"INSERT INTO {t} VALUES (1, 'ab', 'x'), (2, 'abcd', 'xyz')")
    r.run(f"INSERT OVERWRITE {t} PARTITION (p = 'zz') VALUES (3, 'q')")
    r.read()


@program
def constraint_of_no_column(r):
    r.run(f"CREATE TABLE {table(r)} (a INT) USING delta TBLPROPERTIES ('delta.constraints.c' = 'zz > 0')")
    r.log()


@program
def options_of_definitions(r):
    name = name_of(r)
    for create in ("CREATE TABLE {} (a INT) USING delta OPTIONS ('k' = 'v', 'Delta.appendOnly' = 'true')",
                   "CREATE TABLE {} USING delta OPTIONS ('k' = 'v', 'compression' = 'gzip', 'mergeSchema' = 'true') AS SELECT 1 AS a",
                   "CREATE OR REPLACE TABLE {} (a INT) USING delta OPTIONS ('k' = 'v') TBLPROPERTIES ('p' = 'q')",
                   "CREATE TABLE {} (a INT) USING delta OPTIONS ('delta.enableDeletionVectors' = 'true')"):
        r.run(create.format(name))
        r.run(f"SHOW TBLPROPERTIES {name}")
        r.run(f"DROP TABLE {name}")


@program
def like_a_clustered_table(r):
    name = name_of(r)
    r.run(f"CREATE TABLE {name} USING delta CLUSTER BY (a) TBLPROPERTIES ('q' = 'r') AS SELECT 1 AS a, 'x' AS b")
    r.run(f"CREATE TABLE {name}_2 LIKE {name} LOCATION '{r.path('loc')}'")
    r.log("loc")
    r.run(f"SHOW TBLPROPERTIES {name}_2")
    r.run(f"DROP TABLE {name}_2")
    r.run(f"DROP TABLE {name}")


@program
def table_without_columns(r):
    name = name_of(r)
    for step in ("CREATE TABLE {} USING delta", "DESCRIBE {}", "SELECT * FROM {}", "ALTER TABLE {} ADD COLUMN a INT", "INSERT INTO {} VALUES (1)",
                 "SELECT * FROM {}", "DROP TABLE {}"):
        r.run(step.format(name))
