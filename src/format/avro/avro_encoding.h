#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::format {

/// int and long: zig-zag, least significant seven bits first.
inline void PutAvroLong(int64_t value, std::string* out) {
  uint64_t bits = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  while (bits >= 0x80) {
    out->push_back(static_cast<char>(bits | 0x80));
    bits >>= 7;
  }
  out->push_back(static_cast<char>(bits));
}

inline void PutAvroBytes(std::string_view bytes, std::string* out) {
  PutAvroLong(static_cast<int64_t>(bytes.size()), out);
  out->append(bytes);
}

}  // namespace millrace::format
