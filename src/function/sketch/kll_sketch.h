#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::function {

/// Items in order with the number of items up to each, of which several things can be asked. A value type.
template <typename T>
class KllView {
 public:
  KllView(std::vector<std::pair<T, int64_t>> entries, int64_t num_items)
      : entries_(std::move(entries)), num_items_(num_items) {}
  /// The least item whose rank is at least `rank`, in [0, 1].
  T Quantile(double rank) const;
  /// The part of the items that are at most `item`.
  double Rank(T item) const;

 private:
  std::vector<std::pair<T, int64_t>> entries_;
  int64_t num_items_;
};

/// Quantiles of a stream, about: levels of items, where an item of level i stands for 2^i that were seen. A level that
/// is full gives every second of its items to the next one. Sizes, bytes and text are those of Apache DataSketches'
/// KllLongsSketch (int64_t), KllFloatsSketch (float) and KllDoublesSketch (double); which half of a level stays is
/// chosen at random there, and by the number of items here. A value type. Source: DataSketches, "KLL Sketch"; layout of
/// KllPreambleUtil.
template <typename T>
class KllSketch {
 public:
  explicit KllSketch(int k) : k_(k), min_k_(k), room_(Capacity()) {}

  int k() const { return k_; }
  int64_t num_items() const { return num_items_; }
  /// NaN is left out.
  void Update(T item);
  /// Adds what another sketch has seen; the size stays.
  void Merge(const KllSketch& other);
  /// The items in order. REQUIRES: some item.
  KllView<T> Sorted() const;
  /// A summary for people.
  std::string Text() const;

  std::string Serialize() const;
  /// Errors: Invalid when it is no such sketch.
  static arrow::Result<KllSketch> Parse(std::string_view bytes);

 private:
  using Level = std::vector<T>;

  int num_levels() const { return static_cast<int>(levels_.size()); }
  int64_t NumRetained() const;
  int64_t Capacity() const;
  int64_t SerializedSize(bool with_free_space) const;
  /// Gives half of a level to the next, which is there.
  void Compact(size_t level);
  void CompactFirstFull();
  void MergeHigherLevels(const KllSketch& other);
  void Widen(T least, T greatest);
  arrow::Status CheckItems() const;
  arrow::Status ParseFull(std::string_view bytes, int num_levels, bool with_free_space);

  int k_;
  /// The least k of the sketches merged in that had dropped items.
  int min_k_;
  int64_t num_items_ = 0;
  T min_{};
  T max_{};
  bool first_is_sorted_ = false;
  /// Level 0 in the order in which its items came, the others sorted.
  std::vector<Level> levels_ = std::vector<Level>(1);
  /// Items that fit in before a level is compacted: Capacity() − NumRetained(), which goes through all levels.
  int64_t room_;
};

extern template class KllView<int64_t>;
extern template class KllView<float>;
extern template class KllView<double>;
extern template class KllSketch<int64_t>;
extern template class KllSketch<float>;
extern template class KllSketch<double>;

}  // namespace millrace::function
