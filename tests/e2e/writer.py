"""Batch writes and reads of Millrace from a test: one process (tests/runner/write_runner), a request a line."""

import json
import os
import subprocess

import pytest

from programs import MILLRACE

RUNNER = MILLRACE.parent / "tests" / "write_runner"


class Refused(Exception):
    """What a request was refused with: the error condition and the message."""

    def __init__(self, condition, message):
        super().__init__(message)
        self.condition = condition


class Millrace:
    def __init__(self, zone="Europe/Paris"):
        if not RUNNER.exists():
            pytest.skip(f"{RUNNER} is not built")
        self.process = subprocess.Popen([RUNNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, "TZ": zone})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=60)

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise Refused(answer["error"], answer["message"])
        return answer

    def write(self, sql, path, mode="append", partition_by=(), **options):
        self.ask(sql=sql, path=str(path), mode=mode, partitionBy=list(partition_by),
                 options={key.replace("__", "."): str(value) for key, value in options.items()})

    def rows(self, path, **options):
        """Rows as dictionaries; what JSON cannot say (times, decimals) as text or number."""
        return [json.loads(row) for row in self.ask(load=str(path), options=options)["rows"]]

    def refused(self, sql, path, **keywords):
        """The condition and message a write is refused with."""
        with pytest.raises(Refused) as info:
            self.write(sql, path, **keywords)
        return info.value.condition, str(info.value)
