"""Writes what the cases give: on real Spark, run with its Python, into expected.json; elsewhere into the file named first.
Cases may be named behind it."""

import json
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from cases import CASES, outcome  # noqa: E402


def main():
    from pyspark.sql import SparkSession

    spark = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
             .config("spark.sql.shuffle.partitions", "2").config("spark.sql.session.timeZone", "UTC")
             .config("spark.sql.warehouse.dir", tempfile.mkdtemp()).getOrCreate())
    spark.sparkContext.setLogLevel("OFF")
    target = pathlib.Path(sys.argv[1] if sys.argv[1:] else pathlib.Path(__file__).resolve().parent / "expected.json")
    answers = json.loads(target.read_text(encoding="utf-8")) if sys.argv[2:] and target.exists() else {}
    for name in sys.argv[2:] or CASES:
        answers[name] = outcome(lambda: CASES[name](spark, tempfile.mkdtemp()))
        target.write_text(json.dumps(answers, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    spark.stop()


if __name__ == "__main__":
    main()
