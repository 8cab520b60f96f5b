// JSON records, one a line of the input: the fast path must give what the exact reader gives, for every record.

#include <arrow/array.h>
#include <arrow/builder.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "format/json/json_decoder.h"
#include "format/json/json_infer_schema.h"
#include "format/json/json_path.h"

namespace {

using namespace millrace;

constexpr const char* kSchemas[] = {
    "a BIGINT, b STRING, c DOUBLE, d STRUCT<e: INT, f: ARRAY<STRING>>, g MAP<STRING, INT>, t TIMESTAMP, "
    "_corrupt_record STRING",
    "b STRING",
    "ARRAY<STRUCT<a: INT, b: STRING>>",
    "MAP<STRING, STRING>",
};

std::unique_ptr<format::JsonDecoder> Decoder(const char* schema, bool fast, bool as_source) {
  auto options = *format::JsonOptions::Parse({}, {});
  if (!fast) options.string_length_max += 1;  // any other limit than the default
  auto type = *types::ParseSchemaDdl(schema);
  if (type->id() != types::TypeId::kStruct) as_source = false;
  return *format::JsonDecoder::Make({.schema = type, .options = options, .as_source = as_source},
                                    arrow::default_memory_pool());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  arrow::StringBuilder builder;
  while (!text.empty()) {
    size_t end = text.find('\n');
    if (!builder.Append(text.substr(0, end)).ok()) return 0;
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  auto records = *builder.Finish();
  for (const char* schema : kSchemas) {
    for (bool as_source : {false, true}) {
      auto fast = Decoder(schema, true, as_source)->Decode(*records);
      auto exact = Decoder(schema, false, as_source)->Decode(*records);
      if (!fast.ok() || !exact.ok()) std::abort();
      if (!fast->values->Validate().ok() ||
          !fast->values->Equals(*exact->values, arrow::EqualOptions::Defaults().nans_equal(true))) {
        std::fprintf(stderr, "schema %s\nfast  %s\nexact %s\n", schema, fast->values->ToString().c_str(),
                     exact->values->ToString().c_str());
        std::abort();
      }
    }
  }
  auto inference = *format::JsonSchemaInference::Make(*format::JsonOptions::Parse({}, {}));
  auto path = *format::JsonPath::Parse("$.d.f[*]");
  const auto& texts = static_cast<const arrow::StringArray&>(*records);
  std::string found;
  for (int64_t i = 0; i < texts.length(); ++i) {
    (void)inference.Add(texts.GetView(i));
    path.Extract(texts.GetView(i), &found);
  }
  return 0;
}
