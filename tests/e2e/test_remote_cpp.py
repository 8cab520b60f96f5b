"""One C++ program, two engines: the same job on a Millrace server and, with --peers, on real Spark's Connect server."""

import json
import os
import pathlib
import socket
import subprocess
import time

import pytest

import programs
from conftest import ROOT, free_port

PEERS = pathlib.Path(os.environ.get("MILLRACE_PEERS_DIR") or "/nonexistent")


@pytest.fixture(params=["millrace", "spark"])
def remote(request, tmp_path):
    """The url of a running server."""
    if request.param == "millrace":
        help_text = subprocess.run([programs.MILLRACE, "--help"], capture_output=True, text=True).stdout
        if "serve" not in help_text:
            pytest.skip("this build has no server")
        yield request.getfixturevalue("start_server")().url
        return
    if not (PEERS / "venv" / "bin" / "python").exists():
        pytest.skip("real Spark is not installed: ./run test --peers brings it")
    port = free_port()
    home = next((PEERS / "venv").glob("lib/python*/site-packages/pyspark"))
    jars = ":".join([str(PEERS / "conf"), f"{home}/jars/*", f"{PEERS}/jars/*"])
    java = ["java", "--add-opens=java.base/java.nio=ALL-UNNAMED", "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
            "--add-opens=java.base/java.lang=ALL-UNNAMED", "--add-opens=java.base/java.util=ALL-UNNAMED",
            "--add-opens=java.base/sun.security.action=ALL-UNNAMED", "-Xmx1g", "-cp", jars,
            "org.apache.spark.deploy.SparkSubmit", "--master", "local[2]", "--conf", f"spark.connect.grpc.binding.port={port}",
            "--conf", "spark.ui.enabled=false", "--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal"]
    with open(tmp_path / "spark.log", "wb") as log:
        server = subprocess.Popen(java, stdout=log, stderr=log, cwd=tmp_path, env={**os.environ, "SPARK_HOME": str(home)})
    try:
        deadline = time.monotonic() + 90
        while True:
            assert server.poll() is None and time.monotonic() < deadline, (tmp_path / "spark.log").read_text()[-3000:]
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.3)
        yield f"sc://localhost:{port}"
    finally:
        server.kill()
        server.wait()


def test_the_same_program_on_a_server(remote, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.json").write_text('{"n":1,"k":"a"}\n{"n":2,"k":"b"}\n{"n":3,"k":"a"}\n')
    common = {"remote": remote, "source": "json", "schema": "n INT, k STRING", "load": str(folder),
              "conf": {"spark.sql.session.timeZone": "UTC"}}
    batch = {**common, "query": "SELECT k, sum(n) AS total FROM input GROUP BY k ORDER BY k"}
    stream = {**common, "query": "SELECT n * 10 AS n, upper(k) AS k FROM input", "sink": "json", "save": str(tmp_path / "out"),
              "sinkOptions": {"checkpointLocation": str(tmp_path / "checkpoint")}, "trigger": {"availableNow": True},
              "queryName": "tens"}
    wrong = {**common, "query": "SELECT nope FROM input"}
    printed = programs.run_job([batch, stream, wrong], timeout=180)
    assert printed.ends[:2] == ["ok", "ok"], printed.ends
    assert printed.rows == [{"k": "a", "total": 4}, {"k": "b", "total": 2}]
    assert printed.progress[-1]["name"] == "tens"
    assert sum(source["numInputRows"] for one in printed.progress for source in one["sources"]) == 3
    rows = [json.loads(line) for path in sorted((tmp_path / "out").glob("part-*")) for line in path.read_text().splitlines()]
    assert rows == [{"n": 10, "k": "A"}, {"n": 20, "k": "B"}, {"n": 30, "k": "A"}]
    assert printed.ends[2]["condition"] == "UNRESOLVED_COLUMN.WITH_SUGGESTION" and "`nope`" in printed.error


def test_nobody_there_and_bad_addresses(tmp_path):
    job = {"source": "text", "load": str(tmp_path), "query": "SELECT 1"}
    port = free_port()
    assert f"sc://localhost:{port}" in programs.run_job({**job, "remote": f"sc://localhost:{port}"}).error
    assert "sc://host:port" in programs.run_job({**job, "remote": "spark://localhost"}).error


def test_functions_over_groups_stay_in_their_process(start_server):
    """What the server would have to call is a C++ function of this program: refused by name, before anything is sent."""
    done = subprocess.run([programs.EXAMPLES / "visits_sessions"], text=True, capture_output=True, timeout=60,
                          env={**os.environ, "SPARK_REMOTE": start_server().url})
    assert done.returncode == 1
    assert '[UNSUPPORTED_CALL.WITHOUT_SUGGESTION] Cannot call the method "MapGroupsWithState"' in done.stderr
