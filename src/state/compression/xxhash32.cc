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

uint32_t XxHash32(std::string_view bytes, uint32_t seed) {
  const char* p = bytes.data();
  const char* end = p + bytes.size();
  uint32_t hash = seed + kPrime5;
  if (bytes.size() >= 16) {
    uint32_t lanes[4] = {seed + kPrime1 + kPrime2, seed + kPrime2, seed, seed - kPrime1};
    for (; end - p >= 16; p += 16) {
      for (int k = 0; k < 4; ++k) lanes[k] = Round(lanes[k], Load32(p + 4 * k));
    }
    hash = std::rotl(lanes[0], 1) + std::rotl(lanes[1], 7) + std::rotl(lanes[2], 12) + std::rotl(lanes[3], 18);
  }
  hash += static_cast<uint32_t>(bytes.size());
  for (; end - p >= 4; p += 4) hash = std::rotl(hash + Load32(p) * kPrime3, 17) * kPrime4;
  for (; p != end; ++p) hash = std::rotl(hash + static_cast<uint8_t>(*p) * kPrime5, 11) * kPrime1;
  hash = (hash ^ (hash >> 15)) * kPrime2;
  hash = (hash ^ (hash >> 13)) * kPrime3;
  return hash ^ (hash >> 16);
}

}  // namespace millrace::state
