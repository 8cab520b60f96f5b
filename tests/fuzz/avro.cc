// Avro: the first line is a schema, the rest a value of it and a file's bytes. Must be read, or refused, without a
// crash.

#include <arrow/array.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "format/avro/avro_decoder.h"
#include "format/avro/avro_types.h"

using namespace millrace;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  size_t line = text.find('\n');
  if (line == std::string_view::npos) return 0;
  auto schema = format::AvroDocument::Parse(text.substr(0, line));
  if (!schema.ok()) return 0;
  auto spark = format::SparkTypeOf((*schema)->root(), {.recursion_depth_max = 3});
  if (!spark.ok() || spark->type == nullptr) return 0;
  auto decoder = format::AvroDecoder::Make({.writer = *schema, .reader = *schema, .type = spark->type},
                                           arrow::default_memory_pool());
  if (!decoder.ok()) return 0;
  format::AvroCursor cursor(text.substr(line + 1));
  for (int i = 0; i < 8 && cursor.remaining() > 0; ++i) {
    if (!(*decoder)->Append(&cursor)) (*decoder)->AppendMalformed();
  }
  auto values = (*decoder)->Finish();
  if (values.ok() && !(*values)->Validate().ok()) std::abort();
  return 0;
}
