"""The dynamic joiner (examples/cpp/dynamic_joiner.cc) on a real broker: a left outer join of two streams."""

import json
import os
import random
import signal
import time

import pytest

import programs
from conftest import ROOT

GOLDEN = ROOT.parent / "shared" / "golden" / "001-dynamic-joiner"
needs_golden = pytest.mark.skipif(not GOLDEN.is_dir(), reason="../shared with the recorded runs is not here")


def visit(name, time_of_day, page, day=1):
    return json.dumps({"visit_id": name, "event_time": f"2024-01-{day:02d}T{time_of_day}.000+00:00", "page": page})


def ad(page, time_of_day, campaign, day=1):
    return json.dumps({"page": page, "display_time": f"2024-01-{day:02d}T{time_of_day}.000+00:00", "campaign_name": campaign})


# What is sent to which topic, and the last micro-batch that real Spark ran for it, those without data included.
STEPS = [
    ("visits", [visit("visit-1", "08:18:00", "home"), visit("visit-2", "08:20:00", "home")], 1),
    ("ads", [ad("home", "08:18:15", "supermarket")], 3),
    ("visits", [visit("visit-3", "08:58:00", "category1"), visit("visit-4", "09:00:00", "category2")], 4),
    ("ads", [ad("category3", "09:00:15", "supermarket")], 6),
    ("ads", [ad("category4", "09:10:30", "internet provider")], 7),
    ("visits", [visit("visit-5", "08:58:00", "category4")], 8),
    ("visits", [visit("visit-6", "09:09:00", "category4")], 10),
    ("visits", [visit("visit-100", "10:09:00", "category6")], 12),
]


@needs_golden
def test_the_seeds_steps_give_the_recorded_records(kafka, tmp_path):
    """Byte for byte what real Spark wrote, in its order, micro-batch by micro-batch."""
    topics = {name: kafka.create_topic(name) for name in ("visits", "ads", "enriched")}
    expected = [line["value"] for line in programs.golden_lines(GOLDEN / "kafka-visits-enriched.jsonl")]
    arguments = ("dynamic_joiner", kafka.servers, tmp_path / "checkpoint", *topics.values())
    job = programs.start(*arguments)

    def committed():
        return max(programs.log_ids(tmp_path / "checkpoint/commits"), default=-1)

    def reached(batch):
        assert job.poll() is None, job.communicate()
        return committed() == batch

    programs.wait_until(lambda: reached(0), "the first micro-batch")
    for topic, records, last_batch in STEPS:
        programs.produce(kafka, topics[topic], records)
        programs.wait_until(lambda: reached(last_batch), f"micro-batch {last_batch}")
    programs.stop(job)
    assert committed() == STEPS[-1][2]
    assert [value.decode() for _, _, value in programs.consume(kafka, topics["enriched"])] == expected


# How often the joiner is killed; MILLRACE_KILLS=200 for a long run.
KILLS = int(os.environ.get("MILLRACE_KILLS", "25"))
# Moments in the commit of the join's state: between two of its stores, before a file has its name, before the sink commits.
IN_STATE_COMMITS = ["state.before_commit", "state.before_store_commit", "state.before_delta_rename", "state.after_commit"]


def test_killed_in_the_middle_of_commits_the_result_is_that_of_an_undisturbed_run(kafka, tmp_path):
    """kill -9 while both sides arrive, every other time inside a commit of state, else at any moment: every visit leaves once its
    fate is known, with the right ad."""
    topics = {name: kafka.create_topic(name) for name in ("visits", "ads", "enriched")}
    arguments = ("dynamic_joiner", kafka.servers, tmp_path / "checkpoint", *topics.values())
    generator = random.Random(11)
    job = programs.start(*arguments)
    programs.wait_until(lambda: programs.log_ids(tmp_path / "checkpoint/commits"), "the first micro-batch")
    sent, with_ad, in_commit = 0, set(), 0
    for kill in range(KILLS):
        # One that is to die inside a commit is given data until it has.
        until = time.monotonic() + (60 if kill % 2 else generator.uniform(0.05, 0.4))
        while time.monotonic() < until and job.poll() is None:
            visits, ads = [], []
            for number in range(sent, sent + 20):
                clock, day = f"{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}", 1 + number // 86400
                visits.append(visit(f"visit-{number}", clock, f"page {number}", day))
                if generator.random() < 0.5:
                    ads.append(ad(f"page {number}", clock, f"campaign {number}", day))
                    with_ad.add(f"visit-{number}")
            sent += 20
            programs.produce(kafka, topics["visits"], visits)
            programs.produce(kafka, topics["ads"], ads)
        if job.poll() is None:
            assert kill % 2 == 0, "no state was committed in 60 s"
            os.kill(job.pid, signal.SIGKILL)
        in_commit += kill % 2
        job.communicate()
        failpoint = {}
        if kill % 2 == 0 and kill + 1 < KILLS:
            failpoint = {"MILLRACE_FAILPOINT": f"{generator.choice(IN_STATE_COMMITS)}=crash@{generator.randint(1, 30)}"}
        job = programs.start(*arguments, env=failpoint)
    print(f"killed {KILLS} times, {in_commit} of them in a commit of state; {sent} visits")
    # Both watermarks pass everything sent.
    programs.produce(kafka, topics["visits"], [visit("end", "23:59:59", "end", 31)])
    programs.produce(kafka, topics["ads"], [ad("no visit", "23:59:59", "end", 31)])
    everything = {f"visit-{number}" for number in range(sent)}

    def enriched():
        rows = [json.loads(value) for _, _, value in programs.consume(kafka, topics["enriched"])]
        return {row["visit_id"]: row.get("campaign_name") for row in rows}, len(rows)

    programs.wait_until(lambda: enriched()[0].keys() >= everything, "all visits", timeout=60)
    programs.stop(job)
    campaigns, _ = enriched()
    assert campaigns.keys() - {"end"} == everything
    assert {name for name, campaign in campaigns.items() if campaign} == with_ad
    assert all(campaigns[name] == f"campaign {name[6:]}" for name in with_ad)
