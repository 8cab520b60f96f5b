// A type that parses from DDL is written as JSON and read back as the same type; text that is no UTF-8 cannot be, and
// is replaced there as Java replaces it.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/utf8.h"
#include "types/data_type.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto type = millrace::types::ParseSchemaDdl(text);
  if (!type.ok()) return 0;
  auto again = millrace::types::ParseTypeJson((*type)->ToJson());
  if (!again.ok() || (millrace::IsValidUtf8(text) && !(*again)->Equals(**type))) std::abort();
  return 0;
}
