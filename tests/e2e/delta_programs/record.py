"""Writes expected.json: what each Delta program gives on real Spark. Run with its Python (SPARK_CONF_DIR of the peers).

    record.py [NAME ...]    only these, or what is new
"""

import importlib
import json
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from delta_outcome import outcome_of  # noqa: E402

for module in sorted(HERE.glob("*cases.py")):
    importlib.import_module(module.stem)
from delta_cases import CASES  # noqa: E402


def main():
    from pyspark.sql import SparkSession

    target = HERE / "expected.json"
    recorded = json.loads(target.read_text()) if target.exists() else {}
    names = sys.argv[1:] or [name for name in CASES if name not in recorded]
    folder = tempfile.mkdtemp(prefix="delta_programs_")
    spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.sql.shuffle.partitions", "1")
             .config("spark.databricks.delta.snapshotPartitions", "1").config("spark.ui.showConsoleProgress", "false")
             .config("spark.sql.session.timeZone", "UTC").config("spark.sql.warehouse.dir", folder + "/warehouse").getOrCreate())
    spark.sparkContext.setLogLevel("OFF")
    for name in names:
        recorded[name] = outcome_of(CASES[name], spark, f"{folder}/{name}")
        target.write_text(json.dumps({k: recorded[k] for k in sorted(recorded)}, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
        print(name, flush=True)
    spark.stop()


if __name__ == "__main__":
    main()
