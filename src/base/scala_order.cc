#include "base/scala_order.h"

#include <array>
#include <numeric>
#include <utility>

namespace millrace {

namespace {

// Source: scala.collection.Hashing.improve.
uint32_t Mixed(uint32_t hash) {
  hash += ~(hash << 9);
  hash ^= hash >> 14;
  hash += hash << 4;
  return hash ^ (hash >> 10);
}

// A trie by five bits of the hash at a time: of each node first what has its place alone, then the nodes below.
void Walk(const std::vector<uint32_t>& hashes, const std::vector<size_t>& node, int shift,
          std::vector<size_t>* ordered) {
  constexpr int kBits = 5, kHashBits = 32;
  if (shift >= kHashBits) {
    ordered->insert(ordered->end(), node.begin(), node.end());
    return;
  }
  std::array<std::vector<size_t>, 1 << kBits> places;
  for (size_t one : node) places[(Mixed(hashes[one]) >> shift) % places.size()].push_back(one);
  for (const auto& place : places) {
    if (place.size() == 1) ordered->push_back(place[0]);
  }
  for (const auto& place : places) {
    if (place.size() > 1) Walk(hashes, place, shift + kBits, ordered);
  }
}

}  // namespace

namespace {

uint32_t RotateLeft(uint32_t value, int bits) { return (value << bits) | (value >> (32 - bits)); }

// Guava's murmur3_32 of one int, seed 0: where OpenHashSet begins to look for a key.
uint32_t SpreadHash(uint32_t hash) {
  uint32_t mixed = RotateLeft(hash * 0xcc9e2d51, 15) * 0x1b873593;
  uint32_t spread = (RotateLeft(mixed, 13) * 5 + 0xe6546b64) ^ 4;
  spread = (spread ^ (spread >> 16)) * 0x85ebca6b;
  spread = (spread ^ (spread >> 13)) * 0xc2b2ae35;
  return spread ^ (spread >> 16);
}

class OpenHashTable {
 public:
  explicit OpenHashTable(size_t capacity) : places_(capacity, kFree) {}

  void Put(size_t key, uint32_t hash) {
    size_t mask = places_.size() - 1;
    size_t place = SpreadHash(hash) & mask;
    for (size_t step = 1; places_[place] != kFree; ++step) place = (place + step) & mask;
    places_[place] = key;
  }
  std::vector<size_t> Keys() const {
    std::vector<size_t> keys;
    for (size_t key : places_) {
      if (key != kFree) keys.push_back(key);
    }
    return keys;
  }
  size_t capacity() const { return places_.size(); }

 private:
  static constexpr size_t kFree = ~size_t{0};
  std::vector<size_t> places_;
};

}  // namespace

// Source: Spark, OpenHashSet: quadratic probing, doubled when more than 0.7 of it is used.
std::vector<size_t> OpenHashMapOrder(const std::vector<uint32_t>& hashes) {
  constexpr size_t kFirstCapacity = 64;
  OpenHashTable table(kFirstCapacity);
  for (size_t i = 0; i < hashes.size(); ++i) {
    table.Put(i, hashes[i]);
    if (i + 1 <= static_cast<size_t>(0.7 * static_cast<double>(table.capacity()))) continue;
    OpenHashTable larger(table.capacity() * 2);
    for (size_t key : table.Keys()) larger.Put(key, hashes[key]);
    table = std::move(larger);
  }
  return table.Keys();
}

std::vector<size_t> ScalaOrder(const std::vector<uint32_t>& hashes) {
  constexpr size_t kMostInOrder = 4;  // Set1 to Set4, Map1 to Map4
  std::vector<size_t> filled(hashes.size());
  std::iota(filled.begin(), filled.end(), size_t{0});
  if (filled.size() <= kMostInOrder) return filled;
  std::vector<size_t> ordered;
  Walk(hashes, filled, 0, &ordered);
  return ordered;
}

}  // namespace millrace
