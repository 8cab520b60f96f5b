#include "analyzer/scala_set_order.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace millrace::analyzer {

namespace {

struct Hashed {
  std::string text;
  uint32_t hash;
};

// String.hashCode: over UTF-16 units.
uint32_t JavaHash(std::string_view text) {
  constexpr uint32_t kFactor = 31, kFirstPair = 0x10000, kHigh = 0xD800, kLow = 0xDC00;
  uint32_t hash = 0;
  for (size_t i = 0; i < text.size();) {
    auto first = static_cast<uint8_t>(text[i]);
    size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    uint32_t point = size == 1 ? first : first & (0x7Fu >> size);
    for (size_t k = 1; k < size && i + k < text.size(); ++k) {
      point = (point << 6) | (static_cast<uint8_t>(text[i + k]) & 0x3Fu);
    }
    i += size;
    if (point >= kFirstPair) {
      hash = hash * kFactor + (kHigh | ((point - kFirstPair) >> 10));
      hash = hash * kFactor + (kLow | ((point - kFirstPair) & 0x3FFu));
    } else {
      hash = hash * kFactor + point;
    }
  }
  return hash;
}

// Source: scala.collection.Hashing.improve.
uint32_t Mixed(uint32_t hash) {
  hash += ~(hash << 9);
  hash ^= hash >> 14;
  hash += hash << 4;
  return hash ^ (hash >> 10);
}

// A trie by five bits of the hash at a time: of each node first what has its place alone, then the nodes below.
void Walk(const std::vector<Hashed>& node, int shift, std::vector<std::string>* ordered) {
  constexpr int kBits = 5, kHashBits = 32;
  if (shift >= kHashBits) {
    for (const Hashed& one : node) ordered->push_back(one.text);
    return;
  }
  std::array<std::vector<Hashed>, 1 << kBits> places;
  for (const Hashed& one : node) places[(one.hash >> shift) % places.size()].push_back(one);
  for (const auto& place : places) {
    if (place.size() == 1) ordered->push_back(place[0].text);
  }
  for (const auto& place : places) {
    if (place.size() > 1) Walk(place, shift + kBits, ordered);
  }
}

}  // namespace

std::vector<std::string> InScalaSetOrder(const std::vector<std::string>& texts) {
  constexpr size_t kMostInOrder = 4;  // Set1 to Set4 keep the order in which they were filled
  std::vector<std::string> distinct;
  for (const std::string& text : texts) {
    if (std::find(distinct.begin(), distinct.end(), text) == distinct.end()) distinct.push_back(text);
  }
  if (distinct.size() <= kMostInOrder) return distinct;
  std::vector<Hashed> hashed;
  for (const std::string& text : distinct) hashed.push_back({text, Mixed(JavaHash(text))});
  std::vector<std::string> ordered;
  Walk(hashed, 0, &ordered);
  return ordered;
}

}  // namespace millrace::analyzer
