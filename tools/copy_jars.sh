#!/bin/bash
# tools/copy_jars.sh POM DIR: copies the runtime dependencies named in POM into DIR, through Maven.
# Some POMs name repositories that need not be reachable; everything is asked of Central, whatever its address is here.
set -euo pipefail
pom=$1 target=$2
root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$root/.cache" "$target"
settings=$root/.cache/maven-settings.xml
if [ ! -s "$settings" ]; then
  central=$(mvn -q -B -f "$pom" help:evaluate -Dexpression='project.repositories[0].url' -DforceStdout |
    tr -d '\033' | grep -oE 'https?://[A-Za-z0-9./:_-]+' | head -1)
  printf '<settings><mirrors><mirror><id>central-only</id><mirrorOf>*,!central</mirrorOf><url>%s</url></mirror></mirrors></settings>\n' \
    "$central" >"$settings"
fi
# Maven ends even a quiet run with a colour reset.
mvn -q -B -s "$settings" -f "$pom" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$target" 2>&1 |
  sed 's/\x1b\[[0-9;]*m//g; /^$/d' >&2
