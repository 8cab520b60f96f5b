"""Checks that a program and the libraries of the pyarrow wheel do not bind to each other's copies of third parties.

Usage: check_symbols.py PROGRAM [ARG...]

libarrow_compute exports RE2, libparquet OpenSSL and simdjson. Bound across, two versions of one library share state and
crash. The dynamic linker is asked (LD_DEBUG=bindings) where each symbol of the running program went: what crosses the
line between the program and the wheel must be Arrow's, Parquet's or the C++ library's.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

BINDING = re.compile(r"binding file (\S+) \[\d+\] to (\S+) \[\d+\]: \w+ symbol `([^']+)'")
WHEEL = re.compile(r"lib(arrow|parquet)[a-z_]*\.so")
# Mangled names that may cross: those of Arrow, Parquet and the C++ library (templates and type information are the same in
# both), operators new and delete, type information of built-in types, and C variables copied into programs by design.
FINE = re.compile(r"^_Z(GV|T[ISVTC])?(N[KVr]*[RO]?)?(St|S[abdios]|5arrow|7parquet|9__gnu_cxx|10__cxxabiv1)"
                  r"|^_Z(nw|na|dl|da)|^_ZT[IS]P?K?[a-z]$|^(stdin|stdout|stderr|environ|__environ)$")


def bindings(program):
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "LD_BIND_NOW": "1", "LD_DEBUG": "bindings", "LD_DEBUG_OUTPUT": folder + "/bindings"}
        subprocess.run(program, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        for path in pathlib.Path(folder).iterdir():
            for line in path.read_text(errors="replace").splitlines():
                match = BINDING.search(line)
                if match:
                    yield match.groups()


def main():
    program = sys.argv[1:]
    name = os.path.basename(program[0])
    crossing = set()
    total = 0
    for source, target, symbol in bindings(program):
        total += 1
        source, target = os.path.basename(source), os.path.basename(target)
        if bool(WHEEL.match(source)) != bool(WHEEL.match(target)) and (
                name in (source, target) or re.match(r"lib(ssl|crypto|re2|simdjson)", source + " " + target)):
            crossing.add((source, target, symbol))
    if total == 0:
        sys.exit(f"{name}: the dynamic linker reported nothing; is it a dynamically linked program?")
    foreign = sorted(item for item in crossing if not FINE.search(item[2]))
    for source, target, symbol in foreign:
        name = subprocess.run(["c++filt", symbol], capture_output=True, text=True, check=True).stdout.strip()
        print(f"{source} uses {target}'s {name}")
    sys.exit(1 if foreign else 0)


if __name__ == "__main__":
    main()
