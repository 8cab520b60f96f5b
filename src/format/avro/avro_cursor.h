#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace millrace::format {

/// Reads Avro's binary encoding from bytes in memory. Every read is checked; false means that the bytes end or are no
/// such value, and the position is then of no meaning.
/// Source: Apache Avro 1.12 specification, "Binary Encoding".
class AvroCursor {
 public:
  explicit AvroCursor(std::string_view bytes)
      : at_(reinterpret_cast<const uint8_t*>(bytes.data())), end_(at_ + bytes.size()) {}

  int64_t remaining() const { return end_ - at_; }

  /// int and long: zig-zag, least significant seven bits first.
  bool Long(int64_t* value) {
    uint64_t bits = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at_ == end_) return false;
      uint8_t byte = *at_++;
      bits |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if ((byte & 0x80) == 0) {
        *value = static_cast<int64_t>(bits >> 1) ^ -static_cast<int64_t>(bits & 1);
        return true;
      }
    }
    return false;
  }
  /// Five bytes at most; what passes 32 bits is lost, as in Avro's own reader.
  bool Int(int32_t* value) {
    uint32_t bits = 0;
    for (int shift = 0; shift < 35; shift += 7) {
      if (at_ == end_) return false;
      uint8_t byte = *at_++;
      bits |= static_cast<uint32_t>(byte & 0x7F) << shift;
      if ((byte & 0x80) == 0) {
        *value = static_cast<int32_t>(bits >> 1) ^ -static_cast<int32_t>(bits & 1);
        return true;
      }
    }
    return false;
  }
  bool Boolean(bool* value) {
    if (at_ == end_) return false;
    *value = *at_++ == 1;
    return true;
  }
  template <typename T>
  bool Floating(T* value) {
    static_assert(std::endian::native == std::endian::little);
    if (remaining() < static_cast<int64_t>(sizeof(T))) return false;
    std::memcpy(value, at_, sizeof(T));
    at_ += sizeof(T);
    return true;
  }
  bool Fixed(int64_t size, std::string_view* bytes) {
    if (size < 0 || size > remaining()) return false;
    *bytes = {reinterpret_cast<const char*>(at_), static_cast<size_t>(size)};
    at_ += size;
    return true;
  }
  bool Bytes(std::string_view* bytes) {
    int64_t size;
    return Long(&size) && Fixed(size, bytes);
  }
  /// The next block of an array or a map: its number of items, 0 after the last one, and its bytes where they are told
  /// (else −1).
  bool Block(int64_t* count, int64_t* size) {
    *size = -1;
    if (!Long(count)) return false;
    if (*count >= 0) return true;
    if (*count == INT64_MIN || !Long(size) || *size < 0) return false;
    *count = -*count;
    return true;
  }

 private:
  const uint8_t* at_;
  const uint8_t* end_;
};

}  // namespace millrace::format
