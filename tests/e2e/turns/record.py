"""Writes expected.json: what each case gives when real Spark runs all its rounds.

    record.py PEERS [CASE-PROVIDER …]     PEERS is what tools/install_peers.sh made; without cases: those not yet recorded
"""

import json
import pathlib
import sys
import tempfile

import engines
import turn_cases as cases


def main():
    target = engines.FOLDER / "expected.json"
    recorded = json.loads(target.read_text()) if target.exists() else {}
    known = [f"{name}-{provider}" for name, case in cases.CASES.items() for provider in case.providers if not case.by_clock]
    names = sys.argv[2:] or [name for name in known if name not in recorded]
    recorded = {name: rounds for name, rounds in recorded.items() if name in known}
    with tempfile.TemporaryDirectory() as folder:
        spark = engines.spark(pathlib.Path(folder), pathlib.Path(sys.argv[1]))
        for full_name in names:
            name, provider = full_name.split("-")
            try:
                recorded[full_name] = [spark.run(pathlib.Path(folder) / full_name, name, provider, number)
                                       for number in range(len(cases.CASES[name].rounds))]
            except AssertionError as error:
                print(full_name, error)
            print(full_name, flush=True)
            target.write_text(json.dumps(recorded, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
        spark.end()


if __name__ == "__main__":
    main()
