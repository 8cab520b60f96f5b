#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace millrace::delta {

/// Lower ends of the classes of delta-spark's histogram of file sizes.
inline constexpr std::array<int64_t, 95> kFileSizeClasses = [] {
  constexpr int64_t kKiB = 1024;
  constexpr int64_t kMiB = 1024 * kKiB;
  constexpr int64_t kGiB = 1024 * kMiB;
  return std::array<int64_t, 95>{
      0,           8 * kKiB,    16 * kKiB,   32 * kKiB,   64 * kKiB,   128 * kKiB,  256 * kKiB,  512 * kKiB,
      1 * kMiB,    2 * kMiB,    4 * kMiB,    8 * kMiB,    12 * kMiB,   16 * kMiB,   20 * kMiB,   24 * kMiB,
      28 * kMiB,   32 * kMiB,   36 * kMiB,   40 * kMiB,   48 * kMiB,   56 * kMiB,   64 * kMiB,   72 * kMiB,
      80 * kMiB,   88 * kMiB,   96 * kMiB,   104 * kMiB,  112 * kMiB,  120 * kMiB,  124 * kMiB,  128 * kMiB,
      132 * kMiB,  136 * kMiB,  140 * kMiB,  144 * kMiB,  160 * kMiB,  176 * kMiB,  192 * kMiB,  208 * kMiB,
      224 * kMiB,  240 * kMiB,  256 * kMiB,  272 * kMiB,  288 * kMiB,  304 * kMiB,  320 * kMiB,  336 * kMiB,
      352 * kMiB,  368 * kMiB,  384 * kMiB,  400 * kMiB,  416 * kMiB,  432 * kMiB,  448 * kMiB,  464 * kMiB,
      480 * kMiB,  496 * kMiB,  512 * kMiB,  528 * kMiB,  544 * kMiB,  560 * kMiB,  576 * kMiB,  640 * kMiB,
      704 * kMiB,  768 * kMiB,  832 * kMiB,  896 * kMiB,  960 * kMiB,  1024 * kMiB, 1088 * kMiB, 1152 * kMiB,
      1216 * kMiB, 1280 * kMiB, 1344 * kMiB, 1408 * kMiB, 1536 * kMiB, 1664 * kMiB, 1792 * kMiB, 1920 * kMiB,
      2048 * kMiB, 2304 * kMiB, 2560 * kMiB, 2816 * kMiB, 3072 * kMiB, 3328 * kMiB, 3584 * kMiB, 3840 * kMiB,
      4 * kGiB,    8 * kGiB,    16 * kGiB,   32 * kGiB,   64 * kGiB,   128 * kGiB,  256 * kGiB};
}();

/// Lower ends of the classes of its histogram of deleted rows.
inline constexpr std::array<int64_t, 10> kDeletedRowClasses = {0,     1,      10,      100,      1000,
                                                               10000, 100000, 1000000, 10000000, 2147483647};

/// How many files there are, how large they are, how many of which size, and how many rows deletion vectors take from
/// them: what a checksum tells of a table's files.
class FileTotals {
 public:
  using PerClass = std::array<int64_t, kFileSizeClasses.size()>;
  using DeletedPerClass = std::array<int64_t, kDeletedRowClasses.size()>;

  /// `num_deleted`: what the file's deletion vector says, 0 where it has none.
  void Add(int64_t size_bytes, int64_t num_deleted) { Count(size_bytes, num_deleted, 1); }
  void Remove(int64_t size_bytes, int64_t num_deleted) { Count(size_bytes, num_deleted, -1); }

  int64_t num_files() const { return num_files_; }
  int64_t size_bytes() const { return size_bytes_; }
  const PerClass& counts() const { return counts_; }
  const PerClass& bytes() const { return bytes_; }
  int64_t num_deletion_vectors() const { return num_deletion_vectors_; }
  int64_t num_deleted_rows() const { return num_deleted_rows_; }
  const DeletedPerClass& deleted_counts() const { return deleted_counts_; }

 private:
  void Count(int64_t size_bytes, int64_t num_deleted, int64_t sign);

  int64_t num_files_ = 0;
  int64_t size_bytes_ = 0;
  PerClass counts_{};
  PerClass bytes_{};
  int64_t num_deletion_vectors_ = 0;
  int64_t num_deleted_rows_ = 0;
  DeletedPerClass deleted_counts_{};
};

}  // namespace millrace::delta
