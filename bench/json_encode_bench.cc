// How many visit records a core writes as JSON in a second.

#include <arrow/array.h>
#include <arrow/builder.h>
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "format/json/json_decoder.h"
#include "format/json/json_encoder.h"

namespace {

using namespace millrace;

constexpr int64_t kNumRecords = 20000;

void Must(const arrow::Status& status) {
  if (!status.ok()) std::abort();
}

void EncodeVisits(benchmark::State& state) {
  auto schema = *types::ParseSchemaDdl(
      "event_id STRING, visit_id BIGINT, event_time TIMESTAMP, page STRING, duration_ms INT, "
      "user STRUCT<id: STRING, country: STRING>, tags ARRAY<STRING>, bounced BOOLEAN, score DOUBLE");
  arrow::StringBuilder builder;
  for (int64_t i = 0; i < kNumRecords; ++i) {
    Must(builder.Append(fmt::format(
        R"({{"event_id":"9f1c2d3e-{:04x}-4b5a","visit_id":{},"event_time":"2026-11-20T12:{:02}:{:02}.{:03}Z",)"
        R"("page":"/products/{}","duration_ms":{},"user":{{"id":"user-{:06}","country":"DE"}},)"
        R"("tags":["a","b{}"],"bounced":{},"score":{}.{}}})",
        i & 0xFFFF, 100000 + i, i / 60 % 60, i % 60, i % 1000, i % 5000, i * 37 % 100000, i, i % 7, i % 3 == 0, i % 9,
        i % 1000)));
  }
  auto records = *builder.Finish();
  auto decoder = *format::JsonDecoder::Make({.schema = schema}, arrow::default_memory_pool());
  auto rows = decoder->Decode(*records)->values;
  auto encoder = *format::JsonEncoder::Make(schema, *format::JsonOptions::Parse({}, {}));
  for (auto _ : state) {
    auto texts = encoder->Encode(*rows, arrow::default_memory_pool());
    if (!texts.ok()) state.SkipWithError("encode failed");
    benchmark::DoNotOptimize(*texts);
  }
  state.SetItemsProcessed(state.iterations() * rows->length());
}
BENCHMARK(EncodeVisits);

}  // namespace
