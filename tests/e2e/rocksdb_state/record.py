"""Records what real Spark does: SPARK_CONF_DIR=… python record.py [KIND-PROVIDER …]

For each kind and provider four rounds of job.py; after the third the checkpoint is kept (checkpoint/<kind>-<provider>/, only the
versions that a restart needs), and what rounds three and four print goes to <kind>-<provider>.jsonl, an empty line between them.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from pyspark.sql import SparkSession

import job

HERE = pathlib.Path(__file__).resolve().parent


def prune(state):
    """Leaves the last two snapshots of each store, what follows them, and their tables."""
    for folder in {path.parent for path in state.rglob("*.zip")} | {path.parent for path in state.rglob("*.changelog")}:
        zips = sorted(folder.glob("*.zip"), key=lambda path: int(path.stem))
        first = int(zips[-2].stem) if len(zips) > 1 else 0
        for path in list(folder.glob("*.zip")) + list(folder.glob("*.changelog")):
            if int(path.stem) < first:
                path.unlink()
        kept = set()
        for path in folder.glob("*.zip"):
            text = subprocess.run(["unzip", "-p", path, "metadata"], capture_output=True, text=True, check=True).stdout
            kept |= set(re.findall(r'"dfsSstFileName":"([^"]+)"', text))
        for path in (folder / "SSTs").glob("*.sst"):
            if path.name not in kept:
                path.unlink()


spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
for kind in ("count", "dedup", "within", "join", "session"):
    for provider in ("zip", "changelog"):
        if sys.argv[1:] and f"{kind}-{provider}" not in sys.argv[1:] or provider == "zip" and kind in ("within", "session"):
            continue
        with tempfile.TemporaryDirectory() as folder:
            checkpoint = pathlib.Path(folder) / "checkpoint"
            for _ in range(2):
                job.run(spark, checkpoint, kind, provider)
            third = job.run(spark, checkpoint, kind, provider)
            kept = HERE / "checkpoint" / f"{kind}-{provider}"
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(checkpoint, kept, ignore=shutil.ignore_patterns(".*.crc", "*.tmp"))
            prune(kept / "state")
            (HERE / f"{kind}-{provider}.jsonl").write_text(third + "\n" + job.run(spark, checkpoint, kind, provider))
            print(kind, provider, flush=True)
