"""Pipelines measured from outside, against a real broker on the same machine; with --peers, real Spark and Flink in the same run.

    ./run bench [--peers] [NAME ...]        names: --help

Prints one line a figure. Durations of micro-batches are read from the checkpoint in the same way for every engine: from
the batch's own clock in offsets/N to the time commits/N appeared. Flink has no micro-batches: its rate is that of the rows
which the longer of two runs has more.
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

    def joiner(self, servers, checkpoint, visits, ads, target, limit=""):
        return [BUILD / "examples/dynamic_joiner", servers, checkpoint, visits, ads, target, "available-now", "EARLIEST",
                limit], {}

    def script(self, name, *arguments):
        return [BUILD / "millrace", "submit", ROOT / "bench/jobs" / name, *arguments], {"PYSPARK_PYTHON": sys.executable}


class Spark:
    name = "spark 4.2"
    one_process = False  # the JVM is a child of the Python driver: its memory and CPU time are not the process's

    def converter(self, servers, checkpoint, source, target, available_now=True, limit=""):
        return self.script("visits_converter.py", servers, checkpoint, source, target,
                           "available-now" if available_now else "", limit)

    def synchronizer(self, servers, table, checkpoint, source, available_now=True, limit=""):
        return self.script("data_synchronizer.py", servers, table, checkpoint, source,
                           "available-now" if available_now else "", limit)

    def statistics(self, what, servers, checkpoint, source, target, available_now=True, limit=""):
        return self.script("visits_statistics.py", servers, checkpoint, source, target, what,
                           "available-now" if available_now else "", limit)

    def joiner(self, servers, checkpoint, visits, ads, target, limit=""):
        return self.script("dynamic_joiner.py", servers, checkpoint, visits, ads, target, "available-now", "EARLIEST", limit)

    def script(self, name, *arguments):
        python = next((PEERS / where for where in ("bin/python", "venv/bin/python") if (PEERS / where).exists()))
        # The workers of Python functions are started by name: they have to be of the same environment.
        return [python, ROOT / "bench/jobs" / name, *arguments], {"MILLRACE_PEERS": str(PEERS), "PYSPARK_PYTHON": str(python)}


class Flink:
    """SQL on a cluster in one process; the windowed count and the converter only."""

    name = "flink 2.2"
    one_process = True

    def converter(self, servers, checkpoint, source, target):
        return self.job(servers, checkpoint, source, target, "convert")

    def statistics(self, what, servers, checkpoint, source, target):
        return self.job(servers, checkpoint, source, target, what)

    def job(self, *arguments):
        opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in ("java.lang", "java.util")]
        return ["java", *opened, "-Xmx2g", "-cp", f"{PEERS}/flink/*", ROOT / "bench/jobs/VisitsStatistics.java", *arguments], {}


def with_peers(engines):
    return len(engines) > 1


def flink_rate(broker, what, sources):
    """Rows a second of the longer run beyond the shorter; `sources`: (rows, topic) of each."""
    (fewer, short), (more, long) = sources
    seconds = {}
    for topic in (short, long):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            job = Flink().converter if what == "converter" else lambda *arguments: Flink().statistics(what, *arguments)
            seconds[topic], usage = run_job(job(broker.servers, folder, topic, broker.topic(2)))
        if topic == short:
            report(f"{what}, {fewer:,} visits, start to exit, {Flink.name}", f"{seconds[topic]:.2f}", "s",
                   f"{fewer / seconds[topic]:,.0f} rows/s, peak {usage.ru_maxrss / 1024:.0f} MiB, "
                   f"{usage.ru_utime + usage.ru_stime:.2f} s of CPU")
    report(f"{what}, the rows from {fewer:,} to {more:,}, {Flink.name}",
           f"{(more - fewer) / (seconds[long] - seconds[short]):,.0f}", "rows/s")


def run_job(job, measure_memory=False):
    command, environment = job
    # Else the first one runs while the disk still takes the topic that was filled for all of them.
    os.sync()
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
    sources = [(count, source)]
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
    sources.append((count, source))
    for engine in engines:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            checkpoint = pathlib.Path(folder) / "checkpoint"
            run_job(engine.converter(broker.servers, checkpoint, source, broker.topic(2), limit="250000"))
            rates = [rows / ms * 1000 for rows, ms in batches(checkpoint) if rows > 0]
            report(f"converter, {count:,} visits, median batch of 250,000, {engine.name}",
                   f"{statistics.median(rates):,.0f}", "rows/s", f"of {len(rates)} batches")
    if with_peers(engines):
        flink_rate(broker, "converter", sources)


def stateful(broker, engines, quick, what):
    """Windowed counts, or deduplication: start to exit over a topic, then the median of batches."""
    sources = []
    for count, limit in ((200_000 if quick else 1_000_000, ""), (500_000 if quick else 4_000_000, "250000")):
        source = broker.visits(count)
        sources.append((count, source))
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
    if what == "count" and with_peers(engines):
        flink_rate(broker, what, sources)


def count(broker, engines, quick):
    stateful(broker, engines, quick, "count")


def deduplicate(broker, engines, quick):
    stateful(broker, engines, quick, "deduplicate")


WARM_UP_SECONDS = 5


def produce_steadily(producer, topic, values, seconds):
    """1,000 records a second; `values` makes a record of its number."""
    start = time.monotonic()
    for number in range(seconds * 1000):
        while (ahead := start + number / 1000 - time.monotonic()) > 0:
            time.sleep(ahead)
        producer.produce(topic, value=values(number))
        producer.poll(0)
    producer.flush()


def resident_kib(process):
    with open(f"/proc/{process.pid}/status") as status:
        return int(next(line for line in status if line.startswith("VmRSS")).split()[1])


def topic_latency(broker, engine, job, seconds, values, waits_of):
    """Milliseconds from produced to readable, sorted, and resident KiB, of `job(source, target, checkpoint)` with the default
    trigger. `values` makes a record of its number, -1 to warm up; `waits_of` gives the waits that a record read tells."""
    from confluent_kafka import Consumer, Producer, TopicPartition

    source, target = broker.topic(1), broker.topic(1)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command, environment = job(source, target, pathlib.Path(folder) / "checkpoint")
        process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env={**os.environ, **environment})
        producer = Producer({"bootstrap.servers": broker.servers, "linger.ms": 0})
        consumer = Consumer({"bootstrap.servers": broker.servers, "group.id": "bench", "fetch.wait.max.ms": 5,
                             "enable.auto.commit": False})
        consumer.assign([TopicPartition(target, 0, 0)])
        # The first record out says that the query is up. A broker just started needs some seconds more to be as quick as it
        # will be (its code is compiled as it runs); only what follows is counted.
        producer.produce(source, value=values(-1))
        producer.flush()
        while (message := consumer.poll(60)) is None or message.error():
            pass
        produce_steadily(producer, source, lambda _: values(-1), WARM_UP_SECONDS)
        waits = []

        def read():
            deadline = time.monotonic() + seconds + 20
            while len(waits) < seconds * 1000 and time.monotonic() < deadline:
                # One at a time: consume() would hold records back until it has as many as it was asked for.
                one = consumer.poll(0.5)
                if one is not None and not one.error():
                    waits.extend(waits_of(json.loads(one.value())))

        reader = threading.Thread(target=read)
        reader.start()
        produce_steadily(producer, source, values, seconds)
        reader.join()
        resident = resident_kib(process)
        process.terminate()
        process.wait()
        consumer.close()
    if len(waits) < seconds * 1000:
        raise SystemExit(f"{engine.name}: {len(waits)} of {seconds * 1000} records came out")
    return sorted(waits), resident


def report_latency(what, engine, waits, resident):
    report(f"{what} at 1,000 records/s, produced to readable p50, {engine.name}", f"{waits[len(waits) // 2]:.1f}", "ms",
           f"p99 {waits[len(waits) * 99 // 100]:.1f} ms, longest {waits[-1]:.1f} ms"
           + (f", resident {resident / 1024:.0f} MiB" if engine.one_process else ""))


def latency(broker, engines, quick):
    """Produced to readable at 1,000 records a second with the default trigger."""

    def value(number):
        return (f'{{"event_id": "t{time.time_ns()}", "visit_id": {number}, "event_time": "2025-09-04T07:00:00Z", '
                f'"page": "home"}}').encode()

    def waits_of(record):
        return [(time.time_ns() - int(record["event_identifier"][1:])) / 1e6] if record.get("visit_identifier", 0) != -1 else []

    for engine in engines:
        def job(source, target, checkpoint):
            return engine.converter(broker.servers, checkpoint, source, target, available_now=False)

        report_latency("converter", engine, *topic_latency(broker, engine, job, 5 if quick else 20, value, waits_of))


def count_latency(broker, engines, quick):
    """The same of a windowed count in update mode: a record is readable when the count that includes it is."""
    for engine in engines:
        sent = []  # when; those to warm up have no time

        def value(number):
            sent.append(time.time_ns() if number >= 0 else None)
            return b'{"event_id": "e", "visit_id": 1, "event_time": "2025-09-04T07:00:00Z", "page": "home"}'

        def job(source, target, checkpoint):
            return engine.statistics("count", broker.servers, checkpoint, source, target, available_now=False)

        counted = 0

        def waits_of(record):
            nonlocal counted
            first, counted, now = counted, max(counted, record["count"]), time.time_ns()
            return [(now - sent[number]) / 1e6 for number in range(first, counted) if sent[number]]

        report_latency("windowed count", engine,
                       *topic_latency(broker, engine, job, 5 if quick else 20, value, waits_of))


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
            sent = [None]  # when, by offset; those to warm up have no time

            def value(number):
                sent.append(time.time_ns() if number >= 0 else None)
                return visit

            produce_steadily(producer, source, lambda _: value(-1), WARM_UP_SECONDS)
            produce_steadily(producer, source, value, seconds)
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
                            waits += [(readable - sent[i]) / 1e6 for i in range(first, last + 1) if sent[i]]
            resident = resident_kib(process)
            process.terminate()
            process.wait()
            report_latency("synchroniser", engine, sorted(waits), resident)


def join(broker, engines, quick):
    """Visits with the advertisement shown on their page, left outer, half of the visits with one; both read whole."""
    from confluent_kafka import Producer

    def fill(count):
        visits, ads = broker.topic(2), broker.topic(2)
        producer = Producer({"bootstrap.servers": broker.servers, "linger.ms": 20, "queue.buffering.max.messages": 1000000})
        for number in range(count):
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_704_067_200 + number // 100))
            visit = f'{{"visit_id": "v{number}", "event_time": "{at}", "page": "page_{number}"}}'
            ad = f'{{"page": "page_{number * 2}", "display_time": "{at}", "campaign_name": "campaign {number % 7}"}}'
            producer.produce(visits, value=visit, partition=number % 2)
            producer.produce(ads, value=ad if number * 2 < count else ad.replace("page_", "other_"), partition=number % 2)
            producer.poll(0)
        producer.flush()
        return visits, ads

    count = 50_000 if quick else 500_000
    visits, ads = fill(count)
    for limit in ("", str(count // 10)):
        for engine in engines:
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                checkpoint = pathlib.Path(folder) / "checkpoint"
                seconds, usage = run_job(engine.joiner(broker.servers, checkpoint, visits, ads, broker.topic(2), limit))
                rates = [rows / ms * 1000 for rows, ms in batches(checkpoint) if rows > 0]
                if limit:
                    report(f"join, {count:,} + {count:,}, median batch of {count // 5:,}, {engine.name}",
                           f"{statistics.median(rates):,.0f}", "rows/s", f"of {len(rates)} batches")
                else:
                    report(f"join, {count:,} + {count:,}, start to exit, {engine.name}", f"{seconds:.2f}", "s",
                           f"{2 * count / seconds:,.0f} rows/s"
                           + (f", peak {usage.ru_maxrss / 1024:.0f} MiB, {usage.ru_utime + usage.ru_stime:.2f} s of CPU"
                              if engine.one_process else ""))


def enrichment(broker, engines, quick):
    """Visits with a Delta table of devices into Delta, as PySpark jobs: a table as the sink, and the sidecar's two from foreachBatch."""
    for what, count, limit in (("table", 200_000 if quick else 1_000_000, ""), ("table", 500_000 if quick else 2_000_000, "250000"),
                               ("foreach-batch", 500_000 if quick else 2_000_000, "250000")):
        source = broker.visits(count)
        for engine in engines:
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                checkpoint = pathlib.Path(folder) / "checkpoint"
                seconds, _ = run_job(engine.script("visits_enricher.py", broker.servers, folder, source, what, limit))
                rates = [rows / ms * 1000 for rows, ms in batches(checkpoint) if rows > 0]
                if limit:
                    report(f"enrichment ({what}), {count:,} visits, median batch of 250,000, {engine.name}",
                           f"{statistics.median(rates):,.0f}", "rows/s", f"of {len(rates)} batches")
                else:
                    report(f"enrichment ({what}), {count:,} visits, start to exit, {engine.name}", f"{seconds:.2f}", "s",
                           f"{count / seconds:,.0f} rows/s")


