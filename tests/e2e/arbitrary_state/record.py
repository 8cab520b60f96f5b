"""Writes expected.json: what each case gives on real Spark. Run with its Python; names of cases record these only."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))


def main():
    import state_cases as cases

    target = FOLDER / "expected.json"
    names = sys.argv[1:] or sorted(cases.CASES)
    recorded = json.loads(target.read_text()) if target.exists() and sys.argv[1:] else {}
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, FOLDER / "stream.py", folder, "0", "end", *names], check=True,
                       env={**os.environ, "TZ": "UTC"})
        for name in names:
            recorded[name] = [json.loads((pathlib.Path(folder) / name / f"outcome-{number}.json").read_text())
                              for number in range(len(cases.CASES[name].rounds))]
    target.write_text(json.dumps(recorded, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
