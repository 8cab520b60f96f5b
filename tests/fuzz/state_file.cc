// A state delta or snapshot: any bytes must be read, or refused, without a crash, whatever codec they are said to have.

#include "state/state_file.h"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace millrace;
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const char* codec : {"lz4", "zstd", "snappy", "lzf"}) {
    for (auto kind : {state::StateFileKind::kDelta, state::StateFileKind::kSnapshot}) {
      size_t total = 0;
      (void)state::ReadStateRecords(bytes, "file", codec, kind, [&total](std::string_view key, std::string_view value) {
        total += key.size() + value.size();
        return total > (size_t{64} << 20) ? arrow::Status::Invalid("enough") : arrow::Status::OK();
      });
    }
  }
  return 0;
}
