"""What end-to-end tests stand on: a real Kafka broker, a Millrace server, and a PySpark session talking to it."""

import dataclasses
import os
import pathlib
import socket
import subprocess
import sys
import time
import uuid

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclasses.dataclass(frozen=True)
class Broker:
    """A running Apache Kafka; `servers` is what clients call bootstrap servers."""

    servers: str
    environment: dict

    def run(self, *arguments, **keywords):
        """Runs tools/kafka.sh against this broker, e.g. run("create", "visits", "2")."""
        return subprocess.run([ROOT / "tools/kafka.sh", *arguments], env=self.environment, check=True, text=True, **keywords)

    def create_topic(self, prefix="topic", partitions=1):
        """Creates a topic with a name of its own and returns the name."""
        from confluent_kafka.admin import AdminClient, NewTopic

        name = f"{prefix}-{uuid.uuid4().hex[:8]}"
        admin = AdminClient({"bootstrap.servers": self.servers})  # its futures die with it
        admin.create_topics([NewTopic(name, partitions, 1)])[name].result(timeout=30)
        return name

    def recreate_topic(self, name, partitions=1):
        """An empty topic of exactly this name (a checkpoint or a job says it), whatever an earlier test left."""
        from confluent_kafka import KafkaError, KafkaException
        from confluent_kafka.admin import AdminClient, NewTopic

        admin = AdminClient({"bootstrap.servers": self.servers})
        deadline = time.monotonic() + 30
        while True:  # a deleted topic keeps its name for a while
            try:
                admin.create_topics([NewTopic(name, partitions, 1)])[name].result(timeout=30)
                return name
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS or time.monotonic() > deadline:
                    raise
            try:
                admin.delete_topics([name])[name].result(timeout=30)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise
            time.sleep(0.1)


@pytest.fixture(scope="module", autouse=True)
def no_session_is_left():
    """A client keeps its first session as the default one, even when its server is gone: not into the next module."""
    yield
    connect = sys.modules.get("pyspark.sql.connect.session")
    if connect is not None:
        connect.SparkSession._default_session = None
        connect.SparkSession._active_session.session = None


@pytest.fixture(scope="session")
def kafka(tmp_path_factory):
    """One broker for the whole run, on free ports, forgotten afterwards."""
    port = free_port()
    folder = tmp_path_factory.mktemp("kafka")
    environment = {**os.environ, "KAFKA_PORT": str(port), "KAFKA_CONTROLLER_PORT": str(free_port()),
                   "KAFKA_DIR": str(folder)}
    broker = Broker(f"localhost:{port}", environment)
    broker.run("start")
    yield broker
    broker.run("stop")


@dataclasses.dataclass
class Server:
    """A running `millrace serve`."""

    process: subprocess.Popen
    port: int
    log: pathlib.Path

    @property
    def url(self):
        return f"sc://localhost:{self.port}"


def servers_in(folder):
    """Yields a function that starts `millrace serve` in `folder` and returns its Server; all are stopped at the end."""
    binary = pathlib.Path(os.environ.get("MILLRACE_BINARY", ROOT / "build/release/millrace"))
    if not binary.exists():
        pytest.skip(f"{binary} is not built")
    servers = []

    def start(*options, environment=None):
        port = free_port()
        log = folder / f"server-{port}.log"
        command = [binary, "serve", "--port", str(port), "--warehouse", str(folder / "warehouse"), *options]
        with open(log, "wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output, cwd=folder,
                                       env={**os.environ, "PYSPARK_PYTHON": sys.executable, **(environment or {})})
        server = Server(process, port, log)
        servers.append(server)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if process.poll() is not None:
                pytest.fail(f"the server ended with {process.returncode}:\n{log.read_text()}")
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return server
            except OSError:
                time.sleep(0.02)
        pytest.fail(f"the server did not listen within 30 s:\n{log.read_text()}")

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.process.terminate()
            try:
                server.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                server.process.kill()
                server.process.wait()


@pytest.fixture
def start_server(tmp_path):
    """A function that starts `millrace serve` with further options and returns its Server."""
    yield from servers_in(tmp_path)


@pytest.fixture(scope="module")
def start_module_server(tmp_path_factory):
    """The same for servers that all tests of a module share."""
    yield from servers_in(tmp_path_factory.mktemp("server"))


@pytest.fixture
def spark(start_server):
    """A PySpark session on a server of its own."""
    from pyspark.sql import SparkSession

    session = SparkSession.builder.remote(start_server().url).getOrCreate()
    yield session
    session.stop()
