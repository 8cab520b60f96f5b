// Entries of a checkpoint's logs, and lines of a file sink's: what is read is written, and what was written reads back
// as the same; anything else is refused.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "connector/file/sink_log_entry.h"
#include "streaming/log/commit_log.h"
#include "streaming/log/offset_log.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace millrace;  // NOLINT
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto entry = streaming::DecodeOffsetEntry(text, "offsets/0"); entry.ok()) {
    auto again = streaming::DecodeOffsetEntry(streaming::EncodeOffsetEntry(*entry), "offsets/0");
    if (!again.ok() || again->offsets.size() != entry->offsets.size() || again->watermark_ms != entry->watermark_ms) {
      std::abort();
    }
  }
  if (auto entry = streaming::DecodeCommitEntry(text, "commits/0"); entry.ok()) {
    auto again = streaming::DecodeCommitEntry(streaming::EncodeCommitEntry(*entry), "commits/0");
    if (!again.ok() || again->next_watermark_ms != entry->next_watermark_ms) std::abort();
  }
  if (auto entry = connector::file::DecodeSinkLogEntry(text); entry.ok()) {
    auto again = connector::file::DecodeSinkLogEntry(connector::file::EncodeSinkLogEntry(*entry));
    if (!again.ok() || again->size_bytes != entry->size_bytes) std::abort();
  }
  return 0;
}
