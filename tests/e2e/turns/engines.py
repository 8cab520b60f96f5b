"""The engines as processes that run rounds (turns.py)."""

import json
import os
import pathlib
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent.parent
MILLRACE = pathlib.Path(os.environ.get("MILLRACE_BINARY") or ROOT / "build/release/millrace")


class Engine:
    def __init__(self, command, folder, **environment):
        self.log = open(folder / f"engine-{id(self)}.log", "w+")
        self.process = subprocess.Popen([*map(str, command), FOLDER / "turns.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.log, text=True, cwd=folder, env={**os.environ, "TZ": "UTC", **environment})

    def run(self, folder, case, provider, number):
        self.process.stdin.write(json.dumps({"folder": str(folder), "case": case, "provider": provider, "round": number}) + "\n")
        self.process.stdin.flush()
        while not (line := self.process.stdout.readline()).startswith("=> "):
            assert line, "the engine has ended: " + self.said()
        answer = json.loads(line[3:])
        assert answer == "ok", answer
        return json.loads((folder / f"outcome-{number}.json").read_text())

    def said(self):
        self.log.seek(0)
        return self.log.read()[-3000:]

    def end(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.log.close()


def millrace(folder):
    return Engine([MILLRACE, "submit"], folder, PYSPARK_PYTHON=sys.executable)


def spark(folder, peers):
    python = str(peers / "venv/bin/python")
    quick = "--driver-java-options '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC' --conf spark.databricks.delta.snapshotPartitions=2"
    return Engine([python], folder, PYSPARK_PYTHON=python, SPARK_CONF_DIR=str(peers / "conf"), PYSPARK_SUBMIT_ARGS=f"{quick} pyspark-shell")
