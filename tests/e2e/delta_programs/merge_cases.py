"""Delta programs that change rows: structs by the names of their fields, schemas that evolve in MERGE, views as targets, which files a
change writes anew, and what conditions may hold."""

from delta_cases import program, table

TWO = "(SELECT * FROM VALUES (2, 200), (4, 400) AS s(k, v)) s"


def keyed(r, rows="(1, 10), (2, 20), (3, 30)", name="t", **options):
    r.write(f"SELECT * FROM VALUES {rows} AS t(k, v)", name, **options)


@program
def structs_by_their_fields(r):
    r.write("SELECT 1 AS k, named_struct('a', 1, 'b', named_struct('c', 'x', 'd', 2)) AS s, array(named_struct('e', 1, 'f', 'y')) AS l, "
            "map('m', named_struct('g', 1)) AS m")

    def merge(columns, clauses, shows=False):
        r.run(f"MERGE INTO {table(r)} t USING (SELECT {columns}) s ON t.k = s.k {clauses}")
        if shows:
            r.run(f"SELECT * FROM {table(r)}")

    merge("1 AS k", "WHEN MATCHED THEN UPDATE SET s.b.c = 'new', t.s.a = 7", shows=True)
    merge("1 AS k, named_struct('b', named_struct('d', 5, 'c', 'z'), 'a', 3) AS s", "WHEN MATCHED THEN UPDATE SET s = s.s", shows=True)
    merge("1 AS k, named_struct('a', 3) AS s", "WHEN MATCHED THEN UPDATE SET s = s.s")
    merge("1 AS k, named_struct('a', 3, 'b', NULL, 'zz', 1) AS s", "WHEN MATCHED THEN UPDATE SET s = s.s")
    merge("1 AS k, array(named_struct('f', 'q', 'e', 4L)) AS l", "WHEN MATCHED THEN UPDATE SET l = s.l", shows=True)
    merge("1 AS k, array(named_struct('f', 'q')) AS l", "WHEN MATCHED THEN UPDATE SET l = s.l")
    merge("1 AS k", "WHEN MATCHED THEN UPDATE SET s.b = named_struct('c', 'only')")
    merge("1 AS k", "WHEN MATCHED THEN UPDATE SET s.nope = 1")
    merge("1 AS k", "WHEN MATCHED THEN UPDATE SET s.a = 1, s = NULL")
    merge("1 AS k", "WHEN MATCHED THEN UPDATE SET l.e = 1")
    merge("1 AS k", "WHEN MATCHED THEN UPDATE SET m = map('x', named_struct('g', 9))")
    merge("2 AS k, named_struct('a', 8, 'b', NULL) AS s, NULL AS l, NULL AS m", "WHEN NOT MATCHED THEN INSERT *")
    merge("3 AS k", "WHEN NOT MATCHED THEN INSERT (k, s.a) VALUES (s.k, 1)")
    merge("3 AS k, 4 AS z", "WHEN NOT MATCHED THEN INSERT (k) VALUES (s.k)")
    merge("2 AS k", "WHEN MATCHED THEN UPDATE SET s.b.c = 'null?'", shows=True)


