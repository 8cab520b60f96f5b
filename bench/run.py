"""Pipelines measured from outside, against a real broker on the same machine; with --peers, real Spark in the same run.

    ./run bench [--peers] [python] [converter] [count] [deduplicate] [latency] [startup] [synchronizer] [table_latency]

Prints one line a figure. Durations of micro-batches are read from the checkpoint in the same way for every engine: from
the batch's own clock in offsets/N to the time commits/N appeared.
"""

import argparse
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / os.environ.get("MILLRACE_PRESET", "release")
PEERS = pathlib.Path(os.environ.get("MILLRACE_PEERS", ROOT / ".cache" / "peers"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Broker:
    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="millrace-bench-")
        self.servers = f"localhost:{(port := free_port())}"
        self.environment = {**os.environ, "KAFKA_PORT": str(port), "KAFKA_CONTROLLER_PORT": str(free_port()),
                            "KAFKA_DIR": self.folder}
        subprocess.run([ROOT / "tools/kafka.sh", "start"], env=self.environment, check=True, stdout=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        subprocess.run([ROOT / "tools/kafka.sh", "stop"], env=self.environment, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def topic(self, partitions):
        from confluent_kafka.admin import AdminClient, NewTopic

        name = f"bench-{uuid.uuid4().hex[:8]}"
        admin = AdminClient({"bootstrap.servers": self.servers})
        admin.create_topics([NewTopic(name, partitions, 1)])[name].result(timeout=30)
        return name

    def visits(self, count, partitions=2):
        name = self.topic(partitions)
        subprocess.run([BUILD / "millrace", "generate", "visits", "--kafka", self.servers, "--topic", name, "--partitions",
                        str(partitions), "--count", str(count), "--event-ids", "--quiet"], check=True)
        return name


def report(name, value, unit, note=""):
    print(f"{name:58} {value:>12} {unit:8} {note}", flush=True)


def batches(checkpoint):
    """Records and milliseconds of each micro-batch that is done."""
    found, before = [], 0
    for commit in sorted((checkpoint / "commits").glob("[0-9]*"), key=lambda path: int(path.name)):
        lines = (checkpoint / "offsets" / commit.name).read_text().splitlines()
        total = sum(sum(partitions.values()) for partitions in json.loads(lines[2]).values())
        started = json.loads(lines[1])["batchTimestampMs"]
        found.append((total - before, commit.stat().st_mtime_ns / 1e6 - started))
        before = total
    return found


class Millrace:
    name = "millrace"
    one_process = True

    def converter(self, servers, checkpoint, source, target, available_now=True, limit=""):
        return [BUILD / "examples/visits_converter", servers, checkpoint, source, target,
                "available-now" if available_now else "", limit], {}

    def synchronizer(self, servers, table, checkpoint, source, available_now=True, limit=""):
        return [BUILD / "examples/data_synchronizer", servers, table, checkpoint, source,
                "available-now" if available_now else "", limit], {}

    def statistics(self, what, servers, checkpoint, source, target, available_now=True, limit=""):
        return [BUILD / "examples/visits_statistics", servers, checkpoint, source, target, what,
                "available-now" if available_now else "", limit], {}


    def script(self, name, *arguments):
        return [BUILD / "millrace", "submit", ROOT / "bench/jobs" / name, *arguments], {"PYSPARK_PYTHON": sys.executable}


class Spark:
    name = "spark 4.2"
    one_process = False  # the JVM is a child of the Python driver: its memory and CPU time are not the process's

    def converter(self, servers, checkpoint, source, target, available_now=True, limit=""):
        python = next((PEERS / where for where in ("bin/python", "venv/bin/python") if (PEERS / where).exists()))
        return [python, ROOT / "bench/jobs/visits_converter.py", servers, checkpoint, source, target,
                "available-now" if available_now else "", limit], {"MILLRACE_PEERS": str(PEERS)}

    def synchronizer(self, servers, table, checkpoint, source, available_now=True, limit=""):
        python = next((PEERS / where for where in ("bin/python", "venv/bin/python") if (PEERS / where).exists()))
        return [python, ROOT / "bench/jobs/data_synchronizer.py", servers, table, checkpoint, source,
                "available-now" if available_now else "", limit], {"MILLRACE_PEERS": str(PEERS)}

    def statistics(self, what, servers, checkpoint, source, target, available_now=True, limit=""):
        command, environment = self.converter(servers, checkpoint, source, target, available_now, limit)
        command[1] = ROOT / "bench/jobs/visits_statistics.py"
        return command[:6] + [what] + command[6:], environment

    def script(self, name, *arguments):
        python = next((PEERS / where for where in ("bin/python", "venv/bin/python") if (PEERS / where).exists()))
        return [python, ROOT / "bench/jobs" / name, *arguments], {"MILLRACE_PEERS": str(PEERS)}


def run_job(job, measure_memory=False):
    command, environment = job
    started = time.monotonic()
    process = subprocess.Popen([str(part) for part in command], env={**os.environ, **environment, "TZ": "UTC"},
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    if status:
        raise SystemExit(f"{command[0]} failed: {process.stderr.read()[-2000:]}")
    return seconds, usage


def converter(broker, engines, quick):
    count = 200_000 if quick else 1_000_000
    source = broker.visits(count)
    for engine in engines:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            checkpoint = pathlib.Path(folder) / "checkpoint"
            seconds, usage = run_job(engine.converter(broker.servers, checkpoint, source, broker.topic(2)))
            note = f"{count / seconds:,.0f} rows/s"
            if engine.one_process:
                note += f", peak {usage.ru_maxrss / 1024:.0f} MiB, {usage.ru_utime + usage.ru_stime:.2f} s of CPU"
            report(f"converter, {count:,} visits, start to exit, {engine.name}", f"{seconds:.2f}", "s", note)
    count = 500_000 if quick else 4_000_000
    source = broker.visits(count)
    for engine in engines:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            checkpoint = pathlib.Path(folder) / "checkpoint"
            run_job(engine.converter(broker.servers, checkpoint, source, broker.topic(2), limit="250000"))
            rates = [rows / ms * 1000 for rows, ms in batches(checkpoint) if rows > 0]
            report(f"converter, {count:,} visits, median batch of 250,000, {engine.name}",
                   f"{statistics.median(rates):,.0f}", "rows/s", f"of {len(rates)} batches")


def stateful(broker, engines, quick, what):
    """Windowed counts, or deduplication: start to exit over a topic, then the median of batches."""
    for count, limit in ((200_000 if quick else 1_000_000, ""), (500_000 if quick else 4_000_000, "250000")):
        source = broker.visits(count)
        for engine in engines:
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                checkpoint = pathlib.Path(folder) / "checkpoint"
                seconds, usage = run_job(engine.statistics(what, broker.servers, checkpoint, source, broker.topic(2),
                                                           limit=limit))
                if limit:
                    rates = [rows / ms * 1000 for rows, ms in batches(checkpoint) if rows > 0]
                    report(f"{what}, {count:,} visits, median batch of 250,000, {engine.name}",
                           f"{statistics.median(rates):,.0f}", "rows/s", f"of {len(rates)} batches")
                else:
                    note = f"{count / seconds:,.0f} rows/s"
                    if engine.one_process:
                        note += f", peak {usage.ru_maxrss / 1024:.0f} MiB, {usage.ru_utime + usage.ru_stime:.2f} s of CPU"
                    report(f"{what}, {count:,} visits, start to exit, {engine.name}", f"{seconds:.2f}", "s", note)


def count(broker, engines, quick):
    stateful(broker, engines, quick, "count")


def deduplicate(broker, engines, quick):
    stateful(broker, engines, quick, "deduplicate")


def latency(broker, engines, quick):
    """Produced to readable at 1,000 records a second with the default trigger."""
    from confluent_kafka import Consumer, Producer, TopicPartition

    seconds = 5 if quick else 20
    for engine in engines:
        source, target = broker.topic(1), broker.topic(1)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            command, environment = engine.converter(broker.servers, pathlib.Path(folder) / "checkpoint", source, target,
                                                    available_now=False)
            process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, env={**os.environ, **environment})
            producer = Producer({"bootstrap.servers": broker.servers, "linger.ms": 0})
            consumer = Consumer({"bootstrap.servers": broker.servers, "group.id": "bench", "fetch.wait.max.ms": 5,
                                 "enable.auto.commit": False})
            consumer.assign([TopicPartition(target, 0, 0)])
            # The first record out says that the query is up; only what follows is counted.
            producer.produce(source, value=b'{"event_id": "warm"}')
            producer.flush()
            while (message := consumer.poll(60)) is None or message.error():
                pass
            waits = []

            def read():
                deadline = time.monotonic() + seconds + 20
                while len(waits) < seconds * 1000 and time.monotonic() < deadline:
                    # One at a time: consume() would hold records back until it has as many as it was asked for.
                    one = consumer.poll(0.5)
                    if one is None or one.error():
                        continue
                    sent = json.loads(one.value()).get("event_identifier", "")
                    if sent.startswith("t"):
                        waits.append((time.time_ns() - int(sent[1:])) / 1e6)

            reader = threading.Thread(target=read)
            reader.start()
            start = time.monotonic()
            for number in range(seconds * 1000):
                while (ahead := start + number / 1000 - time.monotonic()) > 0:
                    time.sleep(ahead)
                producer.produce(source, value=f'{{"event_id": "t{time.time_ns()}", "visit_id": {number}, '
                                               f'"event_time": "2025-09-04T07:00:00Z", "page": "home"}}'.encode())
                producer.poll(0)
            producer.flush()
            reader.join()
            with open(f"/proc/{process.pid}/status") as status:
                resident = next(line for line in status if line.startswith("VmRSS")).split()[1]
            process.terminate()
            process.wait()
            consumer.close()
            waits.sort()
            report(f"converter at 1,000 records/s, produced to readable p50, {engine.name}",
                   f"{waits[len(waits) // 2]:.1f}", "ms", f"p99 {waits[len(waits) * 99 // 100]:.1f} ms"
                   + (f", resident {int(resident) / 1024:.0f} MiB" if engine.one_process else ""))


def startup(broker, engines, quick):
    source = broker.visits(1)
    for engine in engines:
        times = []
        for _ in range(3 if quick else 7):
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                checkpoint = pathlib.Path(folder) / "checkpoint"
                started = time.time()
                run_job(engine.converter(broker.servers, checkpoint, source, broker.topic(1)))
                times.append(((checkpoint / "commits" / "0").stat().st_mtime - started) * 1000)
            if engine.name != "millrace":
                break
        report(f"process start to first micro-batch done, {engine.name}", f"{statistics.median(times):.0f}", "ms")


def synchronizer(broker, engines, quick):
    """Kafka to a Delta table, partitioned by year, month, day and hour."""
    count = 200_000 if quick else 1_000_000
    source = broker.visits(count)
    for engine in engines:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            table, checkpoint = pathlib.Path(folder) / "table", pathlib.Path(folder) / "checkpoint"
            seconds, usage = run_job(engine.synchronizer(broker.servers, table, checkpoint, source))
            note = f"{count / seconds:,.0f} rows/s, {len(list(table.glob('**/*.parquet')))} files"
            if engine.one_process:
                note += f", peak {usage.ru_maxrss / 1024:.0f} MiB, {usage.ru_utime + usage.ru_stime:.2f} s of CPU"
            report(f"synchroniser, {count:,} visits, start to exit, {engine.name}", f"{seconds:.2f}", "s", note)
    count = 500_000 if quick else 2_000_000
    source = broker.visits(count)
    for engine in engines:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            table, checkpoint = pathlib.Path(folder) / "table", pathlib.Path(folder) / "checkpoint"
            run_job(engine.synchronizer(broker.servers, table, checkpoint, source, limit="250000"))
            rates = [rows / ms * 1000 for rows, ms in batches(checkpoint) if rows > 0]
            report(f"synchroniser, {count:,} visits, median batch of 250,000, {engine.name}",
                   f"{statistics.median(rates):,.0f}", "rows/s", f"of {len(rates)} batches")


def table_latency(broker, engines, quick):
    """Produced to readable in the table at 1,000 records a second: until the commit that has the record is there."""
    from confluent_kafka import Producer

    seconds = 5 if quick else 20
    for engine in engines:
        source = broker.topic(1)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            table, checkpoint = pathlib.Path(folder) / "table", pathlib.Path(folder) / "checkpoint"
            command, environment = engine.synchronizer(broker.servers, table, checkpoint, source, available_now=False)
            process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, env={**os.environ, **environment, "TZ": "UTC"})
            producer = Producer({"bootstrap.servers": broker.servers, "linger.ms": 0})
            visit = '{"event_id": "e", "visit_id": 1, "event_time": "2025-09-04T07:00:00Z", "page": "home"}'
            producer.produce(source, value=visit)
            producer.flush()
            log = table / "_delta_log"
            while not (log / f"{1:020}.json").exists() and '"add"' not in (
                    (log / f"{0:020}.json").read_text() if (log / f"{0:020}.json").exists() else ""):
                time.sleep(0.02)
            sent = [0] * (seconds * 1000 + 1)
            start = time.monotonic()
            for number in range(1, seconds * 1000 + 1):
                while (ahead := start + number / 1000 - time.monotonic()) > 0:
                    time.sleep(ahead)
                sent[number] = time.time_ns()
                producer.produce(source, value=visit)
                producer.poll(0)
            producer.flush()
            waits, deadline = [], time.monotonic() + 60
            while len(waits) < seconds * 1000 and time.monotonic() < deadline:
                time.sleep(0.5)
                waits = []
                # A commit is readable from the time its name is there.
                for name in log.glob("[0-9]*.json"):
                    readable = name.stat().st_ctime_ns
                    for line in name.read_text().splitlines():
                        if line.startswith('{"add"'):
                            stats = json.loads(json.loads(line)["add"]["stats"])
                            first, last = stats["minValues"]["offset"], stats["maxValues"]["offset"]
                            waits += [(readable - sent[i]) / 1e6 for i in range(max(first, 1), last + 1)]
            with open(f"/proc/{process.pid}/status") as status:
                resident = next(line for line in status if line.startswith("VmRSS")).split()[1]
            process.terminate()
            process.wait()
            waits.sort()
            report(f"synchroniser at 1,000 records/s, produced to readable p50, {engine.name}",
                   f"{waits[len(waits) // 2]:.1f}", "ms", f"p99 {waits[len(waits) * 99 // 100]:.1f} ms"
                   + (f", resident {int(resident) / 1024:.0f} MiB" if engine.one_process else ""))


def python(broker, engines, quick):
    """Python functions over a million rows, in one session."""
    count = 100_000 if quick else 1_000_000
    for engine in engines:
        command, environment = engine.script("python_functions.py", str(count))
        output = subprocess.run([str(part) for part in command], env={**os.environ, **environment}, check=True,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        for name, seconds in json.loads(output.splitlines()[-1]).items():
            report(f"{name}, {count:,} rows, {engine.name}", f"{seconds:.2f}", "s", f"{count / seconds:,.0f} rows/s")


PIPELINES = {"python": python, "converter": converter, "latency": latency, "count": count, "deduplicate": deduplicate, "startup": startup, "synchronizer": synchronizer,
             "table_latency": table_latency}


def main():
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=", ".join(PIPELINES))
    parser.add_argument("--peers", action="store_true", help="also real Spark, in the same run")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that everything runs")
    options = parser.parse_args()
    chosen = [name for name in PIPELINES if not options.names or name in options.names]
    engines = [Millrace()] + ([Spark()] if options.peers else [])
    if not chosen:
        return
    with Broker() as broker:
        for name in chosen:
            PIPELINES[name](broker, engines, options.quick)


if __name__ == "__main__":
    sys.exit(main())
