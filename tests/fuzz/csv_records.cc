// CSV text: must be read as one text, and line by line, without a crash, under usual and odd options.

#include <arrow/array.h>
#include <arrow/builder.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "format/csv/csv_decoder.h"
#include "format/csv/csv_infer_schema.h"
#include "format/csv/csv_tokenizer.h"

namespace {

using namespace millrace;

const format::OptionMap kOptions[] = {
    {},
    {{"multiLine", "true"}, {"sep", "||"}, {"ignoreLeadingWhiteSpace", "true"}},
    {{"escape", "\""}, {"comment", "#"}, {"ignoreTrailingWhiteSpace", "true"}},
    {{"quote", ""}, {"maxColumns", "3"}, {"nullValue", "N"}},
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  arrow::StringBuilder builder;
  if (!builder.Append(text).ok()) return 0;
  auto records = *builder.Finish();
  auto schema = *types::ParseSchemaDdl("a INT, b STRING, c DOUBLE, d DATE, _corrupt_record STRING");
  for (const format::OptionMap& given : kOptions) {
    auto options = *format::CsvOptions::Parse(given, {});
    auto decoder = *format::CsvDecoder::Make({.schema = schema, .options = options}, arrow::default_memory_pool());
    auto rows = decoder->Decode(*records);
    if (rows.ok() && !(*rows)->Validate().ok()) std::abort();
    decoder->StartText(text);
    auto all = decoder->DecodeText(1 << 20);
    if (all.ok() && !(*all)->Validate().ok()) std::abort();
    format::CsvTokenizer tokenizer(options);
    auto inference = *format::CsvSchemaInference::Make(options, 4);
    tokenizer.Start(text, /*one_record=*/false);
    while (tokenizer.Next()) inference.Add(tokenizer.values());
    inference.Finish({"a", "b", "c", "d"});
  }
  return 0;
}
