"""Runs the demo: broker, generator, the two pipelines, live view, a kill in the middle, and the proof at the end."""

import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / os.environ.get("MILLRACE_PRESET", "release")


def say(text):
    print(f"\n== {text}", flush=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Demo:
    def __init__(self, options):
        self.options = options
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="millrace-demo-"))
        self.checkpoint = self.folder / "checkpoint"
        self.table, self.table_checkpoint = self.folder / "visits_table", self.folder / "checkpoint-synchronizer"
        self.sidecar = self.folder / "sidecar"
        suffix = uuid.uuid4().hex[:8]
        self.source, self.target = f"visits-{suffix}", f"visits_transformed-{suffix}"
        self.broker_environment = None
        self.processes = []
        self.interrupted = False

    def start_broker(self):
        if self.options.kafka:
            return self.options.kafka
        say("starting a local Apache Kafka")
        port = free_port()
        self.broker_environment = {**os.environ, "KAFKA_PORT": str(port), "KAFKA_CONTROLLER_PORT": str(free_port()),
                                   "KAFKA_DIR": str(self.folder / "kafka")}
        subprocess.run([ROOT / "tools/kafka.sh", "start"], env=self.broker_environment, check=True)
        return f"localhost:{port}"

    def spawn(self, *command, **keywords):
        # A session of its own: Ctrl-C reaches the demo, which then ends everything in order.
        process = subprocess.Popen([str(part) for part in command], start_new_session=True, **keywords)
        self.processes.append(process)
        return process

    def create_topics(self):
        from confluent_kafka.admin import AdminClient, NewTopic

        admin = AdminClient({"bootstrap.servers": self.kafka})
        created = admin.create_topics([NewTopic(self.source, 2, 1), NewTopic(self.target, 2, 1)])
        for done in created.values():
            done.result(timeout=30)

    def start_converter(self):
        return self.spawn(BUILD / "examples/visits_converter", self.kafka, self.checkpoint, self.source, self.target)

    def start_synchronizer(self):
        return self.spawn(BUILD / "examples/data_synchronizer", self.kafka, self.table, self.table_checkpoint, self.source)

    def start_enricher(self):
        return self.spawn(BUILD / "examples/visits_enricher", self.kafka, self.sidecar, self.source, "EARLIEST")

    def start_pipelines(self):
        return [self.start_converter(), self.start_synchronizer(), self.start_enricher()]

    def make_devices(self):
        subprocess.run([BUILD / "millrace", "generate", "devices", "--out", self.sidecar / "input", "--count", "40", "--quiet"],
                       check=True)
        subprocess.run([BUILD / "examples/devices_table_creator", self.sidecar / "input", self.sidecar / "devices"], check=True)

    def watch(self, seconds):
        """Shows the converter at work for a while; ends early when interrupted."""
        command = [BUILD / "millrace", "checkpoint", "watch", self.checkpoint, "--kafka", self.kafka, "--seconds", seconds]
        if self.options.lines or not sys.stdout.isatty():
            command += ["--lines", "--every", 1000]
        view = self.spawn(*command)
        try:
            view.wait()
        except KeyboardInterrupt:
            self.interrupted = True
            self.end(view, signal.SIGINT)

    def end(self, process, how=signal.SIGTERM, timeout=30):
        if process.poll() is None:
            process.send_signal(how)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def read_topic(self, topic):
        """Event ids of every record, in no order."""
        from confluent_kafka import Consumer, TopicPartition

        consumer = Consumer({"bootstrap.servers": self.kafka, "group.id": "millrace-demo", "enable.auto.commit": False})
        ids = []
        try:
            for partition in range(2):
                low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=20)
                consumer.assign([TopicPartition(topic, partition, low)])
                position = low
                while position < high:
                    for message in consumer.consume(500, timeout=0.5):
                        value = json.loads(message.value())
                        ids.append(value.get("event_id") or value.get("event_identifier"))
                        position = message.offset() + 1
        finally:
            consumer.close()
        return ids

    def wait_until_done(self, checkpoint, timeout=60):
        """Waits until the checkpoint says that every record of the source is done."""
        from confluent_kafka import Consumer, TopicPartition

        consumer = Consumer({"bootstrap.servers": self.kafka, "group.id": "millrace-demo"})
        latest = {str(p): consumer.get_watermark_offsets(TopicPartition(self.source, p), timeout=20)[1] for p in range(2)}
        consumer.close()
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            done = [int(name.name) for name in (checkpoint / "commits").glob("*") if name.name.isdigit()]
            if done:
                offsets = (checkpoint / "offsets" / str(max(done))).read_text().splitlines()[2]
                if json.loads(offsets).get(self.source) == latest:
                    return True
            time.sleep(0.1)
        return False

    def check(self):
        inputs, outputs = self.read_topic(self.source), self.read_topic(self.target)
        missing = set(inputs) - set(outputs)
        foreign = set(outputs) - set(inputs)
        say(f"{len(inputs)} visits went in, {len(outputs)} records came out")
        if missing or foreign:
            print(f"   {len(missing)} inputs are missing, {len(foreign)} outputs have no input: this must not happen")
            return False
        repeats = len(outputs) - len(set(outputs))
        print(f"   every input came out; {repeats} came out again after the kill "
              "(a Kafka sink is at-least-once, in Spark as here)")
        return bool(inputs) and self.check_tables(inputs)

    def check_tables(self, inputs):
        from deltalake import DeltaTable

        def rows_of(path, column):
            table = DeltaTable(str(path))
            return table.to_pyarrow_table(columns=[column]).column(column).to_pylist(), table.version() + 1

        values, commits = rows_of(self.table, "value")
        ids = [json.loads(value)["event_id"] for value in values]
        once = sorted(ids) == sorted(inputs)
        print(f"   visits_table: {len(ids)} rows in {commits} commits, "
              + ("each input once" if once else "not each input once: this must not happen"))
        # A visit stands there as often as there are devices of its kind.
        enriched, commits = rows_of(self.sidecar / "visits_enriched_raw", "visit_id")
        print(f"   visits_enriched_raw: {len(enriched)} rows in {commits} commits")
        return once and len(enriched) >= len(inputs)

    def show_tables(self):
        say("the Delta tables, as delta-rs, Spark or anybody reads them")
        subprocess.run(["find", self.table, "-maxdepth", "3", "-type", "d", "-not", "-path", "*/_delta_log*"], check=False)
        subprocess.run([BUILD / "examples/sidecar_tables_reader", self.sidecar], check=False)

    def run(self):
        self.kafka = self.start_broker()
        self.create_topics()
        self.make_devices()
        half = max(2.0, self.options.seconds / 2)
        say(f"{self.options.rate} visits a second into the topic {self.source}; the converter writes {self.target}, the\n"
            "   synchroniser a Delta table of all visits by hour, the sidecar two tables of visits and their devices")
        generator = self.spawn(BUILD / "millrace", "generate", "visits", "--kafka", self.kafka, "--topic", self.source,
                               "--partitions", 2, "--rate", self.options.rate, "--event-ids", "--start", "now", "--quiet")
        pipelines = self.start_pipelines()
        self.watch(half)
        if not self.interrupted:
            say("kill -9 of all three, in the middle of their work; then they start again")
            for pipeline in pipelines:
                os.kill(pipeline.pid, signal.SIGKILL)
                pipeline.wait()
            started = time.monotonic()
            pipelines = self.start_pipelines()
            self.watch(half)
            print(f"   (restarted {time.monotonic() - started:.1f} s ago)")
        say("stopping the generator; the pipelines finish what is there")
        self.end(generator)
        caught_up = all([self.wait_until_done(checkpoint) for checkpoint in
                         (self.checkpoint, self.table_checkpoint, self.sidecar / "checkpoint")])
        alive = all(pipeline.poll() is None for pipeline in pipelines)
        for pipeline in pipelines:
            self.end(pipeline)
        print(subprocess.run([BUILD / "millrace", "checkpoint", "show", self.checkpoint, "--batches", "3"],
                             capture_output=True, text=True).stdout)
        if not caught_up:
            print("   a pipeline did not finish in time" if alive else "   a pipeline had ended: see its message above")
        self.show_tables()
        return self.check() and caught_up

    def clean_up(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        if self.broker_environment:
            subprocess.run([ROOT / "tools/kafka.sh", "stop"], env=self.broker_environment, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(prog="./run demo", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="how long it runs (default %(default)s)")
    parser.add_argument("--rate", type=int, default=1000, help="visits a second (default %(default)s)")
    parser.add_argument("--kafka", metavar="HOST:PORT", help="your broker instead of a local one")
    parser.add_argument("--lines", action="store_true", help="one line a second instead of a live screen")
    demo = Demo(parser.parse_args())
    held = False
    try:
        held = demo.run()
    except KeyboardInterrupt:
        say("interrupted before there was anything to check")
    finally:
        demo.clean_up()
    say("everything held" if held else "NOT everything held")
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
