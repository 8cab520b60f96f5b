#include <array>

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

}  // namespace

const SourceDef* FindSource(std::string_view name) {
  for (const SourceDef* def : kSources) {
    if (EqualsIgnoreCase(def->name, name)) return def;
  }
  return nullptr;
}

std::span<const SourceDef* const> AllSources() { return {kSources, sizeof(kSources) / sizeof(kSources[0])}; }

const SinkDef* FindSink(std::string_view name) {
  for (const SinkDef* def : kSinks) {
    if (EqualsIgnoreCase(def->name, name)) return def;
  }
  return nullptr;
}

std::span<const SinkDef* const> AllSinks() { return {kSinks, sizeof(kSinks) / sizeof(kSinks[0])}; }

}  // namespace millrace::connector
