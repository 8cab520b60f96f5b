#!/bin/bash
# Installs real Apache Spark with Delta and Kafka connectors, and Apache Flink, under .cache/peers (about 1 GB): what
# --peers compares with.
# Leaves flink/ (Apache Flink's jars), venv/ (pyspark, delta-spark), client-4.0.1/ and client-4.1.1/ (older clients), jars/ and conf/; start it with SPARK_CONF_DIR=.cache/peers/conf .cache/peers/venv/bin/python.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
peers=$root/.cache/peers
if [ ! -f "$peers/flink/.complete" ]; then
  "$root/tools/copy_jars.sh" "$root/tools/flink-pom.xml" "$peers/flink"
  touch "$peers/flink/.complete"
fi
[ -f "$peers/.complete" ] && exit 0
mkdir -p "$peers"/{jars,conf}
[ -x "$peers/venv/bin/pip" ] || python3 -m venv "$peers/venv"
echo "install: real Spark, about 1 GB" >&2
"$peers/venv/bin/pip" install -q --disable-pip-version-check pyspark==4.2.0 delta-spark==4.4.0 -r "$root/tools/peers-requirements.txt"
for version in 4.0.1 4.1.1; do
  [ -x "$peers/client-$version/bin/pip" ] || python3 -m venv "$peers/client-$version"
  "$peers/client-$version/bin/pip" install -q --disable-pip-version-check "pyspark-client==$version"
done
all=$(mktemp -d)
"$root/tools/copy_jars.sh" "$root/tools/peers-pom.xml" "$all"
# Spark brings the rest itself.
for name in commons-pool2 delta-kernel delta-spark delta-storage kafka-clients spark-sql-kafka spark-token-provider unitycatalog; do
  cp "$all/$name"*.jar "$peers/jars/"
done
rm -rf "$all"
cat >"$peers/conf/spark-defaults.conf" <<P
spark.driver.extraClassPath $peers/jars/*
spark.driver.memory 2g
spark.ui.enabled false
spark.sql.extensions io.delta.sql.DeltaSparkSessionExtension
spark.sql.catalog.spark_catalog org.apache.spark.sql.delta.catalog.DeltaCatalog
P
touch "$peers/.complete"
