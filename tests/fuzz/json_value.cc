// A document that parses is written, and what was written reads back as the same text.

#include "base/json_value.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto value = millrace::ParseJson(text);
  if (!value.ok()) return 0;
  auto again = millrace::ParseJson(value->ToString());
  if (!again.ok() || again->ToString() != value->ToString()) std::abort();
  return 0;
}
