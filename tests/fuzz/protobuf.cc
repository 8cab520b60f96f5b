// A name's size and name, a descriptor set's size and descriptor set, a message: any bytes must be read, or refused,
// without a crash, and a message that was read must be one when it is written again.

#include <arrow/array.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "format/protobuf/protobuf_decoder.h"
#include "format/protobuf/protobuf_encoder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace millrace;
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto take = [&bytes](size_t count) {
    std::string_view part = bytes.substr(0, count);
    bytes.remove_prefix(part.size());
    return part;
  };
  auto number = [](std::string_view little_endian) {
    size_t value = 0;
    for (size_t i = little_endian.size(); i-- > 0;) value = value << 8 | static_cast<uint8_t>(little_endian[i]);
    return value;
  };
  std::string name(take(number(take(1))));
  auto descriptors = format::ProtobufDescriptors::Parse(take(number(take(2))));
  if (!descriptors.ok()) return 0;
  for (bool all : {false, true}) {
    format::ProtobufOptions options;
    options.recursive_fields_max_depth = 2;
    options.any_to_json = options.emit_default_values = options.unwrap_wrapper_types = all;
    options.upcast_unsigned_ints = options.retain_empty_messages = all;
    auto schema = format::BindProtobuf(*descriptors, name, options);
    if (!schema.ok()) return 0;
    format::ProtobufDecoder decoder(*schema, options, schema->type, arrow::default_memory_pool());
    bool is_message = decoder.Append(bytes);
    std::shared_ptr<arrow::Array> decoded = decoder.Finish().ValueOrDie();
    if (!decoded->ValidateFull().ok() || decoded->length() != (is_message ? 1 : 0)) std::abort();
    auto encoder = format::ProtobufEncoder::Make(schema->type, *descriptors, name);
    if (!encoder.ok() || !is_message) continue;
    auto written = (*encoder)->Encode(*decoded, arrow::default_memory_pool());
    if (!written.ok()) continue;
    if (!decoder.Append(static_cast<const arrow::BinaryArray&>(**written).GetView(0))) std::abort();
  }
  return 0;
}
