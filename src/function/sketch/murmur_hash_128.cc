#include "function/sketch/murmur_hash_128.h"

#include <bit>
#include <cstring>

namespace millrace::function {

namespace {

constexpr uint64_t kFirst = 0x87c37b91114253d5, kSecond = 0x4cf5ad432745937f;

uint64_t MixFirst(uint64_t word) { return std::rotl(word * kFirst, 31) * kSecond; }
uint64_t MixSecond(uint64_t word) { return std::rotl(word * kSecond, 33) * kFirst; }

uint64_t Finish(uint64_t hash) {
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccd;
  hash ^= hash >> 33;
  hash *= 0xc4ceb9fe1a85ec53;
  return hash ^ (hash >> 33);
}

uint64_t Word(const char* bytes, size_t size) {
  uint64_t word = 0;
  std::memcpy(&word, bytes, size);
  return word;
}

}  // namespace

std::array<uint64_t, 2> MurmurHash128(std::string_view bytes, uint64_t seed) {
  uint64_t a = seed, b = seed;
  const char* data = bytes.data();
  size_t left = bytes.size();
  for (; left >= 16; left -= 16, data += 16) {
    a = (std::rotl(a ^ MixFirst(Word(data, 8)), 27) + b) * 5 + 0x52dce729;
    b = (std::rotl(b ^ MixSecond(Word(data + 8, 8)), 31) + a) * 5 + 0x38495ab5;
  }
  if (left > 8) b ^= MixSecond(Word(data + 8, left - 8));
  if (left > 0) a ^= MixFirst(Word(data, left < 8 ? left : 8));
  a ^= bytes.size();
  b ^= bytes.size();
  a += b;
  b += a;
  a = Finish(a);
  b = Finish(b);
  a += b;
  return {a, a + b};
}

}  // namespace millrace::function
