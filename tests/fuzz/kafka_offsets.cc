// Offsets, timestamps and partitions of Kafka as JSON, and the file of a query's first offsets: what is read is
// written, and what was written reads back as the same.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "connector/kafka/offset_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace millrace::connector::kafka;  // NOLINT
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto offsets = ParsePartitionOffsets(text); offsets.ok()) {
    const std::string written = FormatPartitionOffsets(*offsets);
    auto again = ParsePartitionOffsets(written);
    if (!again.ok() || FormatPartitionOffsets(*again) != written) std::abort();
  }
  (void)ParsePartitionTimestamps(text);
  (void)ParsePartitions(text);
  if (auto offsets = DecodeInitialOffsets(text); offsets.ok()) {
    const std::string written = EncodeInitialOffsets(*offsets);
    auto again = DecodeInitialOffsets(written);
    if (!again.ok() || EncodeInitialOffsets(*again) != written) std::abort();
  }
  return 0;
}
