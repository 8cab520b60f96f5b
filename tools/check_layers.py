"""Checks the #include lines of src/ against tools/layers.txt, and the few rules of file naming that a script can see.

Usage: check_layers.py          (no output and exit code 0 when all is well)
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')
DRAWER = re.compile(r"(^|_)(util|utils|common|helper|helpers|misc)(_|\.|$)")

# Headers so heavy, or so tied to one wrapper, that only the named modules see them; None: in .cc files of any module.
RESTRICTED = {
    "spark/connect/base.grpc.pb.h": {"connect", "api"},
    "spark/connect/": {"sql", "api", "analyzer", "session", "connect"},
    "grpcpp/": {"connect", "api"},
    "librdkafka/": {"kafka"},
    "rocksdb/": {"state"},
    "httplib.h": {"web"},
}
ONLY_IN_IMPLEMENTATION = ("parquet/", "simdjson.h")


def read_layers():
    """module -> set of modules it may include."""
    allowed, below = {}, []
    for line in (ROOT / "tools/layers.txt").read_text().splitlines():
        if not line[:1].isdigit():
            continue
        for name in line.split()[1:]:
            allowed[name] = set(below) | {name}
            below.append(name)
    return allowed


def check_file(path, allowed, problems):
    relative = path.relative_to(ROOT)
    module = relative.parts[1]
    is_test = path.stem.endswith("_test")
    if DRAWER.search(path.name):
        problems.append(f"{relative}: a file is named after what it holds, not util/common/helper")
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        header = match.group(2)
        first = header.split("/")[0]
        if match.group(1) == '"' and first in allowed and first not in allowed[module]:
            problems.append(f"{relative}:{number}: {module} may not include {header} (tools/layers.txt)")
        for prefix, modules in RESTRICTED.items():
            if header.startswith(prefix):
                if module not in modules and not is_test:
                    problems.append(f"{relative}:{number}: only {', '.join(sorted(modules))} may include {header}")
                break
        if path.suffix == ".h" and header.startswith(ONLY_IN_IMPLEMENTATION):
            problems.append(f"{relative}:{number}: {header} belongs in a .cc file")


def main():
    allowed, problems = read_layers(), []
    for path in sorted((ROOT / "src").rglob("*")):
        if path.suffix not in (".h", ".cc"):
            continue
        module = path.relative_to(ROOT).parts[1]
        if module not in allowed:
            problems.append(f"{path.relative_to(ROOT)}: module {module} is not in tools/layers.txt")
            continue
        check_file(path, allowed, problems)
    for path in sorted((ROOT / "include").rglob("*.h")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if match and match.group(1) == '"' and match.group(2).split("/")[0] in allowed:
                problems.append(f"{path.relative_to(ROOT)}:{number}: a public header includes an internal one")
    print("\n".join(problems), end="\n" if problems else "")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
