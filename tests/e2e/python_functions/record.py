"""Writes expected.json: what each case of cases.py gives on real Spark. Run with its Python."""

import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from cases import CASES  # noqa: E402
from outcome import outcome_of  # noqa: E402


def main():
    os.environ["PYSPARK_PYTHON"] = sys.executable
    from pyspark.sql import SparkSession

    spark = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
             .config("spark.sql.shuffle.partitions", "4").config("spark.sql.session.timeZone", "UTC").getOrCreate())
    spark.sparkContext.setLogLevel("OFF")
    recorded = {name: outcome_of(function, spark) for name, function in CASES.items()}
    target = pathlib.Path(__file__).resolve().parent / "expected.json"
    target.write_text(json.dumps(recorded, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    spark.stop()


if __name__ == "__main__":
    main()
