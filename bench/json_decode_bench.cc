// How many visit records a core decodes in a second: ours, with all fields and with four of them, beside a plain loop
// of simdjson's On-Demand into Arrow builders that knows these records and checks nothing.

#include <arrow/builder.h>
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <simdjson.h>

#include "format/json/json_decoder.h"
#include "format/text_value.h"

namespace {

using namespace millrace;

constexpr int64_t kNumRecords = 20000;

void Must(const arrow::Status& status) {
  if (!status.ok()) std::abort();
}

const char kSchema[] =
    "event_id STRING, visit_id BIGINT, event_time TIMESTAMP, page STRING, referrer STRING, duration_ms INT, "
    "user STRUCT<id: STRING, country: STRING, age: INT>, device STRUCT<type: STRING, os: STRING, browser: STRING>, "
    "bounced BOOLEAN, score DOUBLE";

std::shared_ptr<arrow::StringArray> Records() {
  arrow::StringBuilder builder;
  for (int64_t i = 0; i < kNumRecords; ++i) {
    std::string record = fmt::format(
        R"({{"event_id":"9f1c2d3e-{:04x}-4b5a-8c7d-{:012x}","visit_id":{},"event_time":"2026-11-20T12:{:02}:{:02}.{:03}Z",)"
        R"("page":"/products/category-{}/item-{}","referrer":"https://search.example.com/?q=item+{}","duration_ms":{},)"
        R"("user":{{"id":"user-{:06}","country":"DE","age":{}}},"device":{{"type":"mobile","os":"Android 15",)"
        R"("browser":"Firefox 132"}},"bounced":{},"score":{}.{}}})",
        i & 0xFFFF, i * 7919, 100000 + i, i / 60 % 60, i % 60, i % 1000, i % 40, i % 5000, i % 5000, i * 37 % 100000,
        i % 100000, 18 + i % 60, i % 3 == 0, i % 9, i % 1000);
    Must(builder.Append(record));
  }
  return std::static_pointer_cast<arrow::StringArray>(*builder.Finish());
}

/// A part of the same schema.
const char kFourFields[] = "visit_id BIGINT, event_time TIMESTAMP, page STRING, user STRUCT<id: STRING>";

void Report(benchmark::State& state, const arrow::StringArray& records) {
  state.SetItemsProcessed(state.iterations() * records.length());
  state.SetBytesProcessed(state.iterations() * records.total_values_length());
}

void Decode(benchmark::State& state, const char* schema) {
  auto records = Records();
  auto decoder = *format::JsonDecoder::Make({.schema = *types::ParseSchemaDdl(schema)}, arrow::default_memory_pool());
  for (auto _ : state) {
    auto decoded = decoder->Decode(*records);
    if (!decoded.ok()) state.SkipWithError("decode failed");
    benchmark::DoNotOptimize(decoded->values);
  }
  if (decoder->num_slow_records() > 0) state.SkipWithError("records left the fast path");
  Report(state, *records);
}

void AllFields(benchmark::State& state) { Decode(state, kSchema); }
void FourFields(benchmark::State& state) { Decode(state, kFourFields); }
BENCHMARK(AllFields);
BENCHMARK(FourFields);

/// The reference: On-Demand, each field asked for in the order it stands in.
void OnDemandIntoBuilders(benchmark::State& state) {
  auto records = Records();
  simdjson::ondemand::parser parser;
  simdjson::padded_string padded(reinterpret_cast<const char*>(records->value_data()->data()),
                                 static_cast<size_t>(records->total_values_length()));
  for (auto _ : state) {
    arrow::StringBuilder strings[8];
    arrow::Int64Builder visit_id, event_time;
    arrow::Int32Builder duration, age;
    arrow::BooleanBuilder bounced;
    arrow::DoubleBuilder score;
    for (int64_t i = 0; i < records->length(); ++i) {
      auto offset = static_cast<size_t>(records->value_offset(i));
      auto size = static_cast<size_t>(records->value_length(i));
      simdjson::ondemand::document document;
      if (parser.iterate(padded.data() + offset, size, padded.size() - offset + simdjson::SIMDJSON_PADDING)
              .get(document) != simdjson::SUCCESS) {
        state.SkipWithError("iterate failed");
        break;
      }
      simdjson::ondemand::object object = document.get_object().value_unsafe();
      auto text = [](auto& parent, const char* key, arrow::StringBuilder* out) {
        std::string_view value;
        if (parent.find_field(key).get_string().get(value) == simdjson::SUCCESS) Must(out->Append(value));
      };
      auto number = [](auto& parent, const char* key, auto* out) {
        int64_t value = 0;
        if (parent.find_field(key).get_int64().get(value) == simdjson::SUCCESS) {
          Must(out->Append(static_cast<typename std::decay_t<decltype(*out)>::value_type>(value)));
        }
      };
      text(object, "event_id", &strings[0]);
      number(object, "visit_id", &visit_id);
      std::string_view time;
      int64_t micros = 0;
      bool has_zone = false;
      if (object.find_field("event_time").get_string().get(time) == simdjson::SUCCESS &&
          format::ParseIsoTimestamp(time.data(), time.size(), &micros, &has_zone)) {
        Must(event_time.Append(micros));
      }
      text(object, "page", &strings[1]);
      text(object, "referrer", &strings[2]);
      number(object, "duration_ms", &duration);
      simdjson::ondemand::object user, device;
      if (object.find_field("user").get_object().get(user) == simdjson::SUCCESS) {
        text(user, "id", &strings[3]);
        text(user, "country", &strings[4]);
        number(user, "age", &age);
      }
      if (object.find_field("device").get_object().get(device) == simdjson::SUCCESS) {
        text(device, "type", &strings[5]);
        text(device, "os", &strings[6]);
        text(device, "browser", &strings[7]);
      }
      bool flag = false;
      if (object.find_field("bounced").get_bool().get(flag) == simdjson::SUCCESS) Must(bounced.Append(flag));
      double value = 0;
      if (object.find_field("score").get_double().get(value) == simdjson::SUCCESS) Must(score.Append(value));
    }
    benchmark::DoNotOptimize(visit_id.length());
  }
  Report(state, *records);
}
BENCHMARK(OnDemandIntoBuilders);

}  // namespace
