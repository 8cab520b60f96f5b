#pragma once

#include <bit>
#include <cstdint>

/// A double as two words of 32 bits, which is how fdlibm's algorithms look at one.

namespace millrace::function {

inline int32_t HighWord(double x) { return static_cast<int32_t>(std::bit_cast<uint64_t>(x) >> 32); }
inline uint32_t LowWord(double x) { return static_cast<uint32_t>(std::bit_cast<uint64_t>(x)); }

inline double WithHighWord(double x, int32_t high) {
  return std::bit_cast<double>(static_cast<uint64_t>(static_cast<uint32_t>(high)) << 32 | LowWord(x));
}

/// The leading half of the digits: products of two such numbers are exact.
inline double WithoutLowWord(double x) {
  return std::bit_cast<double>(std::bit_cast<uint64_t>(x) & ~uint64_t{0xffffffff});
}
inline double FromHighWord(int32_t high) { return WithHighWord(0, high); }

}  // namespace millrace::function
