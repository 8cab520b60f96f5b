#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

/// The words PySpark's workers speak: numbers are big-endian, texts and pickles carry their length before them.
/// Source: pyspark/serializers.py, SpecialLengths.

namespace millrace::python {

enum SpecialLength : int32_t {
  kEndOfDataSection = -1,
  kPythonExceptionThrown = -2,
  kTimingData = -3,
  kEndOfStream = -4,
  kStartArrowStream = -6,
};

inline void AppendInt(int32_t value, std::string* out) {
  uint32_t big = __builtin_bswap32(static_cast<uint32_t>(value));
  out->append(reinterpret_cast<const char*>(&big), sizeof(big));
}

inline void AppendLong(int64_t value, std::string* out) {
  uint64_t big = __builtin_bswap64(static_cast<uint64_t>(value));
  out->append(reinterpret_cast<const char*>(&big), sizeof(big));
}

inline void AppendBool(bool value, std::string* out) { out->push_back(value ? '\1' : '\0'); }

inline void AppendBytes(std::string_view bytes, std::string* out) {
  AppendInt(static_cast<int32_t>(bytes.size()), out);
  out->append(bytes);
}

inline int32_t LoadInt(const void* bytes) {
  uint32_t big;
  std::memcpy(&big, bytes, sizeof(big));
  return static_cast<int32_t>(__builtin_bswap32(big));
}

inline int64_t LoadLong(const void* bytes) {
  uint64_t big;
  std::memcpy(&big, bytes, sizeof(big));
  return static_cast<int64_t>(__builtin_bswap64(big));
}

}  // namespace millrace::python
