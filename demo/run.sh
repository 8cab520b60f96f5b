#!/bin/bash
# The demo: visits arrive in a Kafka topic; the converter renames their columns into another topic, the synchroniser keeps
# them in a Delta table, the sidecar enriches them into two more. All are killed and started again in the middle. At the
# end every input must have come out, and be in the tables once.
#
#   ./run demo [--seconds N] [--rate N] [--kafka HOST:PORT] [--lines]
#
# Exit code 0 only when everything that was checked held. Ctrl-C ends it early, with the same checks.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec .venv/bin/python demo/demo.py "$@"
