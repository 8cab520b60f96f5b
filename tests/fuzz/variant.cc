// Variants: JSON that is read as one is written as JSON, which can be read again; bytes said to be a
// variant (a length, its metadata, its value) are walked, or refused, without a crash.

#include "variant/variant.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "format/variant/variant_json.h"
#include "variant/variant_builder.h"

namespace {

using namespace millrace;

std::string Written(std::string_view value, std::string_view metadata) {
  std::string json;
  auto made = variant::Variant::Make(value, metadata);
  if (!made.ok() || !format::AppendVariantJson(*made, *types::TimeZone::Utc(), &json).ok()) std::abort();
  return json;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  format::VariantJsonReader reader;
  variant::VariantBuilder builder;
  std::string_view value;
  std::string_view metadata;
  builder.Reset();
  if (reader.Read(text, &builder) == format::VariantJson::kOk && builder.Finish(&value, &metadata)) {
    const std::string json = Written(value, metadata);
    builder.Reset();
    if (reader.Read(json, &builder) != format::VariantJson::kOk || !builder.Finish(&value, &metadata)) std::abort();
    (void)Written(value, metadata);
  }
  if (size == 0) return 0;
  const size_t split = std::min<size_t>(data[0], size - 1);
  auto any = variant::Variant::Make(text.substr(1 + split), text.substr(1, split));
  if (!any.ok()) return 0;
  std::string json;
  (void)format::AppendVariantJson(*any, *types::TimeZone::Utc(), &json);
  (void)any->Field("a");
  (void)any->Element(0);
  builder.Reset();
  (void)builder.AppendVariant(*any);
  return 0;
}
