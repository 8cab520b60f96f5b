#include <array>
#include <utility>

#include "base/ascii.h"
#include "connector/sink.h"
#include "connector/source.h"

namespace millrace::connector {

// One line a connector: its record is declared here and defined in its own folder.
#define SOURCE(name) extern const SourceDef k##name##Source;
#define SINK(name) extern const SinkDef k##name##Sink;
#include "connector/registry.def"
#undef SOURCE
#undef SINK

namespace {

const SourceDef* const kSources[] = {
#define SOURCE(name) &k##name##Source,
#define SINK(name)
#include "connector/registry.def"
#undef SOURCE
#undef SINK
};

const SinkDef* const kSinks[] = {
#define SOURCE(name)
#define SINK(name) &k##name##Sink,
#include "connector/registry.def"
#undef SOURCE
#undef SINK
};

// Names of classes and packages by which programs of older versions call the built-in formats.
// Source: Spark, DataSource (backwardCompatibilityMap), Delta's and Kafka's providers.
constexpr std::pair<std::string_view, std::string_view> kClassNames[] = {
    {"org.apache.spark.sql.json", "json"},
    {"org.apache.spark.sql.execution.datasources.json", "json"},
    {"org.apache.spark.sql.execution.datasources.json.JsonFileFormat", "json"},
    {"org.apache.spark.sql.parquet", "parquet"},
    {"org.apache.spark.sql.execution.datasources.parquet", "parquet"},
    {"org.apache.spark.sql.execution.datasources.parquet.ParquetFileFormat", "parquet"},
    {"com.databricks.spark.csv", "csv"},
    {"org.apache.spark.sql.execution.datasources.csv.CSVFileFormat", "csv"},
    {"org.apache.spark.sql.execution.datasources.text.TextFileFormat", "text"},
    {"org.apache.spark.sql.hive.orc", "orc"},
    {"org.apache.spark.sql.kafka010.KafkaSourceProvider", "kafka"},
    {"org.apache.spark.sql.delta.sources.DeltaDataSource", "delta"},
};

std::string_view ShortName(std::string_view name) {
  constexpr std::string_view kDefault = ".DefaultSource";
  std::string_view plain = name.ends_with(kDefault) ? name.substr(0, name.size() - kDefault.size()) : name;
  for (const auto& [class_name, short_name] : kClassNames) {
    if (plain == class_name) return short_name;
  }
  return name;
}

}  // namespace

const SourceDef* FindSource(std::string_view name) {
  name = ShortName(name);
  for (const SourceDef* def : kSources) {
    if (EqualsIgnoreCase(def->name, name)) return def;
  }
  return nullptr;
}

std::span<const SourceDef* const> AllSources() { return {kSources, sizeof(kSources) / sizeof(kSources[0])}; }

const SinkDef* FindSink(std::string_view name) {
  name = ShortName(name);
  for (const SinkDef* def : kSinks) {
    if (EqualsIgnoreCase(def->name, name)) return def;
  }
  return nullptr;
}

std::span<const SinkDef* const> AllSinks() { return {kSinks, sizeof(kSinks) / sizeof(kSinks[0])}; }

}  // namespace millrace::connector