@program
def merge_brings_fields(r):
    both = "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
    for label, base, source, clauses, options in (
            ("b", "SELECT 1 AS k, 10 AS v", "SELECT 1 AS k, 'x' AS n UNION ALL SELECT 2, 'y'", both, {}),
            ("d", "SELECT 1 AS k, named_struct('a', 1) AS s", "SELECT 1 AS k, named_struct('a', 2, 'b', 'n') AS s UNION ALL SELECT 5, named_struct('a', 3, 'b', 'm')", both, {}),
            ("e", "SELECT 1 AS k, named_struct('a', 1, 'b', 2) AS s",
             "SELECT 1 AS k, named_struct('b', 9, 'c', 'n') AS s UNION ALL SELECT 5, named_struct('b', 3, 'c', 'm')", both, {}),
            ("f", "SELECT 1 AS k, array(named_struct('a', 1)) AS l",
             "SELECT 1 AS k, array(named_struct('a', 2, 'b', 'n')) AS l UNION ALL SELECT 5, array(named_struct('a', 3, 'b', 'm'))", both, {}),
            ("g", "SELECT 1 AS k, map('x', named_struct('a', 1)) AS m",
             "SELECT 1 AS k, map('y', named_struct('a', 2, 'b', 'n')) AS m UNION ALL SELECT 5, map('z', named_struct('a', 3, 'b', 'm'))", both, {}),
            ("h", "SELECT 1 AS k, 10 AS v", "SELECT 1 AS k, 11 AS v, 'x' AS n", "WHEN MATCHED THEN UPDATE SET v = s.v", {}),
            ("i", "SELECT 1 AS k, 10 AS v", "SELECT 1 AS k, 11 AS v, 'x' AS n", "WHEN MATCHED THEN UPDATE SET n = s.n", {}),
            ("j", "SELECT 1 AS k, 10 AS v", "SELECT 2 AS k, 11 AS v, 'x' AS n", "WHEN NOT MATCHED THEN INSERT (k, n) VALUES (s.k, s.n)", {}),
            ("l", "SELECT 1 AS k, 10 AS v", "SELECT 1 AS K, 11 AS V, 'x' AS N", both, {}),
            ("m", "SELECT 1 AS k, 10 AS v", "SELECT 1 AS k, 11 AS v, 'x' AS n", "WHEN MATCHED THEN DELETE", {}),
            ("p", "SELECT 1 AS k, CAST(10 AS SMALLINT) AS v", "SELECT 1 AS k, 700000 AS v", both, {"delta__enableTypeWidening": "true"})):
        name = f"t_{label}"
        r.write(base, name, **options)
        r.run(f"MERGE WITH SCHEMA EVOLUTION INTO {table(r, name)} t USING ({source}) s ON t.k = s.k {clauses}")
        r.read(name)
        r.schema(r.path(name))


@program
def changes_through_views(r):
    """Of a whole table, in any order of its columns; not of some of its rows."""
    keyed(r)
    t, name = table(r), f"r_{r.root.name}"
    for view, query in (("", f"SELECT * FROM {t}"), ("_w", f"SELECT * FROM {t} WHERE k > 1"), ("_s", f"SELECT v, k FROM {t}")):
        r.run(f"CREATE OR REPLACE TEMP VIEW {name}{view} AS {query}")
    for view in ("", "_w", "_s"):
        for text in (f"UPDATE {name}{view} SET v = 1 WHERE k = 1", f"DELETE FROM {name}{view} WHERE k = 2",
                     f"MERGE INTO {name}{view} t USING (SELECT 9 AS k, 9 AS v) s ON t.k = s.k WHEN NOT MATCHED THEN INSERT *",
                     f"INSERT INTO {name}{view} SELECT 7, 7", f"SELECT * FROM {t}"):
            r.run(text)
        r.spark.sql(f"RESTORE TABLE {t} TO VERSION AS OF 0")


@program
def what_merge_writes_anew(r):
    """Which files, which of their rows, how many files of changes."""
    vectors, feed = {"delta__enableDeletionVectors": "true"}, {"delta__enableChangeDataFeed": "true"}
    update, insert, parted = "WHEN MATCHED THEN UPDATE SET *", "WHEN NOT MATCHED THEN INSERT *", {"partition_by": ["k"]}
    for number, (options, clauses) in enumerate((
            ({}, update), ({}, insert), ({}, "WHEN MATCHED THEN DELETE"),
            ({}, f"{update} {insert} WHEN NOT MATCHED BY SOURCE AND t.k = 1 THEN DELETE WHEN NOT MATCHED BY SOURCE THEN UPDATE SET v = 0"),
            (vectors, f"{update} {insert}"), (vectors, "WHEN MATCHED THEN DELETE"), (feed, f"{update} {insert}"),
            ({**vectors, **feed}, f"{update} {insert} WHEN NOT MATCHED BY SOURCE THEN DELETE"), (parted, f"{update} {insert}"),
            (parted, "WHEN NOT MATCHED BY SOURCE THEN DELETE"))):
        name = f"t{number}"
        keyed(r, name=name, **options)
        keyed(r, "(7, 70), (8, 80)", name)
        r.run(f"MERGE INTO {table(r, name)} t USING {TWO} ON t.k = s.k {clauses}")
        r.read(name)
        r.log(name, last=1)
        if "delta__enableChangeDataFeed" in options:
            r.run(lambda: r.spark.read.format("delta").options(readChangeFeed="true", startingVersion="2").load(r.path(name))
                  .drop("_commit_timestamp"))


