#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

/// Protocol Buffers' wire format.
/// Source: protobuf.dev, "Encoding".

namespace millrace::format {

/// Reads wire values from bytes that may be anything. Functions return false at malformed ones.
class ProtobufCursor {
 public:
  explicit ProtobufCursor(std::string_view bytes)
      : next_(reinterpret_cast<const uint8_t*>(bytes.data())), end_(next_ + bytes.size()) {}

  bool at_end() const { return next_ == end_; }
  const char* position() const { return reinterpret_cast<const char*>(next_); }

  bool Varint(uint64_t* value) {
    if (next_ != end_ && *next_ < 0x80) {
      *value = *next_++;
      return true;
    }
    uint64_t bits = 0;
    for (int shift = 0; shift < 70 && next_ != end_; shift += 7) {
      uint8_t byte = *next_++;
      bits |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) {
        *value = bits;
        return true;
      }
    }
    return false;
  }

  /// The number of a field and its wire type.
  bool Tag(int* number, int* wire) {
    uint64_t tag;
    if (!Varint(&tag)) return false;
    auto bits = static_cast<uint32_t>(tag);
    *number = static_cast<int>(bits >> 3);
    *wire = static_cast<int>(bits & 7);
    return *number != 0;
  }

  template <typename T>
  bool Fixed(uint64_t* value) {
    if (end_ - next_ < static_cast<ptrdiff_t>(sizeof(T))) return false;
    T bits;
    std::memcpy(&bits, next_, sizeof(T));
    next_ += sizeof(T);
    *value = bits;
    return true;
  }

  bool Bytes(std::string_view* bytes) {
    uint64_t size;
    if (!Varint(&size) || size > static_cast<uint64_t>(end_ - next_)) return false;
    *bytes = {reinterpret_cast<const char*>(next_), static_cast<size_t>(size)};
    next_ += size;
    return true;
  }

  /// A value of this wire type; of a group the bytes between its ends.
  bool Value(int wire, int number, int depth, uint64_t* bits, std::string_view* bytes) {
    switch (wire) {
      case 0:
        return Varint(bits);
      case 1:
        return Fixed<uint64_t>(bits);
      case 2:
        return Bytes(bytes);
      case 3:
        return Group(number, depth, bytes);
      case 5:
        return Fixed<uint32_t>(bits);
      default:
        return false;
    }
  }

 private:
  static constexpr int kDeepest = 100;

  bool Group(int number, int depth, std::string_view* bytes) {
    if (depth > kDeepest) return false;
    const char* begin = position();
    while (true) {
      const char* before = position();
      int inner, wire;
      if (!Tag(&inner, &wire)) return false;
      if (wire == 4) {
        *bytes = {begin, static_cast<size_t>(before - begin)};
        return inner == number;
      }
      uint64_t bits;
      std::string_view skipped;
      if (!Value(wire, inner, depth + 1, &bits, &skipped)) return false;
    }
  }

  const uint8_t* next_;
  const uint8_t* end_;
};

inline void PutProtobufVarint(uint64_t value, std::string* out) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

}  // namespace millrace::format
