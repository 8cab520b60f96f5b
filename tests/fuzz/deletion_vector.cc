// A bitmap that is read is written, and reads back as the same set; damaged ones are refused.

#include "delta/deletion_vector/deletion_vector.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace millrace::delta;  // NOLINT
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto bitmap = RoaringBitmap::Parse(bytes);
  if (bitmap.ok()) {
    auto again = RoaringBitmap::Parse(bitmap->Serialize());
    if (!again.ok() || again->cardinality() != bitmap->cardinality() || !(*again == *bitmap)) std::abort();
  }
  auto decoded = DecodeBase85(bytes);
  if (decoded.ok() && EncodeBase85(*decoded) != bytes) std::abort();
  DeletionVectorDescriptor descriptor{.storage_type = 'u', .path_or_inline = std::string(bytes)};
  (void)DeletionVectorPath("/table", descriptor);
  return 0;
}