@program
def conditions_of_merge(r):
    keyed(r)
    keyed(r, "(1, 5), (9, 9)", "src")
    t = table(r)
    for text in (f"USING {table(r, 'src')} s ON t.k = s.k WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *",
                 f"USING (SELECT k, max(v) AS v FROM {t} GROUP BY k) s ON t.k = s.k WHEN MATCHED THEN UPDATE SET v = s.v + 1",
                 "USING (SELECT 50 AS k) s ON t.k = s.k WHEN MATCHED AND max(t.v) > 1 THEN DELETE",
                 "USING (SELECT 50 AS k) s ON t.k = s.k WHEN MATCHED AND rand() > 2 THEN DELETE"):
        r.run(f"MERGE INTO {t} t {text}")


@program
def conditions_of_delete(r):
    r.write("SELECT * FROM VALUES (1, 'a'), (2, 'b'), (3, NULL), (4, 'd') AS t(k, p)", partition_by=["p"])
    t = table(r)
    for text in (f"DELETE FROM {t} WHERE p IS NULL", f"DELETE FROM {t} WHERE p = 'a' OR k = 2", f"DELETE FROM {t} AS x WHERE x.k = 99",
                 f"DELETE FROM {t} WHERE NULL", f"DELETE FROM {t} WHERE k IN (4, 5)", f"DELETE FROM {t}", f"DELETE FROM {t}",
                 f"INSERT INTO {t} VALUES (1, 'a'), (2, NULL), (3, 'c')", f"DELETE FROM {t} WHERE nope", f"DELETE FROM {t} WHERE k",
                 f"DELETE FROM {t} WHERE max(k) = 1", f"DELETE FROM {t} WHERE rand() < -1", f"DELETE FROM {t} WHERE p > 'b' AND p <=> 'c'",
                 f"DELETE FROM {t} WHERE p NOT IN ('a')", f"DELETE FROM {t} WHERE p LIKE 'a%' AND length(p) = 1",
                 f"DELETE FROM {t} WHERE k BETWEEN 1 AND 2 AND k IS NOT NULL AND NOT k = 7", "DELETE FROM nowhere", f"SELECT * FROM {t}"):
        r.run(text)
    r.log()


@program
def values_of_update(r):
    r.write("SELECT * FROM VALUES (1, 'a', named_struct('x', 1, 'y', 'q'), array(1, 2), 1.5D, DATE'2024-01-01'), (2, 'b', NULL, NULL, NULL, NULL), "
            "(3, NULL, named_struct('x', NULL, 'y', NULL), array(), -1D, DATE'2024-02-02') AS t(k, v, s, l, d, dt)")
    for text in ("SET v = 'z' WHERE k = 1", "AS q SET q.v = concat(q.v, '!') WHERE q.k < 3", "SET s.x = k * 10",
                 "SET s = named_struct('y', 'n', 'x', 5) WHERE k = 3", "SET s = NULL, v = NULL", "SET l = array(k, k + 1) WHERE l IS NULL",
                 "SET d = '2.5' WHERE k = 1", "SET d = 'x' WHERE k = 1", "SET k = 99999999999 WHERE k = 1", "SET k = '7' WHERE k = 1",
                 "SET dt = '2024-05-05' WHERE v IS NULL", "SET nope = 1", "SET k = nope", "SET k = 1, k = 2", "SET K = 8 WHERE K = 7",
                 "SET k = 1 WHERE NULL", "SET k = max(k)", "SET k = 1 WHERE sum(k) > 1", "SET k = 1 WHERE rand() < 0", "SET s.x.z = 1"):
        r.run(f"UPDATE {table(r)} {text}")
