// XML texts, and types read from them. Must be read, or refused, without a crash.

#include <arrow/array.h>
#include <arrow/builder.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "format/xml/xml_decoder.h"
#include "format/xml/xml_infer_schema.h"

using namespace millrace;

namespace {

constexpr const char* kSchema =
    "_id BIGINT, a STRING, b ARRAY<DOUBLE>, c STRUCT<_VALUE: STRING, _d: INT, e: ARRAY<STRUCT<f: DATE>>>, "
    "m MAP<STRING, INT>, t TIMESTAMP, n DECIMAL(9, 2), _corrupt_record STRING";

void Decode(const types::DataTypePtr& type, const format::XmlOptions& options, const arrow::Array& records) {
  auto decoder = format::XmlDecoder::Make({.schema = type, .options = options}, arrow::default_memory_pool());
  if (!decoder.ok()) return;
  auto values = (*decoder)->Decode(records);
  if (values.ok() && !(*values)->Validate().ok()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  arrow::StringBuilder builder;
  if (!builder.Append(text).ok()) return 0;
  auto records = *builder.Finish();
  auto options = *format::XmlOptions::Parse({}, {});
  Decode(*types::ParseSchemaDdl(kSchema), options, *records);
  auto inferred = format::InferXmlType(text, options, false);
  if (!inferred.ok() || *inferred == nullptr) return 0;
  auto type = format::CanonicalXmlType(*inferred);
  if (type != nullptr && type->id() == types::TypeId::kStruct) Decode(type, options, *records);
  return 0;
}
