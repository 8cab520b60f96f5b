#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace millrace {

/// Indices of `hashes`, hashCode() of the different keys of an immutable Set or Map of Scala 2.13, in the order in
/// which it gives them back. Up to four keys that is the order in which it was filled.
std::vector<size_t> ScalaOrder(const std::vector<uint32_t>& hashes);

/// The same for the keys of Spark's OpenHashMap, put in in this order.
std::vector<size_t> OpenHashMapOrder(const std::vector<uint32_t>& hashes);

}  // namespace millrace
