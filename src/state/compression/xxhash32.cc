#include "state/compression/xxhash32.h"

#include <bit>
#include <cstring>

namespace millrace::state {

namespace {

constexpr uint32_t kPrime1 = 0x9E3779B1U, kPrime2 = 0x85EBCA77U, kPrime3 = 0xC2B2AE3DU, kPrime4 = 0x27D4EB2FU,
                   kPrime5 = 0x165667B1U;

uint32_t Load32(const char* bytes) {
  uint32_t value;
  std::memcpy(&value, bytes, 4);
  return value;
}

uint32_t Round(uint32_t lane, uint32_t input) { return std::rotl(lane + input * kPrime2, 13) * kPrime1; }

}  // namespace

// The four lanes are no array: as a vector their multiplication takes longer than four that overlap.
uint32_t XxHash32(std::string_view bytes, uint32_t seed) {
  const char* p = bytes.data();
  const char* end = p + bytes.size();
  uint32_t hash = seed + kPrime5;
  if (bytes.size() >= 16) {
    uint32_t a = seed + kPrime1 + kPrime2, b = seed + kPrime2, c = seed, d = seed - kPrime1;
    for (; end - p >= 16; p += 16) {
      a = Round(a, Load32(p));
      b = Round(b, Load32(p + 4));
      c = Round(c, Load32(p + 8));
      d = Round(d, Load32(p + 12));
    }
    hash = std::rotl(a, 1) + std::rotl(b, 7) + std::rotl(c, 12) + std::rotl(d, 18);
  }
  hash += static_cast<uint32_t>(bytes.size());
  for (; end - p >= 4; p += 4) hash = std::rotl(hash + Load32(p) * kPrime3, 17) * kPrime4;
  for (; p != end; ++p) hash = std::rotl(hash + static_cast<uint8_t>(*p) * kPrime5, 11) * kPrime1;
  hash = (hash ^ (hash >> 15)) * kPrime2;
  hash = (hash ^ (hash >> 13)) * kPrime3;
  return hash ^ (hash >> 16);
}

}  // namespace millrace::state
