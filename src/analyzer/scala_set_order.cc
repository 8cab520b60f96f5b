#include "analyzer/scala_set_order.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/scala_order.h"

namespace millrace::analyzer {

namespace {

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

}  // namespace

std::vector<std::string> InScalaSetOrder(const std::vector<std::string>& texts) {
  std::vector<std::string> distinct;
  for (const std::string& text : texts) {
    if (std::find(distinct.begin(), distinct.end(), text) == distinct.end()) distinct.push_back(text);
  }
  std::vector<uint32_t> hashes;
  for (const std::string& text : distinct) hashes.push_back(JavaHash(text));
  std::vector<std::string> ordered;
  for (size_t i : ScalaOrder(hashes)) ordered.push_back(distinct[i]);
  return ordered;
}

}  // namespace millrace::analyzer
