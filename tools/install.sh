#!/bin/bash
# Installs what the build and the tests need: Debian packages, .venv/ with pinned Python packages (which also bring Arrow
# C++ and Spark Connect's messages), simdjson and Spark's error messages under .cache/deps/. Run again, it does nothing.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
tools=$root/tools deps=$root/.cache/deps stamp=$root/.cache/installed
simdjson_source=pysimdjson==7.0.2   # a source package that carries simdjson 3.12 as a single header

inputs() { cat "$tools/apt-packages.txt" "$tools/requirements.txt" "$tools/spark-pom.xml" "$0" | sha256sum; }
installed() {
  [ -f "$stamp" ] && [ -x "$root/.venv/bin/python" ] && [ -f "$deps/simdjson/simdjson.h" ] &&
    [ -f "$deps/error/error-conditions.json" ] && [ "$(cat "$stamp")" = "$(inputs)" ]
}
installed && exit 0
mkdir -p "$root/.cache" "$deps"

say() { echo "install: $*" >&2; }

install_packages() {
  local wanted missing=() package
  wanted=$(grep -v '^#' "$tools/apt-packages.txt")
  for package in $wanted; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  command -v apt-get >/dev/null || { say "no apt-get here; install what tools/apt-packages.txt names by hand"; exit 1; }
  local as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  say "apt packages: ${missing[*]}"
  "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=600 -qq update
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 -y -qq \
    --no-install-recommends install "${missing[@]}" >"$root/.cache/apt.log" 2>&1 ||
    { tail -20 "$root/.cache/apt.log" >&2; exit 1; }
}

install_python() {
  [ -x "$root/.venv/bin/pip" ] || python3 -m venv "$root/.venv"
  say "python packages"
  "$root/.venv/bin/pip" install -q --no-warn-script-location --disable-pip-version-check -r "$tools/requirements.txt"
}

install_simdjson() {
  [ -f "$deps/simdjson/simdjson.h" ] && return
  say "simdjson"
  local work; work=$(mktemp -d)
  "$root/.venv/bin/pip" download -q --disable-pip-version-check --no-deps --no-binary pysimdjson -d "$work" "$simdjson_source"
  tar -xzf "$work"/pysimdjson-*.tar.gz -C "$work" --strip-components=2 --wildcards '*/simdjson/simdjson.h' '*/simdjson/simdjson.cpp'
  mkdir -p "$deps/simdjson"
  mv "$work/simdjson.cpp" "$work/simdjson.h" "$deps/simdjson/"
  rm -rf "$work"
}

install_error_messages() {
  [ -f "$deps/error/kafka-token-provider-error-conditions.json" ] && return
  say "error messages of Spark and Delta"
  local jars; jars=$(mktemp -d)
  "$tools/copy_jars.sh" "$tools/spark-pom.xml" "$jars"
  mkdir -p "$deps/error"
  "$root/.venv/bin/python" - "$jars" "$deps/error" <<'PY'
import pathlib, sys, zipfile
jars, target = map(pathlib.Path, sys.argv[1:])
for jar in sorted(jars.glob("*.jar")):
    with zipfile.ZipFile(jar) as archive:
        for name in archive.namelist():
            if name.startswith("error/") and name.endswith(".json"):
                (target / pathlib.Path(name).name).write_bytes(archive.read(name))
PY
  rm -rf "$jars"
}

install_packages
install_python
install_simdjson
install_error_messages
inputs >"$stamp"
say "done"
