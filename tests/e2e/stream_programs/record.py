"""Writes expected.json: what the cases give on real Spark, those named on the command line or all. Run with its Python."""

import json
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import programs_of_functions  # noqa: E402, F401
from programs_of_streams import CASES  # noqa: E402


def main():
    from pyspark.sql import SparkSession

    spark = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
             .config("spark.sql.shuffle.partitions", "2").config("spark.sql.session.timeZone", "UTC")
             .config("spark.sql.warehouse.dir", tempfile.mkdtemp()).getOrCreate())
    spark.sparkContext.setLogLevel("OFF")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    target = pathlib.Path(__file__).resolve().parent / "expected.json"
    recorded = json.loads(target.read_text(encoding="utf-8")) if sys.argv[1:] else {}
    for name in sys.argv[1:] or CASES:
        recorded[name] = CASES[name](spark, tempfile.mkdtemp())
        # Kept one by one: on a busy machine the last may take too long.
        target.write_text(json.dumps(recorded, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    spark.stop()


if __name__ == "__main__":
    main()
