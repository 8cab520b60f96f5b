#!/bin/bash
# A local single-node Apache Kafka (KRaft: broker and controller in one process), from Maven, without containers.
#
#   kafka.sh start [--clean]        start and wait until it serves; --clean forgets all topics first
#   kafka.sh stop                   stop it; topics stay for the next start
#   kafka.sh status                 running or not, address, memory
#   kafka.sh topics                 list topics with partitions
#   kafka.sh create TOPIC [PARTS] [CONFIG=VALUE ...]
#   kafka.sh delete TOPIC
#   kafka.sh produce TOPIC [console producer options]     values on stdin, one a line
#   kafka.sh consume TOPIC [console consumer options]     e.g. --from-beginning --max-messages 10
#   kafka.sh offsets TOPIC          end offset of each partition
#   kafka.sh class MAIN ARG...      any other main class of Kafka's tools
#
# Several can run at once: KAFKA_PORT (9092; the controller takes KAFKA_CONTROLLER_PORT, one more by default),
# KAFKA_DIR (data and logs, .cache/kafka), KAFKA_HEAP (384m). KAFKA_PROPERTIES: a file of further broker settings,
# which win over those below.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
jars=${KAFKA_JARS:-$root/.cache/kafka-jars}
dir=${KAFKA_DIR:-$root/.cache/kafka}
port=${KAFKA_PORT:-9092}
controller_port=${KAFKA_CONTROLLER_PORT:-$((port + 1))}
heap=${KAFKA_HEAP:-384m}
log4j=(-Dlog4j2.configurationFile="$root/tools/kafka-log4j2.xml" -Dkafka.logs.dir="$dir/log")

fail() { echo "kafka: $*" >&2; exit 1; }

fetch_jars() {
  [ -f "$jars/.complete" ] && return
  echo "kafka: fetching Apache Kafka" >&2
  "$root/tools/copy_jars.sh" "$root/tools/kafka-pom.xml" "$jars"
  touch "$jars/.complete"
}

tool() {
  fetch_jars
  java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$jars/*" "${log4j[@]}" "$@"
}

pid_of_broker() { [ -f "$dir/pid" ] && kill -0 "$(cat "$dir/pid")" 2>/dev/null && cat "$dir/pid"; }

write_properties() {
  cat >"$dir/server.properties" <<P
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@localhost:$controller_port
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller_port
advertised.listeners=PLAINTEXT://localhost:$port
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=$dir/data
num.partitions=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.retention.check.interval.ms=10000
P
  if [ -n "${KAFKA_PROPERTIES:-}" ]; then cat "$KAFKA_PROPERTIES" >>"$dir/server.properties"; fi
}

start() {
  fetch_jars
  if pid_of_broker >/dev/null; then echo "kafka: already running on localhost:$port"; return; fi
  [ "${1:-}" = --clean ] && rm -rf "$dir"
  (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && fail "port $port is taken; set KAFKA_PORT"
  mkdir -p "$dir/log"
  write_properties
  # KRaft wants its storage formatted once, with an id of its own choosing.
  if [ ! -f "$dir/data/meta.properties" ]; then
    tool kafka.tools.StorageTool format -t "$(tool kafka.tools.StorageTool random-uuid)" -c "$dir/server.properties" \
      >"$dir/log/format.log" || fail "cannot format $dir/data, see $dir/log/format.log"
  fi
  rm -f "$dir"/log/server.log*
  setsid nohup java -Xms64m -Xmx"$heap" -cp "$jars/*" "${log4j[@]}" -Dmillrace.kafka.log.level=INFO \
    -Dmillrace.kafka.log.to=file kafka.Kafka "$dir/server.properties" >"$dir/log/stdout.log" 2>&1 </dev/null &
  local pid=$!
  echo "$pid" >"$dir/pid"
  for _ in $(seq 600); do
    if grep -qs 'Kafka Server started' "$dir/log/server.log"; then
      echo "kafka: running on localhost:$port, data in $dir"
      return
    fi
    kill -0 "$pid" 2>/dev/null || { tail -20 "$dir/log/stdout.log" "$dir/log/server.log" >&2; rm -f "$dir/pid"; fail "did not start"; }
    sleep 0.1
  done
  fail "not up after a minute, see $dir/log"
}

stop() {
  local pid
  pid=$(pid_of_broker) || { rm -f "$dir/pid"; return 0; }
  kill "$pid"
  for _ in $(seq 150); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  kill -9 "$pid" 2>/dev/null || true
  rm -f "$dir/pid"
}

status() {
  local pid
  if pid=$(pid_of_broker); then
    echo "kafka: running on localhost:$port, pid $pid, $(awk '/VmRSS/{print int($2 / 1024)}' "/proc/$pid/status") MiB"
  else
    echo "kafka: not running"
    return 1
  fi
}

server=(--bootstrap-server "localhost:$port")
command=${1:-}
[ $# -gt 0 ] && shift
case $command in
  start) start "$@" ;;
  stop) stop ;;
  status) status ;;
  topics) tool org.apache.kafka.tools.TopicCommand "${server[@]}" --describe ;;
  create)
    topic=${1:?topic} partitions=${2:-1}
    shift; [ $# -gt 0 ] && shift
    configs=()
    for pair in "$@"; do configs+=(--config "$pair"); done
    tool org.apache.kafka.tools.TopicCommand "${server[@]}" --create --if-not-exists --topic "$topic" \
      --partitions "$partitions" --replication-factor 1 "${configs[@]}" ;;
  delete) tool org.apache.kafka.tools.TopicCommand "${server[@]}" --delete --if-exists --topic "${1:?topic}" ;;
  produce) topic=${1:?topic}; shift; tool org.apache.kafka.tools.ConsoleProducer "${server[@]}" --topic "$topic" "$@" ;;
  consume) topic=${1:?topic}; shift; tool org.apache.kafka.tools.consumer.ConsoleConsumer "${server[@]}" --topic "$topic" "$@" ;;
  offsets) tool org.apache.kafka.tools.GetOffsetShell "${server[@]}" --topic "${1:?topic}" ;;
  class) tool "$@" ;;
  *) sed -n '2,/^set /{s/^# \{0,1\}//;/^set /d;p}' "$0"; [ -z "$command" ] || exit 2 ;;
esac
