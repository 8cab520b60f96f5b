#include "base/scala_order.h"

#include <array>
#include <numeric>

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
