"""Writes expected.json: what the cases give on real Spark, those named on the command line or all. Run with its Python."""

import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import source_cases  # noqa: E402,F401
import table_cases  # noqa: E402,F401
import type_cases  # noqa: E402,F401
from cases import CASES  # noqa: E402
from outcome import outcome_of  # noqa: E402


def main():
    os.environ["PYSPARK_PYTHON"] = sys.executable
    from pyspark.sql import SparkSession

    spark = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
             .config("spark.sql.shuffle.partitions", "4").config("spark.sql.session.timeZone", "UTC").getOrCreate())
    spark.sparkContext.setLogLevel("OFF")
    target = pathlib.Path(__file__).resolve().parent / "expected.json"
    recorded = json.loads(target.read_text()) if sys.argv[1:] else {}
    for name in sys.argv[1:] or CASES:
        recorded[name] = outcome_of(CASES[name], spark)
    target.write_text(json.dumps(recorded, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    spark.stop()


if __name__ == "__main__":
    main()
