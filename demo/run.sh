#!/bin/bash
# The demo: visits arrive in a Kafka topic, the converter renames their columns into another, and is killed and started
# again in the middle. At the end every input must have come out.
#
#   ./run demo [--seconds N] [--rate N] [--kafka HOST:PORT] [--lines]
#
# Exit code 0 only when everything that was checked held. Ctrl-C ends it early, with the same checks.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec .venv/bin/python demo/demo.py "$@"
