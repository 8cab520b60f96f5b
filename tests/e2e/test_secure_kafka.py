"""TLS and SASL against a real broker: certificates of an authority made here, PLAIN and SCRAM logins, and what is said
when one of them is wrong."""

import os
import subprocess

import pytest

import programs
from conftest import Broker, free_port


def openssl(*arguments, cwd):
    done = subprocess.run(["openssl", *arguments], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def keytool(*arguments, cwd):
    done = subprocess.run(["keytool", *map(str, arguments)], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def make_certificates(folder):
    """An authority, and certificates of it for the broker (localhost) and a client; as PEM, keys unencrypted."""
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test authority", "-keyout", "ca.key",
            "-out", "ca.pem", cwd=folder)
    for name, subject in (("broker", "/CN=localhost"), ("client", "/CN=client")):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", subject, "-keyout", f"{name}.key", "-out", f"{name}.csr",
                cwd=folder)
        (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        openssl("x509", "-req", "-days", "2", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-extfile", "names", "-out", f"{name}.crt", cwd=folder)
        (folder / f"{name}.pem").write_text((folder / f"{name}.key").read_text() + (folder / f"{name}.crt").read_text())
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=another authority", "-keyout",
            "other.key", "-out", "other.pem", cwd=folder)
    openssl("pkcs12", "-export", "-in", "client.crt", "-inkey", "client.key", "-passout", "pass:secret", "-out", "client.p12",
            cwd=folder)


class SecureBroker:
    def __init__(self, folder):
        self.folder = folder
        make_certificates(folder)
        plain, self.ssl, self.sasl, self.sasl_plain = (free_port() for _ in range(4))
        controller = free_port()
        jaas = "org.apache.kafka.common.security"
        (folder / "more.properties").write_text(f"""
listeners=PLAINTEXT://127.0.0.1:{plain},CONTROLLER://127.0.0.1:{controller},SSL://127.0.0.1:{self.ssl},\
SASL_SSL://127.0.0.1:{self.sasl},SASL_PLAINTEXT://127.0.0.1:{self.sasl_plain}
advertised.listeners=PLAINTEXT://localhost:{plain},SSL://localhost:{self.ssl},SASL_SSL://localhost:{self.sasl},\
SASL_PLAINTEXT://localhost:{self.sasl_plain}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL,SASL_PLAINTEXT:SASL_PLAINTEXT
inter.broker.listener.name=PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location={folder}/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.pem
listener.name.ssl.ssl.client.auth=required
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
""" + "".join(f"""
listener.name.{listener}.plain.sasl.jaas.config={jaas}.plain.PlainLoginModule required user_alice="alice's secret";
listener.name.{listener}.scram-sha-256.sasl.jaas.config={jaas}.scram.ScramLoginModule required;
listener.name.{listener}.scram-sha-512.sasl.jaas.config={jaas}.scram.ScramLoginModule required;
""" for listener in ("sasl_ssl", "sasl_plaintext")))
        environment = {**os.environ, "KAFKA_PORT": str(plain), "KAFKA_CONTROLLER_PORT": str(controller),
                       "KAFKA_DIR": str(folder / "kafka"), "KAFKA_PROPERTIES": str(folder / "more.properties")}
        self.open = Broker(f"localhost:{plain}", environment)

    def add_scram_users(self):
        from confluent_kafka.admin import (AdminClient, ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion)

        admin = AdminClient({"bootstrap.servers": self.open.servers})
        for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
            user = UserScramCredentialUpsertion("bob", ScramCredentialInfo(mechanism, 4096), b"bob's secret")
            for done in admin.alter_user_scram_credentials([user]).values():
                done.result(timeout=30)

    def jaas(self, module, user, password):
        package = "plain" if module == "PlainLoginModule" else "scram"
        return (f"org.apache.kafka.common.security.{package}.{module} required username=\"{user}\" "
                f"password=\"{password}\";")

    def tls(self, authority="ca.pem"):
        return {"kafka.ssl.truststore.type": "PEM", "kafka.ssl.truststore.location": str(self.folder / authority)}

    def login(self, mechanism, user, password, **more):
        module = "PlainLoginModule" if mechanism == "PLAIN" else "ScramLoginModule"
        return {"kafka.bootstrap.servers": f"localhost:{self.sasl}", "kafka.security.protocol": "SASL_SSL",
                "kafka.sasl.mechanism": mechanism, "kafka.sasl.jaas.config": self.jaas(module, user, password), **self.tls(),
                **more}


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    broker = SecureBroker(tmp_path_factory.mktemp("secure"))
    broker.open.run("start")
    try:
        broker.add_scram_users()
        yield broker
    finally:
        broker.open.run("stop")


def round_trip(secure, tmp_path, connection):
    """A stream from one topic to another over that connection; what came out."""
    source, target = secure.open.create_topic("in"), secure.open.create_topic("out")
    programs.produce(secure.open, source, ["one", "two"])
    printed = programs.run_job({
        "source": "kafka", "sourceOptions": {**connection, "subscribe": source, "startingOffsets": "earliest"},
        "query": "SELECT upper(CAST(value AS STRING)) AS value FROM input", "sink": "kafka", "trigger": {"availableNow": True},
        "sinkOptions": {**connection, "topic": target, "checkpointLocation": str(tmp_path / "checkpoint")}})
    assert printed.ends == ["ok"], printed.ends
    return [value for _, _, value in programs.consume(secure.open, target)]


def refused(secure, tmp_path, connection):
    source = secure.open.create_topic("in")
    return programs.run_job({
        "source": "kafka", "sourceOptions": {**connection, "subscribe": source, "startingOffsets": "earliest",
                                             "kafka.default.api.timeout.ms": "6000"},
        "sink": "noop", "trigger": {"availableNow": True},
        "sinkOptions": {"checkpointLocation": str(tmp_path / "checkpoint")}}).error


@pytest.mark.parametrize("mechanism,user", [("PLAIN", "alice"), ("SCRAM-SHA-256", "bob"), ("SCRAM-SHA-512", "bob")])
def test_a_login_over_tls(secure, tmp_path, mechanism, user):
    connection = secure.login(mechanism, user, f"{user}'s secret")
    assert round_trip(secure, tmp_path, connection) == [b"ONE", b"TWO"]


def test_a_login_without_tls(secure, tmp_path):
    connection = {"kafka.bootstrap.servers": f"localhost:{secure.sasl_plain}", "kafka.security.protocol": "SASL_PLAINTEXT",
                  "kafka.sasl.mechanism": "SCRAM-SHA-512",
                  "kafka.sasl.jaas.config": secure.jaas("ScramLoginModule", "bob", "bob's secret")}
    assert round_trip(secure, tmp_path, connection) == [b"ONE", b"TWO"]


@pytest.mark.parametrize("key", ["pem", "pkcs12"])
def test_a_clients_certificate(secure, tmp_path, key):
    keys = {"pem": {"kafka.ssl.keystore.type": "PEM", "kafka.ssl.keystore.location": str(secure.folder / "client.pem")},
            "pkcs12": {"kafka.ssl.keystore.type": "PKCS12", "kafka.ssl.keystore.location": str(secure.folder / "client.p12"),
                       "kafka.ssl.keystore.password": "secret"}}[key]
    connection = {"kafka.bootstrap.servers": f"localhost:{secure.ssl}", "kafka.security.protocol": "SSL", **secure.tls(),
                  **keys}
    assert round_trip(secure, tmp_path, connection) == [b"ONE", b"TWO"]


def test_certificates_given_as_text(secure, tmp_path):
    connection = {"kafka.bootstrap.servers": f"localhost:{secure.ssl}", "kafka.security.protocol": "SSL",
                  "kafka.ssl.truststore.type": "PEM",
                  "kafka.ssl.truststore.certificates": (secure.folder / "ca.pem").read_text(),
                  "kafka.ssl.keystore.type": "PEM",
                  "kafka.ssl.keystore.certificate.chain": (secure.folder / "client.crt").read_text(),
                  "kafka.ssl.keystore.key": (secure.folder / "client.key").read_text()}
    assert round_trip(secure, tmp_path, connection) == [b"ONE", b"TWO"]


@pytest.mark.parametrize("mechanism,user", [("PLAIN", "alice"), ("SCRAM-SHA-256", "bob")])
def test_a_wrong_password_is_said(secure, tmp_path, mechanism, user):
    message = refused(secure, tmp_path, secure.login(mechanism, user, "guessed"))
    assert "uthentication" in message and "guessed" not in message, message


def test_an_unknown_authority_is_said(secure, tmp_path):
    connection = {**secure.login("PLAIN", "alice", "alice's secret"), **secure.tls("other.pem")}
    message = refused(secure, tmp_path, connection)
    assert "certificate" in message, message


def test_a_missing_client_certificate_is_said(secure, tmp_path):
    message = refused(secure, tmp_path, {"kafka.bootstrap.servers": f"localhost:{secure.ssl}", "kafka.security.protocol": "SSL",
                                         **secure.tls()})
    assert "certificate" in message or "SSL" in message, message


def test_plain_text_to_a_tls_port_is_said(secure, tmp_path):
    message = refused(secure, tmp_path, {"kafka.bootstrap.servers": f"localhost:{secure.ssl}"})
    assert f"localhost:{secure.ssl}" in message, message


def stores_of_java(secure, kind):
    """A trust store and a key store as Java's own tool makes them; the key has a password of its own in those of JKS."""
    trust, keys = (secure.folder / f"{name}.{kind}" for name in ("trust", "keys"))
    if not trust.exists():
        keytool("-importcert", "-noprompt", "-alias", "ca", "-file", "ca.pem", "-keystore", trust, "-storetype", kind,
                "-storepass", "changeit", cwd=secure.folder)
        keytool("-importkeystore", "-noprompt", "-srckeystore", "client.p12", "-srcstoretype", "PKCS12", "-srcstorepass",
                "secret", "-alias", "1", "-destkeystore", keys, "-deststoretype", kind, "-deststorepass", "changeit",
                *(["-destkeypass", "key secret"] if kind == "JKS" else []), cwd=secure.folder)
    return {"kafka.bootstrap.servers": f"localhost:{secure.ssl}", "kafka.security.protocol": "SSL",
            "kafka.ssl.truststore.location": str(trust), "kafka.ssl.truststore.password": "changeit",
            "kafka.ssl.keystore.location": str(keys), "kafka.ssl.keystore.password": "changeit",
            **({"kafka.ssl.key.password": "key secret"} if kind == "JKS" else {})}


# Java takes stores of PKCS#12 for those of its own, whatever the settings say.
@pytest.mark.parametrize("kind", ["JKS", "PKCS12"])
def test_stores_of_java(secure, tmp_path, kind):
    assert round_trip(secure, tmp_path, stores_of_java(secure, kind)) == [b"ONE", b"TWO"]


@pytest.mark.parametrize("setting,value,says", [
    ("kafka.ssl.truststore.location", "/no/trust.jks", "Failed to load SSL keystore /no/trust.jks of type JKS"),
    ("kafka.ssl.truststore.password", "guessed", "Keystore was tampered with, or password was incorrect"),
    ("kafka.ssl.keystore.password", "guessed", "Keystore was tampered with, or password was incorrect"),
    ("kafka.ssl.key.password", "guessed", "Cannot recover key")])
def test_stores_of_java_that_cannot_be_read(secure, tmp_path, setting, value, says):
    message = refused(secure, tmp_path, {**stores_of_java(secure, "JKS"), setting: value})
    assert says in message and "guessed" not in message, message
