"""One checkpoint, two engines: queries of many kinds go on where the other engine stopped, as if one had run them all.

record.py noted what real Spark does when it runs all rounds (expected.json): rows by micro-batch, progress, state, logs, tables.
"""

import json
import os
import pathlib

import engines
import pytest
import turn_cases as cases

EXPECTED = json.loads((engines.FOLDER / "expected.json").read_text())
# What differs from real Spark, and how: by case.
DIFFERS = json.loads((engines.FOLDER / "differs.json").read_text())
# Empty unless the run asked for peers (tools/test.py).
PEERS = pathlib.Path(os.environ.get("MILLRACE_PEERS_DIR") or "/nonexistent")
needs_peers = pytest.mark.skipif(not (PEERS / "venv" / "bin" / "python").exists(),
                                 reason="real Spark is not installed: ./run test --peers brings it")


@pytest.fixture(scope="module")
def millrace(tmp_path_factory):
    if not engines.MILLRACE.exists():
        pytest.skip(f"{engines.MILLRACE} is not built")
    engine = engines.millrace(tmp_path_factory.mktemp("millrace"))
    yield engine
    engine.end()


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    engine = engines.spark(tmp_path_factory.mktemp("spark"), PEERS)
    yield engine
    engine.end()


def check(tmp_path, full_name, order):
    name, provider = full_name.split("-")
    for number, expected in enumerate(EXPECTED[full_name]):
        got = order[number % len(order)].run(tmp_path / "case", name, provider, number)
        for what in expected:
            assert got[what] == expected[what], (number, what)


def test_what_is_recorded_is_a_case():
    known = {f"{name}-{provider}" for name, case in cases.CASES.items() for provider in case.providers if not case.by_clock}
    assert EXPECTED.keys() == known and DIFFERS.keys() <= known


@pytest.mark.parametrize("full_name", [
    pytest.param(name, marks=[pytest.mark.xfail(reason=DIFFERS[name], strict=True)] if name in DIFFERS else []) for name in sorted(EXPECTED)])
def test_alone(millrace, tmp_path, full_name):
    check(tmp_path, full_name, [millrace])


@needs_peers
@pytest.mark.parametrize("at, full_name", list(enumerate(sorted(EXPECTED.keys() - DIFFERS.keys()))))
def test_by_turns(millrace, spark, tmp_path, at, full_name):
    """Each engine takes over from the other at least once; every other case is begun by Spark."""
    check(tmp_path, full_name, [spark, millrace] if at % 2 else [millrace, spark])


def check_pairs(tmp_path, order):
    """Of each two numbers one comes out, once, with the time that belongs to it, whoever has taken the first of them."""
    seen, origins, batches = set(), set(), {}
    for number in range(4):
        outcome = order[number % len(order)].run(tmp_path / "case", "pairs_by_the_second", "memory", number)
        batches.update(outcome["batches"])  # one that is run again gives the same
    for rows in batches.values():
        for row in rows:
            pair, value, at = (int(row[name]) for name in ("pair", "value", "at"))
            assert pair == value // 2 and pair not in seen
            seen.add(pair)
            origins.add(at - value * 50)
    assert len(seen) >= 20 and seen == set(range(len(seen))) and len(origins) == 1


def test_pairs_alone(millrace, tmp_path):
    check_pairs(tmp_path, [millrace])


@needs_peers
@pytest.mark.parametrize("first", ["millrace", "spark"])
def test_pairs_by_turns(millrace, spark, tmp_path, first):
    check_pairs(tmp_path, [millrace, spark] if first == "millrace" else [spark, millrace])
