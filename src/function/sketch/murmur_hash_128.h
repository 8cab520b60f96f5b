#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace millrace::function {

/// MurmurHash3_x64_128 of the bytes, as Apache DataSketches uses it: two words of 64 bits.
/// Source: Appleby, MurmurHash3 (public domain).
std::array<uint64_t, 2> MurmurHash128(std::string_view bytes, uint64_t seed);

/// The seed of every sketch that is not given another one.
inline constexpr uint64_t kSketchSeed = 9001;

/// The bytes of one number, in the order in which the hash reads them.
template <typename T>
std::string_view BytesOf(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(T)};
}

}  // namespace millrace::function
