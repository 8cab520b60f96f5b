// RocksDB's files in a checkpoint: a changelog of either version and a zip archive are read, or refused, without a
// crash, whatever codec they are said to have; an archive that is read is written, and reads back as the same files.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "state/rocksdb/family_store.h"
#include "state/rocksdb/zip_archive.h"
#include "state/state_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace millrace;  // NOLINT
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const char* codec : {"lz4", "zstd", "snappy", "lzf"}) {
    size_t total = 0;
    (void)state::ReadStateRecords(
        bytes, "file", codec, state::StateFileKind::kChangelog, [&total](std::string_view key, std::string_view value) {
          total += key.size() + value.size();
          return total > (size_t{64} << 20) ? arrow::Status::Invalid("enough") : arrow::Status::OK();
        });
  }
  (void)state::RestOfKey(bytes);
  (void)state::OrderedValueOf(bytes);
  (void)state::RowOfValue(bytes);
  if (auto files = state::ReadZip(bytes); files.ok()) {
    auto again = state::ReadZip(state::WriteZip(*files));
    if (!again.ok() || *again != *files) std::abort();
  }
  return 0;
}