def python(broker, engines, quick):
    """Python functions over a million rows, in one session."""
    count = 100_000 if quick else 1_000_000
    for engine in engines:
        command, environment = engine.script("python_functions.py", str(count))
        output = subprocess.run([str(part) for part in command], env={**os.environ, **environment}, check=True,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        for name, seconds in json.loads(output.splitlines()[-1]).items():
            report(f"{name}, {count:,} rows, {engine.name}", f"{seconds:.2f}", "s", f"{count / seconds:,.0f} rows/s")


def server(broker, engines, quick):
    """The server for PySpark clients: resident when idle, what `submit` adds to a job, its time around a foreachBatch."""
    runs = 3 if quick else 7
    for engine in engines:
        if engine.one_process:
            port = free_port()
            process = subprocess.Popen([BUILD / "millrace", "serve", "--port", str(port)], stdout=subprocess.PIPE)
            process.stdout.readline()
            time.sleep(1)
            report("server, idle, resident", f"{resident_kib(process) / 1024:.0f}", "MiB")
            job = [sys.executable, ROOT / "bench/jobs/first_count.py"]
            run_job((job, {"SPARK_REMOTE": f"sc://localhost:{port}"}))
            client = statistics.median(run_job((job, {"SPARK_REMOTE": f"sc://localhost:{port}"}))[0] for _ in range(runs))
            process.terminate()
            process.wait()
            submitted = statistics.median(run_job(engine.script("first_count.py"))[0] for _ in range(runs))
            report("millrace submit, beyond the client on a running server", f"{(submitted - client) * 1000:.0f}", "ms",
                   f"{submitted:.2f} s in all")
        command, environment = engine.script("empty_foreach_batch.py", "30" if quick else "100")
        output = subprocess.run([str(part) for part in command], env={**os.environ, **environment}, check=True,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        report(f"micro-batch around an empty Python foreachBatch, {engine.name}", f"{json.loads(output.splitlines()[-1]):.0f}", "ms")


PIPELINES = {run.__name__: run for run in (python, server, converter, latency, count, count_latency, deduplicate, join, startup,
                                           synchronizer, enrichment, table_latency)}


def main():
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=", ".join(PIPELINES))
    parser.add_argument("--peers", action="store_true", help="also real Spark and Flink, in the same run")
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
