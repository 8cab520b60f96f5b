#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::delta {

/// A set of row positions of up to 63 bits, held as deletion vectors have it: runs of 65,536 positions that are a
/// sorted list while they are few, else bits.
/// Format: docs/formats/delta_log.md, "Deletion vectors"; the Roaring format specification, "portable".
/// Immutable ones are thread-safe.
class RoaringBitmap {
 public:
  RoaringBitmap() = default;
  /// `positions` in any order.
  static RoaringBitmap Of(std::vector<uint64_t> positions);

  /// Reads what Serialize writes: magic number, then 32-bit bitmaps by their upper half; and the older "native" form.
  /// Errors: Invalid for anything that is not exactly one bitmap.
  static arrow::Result<RoaringBitmap> Parse(std::string_view bytes);
  std::string Serialize() const;

  bool Contains(uint64_t position) const;
  uint64_t cardinality() const { return cardinality_; }
  bool empty() const { return cardinality_ == 0; }
  /// REQUIRES: not empty.
  uint64_t Max() const;
  /// All positions, ascending.
  std::vector<uint64_t> ToVector() const;

  /// Sets bit i of `keep` (least significant first) to 0 for each position first + i that is in the set, i < length;
  /// the number of them.
  int64_t ClearBits(uint64_t first, int64_t length, uint8_t* keep) const;

  /// Positions that are in this one and not in `other`.
  RoaringBitmap Minus(const RoaringBitmap& other) const;
  RoaringBitmap Union(const RoaringBitmap& other) const;
  bool operator==(const RoaringBitmap& other) const { return ToVector() == other.ToVector(); }

 private:
  static constexpr size_t kMaxListed = 4096;
  static constexpr size_t kNumWords = 1024;
  /// Positions with the same upper 48 bits.
  struct Container {
    uint64_t key = 0;
    /// Ascending; empty when `bits` is set.
    std::vector<uint16_t> listed;
    std::vector<uint64_t> bits;

    uint32_t cardinality() const;
    bool Contains(uint16_t low) const;
  };
  class Reader;

  static arrow::Result<RoaringBitmap> ParseNative(std::string_view bytes, bool big_endian);
  static Container MakeContainer(uint64_t key, std::vector<uint16_t> ascending);
  void Add(Container container);

  /// Ascending by key.
  std::vector<Container> containers_;
  uint64_t cardinality_ = 0;
};

}  // namespace millrace::delta
